/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of /init: every line goes to the console and into a buffer that is stored beside the dump. The buffer lies
 * in shared memory, so that what a child logged is there when the child is not. When it is full the oldest lines go.
 */
#ifndef SRC_LOG_RING_H
#define SRC_LOG_RING_H

#include <stdbool.h>

#include "elfcore/log.h"
#include "elfcore/types.h"
#include "src/console.h"

#define LOG_RING_SIZE (32U << 10)

struct log_ring {
	struct log log;
	struct console console;
	int kmsg_fd;			/* -1 = none: every line goes there as well, for who reads the capture kernel's own log */
	uint64_t start_ms;
	uint64_t nr_bytes;		/* ever written; the buffer holds the last LOG_RING_SIZE of them */
	char buf[LOG_RING_SIZE];
};

/* In caller's storage; times are counted from start_ms. Consoles are to be added. */
void log_ring_init(struct log_ring *ring, uint64_t start_ms);

/* Show a line on the consoles only. */
void log_ring_console(struct log_ring *ring, const char *line);

/* The kept text in two pieces, oldest first; returns their total length. The second may be empty. */
size_t log_ring_text(const struct log_ring *ring, const char *piece[2], size_t len[2]);

#endif
