/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which page frames are wanted, window by window. A window is as large and as aligned as the largest compound page of the
 * architecture, so what is excluded never reaches over its edges: windows can be asked for in any order and again, the
 * answer depends on the dead kernel's memory alone. Nothing here grows with the machine.
 */
#ifndef ELFCORE_PAGEMAP_H
#define ELFCORE_PAGEMAP_H

#include "elfcore/memmap.h"
#include "elfcore/page_fast.h"

#define PAGEMAP_WINDOW_BYTES (1ULL << 30)	/* a hugetlb page of 1 GiB */

struct pagemap {
	struct kernel *kernel;
	unsigned int level;		/* dump level without DUMP_LEVEL_ZERO, which is no matter of struct pages */
	bool classify;			/* struct pages are found and asked */
	unsigned int level_done;	/* what becomes of the level: bits that cannot be had are missing */
	struct error why;		/* when some are: what there would have to be */
	struct page_layout layout;
	struct page_fast fast;
	bool have_fast;			/* the layout is one that fast can judge */
	struct memmap memmap;
	uint64_t page_size;
	uint64_t max_pfn;		/* one above the highest page frame of any PT_LOAD */

	/* of the window that was asked for last */
	pfn_t start;
	uint32_t nr_pages;		/* always the same: that of a window */
	uint8_t *present;		/* a bit a page, lowest first: it is in a PT_LOAD */
	bool all_present;
	uint8_t *wanted;		/* present and not left out */
	uint8_t *dangerous;		/* poisoned or offline: had better not be read at all */
	uint8_t *poisoned;		/* those of bad memory */

	/* pages of all windows asked for, by class; reset with pagemap_reset_counts() */
	uint64_t nr_class[NR_PAGE_CLASSES];
	uint64_t nr_present, nr_wanted, nr_poisoned, nr_unknown;	/* unknown: struct page not readable, kept */

	uint8_t *structs;		/* buffer */
};

/*
 * Levels that need struct pages but cannot have them fall back to keeping everything: the reason is logged, classify
 * is false. -ENOMEM is the only error.
 */
int pagemap_init(struct pagemap *pm, struct kernel *kernel, unsigned int level, struct log *log, struct error *err);
void pagemap_deinit(struct pagemap *pm);

/* Decide the window that begins at start, a multiple of nr_pages. */
void pagemap_window(struct pagemap *pm, pfn_t start);

/* The same window again, when its wanted bits are known; counts nothing. */
void pagemap_window_known(struct pagemap *pm, pfn_t start, const uint8_t *wanted);

/* Does any PT_LOAD touch the window that begins at start? */
bool pagemap_window_exists(const struct pagemap *pm, pfn_t start);
void pagemap_reset_counts(struct pagemap *pm);

/*
 * The next run of wanted pages in the window at or after *pfn: true, with [*pfn, *end_ret) half open; false at the end
 * of the window.
 */
bool pagemap_next_run(const struct pagemap *pm, pfn_t *pfn, pfn_t *end_ret);

#endif
