/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what memory is used for to what a dump of it would take: arithmetic on counts and samples, and the sum that makes
 * crashkernel=.
 */
#ifndef INITRAMFS_ESTIMATE_H
#define INITRAMFS_ESTIMATE_H

#include "src/memory_use.h"

/* Dump levels worth choosing, from everything to the kernel's own pages. */
#define ESTIMATE_LEVELS { 1, 17, 25, 27, 31 }
#define ESTIMATE_NR_LEVELS 5

struct estimate_dump {
	unsigned int level;
	uint64_t nr_pages;		/* kept, zero pages among them */
	uint64_t size[NR_CODECS];	/* bytes; 0 = not known, nothing was sampled */
	uint64_t ms[NR_CODECS];
};

/* What a level keeps takes in each codec, written at rate bytes per second by jobs processes. Zero pages take nothing. */
void estimate_dump(struct estimate_dump *ret, const struct memory_use *use, unsigned int level, uint64_t rate,
		   unsigned int jobs);

/* The parts of crashkernel=, in bytes. */
struct estimate_reserve {
	uint64_t kernel;		/* its image, unpacked, with its bss */
	uint64_t running;		/* what that kernel was measured to need besides, see check.h */
	uint64_t image;			/* the initramfs, packed and unpacked: both are there for a moment */
	uint64_t capture;		/* peak of /init, its workers and their buffers */
	uint64_t total;			/* rounded up to 16 MiB */
};

void estimate_reserve(struct estimate_reserve *r, uint64_t kernel, uint64_t image, unsigned int jobs);

#endif
