// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/pagemap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Struct pages are read in pieces of an even number, so that the last one of a piece heads no compound page. */
#define PIECE 1024
#define SMALL_PIECE 64

static void set_bits(uint8_t *bitmap, uint32_t from, uint32_t to)
{
	for (; from < to && from % 8; from++)
		bitmap[from / 8] |= 1U << from % 8;
	if (to > from) {
		memset(bitmap + from / 8, 0xff, (to - from) / 8);
		from += round_down(to - from, 8);
	}
	for (; from < to; from++)
		bitmap[from / 8] |= 1U << from % 8;
}

static void clear_bits(uint8_t *bitmap, uint32_t from, uint32_t to)
{
	for (; from < to && from % 8; from++)
		bitmap[from / 8] &= ~(1U << from % 8);
	if (to > from) {
		memset(bitmap + from / 8, 0, (to - from) / 8);
		from += round_down(to - from, 8);
	}
	for (; from < to; from++)
		bitmap[from / 8] &= ~(1U << from % 8);
}

static uint64_t count_bits(const uint8_t *bitmap, uint32_t nr)
{
	uint64_t count = 0, word;

	for (uint32_t i = 0; i < nr / 8; i += sizeof(word)) {
		__builtin_memcpy(&word, bitmap + i, sizeof(word));
		count += __builtin_popcountll(word);
	}
	return count;
}

static uint64_t find_max_pfn(const struct crash *crash, uint64_t page_size)
{
	uint64_t max = 0;

	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		const struct segment *seg = &crash->segs[i];

		if (seg->paddr != PADDR_NONE)
			max = max_u64(max, (seg->paddr + seg->memsz + page_size - 1) / page_size);
	}
	return max;
}

int pagemap_init(struct pagemap *pm, struct kernel *kernel, unsigned int level, struct log *log, struct error *err)
{
	struct error why;
	int rc;

	memset(pm, 0, sizeof(*pm));
	pm->kernel = kernel;
	pm->level = level & ~(unsigned int)DUMP_LEVEL_ZERO;
	pm->page_size = max_u64(kernel->page_size, 4096);
	pm->nr_pages = PAGEMAP_WINDOW_BYTES / pm->page_size;
	pm->max_pfn = find_max_pfn(kernel->crash, pm->page_size);
	rc = page_layout_init(&pm->layout, &kernel->crash->vmcoreinfo, kernel->crash->ehdr.form.data, 8, &why);
	if (!rc)
		rc = memmap_init(&pm->memmap, kernel, &pm->layout, &why);
	pm->classify = !rc;
	if (rc && pm->level)
		log_warn(log, "pages cannot be told apart, all are kept: %s", why.text);
	pm->present = malloc(pm->nr_pages / 8);
	pm->wanted = malloc(pm->nr_pages / 8);
	pm->dangerous = malloc(pm->nr_pages / 8);
	pm->structs = pm->classify ? malloc((size_t)PIECE * pm->layout.size) : NULL;
	if (!pm->present || !pm->wanted || !pm->dangerous || (pm->classify && !pm->structs)) {
		pagemap_deinit(pm);
		return fail(err, -ENOMEM, "no memory for the page map");
	}
	return 0;
}

void pagemap_deinit(struct pagemap *pm)
{
	free(pm->present);
	free(pm->wanted);
	free(pm->dangerous);
	free(pm->structs);
	memset(pm, 0, sizeof(*pm));
}

void pagemap_reset_counts(struct pagemap *pm)
{
	memset(pm->nr_class, 0, sizeof(pm->nr_class));
	pm->nr_present = pm->nr_wanted = pm->nr_poisoned = pm->nr_unknown = 0;
}

/* A page that a PT_LOAD holds only in part is present: what is missing of it reads as zeros. */
static void find_present(struct pagemap *pm)
{
	const struct crash *crash = pm->kernel->crash;
	pfn_t end = pm->start + pm->nr_pages;

	memset(pm->present, 0, pm->nr_pages / 8);
	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		const struct segment *seg = &crash->segs[i];
		pfn_t from, to;

		if (seg->paddr == PADDR_NONE)
			continue;
		from = max_u64(seg->paddr / pm->page_size, pm->start);
		to = min_u64((seg->paddr + seg->memsz + pm->page_size - 1) / pm->page_size, end);
		if (from < to)
			set_bits(pm->present, from - pm->start, to - pm->start);
	}
}

static bool is_set(const uint8_t *bitmap, uint32_t bit)
{
	return bitmap[bit / 8] >> bit % 8 & 1;
}

/* Judge the page frame whose struct page is at page; returns how many page frames are dealt with. */
static uint64_t judge(struct pagemap *pm, pfn_t pfn, const uint8_t *page, const uint8_t *next)
{
	struct page_verdict v = page_classify(&pm->layout, page, next);
	uint32_t bit = pfn - pm->start;
	uint64_t nr, excluded;

	if (v.class != PAGE_FREE && pfn & ((1ULL << v.order) - 1))
		v.order = 0;
	nr = min_u64(1ULL << v.order, pm->nr_pages - bit);
	/* Of a block that is kept, each page is looked at where one may be poisoned. */
	if (pm->layout.hwpoison != BIT_NONE && !page_nr_excluded(&v, pm->level))
		nr = 1;
	pm->nr_class[v.class] += nr;
	pm->nr_poisoned += v.poisoned;
	excluded = min_u64(page_nr_excluded(&v, pm->level), pm->nr_pages - bit);
	clear_bits(pm->wanted, bit, bit + excluded);
	if (excluded && (v.poisoned || v.class == PAGE_OFFLINE))
		set_bits(pm->dangerous, bit, bit + excluded);
	return excluded ? excluded : nr;
}

static bool any_present(const struct pagemap *pm, pfn_t from, pfn_t to)
{
	for (pfn_t pfn = from; pfn < to; pfn++) {
		uint32_t bit = pfn - pm->start;

		if (bit % 8 == 0 && to - pfn >= 8 && !pm->present[bit / 8])
			pfn += 7;
		else if (is_set(pm->present, bit))
			return true;
	}
	return false;
}

/*
 * Read struct pages from pfn on, to the end of a large piece or, when that is not readable as a whole (the memmap has
 * holes of its own), of a small one. Returns where the piece ends.
 */
static pfn_t read_structs(struct pagemap *pm, const struct memmap_span *span, pfn_t pfn, pfn_t end, bool *readable)
{
	static const unsigned int pieces[] = { PIECE, SMALL_PIECE };
	uint32_t size = pm->layout.size;
	pfn_t piece_end = end;

	*readable = false;
	for (size_t i = 0; i < ARRAY_SIZE(pieces) && !*readable; i++) {
		piece_end = min_u64(round_down(pfn, pieces[i]) + pieces[i], end);
		*readable = !any_present(pm, pfn, piece_end) ||
			    !kernel_read_vaddr(pm->kernel, span->vaddr + (pfn - span->start) * size, pm->structs,
					       (piece_end - pfn) * size);
	}
	return piece_end;
}

/* Page frames [pfn, end) of one span. */
static void judge_span(struct pagemap *pm, const struct memmap_span *span, pfn_t pfn, pfn_t end)
{
	uint32_t size = pm->layout.size;

	while (pfn < end) {
		bool readable;
		pfn_t start = pfn, piece_end = read_structs(pm, span, pfn, end, &readable);

		while (pfn < piece_end) {
			const uint8_t *page = pm->structs + (pfn - start) * size;

			if (!is_set(pm->present, pfn - pm->start))
				pfn++;
			else if (readable)
				pfn += judge(pm, pfn, page, pfn + 1 < piece_end ? page + size : NULL);
			else
				pm->nr_unknown++, pfn++;
		}
	}
}

bool pagemap_window_exists(const struct pagemap *pm, pfn_t start)
{
	paddr_t from = start * pm->page_size, to = from + pm->nr_pages * pm->page_size;
	const struct crash *crash = pm->kernel->crash;

	for (unsigned int i = 0; i < crash->nr_segs; i++)
		if (crash->segs[i].paddr < to && crash->segs[i].paddr + crash->segs[i].memsz > from &&
		    crash->segs[i].paddr != PADDR_NONE)
			return true;
	return false;
}

void pagemap_window(struct pagemap *pm, pfn_t start)
{
	pfn_t pfn = start, end = start + pm->nr_pages;

	pm->start = start;
	find_present(pm);
	memcpy(pm->wanted, pm->present, pm->nr_pages / 8);
	memset(pm->dangerous, 0, pm->nr_pages / 8);
	while (pm->classify && pfn < end) {
		struct memmap_span span;
		pfn_t span_end;

		memmap_find(&pm->memmap, pfn, &span);
		span_end = min_u64(span.end, end);
		if (any_present(pm, pfn, span_end)) {
			if (span.present)
				judge_span(pm, &span, pfn, span_end);
			else
				pm->nr_unknown += span_end - pfn;
		}
		pfn = span_end;
	}
	pm->nr_present += count_bits(pm->present, pm->nr_pages);
	pm->nr_wanted += count_bits(pm->wanted, pm->nr_pages);
}

bool pagemap_next_run(const struct pagemap *pm, pfn_t *pfn, pfn_t *end_ret)
{
	uint32_t bit = *pfn > pm->start ? *pfn - pm->start : 0, end;

	while (bit < pm->nr_pages && !is_set(pm->wanted, bit))
		bit += bit % 8 == 0 && !pm->wanted[bit / 8] ? 8 : 1;
	if (bit >= pm->nr_pages)
		return false;
	for (end = bit; end < pm->nr_pages && is_set(pm->wanted, end);)
		end += end % 8 == 0 && pm->wanted[end / 8] == 0xff ? 8 : 1;
	*pfn = pm->start + bit;
	*end_ret = pm->start + end;
	return true;
}
