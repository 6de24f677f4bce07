/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compare two views of the same memory page by page: /dev/mem against /proc/vmcore, and a written core against
 * /proc/vmcore. The end-to-end tests use it as their oracle.
 */
#ifndef SRC_CROSSCHECK_H
#define SRC_CROSSCHECK_H

#include "elfcore/crash.h"
#include "elfcore/plan.h"
#include "src/input.h"
#include "src/progress.h"

struct crosscheck {
	uint64_t nr_pages;	/* compared */
	uint64_t nr_differ;
	uint64_t nr_refused;	/* that only one side, or none, could read */
	struct log *log;	/* the first differing pages are listed */
	struct progress *progress;
};

/* Both sources of a live input over all planned ranges. -ENODEV when it has but one. */
int crosscheck_sources(struct crosscheck *check, struct input *in, const struct plan *plan, struct error *err);

/* Every PT_LOAD of expected must be in actual, with the same header fields and the same bytes. */
int crosscheck_cores(struct crosscheck *check, struct mem *expected_mem, const struct crash *expected,
		     struct mem *actual_mem, const struct crash *actual, struct error *err);

/* Every PT_LOAD of actual that has a physical address must be in expected, with the same bytes: a filtered core. */
int crosscheck_subset(struct crosscheck *check, struct mem *expected_mem, const struct crash *expected,
		      struct mem *actual_mem, const struct crash *actual, struct error *err);

#endif
