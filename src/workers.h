/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that pack batches. They are forked when everything that they need is there: they see the parent's memory as it
 * was then, and the batches, which are shared. Parent and worker tell each other the number of a batch over a socket pair;
 * a worker that dies is an end of file there, and costs a batch that somebody else has to pack.
 */
#ifndef SRC_WORKERS_H
#define SRC_WORKERS_H

#include <stdbool.h>
#include <sys/types.h>

#include "elfcore/core.h"

struct worker {
	pid_t pid;
	int fd;			/* -1 = dead */
	int batch;		/* that it works on, -1 = none */
};

struct workers {
	struct worker list[JOBS_MAX];
	unsigned int nr, nr_alive;
	void (*pack)(void *arg, unsigned int batch);
	void *arg;
};

/* Fork nr of them, or as many as go; each calls pack(arg, batch) for what it is given. How many there are. */
unsigned int workers_start(struct workers *workers, unsigned int nr, void (*pack)(void *arg, unsigned int batch), void *arg);

/* Give a batch to an idle one; false = none is idle. */
bool workers_give(struct workers *workers, unsigned int batch);

/*
 * Wait until a batch is ready, or lost with its worker (*lost_ret): its number, or -1 = nobody works on anything.
 */
int workers_wait(struct workers *workers, bool *lost_ret);

/* End them, busy or not. */
void workers_stop(struct workers *workers);

#endif
