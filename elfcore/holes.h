/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of memory that could not be read and are zeros in the dump: counted always, listed up to a bound.
 */
#ifndef ELFCORE_HOLES_H
#define ELFCORE_HOLES_H

#include <stdbool.h>

#include "elfcore/types.h"

#define HOLES_MAX 64

struct hole {
	maddr_t start, end;	/* half open */
	int error;		/* negative errno of the last source asked */
};

struct holes {
	struct hole list[HOLES_MAX];
	unsigned int nr;
	uint64_t nr_ranges;	/* also those that the list has no room for */
	uint64_t nr_bytes;
};

/* Ranges come in any order; one that continues the latest is merged with it. */
void holes_add(struct holes *holes, maddr_t start, uint64_t len, int error);

#endif
