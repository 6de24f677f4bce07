/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moves the memory of a dump: asks the format for batches, has them packed, here or by workers, and writes them in order.
 */
#ifndef SRC_PUMP_H
#define SRC_PUMP_H

#include "elfcore/core.h"
#include "src/progress.h"
#include "src/workers.h"

struct pump {
	/* in */
	struct core *core;
	struct mem_chain *chain;
	struct log *log;
	struct progress *progress;
	unsigned int jobs;
	int codec_level;
	uint64_t data_len;		/* bytes of memory in all batches */

	/* out */
	struct holes *holes;		/* what was unreadable, and after an error what was not written */
	uint64_t nr_unwritten;		/* bytes that were not written */

	/* its own */
	struct packer packer;
	struct batch *batches;		/* shared with the workers */
	unsigned int nr_batches;
	struct workers workers;
	uint64_t nr_written;
	uint64_t barren;		/* bytes up to here in which nothing could be read */
};

/*
 * All buffers, the codec's memory and the workers, after core->ops->plan() and before begin(): nothing is allocated later.
 * -ENOMEM.
 */
int pump_init(struct pump *pump, struct error *err);
void pump_deinit(struct pump *pump);

/* Everything, after core->ops->begin(). What the sink said. */
int pump_run(struct pump *pump);

#endif
