// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/plan_filter.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "elfcore/bits.h"

/* Wanted page frames, half open. */
struct run {
	pfn_t start, end;
	unsigned int shift;	/* for what lies between it and the run before */
};

struct runs {
	struct run *list;
	unsigned int nr, max;	/* there is room for one more than max */
	pfn_t gap;		/* gaps that count less than this are kept */
	unsigned int shift;	/* for what lies between the last run and the window at hand */
};

/* For the pages of the window at hand that lie at or behind from, and before to. */
static unsigned int shift_between(const struct pagemap *pm, pfn_t from, pfn_t to)
{
	uint32_t start = max_u64(from, pm->start) - pm->start, end = min_u64(to - pm->start, pm->nr_pages);

	if (bits_next(pm->poisoned, start, end) < end)
		return GAP_SHIFT_POISONED;
	return bits_next(pm->dangerous, start, end) < end ? GAP_SHIFT_OFFLINE : 0;
}

/* A window ends: what lies behind its last run, if any, must be known when the next run is found. */
static void end_window(struct runs *runs, const struct pagemap *pm)
{
	if (runs->nr)
		runs->shift = max_u64(runs->shift, shift_between(pm, runs->list[runs->nr - 1].end, pm->start + pm->nr_pages));
}

static bool may_join(const struct runs *runs, const struct run *before, pfn_t start, unsigned int shift)
{
	return runs->gap == UINT64_MAX || start - before->end < runs->gap >> shift;
}

/* Double the gap that is bridged until runs enough fall together. */
static void join(struct runs *runs)
{
	while (runs->nr > runs->max) {
		unsigned int out = 0;

		runs->gap = runs->gap > UINT64_MAX / 2 ? UINT64_MAX : 2 * runs->gap;
		for (unsigned int i = 1; i < runs->nr; i++) {
			struct run *last = &runs->list[out], *run = &runs->list[i];

			if (may_join(runs, last, run->start, run->shift))
				last->end = run->end;
			else
				runs->list[++out] = *run;
		}
		runs->nr = out + 1;
	}
}

static void add_run(struct runs *runs, const struct pagemap *pm, pfn_t start, pfn_t end)
{
	struct run *last = runs->nr ? &runs->list[runs->nr - 1] : NULL;
	unsigned int shift = last ? max_u64(runs->shift, shift_between(pm, last->end, start)) : 0;

	runs->shift = 0;
	if (last && may_join(runs, last, start, shift)) {
		last->end = end;
	} else {
		runs->list[runs->nr++] = (struct run){ start, end, shift };
		join(runs);
	}
}

static void collect(struct runs *runs, struct pagemap *pm)
{
	pagemap_reset_counts(pm);
	for (pfn_t start = 0; start < pm->max_pfn; start += pm->nr_pages) {
		pfn_t pfn = start, end;

		if (!pagemap_window_exists(pm, start))
			continue;
		pagemap_window(pm, start);
		for (; pagemap_next_run(pm, &pfn, &end); pfn = end)
			add_run(runs, pm, pfn, end);
		end_window(runs, pm);
	}
}

/* The part of a segment that a run covers; false = none. */
static bool intersect(const struct segment *seg, const struct run *run, uint64_t page_size, struct segment *ret)
{
	paddr_t start = max_u64(seg->paddr, run->start * page_size), end = min_u64(seg->paddr + seg->memsz, run->end * page_size);
	uint64_t skip;

	if (start >= end)
		return false;
	*ret = *seg;
	skip = start - seg->paddr;
	ret->vaddr += skip;
	ret->paddr += skip;
	ret->src += skip;
	ret->memsz = end - start;
	ret->filesz = seg->filesz > skip ? min_u64(seg->filesz - skip, ret->memsz) : 0;
	return true;
}

/* The first run that ends behind a page frame. */
static unsigned int find_run(const struct runs *runs, pfn_t pfn)
{
	unsigned int low = 0, high = runs->nr;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (runs->list[mid].end <= pfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Segments without a physical address cannot be judged: they stay. */
static int cut_segments(const struct plan *plan, const struct runs *runs, uint64_t page_size, struct plan *ret)
{
	for (unsigned int i = 0; i < plan->nr_loads; i++) {
		const struct segment *seg = &plan->loads[i].seg;
		struct segment part;

		if (seg->paddr == PADDR_NONE) {
			if (plan_add_load(ret, seg))
				return -ENOMEM;
			continue;
		}
		for (unsigned int j = find_run(runs, seg->paddr / page_size); j < runs->nr; j++) {
			if (!intersect(seg, &runs->list[j], page_size, &part))
				break;
			if (plan_add_load(ret, &part))
				return -ENOMEM;
		}
	}
	return 0;
}

int plan_filter(struct plan *plan, struct pagemap *pm, unsigned int max, struct error *err)
{
	struct runs runs = { .list = malloc((max + 1) * sizeof(struct run)), .max = max, .gap = 1 };
	struct plan cut = { .crash = plan->crash, .form = plan->form, .page_size = plan->page_size };
	int rc = -ENOMEM;

	if (runs.list) {
		collect(&runs, pm);
		rc = cut_segments(plan, &runs, pm->page_size, &cut);
		free(runs.list);
	}
	if (!rc)
		rc = plan_make_ranges(&cut);
	if (rc) {
		plan_deinit(&cut);
		return fail(err, rc, "no memory for %u runs of pages", max);
	}
	cut.level = plan->level;
	cut.gap = runs.gap;
	plan_deinit(plan);
	*plan = cut;
	return 0;
}
