// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/kdump_facts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Counting more pages than these (64 GiB of 4 KiB each) would take longer than one waits for a few lines. */
#define COUNT_MAX (1U << 24)

/*
 * The data of a page is written after that of the pages before it, zero pages apart: the last of so many ends the file.
 */
#define LAST_PAGES 4096

/* Data is in the order of page frames: what goes back shares the data of a page before, as all zero pages do. */
static void count_page(struct mem_kdump *kdump, pfn_t pfn, struct kdump_counts *ret, uint64_t *last_off)
{
	const struct codec_ops *codec;
	struct kdump_place at;

	if (mem_kdump_find(kdump, pfn, &at, NULL) || !at.desc.off) {
		ret->nr_lost++;
		return;
	}
	codec = codec_by_kdump_flag(at.desc.flags & KDUMP_CODEC_FLAGS);
	if (codec)
		ret->nr_by_codec[codec->codec]++;
	if (at.desc.off <= *last_off) {
		ret->nr_shared++;
		return;
	}
	ret->nr_bytes += at.desc.size;
	*last_off = at.desc.off;
}

/* Page frames [start, end), which may begin in the middle of a run. */
static void count_range(struct mem_kdump *kdump, pfn_t start, pfn_t stop, struct kdump_counts *ret)
{
	uint64_t last_off = 0;

	for (pfn_t pfn = start, end; pfn < stop; pfn = end) {
		bool stored;

		end = page_bitmap_run_end(&kdump->stored, pfn, stop, &stored);
		for (; stored && pfn < end; pfn++)
			count_page(kdump, pfn, ret, &last_off);
	}
}

void kdump_count(struct mem_kdump *kdump, struct kdump_counts *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned int i = 0; i < kdump->nr_pieces; i++)
		count_range(kdump, kdump->pieces[i].info.start_pfn, kdump->pieces[i].info.end_pfn, ret);
}

static void format_fact(const struct mem_kdump *kdump, struct mem_facts *facts)
{
	const struct kdump_info *info = &kdump->pieces[0].info;
	const struct codec_ops *codec = codec_by_kdump_flag(info->status & KDUMP_CODEC_FLAGS);

	mem_fact(facts, "kdump", "version %u, %u-bit %s-endian headers, dump level %u, %s, pages of %u bytes", info->version,
		 info->form.class == ELFCLASS64 ? 64 : 32, info->form.data == ELFDATA2LSB ? "little" : "big", info->dump_level,
		 !codec ? "mixed codecs" : codec->codec == CODEC_NONE ? "not compressed" : codec->name, kdump->page_size);
}

static void codec_fact(const struct kdump_counts *counts, struct mem_facts *facts)
{
	char text[128];
	size_t len = 0;

	for (size_t i = 0; i < NR_CODECS && len < sizeof(text); i++)
		if (counts->nr_by_codec[i])
			len += snprintf(text + len, sizeof(text) - len, "%s%llu %s", len ? ", " : "",
					(unsigned long long)counts->nr_by_codec[i],
					i == CODEC_NONE ? "plain" : codec_find(i)->name);
	mem_fact(facts, "page data", "%s; %llu share data, as zero pages do; %llu kB", len ? text : "none",
		 (unsigned long long)counts->nr_shared, (unsigned long long)(counts->nr_bytes / 1000));
	if (counts->nr_lost)
		mem_fact(facts, "lost pages", "%llu, whose descriptors are not there or empty", (unsigned long long)counts->nr_lost);
}

void kdump_facts_of(struct mem_kdump *kdump, struct mem_facts *facts)
{
	struct kdump_counts counts;
	struct error err;

	format_fact(kdump, facts);
	if (kdump->pieces[0].info.split)
		for (unsigned int i = 0; i < kdump->nr_pieces; i++)
			mem_fact(facts, "piece", "page frames %llu to %llu in %s", (unsigned long long)kdump->pieces[i].info.start_pfn,
				 (unsigned long long)kdump->pieces[i].info.end_pfn, kdump->pieces[i].name);
	if (!kdump->exists.ranks && page_bitmap_index(&kdump->exists, &err))
		return;
	mem_fact(facts, "pages", "%llu of memory, %llu of them stored, %llu left out", (unsigned long long)kdump->exists.nr_set,
		 (unsigned long long)kdump->stored.nr_set,
		 (unsigned long long)(kdump->exists.nr_set - min_u64(kdump->stored.nr_set, kdump->exists.nr_set)));
	if (kdump->stored.nr_set > COUNT_MAX)
		return;
	kdump_count(kdump, &counts);
	codec_fact(&counts, facts);
}

/* The page that ends a piece, found by the offsets of its last ones. */
static int check_end(struct mem_kdump *kdump, const struct kdump_piece *piece, struct error *err)
{
	uint64_t first = piece->rank, end = page_bitmap_rank(&kdump->stored, piece->info.end_pfn);
	struct kdump_place at, last = { .desc.off = 0 };
	uint8_t byte;

	if (end - first > LAST_PAGES)
		first = end - LAST_PAGES;
	for (pfn_t pfn = page_bitmap_select(&kdump->stored, first); pfn < piece->info.end_pfn; pfn++) {
		if (!page_bitmap_test(&kdump->stored, pfn))
			continue;
		if (mem_kdump_find(kdump, pfn, &at, err))
			return err->code;
		if (!at.desc.off)
			return fail(err, -ENODATA, "%s: page frame %llu was never written, its descriptor at 0x%llx is empty",
				    piece->name, (unsigned long long)pfn, (unsigned long long)at.pos);
		if (at.desc.off >= last.desc.off)
			last = at;
	}
	if (last.desc.size && mem_read(piece->mem, last.desc.off + last.desc.size - 1, &byte, 1))
		return fail(err, -ENODATA, "%s: page data at 0x%llx is beyond the end of the file", piece->name,
			    (unsigned long long)last.desc.off);
	return 0;
}

int kdump_check_whole(struct mem_kdump *kdump, struct error *err)
{
	pfn_t end = 0;
	int rc = 0;

	if (kdump->stored.cut || kdump->exists.cut)
		return fail(err, -ENODATA, "%s: a page bitmap is cut", kdump->pieces[0].name);
	for (unsigned int i = 0; i < kdump->nr_pieces && !rc; i++) {
		const struct kdump_info *info = &kdump->pieces[i].info;

		if (info->status & KDUMP_INCOMPLETE)
			return fail(err, -ENODATA, "%s: marked incomplete, status 0x%x", kdump->pieces[i].name, info->status);
		if (info->start_pfn > end)
			break;
		end = info->end_pfn;
		rc = check_end(kdump, &kdump->pieces[i], err);
	}
	if (!rc && end < kdump->max_pfn)
		rc = fail(err, -ENODATA, "the piece of the dump with page frame %llu is missing", (unsigned long long)end);
	return rc;
}
