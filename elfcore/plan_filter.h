/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page selection for a format of segments: every PT_LOAD is cut into the runs of pages that are wanted, and what is left
 * out is in no PT_LOAD, so that a reader says "missing" and not "zero".
 */
#ifndef ELFCORE_PLAN_FILTER_H
#define ELFCORE_PLAN_FILTER_H

#include "elfcore/pagemap.h"
#include "elfcore/plan.h"

/*
 * At most max runs, 1 or more: when there are more, the shortest gaps between them are kept as well (plan->gap). A gap with
 * offline pages counts 64 times as long as it is, one with pages of bad memory 2^20 times. -ENOMEM: the plan is as it was.
 */
int plan_filter(struct plan *plan, struct pagemap *pm, unsigned int max, struct error *err);

#endif
