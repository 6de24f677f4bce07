// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/pagemap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/bits.h"
#include "elfcore/supplement.h"

/* Struct pages are read in pieces of an even number, so that the last one of a piece heads no compound page. */
#define PIECE 1024U
#define SMALL_PIECE 64U
/* Behind a block that reached so far beyond what was read the next one is mostly as large: its head is enough. */
#define PROBE 2U
#define LARGE_BLOCK 256U
/* Where struct pages can be looked at in place: as far as a large page maps them, if that is worth the way. */
#define LOOK_MIN (32U << 10)
#define LOOK_MAX (2U << 20)

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

static int try_layouts(struct pagemap *pm, const struct vmcoreinfo *info)
{
	int rc = page_layout_init(&pm->layout, info, pm->kernel->crash->ehdr.form.data, 8, &pm->why);

	return rc ? rc : memmap_init(&pm->memmap, pm->kernel, info, &pm->layout, &pm->why);
}

/* By VMCOREINFO; where that is not enough for the level, by what the dead kernel knows of its own types besides. */
static void find_layouts(struct pagemap *pm, unsigned int level, struct log *log)
{
	int rc = try_layouts(pm, &pm->kernel->crash->vmcoreinfo);
	struct supplement sup;
	struct error err;

	pm->classify = !rc;
	if (!pm->level || !pm->kernel->can_translate ||
	    (!rc && !(level & ~page_levels_known(&pm->layout, NULL)) && !pm->layout.lacks))
		return;
	if (supplement_init(&sup, pm->kernel, &err)) {
		log_info(log, "VMCOREINFO is not enough to tell pages apart, and %s", err.text);
		return;
	}
	log_info(log, "%u facts that VMCOREINFO lacks were taken from the crashed kernel's own types", sup.nr_added);
	rc = try_layouts(pm, &sup.info);
	if (rc)
		try_layouts(pm, &pm->kernel->crash->vmcoreinfo);
	else
		pm->classify = true;
	supplement_deinit(&sup);
	if (pm->classify && pm->layout.lacks)
		log_info(log, "some kinds of pages are kept: VMCOREINFO has no valid %s", pm->layout.lacks);
}

/* Say once what cannot be left out, and why. Zero pages need no struct pages. */
static void limit_level(struct pagemap *pm, unsigned int level, struct log *log)
{
	const char *missing = NULL;

	pm->level_done = level & (pm->classify ? page_levels_known(&pm->layout, &missing) : DUMP_LEVEL_ZERO);
	pm->level &= pm->level_done;
	if (pm->level_done == level)
		return;
	if (missing)
		fail(&pm->why, -ENODATA, "VMCOREINFO has no valid %s", missing);
	log_warn(log, "level %u becomes %u, %s: %s", level, pm->level_done,
		 pm->classify ? "not all kinds of pages can be told apart" : "pages cannot be told apart, all are kept", pm->why.text);
}

int pagemap_init(struct pagemap *pm, struct kernel *kernel, unsigned int level, struct log *log, struct error *err)
{
	memset(pm, 0, sizeof(*pm));
	pm->kernel = kernel;
	pm->level = level & ~(unsigned int)DUMP_LEVEL_ZERO;
	pm->page_size = max_u64(kernel->page_size, 4096);
	pm->nr_pages = PAGEMAP_WINDOW_BYTES / pm->page_size;
	pm->max_pfn = find_max_pfn(kernel->crash, pm->page_size);
	find_layouts(pm, level, log);
	pm->have_fast = pm->classify && page_fast_init(&pm->fast, &pm->layout);
	limit_level(pm, level, log);
	pm->present = malloc(pm->nr_pages / 8);
	pm->wanted = malloc(pm->nr_pages / 8);
	pm->dangerous = malloc(pm->nr_pages / 8);
	pm->poisoned = malloc(pm->nr_pages / 8);
	pm->structs = pm->classify ? malloc((size_t)PIECE * pm->layout.size) : NULL;
	if (!pm->present || !pm->wanted || !pm->dangerous || !pm->poisoned || (pm->classify && !pm->structs)) {
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
	free(pm->poisoned);
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
			bits_set(pm->present, from - pm->start, to - pm->start);
	}
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
	bits_clear(pm->wanted, bit, bit + excluded);
	if (excluded && (v.poisoned || v.class == PAGE_OFFLINE))
		bits_set(pm->dangerous, bit, bit + excluded);
	if (excluded && v.poisoned)
		bits_set(pm->poisoned, bit, bit + excluded);
	return excluded ? excluded : nr;
}

static void end_run(struct pagemap *pm, enum page_class class, pfn_t from, pfn_t to)
{
	struct page_verdict v = { class, 0, false };

	pm->nr_class[class] += to - from;
	if (from == to || !page_nr_excluded(&v, pm->level))
		return;
	bits_clear(pm->wanted, from - pm->start, to - pm->start);
	if (class == PAGE_OFFLINE)
		bits_set(pm->dangerous, from - pm->start, to - pm->start);
}

/* Pages that stand for themselves, as most do: in runs of a class. Ends before the first page that does not. */
static pfn_t judge_singles(struct pagemap *pm, const uint8_t *page, pfn_t pfn, pfn_t end)
{
	uint32_t size = pm->layout.size;
	enum page_class class = PAGE_KEEP;
	pfn_t from = pfn, limit = end;

	if (!pm->all_present)
		limit = pm->start + bits_next_clear(pm->present, pfn - pm->start, end - pm->start);
	while (pfn < limit) {
		struct page_verdict v = page_fast_classify(&pm->fast, page, pfn + 1 < end ? page + size : NULL);
		const uint8_t *same;

		if (v.order || v.poisoned)
			break;
		if (v.class != class) {
			end_run(pm, class, from, pfn);
			class = v.class;
			from = pfn;
		}
		same = page_fast_same(&pm->fast, page, page + (limit - pfn) * size);
		pfn += (same - page) / size;
		page = same;
	}
	end_run(pm, class, from, pfn);
	return pfn;
}

/* Page frames [start, end) and where their struct pages are. */
struct piece {
	struct pagemap *pm;
	pfn_t start, end;
	const uint8_t *structs;
};

/* Returns how far they reach: a block may be larger. *nr_asked_ret is how many struct pages were looked at for it. */
static pfn_t judge_piece(const struct piece *piece, uint32_t *nr_asked_ret)
{
	struct pagemap *pm = piece->pm;
	uint32_t size = pm->layout.size;
	pfn_t start = piece->start, pfn = start, end = piece->end;

	*nr_asked_ret = 0;
	while (pfn < end) {
		const uint8_t *page;
		pfn_t from = pfn;

		if (pm->have_fast)
			pfn = judge_singles(pm, piece->structs + (pfn - start) * size, pfn, end);
		*nr_asked_ret += pfn - from + 1;
		if (pfn == end)
			break;
		page = piece->structs + (pfn - start) * size;
		if (bits_test(pm->present, pfn - pm->start))
			pfn += judge(pm, pfn, page, pfn + 1 < end ? page + size : NULL);
		else
			pfn++;
	}
	return pfn;
}

static void judge_in_place(void *arg, const uint8_t *structs)
{
	struct piece *piece = arg;
	uint32_t nr_asked;

	piece->structs = structs;
	piece->end = judge_piece(piece, &nr_asked);
}

/*
 * The first of the page frames [pfn, end), without a copy of their struct pages: returns how far they reach, or pfn when
 * that cannot be. Where it ends with a fault nothing is decided wrongly, only counted; whoever reads them then decides the
 * same of them again.
 */
static pfn_t look(struct pagemap *pm, const struct memmap_span *span, pfn_t pfn, pfn_t end)
{
	struct piece piece = { pm, pfn, end, NULL };
	uint64_t nr_class[NR_PAGE_CLASSES], nr_poisoned = pm->nr_poisoned, len;
	uint32_t size = pm->layout.size;
	maddr_t src;

	if (kernel_find_vaddr(pm->kernel, span->vaddr + (pfn - span->start) * size, &src, &len) || len < LOOK_MIN)
		return pfn;
	piece.end = min_u64(end, round_down(pfn + min_u64(len, LOOK_MAX) / size, SMALL_PIECE));
	memcpy(nr_class, pm->nr_class, sizeof(nr_class));
	if (piece.end <= pfn || mem_look(pm->kernel->mem, src, (piece.end - pfn) * size, judge_in_place, &piece)) {
		memcpy(pm->nr_class, nr_class, sizeof(nr_class));
		pm->nr_poisoned = nr_poisoned;
		return pfn;
	}
	return piece.end;
}

/*
 * Page frames [pfn, end) of one span. Struct pages are read in small pieces where most of them are never looked at, because
 * blocks are large, and in larger and larger ones otherwise. Where a large piece is not readable as a whole small ones may
 * be: the memmap has holes of its own. Where they cannot be looked at in place that is not tried at each piece.
 */
static void judge_span(struct pagemap *pm, const struct memmap_span *span, pfn_t pfn, pfn_t end)
{
	uint32_t size = pm->layout.size, piece = SMALL_PIECE;
	pfn_t look_from = pfn;

	while (pfn < end && (pfn = pm->start + bits_next(pm->present, pfn - pm->start, end - pm->start)) < end) {
		pfn_t start = pfn, piece_end = min_u64(round_down(pfn, piece) + piece, end);
		uint32_t nr_asked;

		if (pfn >= look_from) {
			look_from = pfn + LOOK_MAX / size;
			pfn = look(pm, span, start, end);
			if (pfn > start) {
				look_from = pfn;
				continue;
			}
		}
		if (!kernel_read_vaddr(pm->kernel, span->vaddr + (pfn - span->start) * size, pm->structs,
				       (piece_end - pfn) * size)) {
			pfn = judge_piece(&(struct piece){ pm, pfn, piece_end, pm->structs }, &nr_asked);
			if (pfn >= piece_end + LARGE_BLOCK)
				piece = PROBE;
			else if (piece == PROBE || 2 * nr_asked < piece_end - start)
				piece = SMALL_PIECE;
			else
				piece = min_u64(2 * piece, PIECE);
		} else if (piece > SMALL_PIECE) {
			piece = SMALL_PIECE;
		} else {
			for (; pfn < piece_end; pfn++)
				pm->nr_unknown += bits_test(pm->present, pfn - pm->start);
			piece = SMALL_PIECE;
		}
	}
}

/* What the source itself left out cannot be wanted any more. */
static void drop_missing(struct pagemap *pm)
{
	const struct crash *crash = pm->kernel->crash;
	paddr_t start = pm->start * pm->page_size, end = start + pm->nr_pages * pm->page_size;

	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		const struct segment *seg = &crash->segs[i];
		paddr_t from = max_u64(seg->paddr, start), to = min_u64(seg->paddr + seg->filesz, end);
		uint64_t run;

		for (; seg->paddr != PADDR_NONE && from < to; from += run)
			if (!mem_present(pm->kernel->mem, seg->src + (from - seg->paddr), to - from, &run))
				bits_clear(pm->wanted, from / pm->page_size - pm->start,
					   (from + run) / pm->page_size - pm->start);
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
	pm->all_present = bits_count(pm->present, pm->nr_pages) == pm->nr_pages;
	memcpy(pm->wanted, pm->present, pm->nr_pages / 8);
	memset(pm->dangerous, 0, pm->nr_pages / 8);
	memset(pm->poisoned, 0, pm->nr_pages / 8);
	if (pm->kernel->crash->partial)
		drop_missing(pm);
	while (pm->classify && pfn < end) {
		struct memmap_span span;
		pfn_t span_end;

		memmap_find(&pm->memmap, pfn, &span);
		span_end = min_u64(span.end, end);
		if (span.present)
			judge_span(pm, &span, pfn, span_end);
		else if (bits_next(pm->present, pfn - start, span_end - start) < span_end - start)
			pm->nr_unknown += span_end - pfn;
		pfn = span_end;
	}
	pm->nr_present += bits_count(pm->present, pm->nr_pages);
	pm->nr_wanted += bits_count(pm->wanted, pm->nr_pages);
}

void pagemap_window_known(struct pagemap *pm, pfn_t start, const uint8_t *wanted)
{
	pm->start = start;
	find_present(pm);
	memcpy(pm->wanted, wanted, pm->nr_pages / 8);
	memset(pm->dangerous, 0, pm->nr_pages / 8);
	memset(pm->poisoned, 0, pm->nr_pages / 8);
}

bool pagemap_next_run(const struct pagemap *pm, pfn_t *pfn, pfn_t *end_ret)
{
	uint32_t bit;

	if (*pfn >= pm->start + pm->nr_pages)
		return false;
	bit = bits_next(pm->wanted, *pfn > pm->start ? *pfn - pm->start : 0, pm->nr_pages);
	if (bit == pm->nr_pages)
		return false;
	*pfn = pm->start + bit;
	*end_ret = pm->start + bits_next_clear(pm->wanted, bit, pm->nr_pages);
	return true;
}
