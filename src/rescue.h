/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a child of /init does in the capture kernel, once the modules are loaded: one rung of the ladder, up to the
 * unmounted target.
 */
#ifndef SRC_RESCUE_H
#define SRC_RESCUE_H

#include "src/config.h"
#include "src/device.h"
#include "src/log_ring.h"
#include "src/progress.h"

#define RESCUE_REASON_MAX 256

struct rescue {
	const struct config *cfg;
	const char *cmdline;
	struct log_ring *ring;
	struct progress *progress;
	unsigned int target;		/* index in cfg->targets */
	bool first, last;		/* rung */
	struct device_memo *memo;	/* shared by all rungs */
	char *remains;			/* TARGET_NAME_MAX bytes for where the log and the notes were saved, at least */
	char *reason;			/* RESCUE_REASON_MAX bytes for why it failed */
};

/* 0 = a complete dump was saved and said so; else the reason is filled in, and said when this is the last rung. */
int rescue(const struct rescue *job);

/* When no target took anything: the end of the dead kernel's log to wherever it can be told without one. */
void rescue_last_words(const struct rescue *job);

#endif
