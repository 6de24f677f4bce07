/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the struct page of a page frame is. Memory models: SPARSEMEM in both forms (mm/sparse.c), FLATMEM, and DISCONTIGMEM
 * with a mem_map for each node (until 5.14). Which one the dead kernel had shows by the keys of VMCOREINFO.
 */
#ifndef ELFCORE_MEMMAP_H
#define ELFCORE_MEMMAP_H

#include "elfcore/kernel.h"
#include "elfcore/page.h"

enum memory_model { MODEL_FLAT, MODEL_DISCONTIG, MODEL_SPARSE, MODEL_SPARSE_EXTREME };

struct memmap {
	struct kernel *kernel;
	enum memory_model model;
	uint32_t page_struct;		/* bytes of a struct page */
	unsigned int section_bits;	/* log2 of a section's size in bytes */
	vaddr_t root;			/* mem_section[], mem_map of MODEL_FLAT, node_data[] of MODEL_DISCONTIG */
	uint64_t nr_roots, per_root;
	uint64_t last_root;		/* the root found last, plus one; 0 = none */
	vaddr_t last_base;
	uint32_t section_struct;
	int section_map;		/* offset of section_mem_map */
	uint64_t nr_nodes;
	int node_map, node_start, node_spanned;	/* offsets in pglist_data */
};

/* A run of page frames whose struct pages lie behind one another at vaddr; present false = they have none. */
struct memmap_span {
	pfn_t start, end;
	vaddr_t vaddr;
	bool present;
};

/*
 * By the keys of info: the kernel's VMCOREINFO, or more than that. -ENODATA with the missing key named, -EINVAL for a layout
 * that contradicts itself.
 */
int memmap_init(struct memmap *memmap, struct kernel *kernel, const struct vmcoreinfo *info, const struct page_layout *layout,
		struct error *err);

/* The span that holds pfn, at most to the end of its section. What is unreadable is not present. */
void memmap_find(struct memmap *memmap, pfn_t pfn, struct memmap_span *ret);

#endif
