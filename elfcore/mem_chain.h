/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several sources of the same memory behind one: what the first refuses is asked from the next, for exactly the pages
 * that were refused, and what nobody has becomes zeros that are counted and listed.
 */
#ifndef ELFCORE_MEM_CHAIN_H
#define ELFCORE_MEM_CHAIN_H

#include "elfcore/holes.h"
#include "elfcore/mem.h"

#define MEM_CHAIN_MAX 4

struct mem_chain {
	struct mem mem;			/* strict: a range with any hole is the error of its first one */
	struct mem *sources[MEM_CHAIN_MAX];	/* borrowed, in the order to try */
	uint64_t nr_bytes[MEM_CHAIN_MAX];	/* delivered by each */
	unsigned int nr_sources;
	size_t page_size;		/* of this machine: the unit in which a source refuses */
};

void mem_chain_init(struct mem_chain *chain, size_t page_size);

/* -ENOSPC when there are MEM_CHAIN_MAX already. */
int mem_chain_add(struct mem_chain *chain, struct mem *source);

/* Fill buf whatever happens; pages that no source delivers are zeros and are added to holes. */
void mem_chain_fill(struct mem_chain *chain, maddr_t addr, void *buf, size_t len, struct holes *holes);

#endif
