// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/plan_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Wanted page frames, half open. */
struct run {
	pfn_t start, end;
	bool apart;		/* never to be joined with the run before: a page in between must not be read */
};

struct runs {
	struct run *list;
	unsigned int nr, max;
	pfn_t gap;		/* gaps shorter than this are kept */
};

/* Is a page of [from, to) dangerous? What lies in an earlier window is not known any more and so is. */
static bool danger_between(const struct pagemap *pm, pfn_t from, pfn_t to)
{
	if (from < pm->start)
		return true;
	for (; from < to; from++) {
		uint32_t bit = from - pm->start;

		if (pm->dangerous[bit / 8] >> bit % 8 & 1)
			return true;
	}
	return false;
}

/* Double the gap that is bridged until runs fall together. */
static void join(struct runs *runs)
{
	unsigned int nr = runs->nr;

	while (runs->nr == nr && runs->gap < 1ULL << 40) {
		unsigned int out = 0;

		runs->gap *= 2;
		for (unsigned int i = 1; i < nr; i++) {
			struct run *last = &runs->list[out], *run = &runs->list[i];

			if (!run->apart && run->start - last->end < runs->gap)
				last->end = run->end;
			else
				runs->list[++out] = *run;
		}
		runs->nr = out + 1;
	}
}

static int add_run(struct runs *runs, const struct pagemap *pm, pfn_t start, pfn_t end)
{
	struct run *last = runs->nr ? &runs->list[runs->nr - 1] : NULL;
	bool apart = last && last->end != start && danger_between(pm, last->end, start);

	if (last && (last->end == start || (!apart && start - last->end < runs->gap))) {
		last->end = end;
		return 0;
	}
	if (runs->nr == runs->max) {
		join(runs);
		if (runs->nr == runs->max)
			return -E2BIG;
		return add_run(runs, pm, start, end);
	}
	runs->list[runs->nr++] = (struct run){ start, end, apart };
	return 0;
}

static int collect(struct runs *runs, struct pagemap *pm)
{
	pagemap_reset_counts(pm);
	for (pfn_t start = 0; start < pm->max_pfn; start += pm->nr_pages) {
		pfn_t pfn = start, end;
		int rc;

		if (!pagemap_window_exists(pm, start))
			continue;
		pagemap_window(pm, start);
		for (; pagemap_next_run(pm, &pfn, &end); pfn = end) {
			rc = add_run(runs, pm, pfn, end);
			if (rc)
				return rc;
		}
	}
	return 0;
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
	struct runs runs = { .list = malloc(max * sizeof(struct run)), .max = max, .gap = 1 };
	struct plan cut = { .crash = plan->crash, .form = plan->form, .page_size = plan->page_size };
	int rc = runs.list ? collect(&runs, pm) : -ENOMEM;

	if (!rc)
		rc = cut_segments(plan, &runs, pm->page_size, &cut);
	free(runs.list);
	if (!rc)
		rc = plan_make_ranges(&cut);
	if (rc) {
		plan_deinit(&cut);
		return fail(err, rc, rc == -E2BIG ? "more than %u runs of pages that must stay apart" :
			    "no memory for %u runs of pages", max);
	}
	cut.level = plan->level;
	cut.gap = runs.gap;
	plan_deinit(plan);
	*plan = cut;
	return 0;
}
