/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ORC: the dead kernel's own tables of how to get from one stack frame to the one above it, for each address of its code
 * (Documentation/arch/x86/orc-unwinder.rst, arch/x86/include/asm/orc_types.h).
 *
 *   ip[]      32-bit offsets, each relative to its own place, ascending: where an entry begins to count
 *   entry[]   6 bytes each: where the caller's stack pointer is, where the caller's frame pointer is, kind of frame
 *
 * The kernel has one pair of arrays, each module another. The numbers of kinds and registers changed over time (6.4,
 * 6.19); orc_fp_entry, an entry whose meaning is known, says which ones are in use.
 */
#ifndef ELFCORE_ORC_H
#define ELFCORE_ORC_H

#include <stdbool.h>

#include "elfcore/kernel.h"

#define ORC_ENTRY_SIZE 6

enum orc_type {
	ORC_UNDEFINED,		/* no code is expected here */
	ORC_END,		/* the outermost frame */
	ORC_CALL,		/* a return address is below the caller's stack pointer */
	ORC_REGS,		/* struct pt_regs is at the "caller's stack pointer" */
	ORC_REGS_PARTIAL,	/* only its last five words are */
};

/* What the caller's stack pointer (base of sp_offset) or the place of its frame pointer is counted from. */
enum orc_reg {
	ORC_REG_NONE, ORC_REG_PREV_SP, ORC_REG_AX, ORC_REG_DX, ORC_REG_DI, ORC_REG_BP, ORC_REG_SP, ORC_REG_R10, ORC_REG_R13,
	ORC_REG_BP_INDIRECT, ORC_REG_SP_INDIRECT,
};

struct orc_entry {
	int16_t sp_offset, bp_offset;
	enum orc_reg sp_reg, bp_reg;
	enum orc_type type;
	bool signal;		/* the frame above was interrupted: its address is exact, not behind a call */
};

/* One pair of arrays. */
struct orc_table {
	vaddr_t ips, entries;
	uint32_t nr;
	vaddr_t first, last;	/* begin of the first and of the last entry */
};

#define ORC_WINDOW 512
#define ORC_CACHE 64

struct orc {
	struct kernel *kernel;
	/* Where the function that holds an address begins, 0 = unknown; of whoever knows symbols, may be NULL. */
	vaddr_t (*function_start)(struct orc *orc, vaddr_t ip);
	bool usable;		/* there is a table and its numbers are understood */
	bool old_types, old_regs;
	unsigned int end_bit;		/* of byte 5, with the old types */
	struct orc_table *tables;
	unsigned int nr_tables, cap_tables;

	/* the last window of offsets that was searched, and answers */
	uint8_t window[ORC_WINDOW * 4];
	struct {
		vaddr_t ip;
		struct orc_entry entry;
	} cache[ORC_CACHE];
};

/*
 * Empty. fp_entry is the value of orc_fp_entry: return address and frame pointer as a function with a frame pointer
 * leaves them. An encoding that it does not fit leaves orc unusable. end_bit is where struct orc_entry has "end" in byte 5:
 * 2, in 6.3 it is 3, since 6.4 it is gone and end_bit is not looked at.
 */
void orc_init(struct orc *orc, struct kernel *kernel, const uint8_t fp_entry[ORC_ENTRY_SIZE], unsigned int end_bit);
void orc_deinit(struct orc *orc);

/* Add a pair of arrays in the dead kernel's memory. -EINVAL when they cannot be that, -ENOMEM. */
int orc_add_table(struct orc *orc, vaddr_t ips, vaddr_t entries, uint64_t nr);

/* One entry as it stands in a table. */
void orc_decode(const struct orc *orc, const uint8_t raw[ORC_ENTRY_SIZE], struct orc_entry *ret);

/* The entry that counts at an address. -ENOENT: no table knows it; or the error of reading. */
int orc_find(struct orc *orc, vaddr_t ip, struct orc_entry *ret);

#endif
