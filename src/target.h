/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The target of a capture, as the configuration names it: a directory on a filesystem or a raw block device.
 */
#ifndef SRC_TARGET_H
#define SRC_TARGET_H

#include "src/capture.h"
#include "src/log_ring.h"
#include "src/sinks.h"

#define TARGET_MOUNT_POINT "/mnt"

struct target {
	struct output out;		/* for capture(); opens the sink in the dump's own directory */
	const struct config *cfg;
	struct log_ring *ring;
	bool mounted;
	char name[256];			/* for people: what was written where */
	char path[512];			/* of the core in this process's own view; empty until there is one */
	char dir[448];			/* of the dump, empty until it is made */
	int log_fd;			/* kcapture.log, -1 = not open */
	struct sink_file file;
	struct sink_block block;
};

void target_init(struct target *target, const struct config *cfg, struct log_ring *ring);

/*
 * Wait until the device is there, mount it. Times out after cfg->target_timeout seconds (-ETIMEDOUT); what cannot get
 * better by waiting fails at once.
 */
int target_open(struct target *target, struct error *err);

/* Make the dump's directory with kcapture.log in it, once. Nothing to do for a raw device. */
int target_make_dir(struct target *target, const char *nodename, int64_t crashtime, struct error *err);

/* Bring kcapture.log up to date: should this process not live to close it, that much is there. */
void target_save_log(struct target *target);

/* Write the log so far, close it, unmount: whatever of that there is to do. */
void target_close(struct target *target);

#endif
