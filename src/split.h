/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where to cut a dump into parts of about as many pages. */
#ifndef SRC_SPLIT_H
#define SRC_SPLIT_H

#include "elfcore/pagemap.h"

/*
 * bounds gets nr + 1 page frames, the first 0 and the last behind all memory: part i is [bounds[i], bounds[i + 1]) and
 * stores an nr-th of the pages that the level keeps. A part may be empty. -ENOMEM.
 */
int split_bounds(struct kernel *kernel, unsigned int level, pfn_t *bounds, unsigned int nr, struct log *log,
		 struct error *err);

#endif
