// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/split.h"

struct cutter {
	pfn_t *bounds;
	unsigned int nr, at;		/* parts, and how many are cut */
	uint64_t share, taken;		/* pages of each part, and of the one at hand */
};

static void take_run(struct cutter *c, pfn_t pfn, pfn_t end)
{
	while (pfn < end) {
		uint64_t n = min_u64(end - pfn, c->share - c->taken);

		pfn += n;
		c->taken += n;
		if (c->taken < c->share)
			continue;
		if (c->at + 1 < c->nr)
			c->bounds[++c->at] = pfn;
		c->taken = 0;
	}
}

int split_bounds(struct kernel *kernel, unsigned int level, pfn_t *bounds, unsigned int nr, struct log *log,
		 struct error *err)
{
	struct cutter c = { .bounds = bounds, .nr = nr };
	struct pagemap pm;
	int rc = pagemap_init(&pm, kernel, level, log, err);

	if (rc)
		return rc;
	for (pfn_t start = 0; start < pm.max_pfn; start += pm.nr_pages)
		if (pagemap_window_exists(&pm, start))
			pagemap_window(&pm, start);
	c.share = max_u64((pm.nr_wanted + nr - 1) / nr, 1);
	bounds[0] = 0;
	for (pfn_t start = 0; start < pm.max_pfn; start += pm.nr_pages) {
		pfn_t pfn = start, end;

		if (!pagemap_window_exists(&pm, start))
			continue;
		pagemap_window(&pm, start);
		for (; pagemap_next_run(&pm, &pfn, &end); pfn = end)
			take_run(&c, pfn, end);
	}
	while (c.at < nr)
		bounds[++c.at] = pm.max_pfn;
	pagemap_deinit(&pm);
	return 0;
}
