/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was found out about windows of the page map, for those who go through it twice: the struct pages of a machine are
 * much to read. Memory is bounded; windows beyond it are simply decided again.
 */
#ifndef ELFCORE_PAGEMAP_KEPT_H
#define ELFCORE_PAGEMAP_KEPT_H

#include "elfcore/pagemap.h"

struct pagemap_kept {
	uint8_t *bits;			/* NULL = nothing is ever kept */
	pfn_t *starts;			/* of the windows, ascending */
	unsigned int nr, max;
};

/* Without memory nothing is kept. */
void pagemap_kept_init(struct pagemap_kept *kept, const struct pagemap *pm);
void pagemap_kept_deinit(struct pagemap_kept *kept);

/* Keep the window that was asked for last. Windows come in their order. */
void pagemap_keep(struct pagemap_kept *kept, const struct pagemap *pm);

/* Like pagemap_window(), but neither `dangerous` and `poisoned` nor the counts say anything afterwards. */
void pagemap_window_again(struct pagemap_kept *kept, struct pagemap *pm, pfn_t start);

#endif
