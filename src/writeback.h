/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that grows, on its way to the medium. Writing to the medium is started in steps, and the step before the last is
 * waited for and taken out of the page cache: the medium works while we read, and the cache of a small kernel stays small.
 */
#ifndef SRC_WRITEBACK_H
#define SRC_WRITEBACK_H

#include <stdint.h>

struct writeback {
	uint64_t started;	/* up to here it is under way */
	uint64_t dropped;	/* up to here it is there, and not cached */
};

/*
 * Something was written up to end. 0, or what the medium said of earlier writes: an error is told once, here or by fsync(2),
 * and who passes over it here calls a broken dump whole.
 */
int writeback_advance(struct writeback *wb, int fd, uint64_t end);

#endif
