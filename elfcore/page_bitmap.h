/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bitmap with a bit a page frame that lies in a file, read in blocks: 16 TiB of memory have one of 512 MiB. Blocks
 * that cannot be read are taken for zeros.
 *
 * How many bits are set before a bit (its rank) is the index of its page descriptor. Ranks are kept for every so many
 * blocks, in a table that never exceeds 1 MiB, and counted from there.
 */
#ifndef ELFCORE_PAGE_BITMAP_H
#define ELFCORE_PAGE_BITMAP_H

#include <stdbool.h>

#include "elfcore/error.h"
#include "elfcore/mem.h"

#define PAGE_BITMAP_BLOCK 4096			/* bytes */
#define PAGE_BITMAP_BITS (PAGE_BITMAP_BLOCK * 8)
#define PAGE_BITMAP_CACHE 8
#define PAGE_BITMAP_RANKS (1U << 17)

/* A block in memory. */
struct page_bitmap_block {
	uint64_t nr;			/* which one, UINT64_MAX = none */
	uint64_t words[PAGE_BITMAP_BLOCK / 8];	/* native: bit i of word w is page frame 64 * w + i */
	uint16_t ranks[PAGE_BITMAP_BLOCK / 64];	/* bits before each eighth word, from the begin of the block */
};

struct page_bitmap {
	struct mem *mem;		/* borrowed */
	uint64_t off;			/* of the bitmap in it */
	uint64_t nr_bits;
	bool cut;			/* some of its blocks were not readable */
	struct page_bitmap_block *cache;
	uint64_t *ranks;		/* bits before each stride of blocks; NULL until page_bitmap_index() */
	uint64_t stride;		/* blocks to an entry */
	uint64_t nr_set;		/* in all, known by then */
};

/* -ENOMEM. */
int page_bitmap_init(struct page_bitmap *bitmap, struct mem *mem, uint64_t off, uint64_t nr_bits, struct error *err);
void page_bitmap_deinit(struct page_bitmap *bitmap);

/* Read it once through; ranks can be asked for afterwards. -ENOMEM. */
int page_bitmap_index(struct page_bitmap *bitmap, struct error *err);

bool page_bitmap_test(struct page_bitmap *bitmap, uint64_t bit);
uint64_t page_bitmap_rank(struct page_bitmap *bitmap, uint64_t bit);

/* The bit that is set and has this rank; nr_bits when there is none. */
uint64_t page_bitmap_select(struct page_bitmap *bitmap, uint64_t rank);

/* The end of the run of equal bits that begins at bit, at most end; what lies behind the bitmap is clear. */
uint64_t page_bitmap_run_end(struct page_bitmap *bitmap, uint64_t bit, uint64_t end, bool *set_ret);

#endif
