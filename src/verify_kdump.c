// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kdump-compressed dump by the rules of its readers (crash diskdump.c, libkdumpfile diskdump.c, makedumpfile).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/kdump_facts.h"
#include "src/input.h"
#include "src/verify.h"

/* crash goes by the place in the sub header, libkdumpfile by the notes: both must lead to the same text. */
static void check_vmcoreinfo(struct verify *v, const struct input *in)
{
	const struct kdump_piece *piece = &in->kdump->pieces[0];
	const struct kdump_blob *blob = &piece->info.vmcoreinfo;
	const struct vmcoreinfo *info = &in->crash.vmcoreinfo;
	char *text;

	if (!info->len) {
		verify_defect(v, "no VMCOREINFO");
		return;
	}
	if (piece->info.version < 3)
		return;
	text = blob->len == info->len ? malloc(blob->len) : NULL;
	if (!text || mem_read(piece->mem, blob->off, text, blob->len) || memcmp(text, info->text, info->len))
		verify_defect(v, "offset_vmcoreinfo 0x%llx, size_vmcoreinfo %llu are not where the notes have VMCOREINFO",
			      (unsigned long long)blob->off, (unsigned long long)blob->len);
	free(text);
}

static void check_header(struct verify *v, const struct input *in)
{
	const struct mem_kdump *kdump = in->kdump;
	const struct notes *notes = &in->crash.notes;
	int64_t page_size;

	if (!notes->nr_cpus)
		verify_defect(v, "no registers of any CPU (NT_PRSTATUS)");
	if (notes->nr_broken)
		verify_defect(v, "the notes at 0x%llx overrun their %llu bytes", (unsigned long long)kdump->pieces[0].info.notes.off,
			      (unsigned long long)kdump->pieces[0].info.notes.len);
	check_vmcoreinfo(v, in);
	if (vmcoreinfo_number(&in->crash.vmcoreinfo, "PAGESIZE", &page_size) && page_size != kdump->page_size)
		verify_defect(v, "block_size %u is not the kernel's PAGESIZE %lld", kdump->page_size, (long long)page_size);
	if (!kdump->pieces[0].info.nr_cpus)
		verify_defect(v, "nr_cpus is 0");
}

/* A page that is stored was memory. */
static void check_bitmaps(struct verify *v, struct mem_kdump *kdump)
{
	for (pfn_t pfn = 0, end; pfn < kdump->max_pfn; pfn = end) {
		bool stored, exists;

		end = page_bitmap_run_end(&kdump->stored, pfn, kdump->max_pfn, &stored);
		if (!stored)
			continue;
		end = page_bitmap_run_end(&kdump->exists, pfn, end, &exists);
		if (!exists)
			verify_defect(v, "page frames %llu to %llu are stored, but were no memory by the first bitmap",
				      (unsigned long long)pfn, (unsigned long long)end);
	}
}

static uint64_t check_pages(struct verify *v, struct mem_kdump *kdump)
{
	uint8_t *page = malloc(kdump->page_size);
	struct error err;
	uint64_t nr = 0;

	for (pfn_t pfn = 0, end; page && pfn < kdump->max_pfn; pfn = end) {
		bool stored;

		end = page_bitmap_run_end(&kdump->stored, pfn, kdump->max_pfn, &stored);
		for (; stored && pfn < end; pfn++, nr++)
			if (mem_kdump_page(kdump, pfn, page, &err))
				verify_defect(v, "%s", err.text);
	}
	free(page);
	return nr;
}

static uint64_t check_descriptors(struct verify *v, struct mem_kdump *kdump)
{
	struct kdump_counts counts;

	kdump_count(kdump, &counts);
	if (counts.nr_lost)
		verify_defect(v, "the descriptors of %llu pages are not there or empty", (unsigned long long)counts.nr_lost);
	return kdump->stored.nr_set;
}

void verify_kdump(struct verify *v, struct input *in)
{
	uint64_t nr;

	check_header(v, in);
	check_bitmaps(v, in->kdump);
	nr = v->quick ? check_descriptors(v, in->kdump) : check_pages(v, in->kdump);
	snprintf(v->summary, sizeof(v->summary), "kdump-compressed, %llu pages%s, %u CPUs", (unsigned long long)nr,
		 v->quick ? "" : ", all decoded", in->crash.notes.nr_cpus);
}
