/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One dump, from an opened input to a committed output.
 */
#ifndef SRC_CAPTURE_H
#define SRC_CAPTURE_H

#include "elfcore/core.h"
#include "elfcore/kernel.h"
#include "elfcore/plan.h"
#include "src/input.h"
#include "src/progress.h"

/* Who takes the bytes. open() is called when the dump's identity and size are known, close() in any case after it. */
struct output {
	int (*open)(struct output *out, const struct kernel *kernel, const struct plan *plan, struct sink **ret,
		    struct error *err);
	void (*close)(struct output *out);
};

#define CAPTURE_MAX_ALIASES 8192
#define CAPTURE_MAX_RUNS 16384

struct capture {
	/* in */
	struct input *in;
	struct output *out;
	struct log *log;
	struct progress *progress;
	bool aliases;
	unsigned int level;		/* dump level, 0..31 */
	bool identified;		/* without registers, VMCOREINFO and all program headers the dump counts as incomplete */

	/* out */
	struct kernel kernel;
	struct plan plan;		/* valid after the capture, until capture_deinit() */
	struct holes holes;		/* what was unreadable, and after a failure what was not written */
	uint64_t nr_unwritten;		/* bytes of these that were not written */
	uint64_t nr_zero_bytes;
	uint64_t start_ms, first_byte_ms;	/* now_ms() before and after the headers were written */
	uint64_t duration_ms;
};

/* 0, or the first error; what could be saved is kept and marked incomplete. */
int capture(struct capture *c, struct error *err);
void capture_deinit(struct capture *c);

#endif
