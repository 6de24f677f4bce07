// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two opinions on a core: libelf's, by whose rules every ELF reader of elfutils goes, and ours on what the readers of
 * kernel cores need beyond them.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "src/cmd.h"

static const char help[] =
	"usage: kcapture verify [OPTIONS] CORE\n"
	"\n"
	"Check that CORE is a conforming ELF core that gdb, crash, drgn and makedumpfile open, and that it is complete.\n"
	"One line for each defect, then the verdict. Exit code 0: it can be trusted; 1: it cannot.\n"
	"\n"
	"  -q, --quiet      only the exit code\n"
	"  -h, --help       this text\n";

#define EF_DUMP_INCOMPLETE 1
#define PADDR_NONE UINT64_MAX

struct verify {
	const char *path;
	bool quiet;
	Elf *elf;
	GElf_Ehdr ehdr;
	size_t nr_phdrs;
	uint64_t file_size;
	unsigned int nr_defects;
	unsigned int nr_prstatus, nr_vmcoreinfo;
	bool incomplete;
};

static void defect(struct verify *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void defect(struct verify *v, const char *fmt, ...)
{
	va_list ap;

	v->nr_defects++;
	if (v->quiet)
		return;
	printf("%s: ", v->path);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static bool get_phdr(struct verify *v, size_t i, GElf_Phdr *ret)
{
	if (gelf_getphdr(v->elf, i, ret))
		return true;
	defect(v, "program header %zu: %s", i, elf_errmsg(-1));
	return false;
}

static void check_note_segment(struct verify *v, const GElf_Phdr *phdr)
{
	Elf_Data *data = elf_getdata_rawchunk(v->elf, phdr->p_offset, phdr->p_filesz, ELF_T_NHDR);
	size_t off = 0, name_off, desc_off;
	GElf_Nhdr nhdr;

	if (!data) {
		defect(v, "PT_NOTE at 0x%llx: %s", (unsigned long long)phdr->p_offset, elf_errmsg(-1));
		return;
	}
	while (off < data->d_size) {
		const char *name;
		size_t next = gelf_getnote(data, off, &nhdr, &name_off, &desc_off);

		if (!next) {
			defect(v, "the note at 0x%llx overruns its segment", (unsigned long long)(phdr->p_offset + off));
			return;
		}
		name = (const char *)data->d_buf + name_off;
		v->nr_prstatus += nhdr.n_type == NT_PRSTATUS && nhdr.n_namesz >= 4 && !memcmp(name, "CORE", 4);
		v->nr_vmcoreinfo += nhdr.n_type == 0 && nhdr.n_namesz >= 10 && !memcmp(name, "VMCOREINFO", 10);
		off = next;
	}
}

static void check_load(struct verify *v, size_t i, const GElf_Phdr *phdr)
{
	if (phdr->p_filesz > phdr->p_memsz)
		defect(v, "program header %zu: p_filesz 0x%llx > p_memsz 0x%llx", i, (unsigned long long)phdr->p_filesz,
		       (unsigned long long)phdr->p_memsz);
	if (phdr->p_offset > v->file_size || phdr->p_filesz > v->file_size - phdr->p_offset)
		defect(v, "program header %zu: data 0x%llx+0x%llx lies beyond the end of the file (0x%llx)", i,
		       (unsigned long long)phdr->p_offset, (unsigned long long)phdr->p_filesz, (unsigned long long)v->file_size);
	if (phdr->p_align > 1 && (phdr->p_offset - phdr->p_vaddr) % phdr->p_align)
		defect(v, "program header %zu: p_offset 0x%llx and p_vaddr 0x%llx are not congruent modulo p_align 0x%llx", i,
		       (unsigned long long)phdr->p_offset, (unsigned long long)phdr->p_vaddr, (unsigned long long)phdr->p_align);
}

/* crash looks at the first header only for notes, and takes every other one for memory; makedumpfile trusts p_paddr. */
static void check_order(struct verify *v, size_t i, const GElf_Phdr *phdr, bool *alias_seen)
{
	if (i == 0 && phdr->p_type != PT_NOTE)
		defect(v, "the first program header is not PT_NOTE");
	if (i > 0 && phdr->p_type != PT_LOAD)
		defect(v, "program header %zu of type 0x%x is not PT_LOAD", i, phdr->p_type);
	if (i == 1 && phdr->p_align && !(phdr->p_offset & 0xfff))
		defect(v, "the first PT_LOAD has p_align 0x%llx: crash takes the core for a netdump",
		       (unsigned long long)phdr->p_align);
	if (phdr->p_type != PT_LOAD)
		return;
	if (phdr->p_paddr == PADDR_NONE)
		*alias_seen = true;
	else if (*alias_seen)
		defect(v, "program header %zu: memory after alias segments", i);
}

static void check_phdrs(struct verify *v)
{
	bool alias_seen = false;
	GElf_Phdr phdr;

	for (size_t i = 0; i < v->nr_phdrs; i++) {
		if (!get_phdr(v, i, &phdr))
			return;
		check_order(v, i, &phdr, &alias_seen);
		if (phdr.p_type == PT_NOTE)
			check_note_segment(v, &phdr);
		else if (phdr.p_type == PT_LOAD)
			check_load(v, i, &phdr);
	}
	if (!v->nr_prstatus)
		defect(v, "no registers of any CPU (NT_PRSTATUS)");
	if (!v->nr_vmcoreinfo)
		defect(v, "no VMCOREINFO");
}

static void check_ehdr(struct verify *v)
{
	if (v->ehdr.e_type != ET_CORE)
		defect(v, "e_type %u is not ET_CORE", v->ehdr.e_type);
	if (v->ehdr.e_phoff != gelf_fsize(v->elf, ELF_T_EHDR, 1, EV_CURRENT))
		defect(v, "the program headers do not follow the ELF header: e_phoff 0x%llx",
		       (unsigned long long)v->ehdr.e_phoff);
	v->incomplete = v->ehdr.e_flags & EF_DUMP_INCOMPLETE;
	if (v->incomplete)
		defect(v, "marked incomplete (e_flags 0x%x)", v->ehdr.e_flags);
}

static int verify_fd(struct verify *v, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0)
		return cmd_fail("%s: %s", v->path, strerror(errno));
	v->file_size = size;
	elf_version(EV_CURRENT);
	v->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!v->elf || elf_kind(v->elf) != ELF_K_ELF || !gelf_getehdr(v->elf, &v->ehdr) ||
	    elf_getphdrnum(v->elf, &v->nr_phdrs)) {
		defect(v, "not an ELF file: %s", v->elf && elf_kind(v->elf) != ELF_K_ELF ? "no ELF magic" : elf_errmsg(-1));
	} else {
		check_ehdr(v);
		check_phdrs(v);
	}
	elf_end(v->elf);
	if (v->quiet)
		return v->nr_defects != 0;
	if (v->nr_defects)
		printf("%s: NOT trustworthy: %u defect%s\n", v->path, v->nr_defects, v->nr_defects == 1 ? "" : "s");
	else
		printf("%s: conforming and complete: %zu program headers, %u CPUs\n", v->path, v->nr_phdrs, v->nr_prstatus);
	return v->nr_defects != 0;
}

int cmd_verify(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct verify v = { 0 };
	int opt, fd, rc;

	while ((opt = cmd_getopt(argc, argv, ":qh", options, help, 1)) != -1) {
		switch (opt) {
		case 'q': v.quiet = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	v.path = argv[optind];
	fd = open(v.path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cmd_fail("%s: %s", v.path, strerror(errno));
	rc = verify_fd(&v, fd);
	close(fd);
	return rc;
}
