/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump format: turns planned memory into bytes for a sink, and never knows what the sink is.
 */
#ifndef ELFCORE_CORE_H
#define ELFCORE_CORE_H

#include "elfcore/holes.h"
#include "elfcore/plan.h"
#include "elfcore/sink.h"

/* What the dump says about its own making, known only when all pages are through. */
struct core_result {
	int status;			/* 0 = complete, else the negative errno that ended it */
	const struct holes *holes;	/* what was unreadable */
	uint64_t duration_ms;
	const char *sources;		/* "devmem:123,vmcore:456" bytes by source, or NULL */
};

struct core;

struct core_ops {
	const char *name;

	/* Finish the plan: decide sizes and offsets. */
	int (*plan)(struct core *core, struct plan *plan, struct error *err);

	/* Write what comes before the pages, marked as incomplete. */
	int (*begin)(struct core *core, struct sink *sink, struct error *err);

	/* len bytes of range from pos on; called in ascending order. What is left out reads as zeros. */
	int (*pages)(struct core *core, const struct plan_range *range, uint64_t pos, const uint8_t *buf, size_t len);

	/* Write what comes last. Only with status 0 the mark of incompleteness goes. Tried even after a failed write. */
	int (*end)(struct core *core, const struct core_result *result, struct error *err);
};

struct core {
	const struct core_ops *ops;
};

#endif
