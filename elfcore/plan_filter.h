/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page selection for a format of segments: every PT_LOAD is cut into the runs of pages that are wanted, and what is left
 * out is in no PT_LOAD, so that a reader says "missing" and not "zero".
 */
#ifndef ELFCORE_PLAN_FILTER_H
#define ELFCORE_PLAN_FILTER_H

#include "elfcore/pagemap.h"
#include "elfcore/plan.h"

/* By which power of two: gaps with offline pages, and with pages of bad memory. */
#define GAP_SHIFT_OFFLINE 6
#define GAP_SHIFT_POISONED 20

/*
 * At most max runs, 1 or more: when there are more, the shortest gaps between them are kept as well (plan->gap). For the pages
 * that had better not be read a gap counts longer than it is, which makes them the last. Known of those are offline pages, and
 * of the poisoned ones those whose own struct page was looked at: not in the middle of a block that is left out as a whole.
 * -ENOMEM: the plan is as it was.
 */
int plan_filter(struct plan *plan, struct pagemap *pm, unsigned int max, struct error *err);

#endif
