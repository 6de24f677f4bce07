/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump format: says which memory it wants and in what order, turns it into bytes for a sink, and never knows what the
 * sink is. The calls: plan, begin, then for each batch next, pack and put, at last end and close. pack() may run in
 * another process and several at a time; all others are called by one process, put() in the order of next().
 */
#ifndef ELFCORE_CORE_H
#define ELFCORE_CORE_H

#include "elfcore/batch.h"
#include "elfcore/holes.h"
#include "elfcore/plan.h"
#include "elfcore/sink.h"

enum dump_format { FORMAT_ELF, FORMAT_KDUMP, NR_FORMATS };

#define LEVELS_MAX 8	/* dump levels that may be tried in turn */
#define JOBS_MAX 32

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

	/*
	 * Finish the plan: file_size, which may be a bound until end(), and data_len, the bytes of memory that will be in
	 * the dump.
	 */
	int (*plan)(struct core *core, struct plan *plan, struct error *err);

	/* Write what comes before the pages, marked as incomplete. */
	int (*begin)(struct core *core, struct sink *sink, struct error *err);

	/* Fill in what the batch is to hold. 1, or 0 when all memory is through, or what the sink said. */
	int (*next)(struct core *core, struct batch *batch);

	/* Read and pack a batch: changes nothing but the batch and the packer. */
	void (*pack)(const struct core *core, struct packer *packer, struct batch *batch);

	/* Write a packed batch. */
	int (*put)(struct core *core, const struct batch *batch);

	/*
	 * Leave out memory that would be wanted next: up to len bytes that lie one behind another from *src_ret on, which
	 * become zeros or pages that are not there. How many bytes, 0 = all is through. Not while batches are under way,
	 * unless none of them will be written any more.
	 */
	uint64_t (*skip)(struct core *core, uint64_t len, maddr_t *src_ret);

	/* Write what comes last. Only with status 0 the mark of incompleteness goes. Tried even after a failed write. */
	int (*end)(struct core *core, const struct core_result *result, struct error *err);

	/* Release memory. */
	void (*close)(struct core *core);
};

struct core {
	const struct core_ops *ops;
	struct packer_needs needs;
};

#endif
