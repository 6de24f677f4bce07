// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/crash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* x86_64 and arm64 end at 52 bits of physical address; no file is longer either. */
#define ADDR_LIMIT (1ULL << 52)

/* Per-CPU buffers are below 4 KiB, VMCOREINFO is a page (64 KiB on ppc64), a merged segment of 8192 CPUs 3 MiB. */
#define NOTE_SEGMENT_LIMIT (16U << 20)

/* Of all of them: a broken header may name the same megabytes thousands of times. */
#define NOTES_LIMIT (64U << 20)

/*
 * What was left out of a file lies behind the data of its PT_LOADs, as p_memsz says (makedumpfile -E). That may be nearly all
 * of a machine's memory, but the struct pages of it are always kept: 64 bytes a page, of 64 KiB at most.
 */
#define LEFT_OUT_RATIO 1024
#define LEFT_OUT_MIN (1ULL << 30)

static int check_ehdr(const struct elf_ehdr *ehdr, struct error *err)
{
	if (ehdr->type != ET_CORE)
		return fail(err, -EINVAL, "e_type %u is not ET_CORE", ehdr->type);
	if (ehdr->phentsize != elf_phdr_size(ehdr->form))
		return fail(err, -EINVAL, "e_phentsize %u is not %zu", ehdr->phentsize, elf_phdr_size(ehdr->form));
	if (!ehdr->phnum)
		return fail(err, -EINVAL, "e_phnum is 0");
	if (ehdr->phoff < elf_ehdr_size(ehdr->form) || ehdr->phoff > ADDR_LIMIT)
		return fail(err, -EINVAL, "e_phoff 0x%llx is out of range", (unsigned long long)ehdr->phoff);
	return 0;
}

static int read_ehdr(struct crash *crash, const struct crash_source *source, struct error *err)
{
	uint8_t buf[ELF_EHDR_MAX];
	int rc;

	if (source->addr > ADDR_LIMIT)
		return fail(err, -EINVAL, "header address 0x%llx is out of range", (unsigned long long)source->addr);
	if (source->size && source->size < sizeof(buf))
		return fail(err, -EINVAL, "header of %llu bytes is too short for ELF", (unsigned long long)source->size);
	rc = mem_read(source->mem, source->addr, buf, sizeof(buf));
	if (rc)
		return fail(err, rc, "ELF header at 0x%llx is not readable through %s: %s",
			    (unsigned long long)source->addr, source->mem->ops->name, strerror(-rc));
	rc = elf_ehdr_decode(buf, &crash->ehdr, err);
	if (!rc)
		rc = check_ehdr(&crash->ehdr, err);
	if (rc)
		return fail_prefix(err, "ELF header at 0x%llx", (unsigned long long)source->addr);
	return 0;
}

/* The number of program headers that can exist, PN_XNUM resolved and a lying e_phnum cut to the header's size. */
static int count_phdrs(struct crash *crash, const struct crash_source *source, struct error *err)
{
	const struct elf_ehdr *ehdr = &crash->ehdr;
	uint8_t shdr[ELF_SHDR_MAX];
	uint64_t room;
	int rc;

	crash->nr_phdrs = ehdr->phnum;
	if (ehdr->phnum == PN_XNUM && ehdr->shoff && ehdr->shoff < ADDR_LIMIT) {
		rc = mem_read(source->mem, source->addr + ehdr->shoff, shdr, elf_shdr_size(ehdr->form));
		if (rc)
			return fail(err, rc, "section header 0 with the number of program headers is not readable");
		crash->nr_phdrs = elf_shdr0_info(ehdr->form, shdr);
	}
	if (crash->nr_phdrs > CRASH_PHDRS_MAX)
		return fail(err, -EINVAL, "%u program headers are more than any core has", crash->nr_phdrs);
	if (source->size) {
		room = source->size > ehdr->phoff ? (source->size - ehdr->phoff) / ehdr->phentsize : 0;
		if (crash->nr_phdrs > room) {
			log_warn(source->log, "e_phnum %u, but the header of %llu bytes has room for %llu", crash->nr_phdrs,
				 (unsigned long long)source->size, (unsigned long long)room);
			crash->nr_phdrs = room;
		}
	}
	return 0;
}

static const char *load_defect(const struct elf_phdr *phdr, uint64_t max_off)
{
	if (phdr->filesz > phdr->memsz)
		return "p_filesz > p_memsz";
	if (phdr->offset > max_off || phdr->filesz > max_off - phdr->offset)
		return "data beyond any physical address";
	if (phdr->paddr != PADDR_NONE && (phdr->paddr > ADDR_LIMIT || phdr->memsz > ADDR_LIMIT - phdr->paddr))
		return "p_paddr beyond any physical address";
	return NULL;
}

int crash_add_segment(struct crash *crash, const struct segment *seg)
{
	if (crash->nr_segs == crash->cap_segs) {
		unsigned int cap = crash->cap_segs ? 2 * crash->cap_segs : 32;
		struct segment *segs = realloc(crash->segs, cap * sizeof(*segs));

		if (!segs)
			return -ENOMEM;
		crash->segs = segs;
		crash->cap_segs = cap;
	}
	crash->segs[crash->nr_segs++] = *seg;
	return 0;
}

static int add_load(struct crash *crash, const struct crash_source *source, const struct elf_phdr *phdr, uint32_t ordinal)
{
	const char *defect = load_defect(phdr, source->max_off ? source->max_off : ADDR_LIMIT);

	if (defect) {
		crash->nr_rejected++;
		log_warn(source->log, "PT_LOAD %u rejected, %s: p_offset 0x%llx p_paddr 0x%llx p_filesz 0x%llx p_memsz 0x%llx",
			 ordinal, defect, (unsigned long long)phdr->offset, (unsigned long long)phdr->paddr,
			 (unsigned long long)phdr->filesz, (unsigned long long)phdr->memsz);
		return 0;
	}
	if (!phdr->memsz)
		return 0;
	return crash_add_segment(crash, &(struct segment){
		.vaddr = phdr->vaddr,
		.paddr = phdr->paddr,
		.src = phdr->offset,
		.filesz = phdr->filesz,
		.memsz = phdr->memsz,
		.flags = phdr->flags,
		.ordinal = ordinal,
	});
}

/* Collect the notes of one PT_NOTE segment; one that cannot be read costs its own CPU only. *room is what may still be read. */
static int add_note_segment(struct crash *crash, const struct crash_source *source, const struct elf_phdr *phdr, uint32_t cpu,
			    uint64_t *room)
{
	uint64_t len = phdr->filesz;
	uint8_t *buf;
	int rc;

	if (!len)
		return 0;
	if (len > NOTE_SEGMENT_LIMIT) {
		log_warn(source->log, "PT_NOTE %u of %llu bytes cut to %u", cpu, (unsigned long long)len, NOTE_SEGMENT_LIMIT);
		len = NOTE_SEGMENT_LIMIT;
	}
	if (len >= *room) {
		if (*room)
			log_warn(source->log, "more than %u MiB of notes: PT_NOTE %u and the next ones are dropped",
				 NOTES_LIMIT >> 20, cpu);
		*room = 0;
		return 0;
	}
	*room -= len;
	buf = malloc(len);
	if (!buf)
		return -ENOMEM;
	rc = phdr->offset > ADDR_LIMIT ? -EINVAL : mem_read(source->mem, phdr->offset, buf, len);
	if (rc) {
		log_warn(source->log, "PT_NOTE %u at 0x%llx is not readable (%s), skipped", cpu,
			 (unsigned long long)phdr->offset, strerror(-rc));
		crash->notes.nr_broken++;
		rc = 0;
	} else {
		rc = notes_append(&crash->notes, buf, len, phdr->align == 8 ? 8 : 4, cpu, source->log);
	}
	free(buf);
	return rc;
}

static int read_phdrs(struct crash *crash, const struct crash_source *source, struct error *err)
{
	size_t size = elf_phdr_size(crash->ehdr.form);
	uint32_t nr_loads = 0;
	uint64_t notes_room = NOTES_LIMIT;

	for (uint32_t i = 0; i < crash->nr_phdrs; i++) {
		maddr_t addr = source->addr + crash->ehdr.phoff + (uint64_t)i * size;
		uint8_t buf[ELF_PHDR_MAX];
		struct elf_phdr phdr;
		int rc = mem_read(source->mem, addr, buf, size);

		if (rc) {
			log_warn(source->log, "program headers from %u on are not readable (of %u)", i, crash->nr_phdrs);
			crash->cut = true;
			break;
		}
		elf_phdr_decode(crash->ehdr.form, buf, &phdr);
		if (phdr.type == PT_LOAD)
			rc = add_load(crash, source, &phdr, nr_loads++);
		else if (phdr.type == PT_NOTE)
			rc = add_note_segment(crash, source, &phdr, crash->nr_note_segs++, &notes_room);
		else if (phdr.type != PT_NULL)
			log_warn(source->log, "program header %u of type 0x%x passed over", i, phdr.type);
		if (rc)
			return fail(err, rc, "no memory for program header %u", i);
	}
	/* A single PT_NOTE is somebody's merger: which CPU a note is from is not said by its place. */
	if (crash->nr_note_segs == 1)
		for (unsigned int i = 0; i < crash->notes.nr_cpus; i++)
			crash->notes.cpus[i].cpu = CPU_UNKNOWN;
	return 0;
}

/*
 * One lying p_memsz would be petabytes of pages. Such a PT_LOAD ends with its data, and in the header of a crash each does,
 * for no kernel says anything else.
 */
static void cut_left_out(struct crash *crash, const struct crash_source *source)
{
	uint64_t data = 0, room = 0;
	unsigned int nr = 0, nr_cut = 0;

	for (unsigned int i = 0; i < crash->nr_segs; i++)
		data = min_u64(data + crash->segs[i].filesz, ADDR_LIMIT);
	if (!source->unfiltered)
		room = max_u64(data * LEFT_OUT_RATIO, LEFT_OUT_MIN);
	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		struct segment seg = crash->segs[i];
		uint64_t len = seg.memsz - seg.filesz;

		if (len <= room) {
			room -= len;
		} else {
			if (!nr_cut++)
				log_warn(source->log, "PT_LOAD %u: of p_memsz 0x%llx only p_filesz 0x%llx counts, and so of others like it",
					 seg.ordinal, (unsigned long long)seg.memsz, (unsigned long long)seg.filesz);
			seg.memsz = seg.filesz;
		}
		if (seg.memsz)
			crash->segs[nr++] = seg;
	}
	crash->nr_rejected += crash->nr_segs - nr;
	crash->nr_segs = nr;
}

/* By p_paddr, and of several that begin there the longest first, the earliest header first. */
static int compare_paddr(const void *a, const void *b)
{
	const struct segment *x = *(struct segment *const *)a, *y = *(struct segment *const *)b;

	if (x->paddr != y->paddr)
		return x->paddr < y->paddr ? -1 : 1;
	if (x->filesz != y->filesz)
		return x->filesz > y->filesz ? -1 : 1;
	return x->ordinal < y->ordinal ? -1 : 1;
}

/*
 * /proc/vmcore stores the kernel image twice, at two offsets, because its two PT_LOADs overlap physically. In a kernel
 * core (it has VMCOREINFO) p_paddr is meant seriously, so the inner one is made to read the outer one's data.
 */
static int share_by_paddr(struct crash *crash)
{
	struct segment **order = malloc(crash->nr_segs * sizeof(*order)), *outer = NULL;
	unsigned int nr = 0;

	if (!order)
		return -ENOMEM;
	for (unsigned int i = 0; i < crash->nr_segs; i++)
		if (crash->segs[i].paddr != PADDR_NONE && crash->segs[i].filesz)
			order[nr++] = &crash->segs[i];
	qsort(order, nr, sizeof(*order), compare_paddr);
	for (unsigned int i = 0; i < nr; i++) {
		struct segment *seg = order[i];

		if (outer && seg->paddr + seg->filesz <= outer->paddr + outer->filesz)
			seg->src = outer->src + (seg->paddr - outer->paddr);
		else
			outer = seg;
	}
	free(order);
	return 0;
}

void crash_locate_vmcoreinfo(struct crash *crash)
{
	crash->vmcoreinfo.len = crash->notes.vmcoreinfo_len;
	crash->vmcoreinfo.text = crash->vmcoreinfo.len ? (const char *)crash->notes.buf + crash->notes.vmcoreinfo_off : "";
}

int crash_read(struct crash *crash, const struct crash_source *source, struct error *err)
{
	int rc;

	memset(crash, 0, sizeof(*crash));
	rc = read_ehdr(crash, source, err);
	if (rc)
		return rc;
	notes_init(&crash->notes, crash->ehdr.form.data);
	rc = count_phdrs(crash, source, err);
	if (!rc)
		rc = read_phdrs(crash, source, err);
	if (!rc)
		cut_left_out(crash, source);
	if (!rc && !crash->nr_segs && !(source->notes_will_do && crash->notes.len && !crash->nr_rejected))
		rc = fail(err, -EINVAL, "no usable PT_LOAD among %u program headers", crash->nr_phdrs);
	if (!rc && crash->nr_segs && crash->notes.vmcoreinfo_len && share_by_paddr(crash))
		rc = fail(err, -ENOMEM, "no memory to sort %u segments", crash->nr_segs);
	if (rc) {
		crash_deinit(crash);
		return rc;
	}
	crash_locate_vmcoreinfo(crash);
	return 0;
}

bool crash_adopt_notes(struct crash *crash, struct crash *from)
{
	struct notes own = crash->notes;
	bool cpus_known = from->notes.nr_cpus + (from->notes.vmcoreinfo_len != 0) == crash->nr_note_segs;

	if (from->notes.len <= own.len)
		return false;
	crash->notes = from->notes;
	from->notes = own;
	for (unsigned int i = 0; i < crash->notes.nr_cpus; i++)
		crash->notes.cpus[i].cpu = cpus_known ? i : CPU_UNKNOWN;
	crash_locate_vmcoreinfo(crash);
	crash_locate_vmcoreinfo(from);
	return true;
}

void crash_deinit(struct crash *crash)
{
	notes_deinit(&crash->notes);
	free(crash->segs);
	memset(crash, 0, sizeof(*crash));
}

int crash_find_paddr(const struct crash *crash, paddr_t paddr, maddr_t *ret, uint64_t *len_ret)
{
	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		const struct segment *seg = &crash->segs[i];

		if (seg->paddr == PADDR_NONE || paddr < seg->paddr || paddr - seg->paddr >= seg->filesz)
			continue;
		*ret = seg->src + (paddr - seg->paddr);
		*len_ret = seg->filesz - (paddr - seg->paddr);
		return 0;
	}
	return -ENODATA;
}

const struct segment *crash_segment_at(const struct crash *crash, vaddr_t vaddr)
{
	for (unsigned int i = 0; i < crash->nr_segs; i++)
		if (vaddr >= crash->segs[i].vaddr && vaddr - crash->segs[i].vaddr < crash->segs[i].filesz)
			return &crash->segs[i];
	return NULL;
}

int crash_find_vaddr(const struct crash *crash, vaddr_t vaddr, maddr_t *ret, uint64_t *len_ret)
{
	const struct segment *seg = crash_segment_at(crash, vaddr);

	if (!seg)
		return -ENODATA;
	*ret = seg->src + (vaddr - seg->vaddr);
	*len_ret = seg->filesz - (vaddr - seg->vaddr);
	return 0;
}
