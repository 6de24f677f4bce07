// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/kdump_crash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/kernel.h"

/* As for the notes of an ELF core (crash.c). */
#define NOTES_LIMIT (64U << 20)

/* Read a part of the file into malloc'd memory; NULL when there is none or it cannot be had, the latter said. */
static uint8_t *read_blob(const struct kdump_piece *piece, const struct kdump_blob *blob, const char *what,
			  struct log *log)
{
	uint8_t *buf = NULL;

	if (!blob->len)
		return NULL;
	if (blob->len <= NOTES_LIMIT)
		buf = malloc(blob->len);
	if (buf && !mem_read(piece->mem, blob->off, buf, blob->len))
		return buf;
	log_warn(log, "%s: %s of %llu bytes at 0x%llx are not readable", piece->name, what, (unsigned long long)blob->len,
		 (unsigned long long)blob->off);
	free(buf);
	return NULL;
}

/* Notes are there since version 4; before that VMCOREINFO alone (3), or nothing. */
static int read_notes(struct crash *crash, const struct kdump_piece *piece, struct log *log)
{
	const struct kdump_info *info = &piece->info;
	uint8_t *buf = read_blob(piece, &info->notes, "the notes", log);
	int rc = buf ? notes_append(&crash->notes, buf, info->notes.len, 4, CPU_UNKNOWN, log) : 0;

	free(buf);
	if (rc || crash->notes.vmcoreinfo_len)
		return rc;
	buf = read_blob(piece, &info->vmcoreinfo, "VMCOREINFO", log);
	if (buf)
		rc = notes_add(&crash->notes, "VMCOREINFO", 0, buf, info->vmcoreinfo.len);
	free(buf);
	return rc;
}

/* Double the gap over which runs are joined until their number falls. */
static void join_segs(struct crash *crash, uint64_t *gap)
{
	unsigned int nr = crash->nr_segs;

	while (crash->nr_segs == nr && *gap < 1ULL << 62) {
		unsigned int out = 0;

		*gap *= 2;
		for (unsigned int i = 1; i < nr; i++) {
			struct segment *last = &crash->segs[out], *seg = &crash->segs[i];

			if (seg->paddr - (last->paddr + last->memsz) < *gap)
				last->memsz = seg->paddr + seg->memsz - last->paddr;
			else
				crash->segs[++out] = *seg;
		}
		crash->nr_segs = out + 1;
	}
}

static int add_seg(struct crash *crash, paddr_t start, paddr_t end, uint64_t *gap)
{
	struct segment *last = crash->nr_segs ? &crash->segs[crash->nr_segs - 1] : NULL;

	if (last && start - (last->paddr + last->memsz) < *gap) {
		last->memsz = end - last->paddr;
		return 0;
	}
	if (crash->nr_segs == KDUMP_CRASH_MAX_SEGS)
		join_segs(crash, gap);
	return crash_add_segment(crash, &(struct segment){ .paddr = start, .memsz = end - start, .flags = PF_R | PF_W | PF_X });
}

static int find_memory(struct crash *crash, struct mem_kdump *kdump, struct log *log)
{
	uint64_t gap = 1;
	int rc = 0;

	for (pfn_t pfn = 0, end; pfn < kdump->max_pfn && !rc; pfn = end) {
		bool exists;

		end = page_bitmap_run_end(&kdump->exists, pfn, kdump->max_pfn, &exists);
		if (exists)
			rc = add_seg(crash, pfn * kdump->page_size, end * kdump->page_size, &gap);
	}
	if (gap > 1)
		log_warn(log, "%s: memory lies in more than %u runs, gaps below %llu kB count as left out", kdump->pieces[0].name,
			 KDUMP_CRASH_MAX_SEGS, (unsigned long long)(gap / 1024));
	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		struct segment *seg = &crash->segs[i];

		seg->vaddr = seg->src = seg->paddr;
		seg->filesz = seg->memsz;
	}
	return rc;
}

/* The PT_LOAD that kexec writes for the image: its data lies in the direct map's range too. */
static int add_image(struct crash *crash, const struct mapping *image)
{
	struct segment seg = {
		.vaddr = image->vaddr,
		.paddr = image->paddr,
		.src = image->paddr,
		.filesz = image->len,
		.memsz = image->len,
		.flags = PF_R | PF_W | PF_X,
	};

	if (crash_add_segment(crash, &seg))
		return -ENOMEM;
	memmove(crash->segs + 1, crash->segs, (crash->nr_segs - 1) * sizeof(seg));
	crash->segs[0] = seg;
	return 0;
}

/* Is all of it in one segment? */
static bool is_memory(const struct crash *crash, const struct mapping *image)
{
	uint64_t room;
	maddr_t src;

	return !crash_find_paddr(crash, image->paddr, &src, &room) && room >= image->len;
}

static int find_vaddrs(struct crash *crash, struct mem_kdump *kdump, struct log *log)
{
	struct mapping image = { .len = 0 };
	struct kernel kernel;
	vaddr_t direct;

	kernel_init(&kernel, crash, &kdump->mem, NULL);
	if (!kernel.can_translate || !kernel.arch->find_loads || kernel.arch->find_loads(&kernel, &direct, &image)) {
		log_info(log, "%s: where the kernel mapped its memory is not known", kdump->pieces[0].name);
		return 0;
	}
	for (unsigned int i = 0; i < crash->nr_segs; i++)
		crash->segs[i].vaddr = direct + crash->segs[i].paddr;
	return image.len && is_memory(crash, &image) ? add_image(crash, &image) : 0;
}

int kdump_crash(struct crash *crash, struct mem_kdump *kdump, struct log *log, struct error *err)
{
	const struct kdump_piece *first = &kdump->pieces[0];
	int rc;

	memset(crash, 0, sizeof(*crash));
	crash->ehdr = (struct elf_ehdr){
		.form = first->info.form,
		.type = ET_CORE,
		.machine = first->info.e_machine,
		.version = EV_CURRENT,
	};
	for (unsigned int i = 0; i < kdump->nr_pieces; i++)
		if (kdump->pieces[i].info.status & KDUMP_INCOMPLETE)
			crash->ehdr.flags |= EF_DUMP_INCOMPLETE;
	crash->cut = kdump->stored.cut;
	crash->partial = true;
	crash->dump_level = first->info.dump_level;
	crash->phys_base_known = first->info.e_machine == EM_X86_64;
	crash->phys_base = first->info.phys_base;
	crash->nr_note_segs = 1;
	notes_init(&crash->notes, first->info.form.data);
	rc = read_notes(crash, first, log);
	if (!rc)
		rc = find_memory(crash, kdump, log);
	if (!rc)
		crash_locate_vmcoreinfo(crash);
	if (!rc && crash->nr_segs)
		rc = find_vaddrs(crash, kdump, log);
	for (unsigned int i = 0; i < crash->nr_segs; i++)
		crash->segs[i].ordinal = i;
	if (rc)
		fail(err, rc, "no memory for %u segments", crash->nr_segs);
	else if (!crash->nr_segs)
		rc = fail(err, -EINVAL, "no page frame of %llu was memory, by the bitmap at 0x%llx",
			  (unsigned long long)kdump->max_pfn, (unsigned long long)first->info.exists_off);
	if (rc)
		crash_deinit(crash);
	return rc;
}
