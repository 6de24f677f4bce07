/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that the image carries: the configuration's own, and those that assemble a target's device. Each has a deadline.
 */
#ifndef SRC_PROGRAM_H
#define SRC_PROGRAM_H

#include <stdint.h>

#include "elfcore/log.h"

struct program_run {
	uint64_t deadline_ms;			/* of now_ms(); then it is killed */
	void (*tick)(void);			/* called while it runs; NULL = nobody */
	struct log *log;			/* gets what it prints, prefixed by its name */
};

/* Its exit code, 128 + signal, -ETIMEDOUT, or -errno when it cannot be started. argv ends with NULL, argv[0] is a path. */
int program_run(const char *const *argv, const struct program_run *run);

#endif
