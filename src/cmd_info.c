// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "elfcore/capture_note.h"
#include "elfcore/kernel.h"
#include "src/cmd.h"
#include "src/identity.h"
#include "src/input.h"

static const char help[] =
	"usage: kcapture info [OPTIONS] CORE...\n"
	"\n"
	"Show what CORE holds: who crashed and when, CPUs and their registers, notes, segments, holes, completeness;\n"
	"of a kdump-compressed, flattened or zstd file also what there is to know of that. Several are the pieces of a dump\n"
	"that was split.\n"
	"\n"
	"  -s, --segments   list every segment\n"
	"      --vmcoreinfo print VMCOREINFO as it is, and nothing else\n"
	"  -h, --help       this text\n";

#define ROW "%-12s "

static void show_fact(struct mem_facts *facts, const char *key, const char *text)
{
	(void)facts;
	printf(ROW "%s\n", key, text);
}

/* The dump proper, and what it is wrapped in. */
static void show_format(struct input *in)
{
	const struct elf_ehdr *ehdr = &in->crash.ehdr;
	struct mem_facts facts = { show_fact };
	struct mem *source;

	if (in->kdump)
		printf(ROW "kdump-compressed, %s\n", "format", arch_machine_name(ehdr->machine));
	else
		printf(ROW "ELF%u %s-endian core, %s\n", "format", ehdr->form.class == ELFCLASS64 ? 64 : 32,
		       ehdr->form.data == ELFDATA2LSB ? "little" : "big", arch_machine_name(ehdr->machine));
	for (unsigned int i = 0; (source = input_source(in, i)); i++)
		mem_get_facts(source, &facts);
}

static void show_identity(const struct kernel *kernel)
{
	char when[32];

	format_time(kernel->crashtime, when);
	printf(ROW "%s\n", "kernel", kernel->release[0] ? kernel->release : "unknown");
	if (kernel->version[0])
		printf(ROW "%s\n", "build", kernel->version);
	printf(ROW "%s\n", "host", kernel->nodename[0] ? kernel->nodename : "unknown");
	printf(ROW "%s%s\n", "crashed", kernel->crashtime ? when : "unknown", kernel->crashtime ? " UTC" : "");
	if (kernel->page_size)
		printf(ROW "%llu\n", "page size", (unsigned long long)kernel->page_size);
	if (kernel->kaslr_offset)
		printf(ROW "0x%llx\n", "KASLR offset", (unsigned long long)kernel->kaslr_offset);
}

static void show_cpu(const struct crash *crash, const struct kernel *kernel, unsigned int i)
{
	const struct cpu_note *cpu = &crash->notes.cpus[i];
	const uint8_t *prstatus = crash->notes.buf + cpu->desc_off;
	uint8_t data = crash->ehdr.form.data;
	char name[24] = "?";

	if (cpu->cpu != CPU_UNKNOWN)
		snprintf(name, sizeof(name), "%u", cpu->cpu);
	printf("  CPU %-4s", name);
	if (kernel->arch && cpu->descsz >= kernel->arch->prstatus_size)
		printf(" pid %-7llu ip 0x%016llx sp 0x%016llx",
		       (unsigned long long)elf_get(data, prstatus + kernel->arch->pid_off, 4),
		       (unsigned long long)elf_get(data, prstatus + kernel->arch->ip_off, 8),
		       (unsigned long long)elf_get(data, prstatus + kernel->arch->sp_off, 8));
	putchar('\n');
}

static void show_notes(const struct crash *crash, const struct kernel *kernel)
{
	const struct notes *notes = &crash->notes;
	struct note note;

	printf(ROW "%u with registers\n", "CPUs", notes->nr_cpus);
	for (unsigned int i = 0; i < notes->nr_cpus; i++)
		show_cpu(crash, kernel, i);
	printf(ROW, "other notes");
	for (size_t off = 0; note_next(notes->data, notes->buf, notes->len, off, 4, &note) > 0; off += note.len)
		if (note.type != NT_PRSTATUS)
			printf("%.*s (type 0x%x, %u bytes)  ", (int)strnlen(note.name, note.namesz), note.name, note.type,
			       note.descsz);
	putchar('\n');
}

static void show_segments(const struct crash *crash, bool list)
{
	uint64_t bytes = 0;
	unsigned int nr_aliases = 0;

	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		nr_aliases += crash->segs[i].paddr == PADDR_NONE;
		bytes += crash->segs[i].paddr == PADDR_NONE ? 0 : crash->segs[i].filesz;
	}
	printf(ROW "%u of memory with %llu MB, %u aliases", "segments", crash->nr_segs - nr_aliases,
	       (unsigned long long)(bytes / 1000000), nr_aliases);
	printf(crash->nr_rejected ? ", %u absurd ones ignored\n" : "\n", crash->nr_rejected);
	for (unsigned int i = 0; i < crash->nr_segs && list; i++) {
		const struct segment *seg = &crash->segs[i];

		printf("  va 0x%016llx pa 0x%016llx size 0x%012llx offset 0x%llx\n", (unsigned long long)seg->vaddr,
		       (unsigned long long)seg->paddr, (unsigned long long)seg->memsz, (unsigned long long)seg->src);
	}
}

/* The lines of our own notes, all but the CPU map; a copy of a copy has several. */
static void show_capture(const struct notes *notes)
{
	struct note note;

	for (size_t off = 0; note_next(notes->data, notes->buf, notes->len, off, 4, &note) > 0; off += note.len) {
		const char *p = (const char *)note.desc, *end = p + note.descsz;

		if (note.type != CAPTURE_NOTE_TYPE || !note_named(&note, CAPTURE_NOTE_NAME))
			continue;
		printf(ROW "by kcapture\n", "captured");
		for (const char *eol; p < end && (eol = memchr(p, '\n', end - p)); p = eol + 1)
			if (eol > p && strncmp(p, "CPUS=", 5) && strncmp(p, "VERSION=", 8))
				printf("  %.*s\n", (int)(eol - p), p);
	}
}

/* A file that was cut still begins like a whole one. */
static int check_end(struct input *in, struct error *err)
{
	uint64_t run;
	uint8_t last;

	for (unsigned int i = 0; i < in->crash.nr_segs; i++) {
		const struct segment *seg = &in->crash.segs[i];
		maddr_t end = seg->src + seg->filesz - 1;

		if (seg->filesz && mem_present(&in->chain.mem, end, 1, &run) && mem_read(&in->chain.mem, end, &last, 1))
			return fail(err, -ENODATA, "the file ends early");
	}
	return in->crash.cut ? fail(err, -ENODATA, "the file ends early") : 0;
}

static void show_completeness(struct input *in)
{
	struct error err = { .text = "" };
	struct mem *source;
	int rc = in->crash.ehdr.flags & EF_DUMP_INCOMPLETE ? fail(&err, -ENODATA, "it is marked incomplete") : 0;

	for (unsigned int i = 0; !rc && (source = input_source(in, i)); i++)
		rc = mem_check_whole(source, &err);
	if (!rc)
		rc = check_end(in, &err);
	if (!rc && !in->crash.nr_segs)
		rc = fail(&err, -ENODATA, "there is no memory in it, only notes");
	printf(ROW "%s%s\n", "complete", rc ? "NO, " : "yes", err.text);
}

static int show(char *const *paths, unsigned int nr, bool segments, bool vmcoreinfo)
{
	static struct input in;
	struct kernel kernel;
	struct error err;

	if (input_files_open(&in, paths, nr, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	if (vmcoreinfo) {
		fwrite(in.crash.vmcoreinfo.text, 1, in.crash.vmcoreinfo.len, stdout);
	} else {
		kernel_init(&kernel, &in.crash, &in.chain.mem, stderr_log());
		show_format(&in);
		show_identity(&kernel);
		show_notes(&in.crash, &kernel);
		show_segments(&in.crash, segments);
		show_capture(&in.crash.notes);
		show_completeness(&in);
	}
	input_close(&in);
	return 0;
}

int cmd_info(int argc, char **argv)
{
	static const struct option options[] = {
		{ "segments", no_argument, NULL, 's' },
		{ "vmcoreinfo", no_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	bool segments = false, vmcoreinfo = false;
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":sh", options, help, -1)) != -1) {
		switch (opt) {
		case 's': segments = true; break;
		case 'i': vmcoreinfo = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	return show(argv + optind, argc - optind, segments, vmcoreinfo);
}
