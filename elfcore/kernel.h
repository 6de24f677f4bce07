/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be known about the dead kernel: who it was and how its addresses translate. Everything here may be missing;
 * a missing piece is a missing capability, said once in the log, never an error.
 */
#ifndef ELFCORE_KERNEL_H
#define ELFCORE_KERNEL_H

#include <stdbool.h>

#include "elfcore/arch.h"
#include "elfcore/crash.h"

struct kernel {
	const struct crash *crash;
	struct mem *mem;
	const struct arch_ops *arch;	/* NULL = unknown architecture */
	bool can_translate;		/* vtop and each_mapping work */

	uint64_t page_size;		/* 0 = unknown */
	int64_t crashtime;		/* s since 1970 UTC, 0 = unknown */
	uint64_t kaslr_offset;
	char release[65];		/* empty = unknown, as are the next */
	char nodename[65];
	char version[65];
	char machine[65];

	/* of the architecture */
	paddr_t pgd;
	unsigned int levels;
	int64_t phys_base;
	uint64_t addr_mask;		/* physical address bits of a table entry */

	/* what was found last: most reads follow one another */
	struct mapping last_mapping;
	const struct segment *last_seg;
	vaddr_t last_table_area;	/* what last_table resolves, as the architecture counts */
	paddr_t last_table;		/* 0 = none */
};

void kernel_init(struct kernel *kernel, const struct crash *crash, struct mem *mem, struct log *log);

/* Read by physical or virtual address of the dead kernel; -ENODATA when no segment or mapping holds all of it. */
int kernel_read_paddr(struct kernel *kernel, paddr_t paddr, void *buf, size_t len);
int kernel_read_vaddr(struct kernel *kernel, vaddr_t vaddr, void *buf, size_t len);

/* Where a virtual address lies in the source, and how much follows it there in one piece. */
int kernel_find_vaddr(struct kernel *kernel, vaddr_t vaddr, maddr_t *ret, uint64_t *len_ret);

#endif
