/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between architectures: one const table each, found by e_machine.
 */
#ifndef ELFCORE_ARCH_H
#define ELFCORE_ARCH_H

#include <stdbool.h>

#include "elfcore/error.h"
#include "elfcore/types.h"

struct kernel;

/* A piece of the dead kernel's own address space: contiguous in virtual and in physical addresses. */
struct mapping {
	vaddr_t vaddr;
	paddr_t paddr;
	uint64_t len;
};

/* Called with ascending vaddr; a value other than 0 ends the walk and is its result. */
typedef int mapping_fn(void *arg, const struct mapping *mapping);

/* A range of virtual addresses, last address included. */
struct area {
	vaddr_t start, last;
	bool mixed;		/* stacks lie among much else here; elsewhere every mapping is as good as the next */
};

#define ARCH_AREAS_MAX 4
#define ARCH_LEVELS_MAX 6

/* One entry of the page tables, as people look at it. */
struct table_step {
	const char *table;	/* what the kernel calls it */
	paddr_t addr;		/* of the entry */
	uint64_t entry;
	bool readable;
	char flags[80];		/* in words; empty when not present */
};

struct arch_ops {
	const char *name;	/* as uname -m says */
	uint16_t e_machine;

	/* elf_prstatus (include/linux/elfcore.h): size and offsets of what is shown of it, each register 8 bytes */
	uint16_t prstatus_size;
	uint16_t pid_off;	/* 4 bytes */
	uint16_t ip_off, sp_off;

	/* Find the page tables. -ENODATA with the missing key named: no translation for this kernel. */
	int (*init)(struct kernel *kernel, struct error *err);

	/*
	 * One address through the page tables; *len_ret is how much follows in the same page, however large that is.
	 * -ENODATA not mapped, -EIO a table is unreadable.
	 */
	int (*vtop)(struct kernel *kernel, vaddr_t vaddr, paddr_t *ret, uint64_t *len_ret);

	/*
	 * All present mappings that touch [start, last] (inclusive: the last one may end the address space), neighbours
	 * merged. Tables that cannot be read are passed over; -E2BIG when corrupted tables lead in circles.
	 */
	int (*each_mapping)(struct kernel *kernel, vaddr_t start, vaddr_t last, mapping_fn *fn, void *arg);

	/*
	 * Where the kernel mapped physical memory (*direct_ret = virtual address of physical 0) and its own image (len 0 =
	 * unknown), for dumps whose header does not say. -ENODATA. NULL = not known for this architecture.
	 */
	int (*find_loads)(struct kernel *kernel, vaddr_t *direct_ret, struct mapping *image_ret);

	/* The entries that the translation of vaddr goes through, root first, up to where it ends; how many. */
	unsigned int (*explain)(struct kernel *kernel, vaddr_t vaddr, struct table_step ret[ARCH_LEVELS_MAX]);

	/* The areas outside direct map and kernel image where stacks and modules live, disjoint, the most wanted first. */
	unsigned int (*areas)(const struct kernel *kernel, struct area ret[ARCH_AREAS_MAX]);
};

/* NULL when there is none for this machine. */
const struct arch_ops *arch_find(uint16_t e_machine);

/* The name of a machine for people, whether or not there is a table for it. */
const char *arch_machine_name(uint16_t e_machine);

#endif
