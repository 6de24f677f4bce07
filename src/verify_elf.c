// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two opinions on an ELF core: libelf's, by whose rules every ELF reader of elfutils goes, and ours on what the readers
 * of kernel cores need beyond them.
 */
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/verify.h"

/* elfcore/elfdef.h has these, but does not go with <elf.h>. */
#define EF_DUMP_INCOMPLETE 1
#define PADDR_NONE UINT64_MAX

struct check {
	struct verify *v;
	Elf *elf;
	GElf_Ehdr ehdr;
	size_t nr_phdrs;
	uint64_t size;			/* of the file */
	unsigned int nr_prstatus, nr_vmcoreinfo;
	size_t nr_loads;		/* that hold memory */
	size_t nr_beyond, first_beyond;	/* program headers whose data lies beyond the end of the file */
};

static bool get_phdr(struct check *c, size_t i, GElf_Phdr *ret)
{
	if (gelf_getphdr(c->elf, i, ret))
		return true;
	verify_defect(c->v, "program header %zu: %s", i, elf_errmsg(-1));
	return false;
}

static void check_note_segment(struct check *c, const GElf_Phdr *phdr)
{
	Elf_Data *data = elf_getdata_rawchunk(c->elf, phdr->p_offset, phdr->p_filesz, ELF_T_NHDR);
	size_t off = 0, name_off, desc_off;
	GElf_Nhdr nhdr;

	if (!data) {
		verify_defect(c->v, "PT_NOTE at 0x%llx: %s", (unsigned long long)phdr->p_offset, elf_errmsg(-1));
		return;
	}
	while (off < data->d_size) {
		const char *name;
		size_t next = gelf_getnote(data, off, &nhdr, &name_off, &desc_off);

		if (!next) {
			verify_defect(c->v, "the note at 0x%llx overruns its segment", (unsigned long long)(phdr->p_offset + off));
			return;
		}
		name = (const char *)data->d_buf + name_off;
		c->nr_prstatus += nhdr.n_type == NT_PRSTATUS && nhdr.n_namesz >= 4 && !memcmp(name, "CORE", 4);
		c->nr_vmcoreinfo += nhdr.n_type == 0 && nhdr.n_namesz >= 10 && !memcmp(name, "VMCOREINFO", 10);
		off = next;
	}
}

static void check_load(struct check *c, size_t i, const GElf_Phdr *phdr)
{
	if (phdr->p_filesz > phdr->p_memsz)
		verify_defect(c->v, "program header %zu: p_filesz 0x%llx > p_memsz 0x%llx", i, (unsigned long long)phdr->p_filesz,
		       (unsigned long long)phdr->p_memsz);
	if ((phdr->p_offset > c->size || phdr->p_filesz > c->size - phdr->p_offset) && !c->nr_beyond++)
		c->first_beyond = i;
	if (phdr->p_align > 1 && (phdr->p_offset - phdr->p_vaddr) % phdr->p_align)
		verify_defect(c->v, "program header %zu: p_offset 0x%llx and p_vaddr 0x%llx are not congruent modulo p_align 0x%llx", i,
		       (unsigned long long)phdr->p_offset, (unsigned long long)phdr->p_vaddr, (unsigned long long)phdr->p_align);
}

/* Of a core that was cut these are most headers: it is one defect. */
static void report_beyond(struct check *c)
{
	GElf_Phdr phdr;

	if (!c->nr_beyond || !get_phdr(c, c->first_beyond, &phdr))
		return;
	verify_defect(c->v, "cut: of %zu program headers the data of %zu lies beyond the end of the file (0x%llx); of number %zu it is "
		      "0x%llx+0x%llx", c->nr_phdrs, c->nr_beyond, (unsigned long long)c->size, c->first_beyond,
		      (unsigned long long)phdr.p_offset, (unsigned long long)phdr.p_filesz);
}

/* crash looks at the first header only for notes, and takes every other one for memory; makedumpfile trusts p_paddr. */
static void check_order(struct check *c, size_t i, const GElf_Phdr *phdr, bool *alias_seen)
{
	if (i == 0 && phdr->p_type != PT_NOTE)
		verify_defect(c->v, "the first program header is not PT_NOTE");
	if (i > 0 && phdr->p_type != PT_LOAD)
		verify_defect(c->v, "program header %zu of type 0x%x is not PT_LOAD", i, phdr->p_type);
	if (i == 1 && phdr->p_align && !(phdr->p_offset & 0xfff))
		verify_defect(c->v, "the first PT_LOAD has p_align 0x%llx: crash takes the core for a netdump",
		       (unsigned long long)phdr->p_align);
	if (phdr->p_type != PT_LOAD)
		return;
	if (phdr->p_paddr == PADDR_NONE)
		*alias_seen = true;
	else if (*alias_seen)
		verify_defect(c->v, "program header %zu: memory after alias segments", i);
}

static void check_phdrs(struct check *c)
{
	bool alias_seen = false;
	GElf_Phdr phdr;

	for (size_t i = 0; i < c->nr_phdrs; i++) {
		if (!get_phdr(c, i, &phdr))
			return;
		check_order(c, i, &phdr, &alias_seen);
		if (phdr.p_type == PT_NOTE)
			check_note_segment(c, &phdr);
		else if (phdr.p_type == PT_LOAD)
			check_load(c, i, &phdr);
		c->nr_loads += phdr.p_type == PT_LOAD && phdr.p_memsz;
	}
	report_beyond(c);
	if (!c->nr_loads)
		verify_defect(c->v, "there is no memory in it, only notes");
	if (!c->nr_prstatus)
		verify_defect(c->v, "no registers of any CPU (NT_PRSTATUS)");
	if (!c->nr_vmcoreinfo)
		verify_defect(c->v, "no VMCOREINFO");
}

static void check_ehdr(struct check *c)
{
	if (c->ehdr.e_type != ET_CORE)
		verify_defect(c->v, "e_type %u is not ET_CORE", c->ehdr.e_type);
	if (c->ehdr.e_phoff != gelf_fsize(c->elf, ELF_T_EHDR, 1, EV_CURRENT))
		verify_defect(c->v, "the program headers do not follow the ELF header: e_phoff 0x%llx",
		       (unsigned long long)c->ehdr.e_phoff);
	if (c->ehdr.e_flags & EF_DUMP_INCOMPLETE)
		verify_defect(c->v, "marked incomplete (e_flags 0x%x)", c->ehdr.e_flags);
}

void verify_elf(struct verify *v, int fd)
{
	struct check c = { .v = v };
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0) {
		verify_defect(v, "%s", strerror(errno));
		return;
	}
	c.size = size;
	elf_version(EV_CURRENT);
	c.elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!c.elf || elf_kind(c.elf) != ELF_K_ELF || !gelf_getehdr(c.elf, &c.ehdr) || elf_getphdrnum(c.elf, &c.nr_phdrs)) {
		verify_defect(v, "not an ELF file: %s", c.elf && elf_kind(c.elf) != ELF_K_ELF ? "no ELF magic" : elf_errmsg(-1));
	} else {
		check_ehdr(&c);
		check_phdrs(&c);
		snprintf(v->summary, sizeof(v->summary), "%zu program headers, %u CPUs", c.nr_phdrs, c.nr_prstatus);
	}
	elf_end(c.elf);
}
