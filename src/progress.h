/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far it is: percent, rate, time left; integers only. Whoever shows it is called at most once a second.
 */
#ifndef SRC_PROGRESS_H
#define SRC_PROGRESS_H

#include <stdint.h>

struct progress {
	/* One line without newline; borrowed for the time of the call. NULL = nobody looks. */
	void (*show)(struct progress *progress, const char *line);

	/* Counts with every step, for a watcher in another process; NULL = none. */
	volatile uint64_t *moved;

	const char *phase;
	uint64_t done, total;		/* bytes */
	uint64_t start_ms, shown_ms;
};

void progress_begin(struct progress *progress, const char *phase, uint64_t total);
void progress_advance(struct progress *progress, uint64_t bytes);

#endif
