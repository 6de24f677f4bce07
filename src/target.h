/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One target of a capture, as the configuration names it. What kinds there are says the table in target.c; a kind is one
 * file (target_fs.c, target_raw.c) with its operations at the end.
 */
#ifndef SRC_TARGET_H
#define SRC_TARGET_H

#include "src/capture.h"
#include "src/config.h"
#include "src/crash_json.h"
#include "src/device.h"
#include "src/dumps.h"
#include "src/log_ring.h"
#include "src/sink_sum.h"
#include "src/sinks.h"
#include "src/sums.h"

#define TARGET_NAME_MAX 512
#define TARGET_MOUNT_POINT "/mnt"	/* with a directory for each target */

struct target;

struct target_ops {
	/*
	 * Find it and make it usable, within cfg->target_timeout seconds (-ETIMEDOUT); what cannot get better by waiting
	 * fails at once.
	 */
	int (*open)(struct target *target, struct error *err);

	/*
	 * A directory of the dump's own called name, which may be changed, with the log's place in it. NULL: the target
	 * holds a core and nothing else.
	 */
	int (*make_dir)(struct target *target, char *name, struct error *err);

	/* A sink for one file of the dump, "vmcore" or a small one; one of each at a time. */
	int (*open_file)(struct target *target, const char *name, struct sink **ret, struct error *err);

	/* A small file once more, in place: for when there is no room for another one. NULL: there always is, or never. */
	int (*rewrite)(struct target *target, const char *name, const char *text, size_t len);

	/* The core that got its name turned out not to be what was written: take the name away. NULL: it has none. */
	void (*distrust)(struct target *target);

	/* How many other crashes lie there of the hour before crashtime; and delete old dumps, when the new one is verified. */
	unsigned int (*lately)(struct target *target, int64_t crashtime);
	void (*prune)(struct target *target, const struct dumps_limits *limits);

	/* Bytes that can be written, UINT64_MAX = not known. NULL = never known. */
	uint64_t (*room)(struct target *target);

	/* Bring kcapture.log up to date; the last time make it durable. NULL: it has no log. */
	void (*save_log)(struct target *target, bool last);

	void (*close)(struct target *target);
};

extern const struct target_ops target_fs, target_raw, target_tcp;

struct target {
	struct output out;		/* for capture(); opens the sink in the dump's own directory */
	const struct target_ops *ops;
	const struct target_config *cfg;
	unsigned int index;		/* in the configuration */
	const struct config *all;	/* what cfg is a part of */
	struct log_ring *ring;
	struct device_memo *memo;	/* or NULL */
	char name[TARGET_NAME_MAX];	/* for people: what was written where; empty until it is known */
	char path[512];			/* of the core in this process's own view; empty when it has none */

	struct progress *progress;
	char *remains;			/* TARGET_NAME_MAX bytes for where the log and the notes are, once both are */
	unsigned int crash_loop;
	bool saved_first;		/* dmesg and notes were, or it was tried */
	bool anew;			/* the second dump to it, which must not be taken for the first */
	bool memory_skipped;		/* because of that many crashes */
	bool checksum;
	struct sums sums;
	struct sink_sum sum, small_sum;

	/* for crash.json */
	bool have_facts;
	struct crash_facts facts;
	struct dmesg_summary dmesg;

	/* of the kinds */
	char device[160];		/* node in /dev */
	char mount_point[32];
	char dir[448];			/* of the dump, empty until it is made */
	bool mounted;
	int log_fd;			/* kcapture.log, -1 = not open */
	struct sink_file file, small;
	struct sink_block block;
};

/* index is the target's place in the configuration. memo, progress and remains are for the caller to set. */
void target_init(struct target *target, const struct config *cfg, unsigned int index, struct log_ring *ring);

int target_open(struct target *target, struct error *err);

/* Make the dump's directory, once. Nothing to do for a target without any. */
int target_make_dir(struct target *target, const char *nodename, int64_t crashtime, struct error *err);

/* The new dump is complete and verified: older ones may go. */
void target_prune(struct target *target, const struct config *cfg);

/*
 * After the dump was committed: does the medium give back the first block that was written? And the core's digest, for
 * which it is read again if the way it was written did not tell it.
 */
int target_verify(struct target *target, struct error *err);

/* Complete crash.json: rc and reason are the capture's verdict. Nothing to do where none was begun. */
void target_save_verdict(struct target *target, const struct capture *capture, int rc, const char *reason);

/* Bring kcapture.log up to date: should this process not live to close it, that much is there. */
void target_save_log(struct target *target);

/* Write the log so far and SHA256SUMS, unmount: whatever of that there is to do. */
void target_close(struct target *target);

/* The device of cfg->place, for the kinds that have one: waited for until deadline_ms. */
int target_find_device(struct target *target, uint64_t deadline_ms, struct error *err);

#endif
