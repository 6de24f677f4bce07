/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the dump will look like, decided before the first byte is written.
 *
 * Data is planned by source: overlapping PT_LOADs (the kernel image lies inside the direct map's range) share one copy.
 * A range's file offset is congruent to its source address modulo the page size, so pages stay pages:
 *
 *   +--------+---------------+---------+-------+~~~~+-----------------+~~~~+------------
 *   | Ehdr   | program hdrs  | Shdr[0] | notes |    | range 0         |    | range 1 ...
 *   +--------+---------------+---------+-------+~~~~+-----------------+~~~~+------------
 *                              PN_XNUM only     page aligned
 */
#ifndef ELFCORE_PLAN_H
#define ELFCORE_PLAN_H

#include "elfcore/crash.h"

/* Bytes of the source that are stored once, at off of the dump. */
struct plan_range {
	maddr_t src;
	uint64_t len;
	uint64_t off;
};

/* A PT_LOAD of the dump. */
struct plan_load {
	struct segment seg;
	uint64_t off;
};

struct plan {
	const struct crash *crash;
	/* page selection: the dump level that was asked for, what could be done of it, and why no more; for the dump's own note */
	unsigned int level, level_done;
	char level_why[128];
	uint64_t gap;			/* gaps of fewer pages than this between wanted ones are kept as well; 0 and 1 = none is */
	struct elf_form form;		/* ELF32 becomes ELF64 when offsets do not fit */
	uint64_t page_size;		/* unit of alignment */
	struct plan_range *ranges;	/* ascending in src and off, disjoint */
	unsigned int nr_ranges;
	struct plan_load *loads;	/* those of the crash, then the aliases */
	unsigned int nr_loads, cap_loads;
	unsigned int nr_aliases;
	struct notes own_notes;		/* in place of the crash's, len 0 = none */
	uint64_t notes_off, notes_len;
	uint64_t data_off;
	uint64_t data_len;		/* bytes in all ranges */
	uint64_t file_size;
};

/* Decide which bytes of the source are stored: each once. page_size is the unit of alignment. -ENOMEM. */
int plan_init(struct plan *plan, const struct crash *crash, uint64_t page_size, struct error *err);
void plan_deinit(struct plan *plan);

/* The two halves of plan_init(), for who makes other segments of the same crash. -ENOMEM. */
int plan_add_load(struct plan *plan, const struct segment *seg);
int plan_make_ranges(struct plan *plan);

/* Number the CPUs that idled for gdb (idle_notes.h); of x86_64, else, or without memory, nothing is added. */
void plan_number_idle(struct plan *plan);

/* The notes to be written. */
static inline const struct notes *plan_notes(const struct plan *plan)
{
	return plan->own_notes.len ? &plan->own_notes : &plan->crash->notes;
}

/* Fix all offsets, with notes_len bytes of notes. Called once, after everything was added. -EOVERFLOW. */
int plan_layout(struct plan *plan, uint64_t notes_len, struct error *err);

/* The range that holds a source address, or NULL. */
const struct plan_range *plan_find(const struct plan *plan, maddr_t src);

#endif
