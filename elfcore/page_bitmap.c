// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/page_bitmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/elf_codec.h"

#define WORDS (PAGE_BITMAP_BLOCK / 8)
#define WORDS_PER_RANK 8

int page_bitmap_init(struct page_bitmap *bitmap, struct mem *mem, uint64_t off, uint64_t nr_bits, struct error *err)
{
	uint64_t size = mem_size(mem), room = size > off ? size - off : 0;

	memset(bitmap, 0, sizeof(*bitmap));
	bitmap->mem = mem;
	bitmap->off = off;
	bitmap->nr_bits = nr_bits;
	/* A header may claim terabytes of bitmap: what the file cannot hold is not asked for. */
	if (size && room < (nr_bits + 7) / 8) {
		bitmap->nr_bits = room * 8;
		bitmap->cut = true;
	}
	bitmap->cache = malloc(PAGE_BITMAP_CACHE * sizeof(*bitmap->cache));
	if (!bitmap->cache)
		return fail(err, -ENOMEM, "no memory for a page bitmap");
	for (unsigned int i = 0; i < PAGE_BITMAP_CACHE; i++)
		bitmap->cache[i].nr = UINT64_MAX;
	return 0;
}

void page_bitmap_deinit(struct page_bitmap *bitmap)
{
	free(bitmap->cache);
	free(bitmap->ranks);
	memset(bitmap, 0, sizeof(*bitmap));
}

/* Bytes are in the order of page frames whatever the machine; a word of 64 of them is little endian by that. */
static void finish_block(struct page_bitmap_block *block)
{
	unsigned int rank = 0;

	for (unsigned int i = 0; i < WORDS; i++) {
		block->words[i] = elf_get(ELFDATA2LSB, &block->words[i], 8);
		if (i % WORDS_PER_RANK == 0)
			block->ranks[i / WORDS_PER_RANK] = rank;
		rank += __builtin_popcountll(block->words[i]);
	}
}

static const struct page_bitmap_block *load(struct page_bitmap *bitmap, uint64_t nr)
{
	struct page_bitmap_block *block = &bitmap->cache[nr % PAGE_BITMAP_CACHE];
	uint64_t bits = min_u64(bitmap->nr_bits - nr * PAGE_BITMAP_BITS, PAGE_BITMAP_BITS);
	uint8_t *bytes = (uint8_t *)block->words;
	size_t len = (bits + 7) / 8;

	if (block->nr == nr)
		return block;
	memset(bytes + len, 0, PAGE_BITMAP_BLOCK - len);
	if (mem_read(bitmap->mem, bitmap->off + nr * PAGE_BITMAP_BLOCK, bytes, len)) {
		memset(bytes, 0, len);
		bitmap->cut = true;
	}
	if (bits % 8)
		bytes[len - 1] &= (1U << bits % 8) - 1;
	finish_block(block);
	block->nr = nr;
	return block;
}

static uint64_t rank_in_block(const struct page_bitmap_block *block, unsigned int bit)
{
	unsigned int word = bit / 64, i = round_down(word, WORDS_PER_RANK);
	uint64_t rank = block->ranks[word / WORDS_PER_RANK];

	for (; i < word; i++)
		rank += __builtin_popcountll(block->words[i]);
	return rank + (bit % 64 ? __builtin_popcountll(block->words[word] << (64 - bit % 64)) : 0);
}

static uint64_t count_block(struct page_bitmap *bitmap, uint64_t nr)
{
	const struct page_bitmap_block *block = load(bitmap, nr);
	uint64_t last = block->words[WORDS - 1] >> 63;

	return rank_in_block(block, PAGE_BITMAP_BITS - 1) + last;
}

int page_bitmap_index(struct page_bitmap *bitmap, struct error *err)
{
	uint64_t nr_blocks = (bitmap->nr_bits + PAGE_BITMAP_BITS - 1) / PAGE_BITMAP_BITS, nr_ranks, rank = 0;

	bitmap->stride = (nr_blocks + PAGE_BITMAP_RANKS - 1) / PAGE_BITMAP_RANKS;
	nr_ranks = bitmap->stride ? (nr_blocks + bitmap->stride - 1) / bitmap->stride : 0;
	bitmap->ranks = malloc((nr_ranks + 1) * sizeof(*bitmap->ranks));
	if (!bitmap->ranks)
		return fail(err, -ENOMEM, "no memory for the index of %llu page frames", (unsigned long long)bitmap->nr_bits);
	for (uint64_t nr = 0; nr < nr_blocks; nr++) {
		if (nr % bitmap->stride == 0)
			bitmap->ranks[nr / bitmap->stride] = rank;
		rank += count_block(bitmap, nr);
	}
	bitmap->nr_set = rank;
	return 0;
}

bool page_bitmap_test(struct page_bitmap *bitmap, uint64_t bit)
{
	if (bit >= bitmap->nr_bits)
		return false;
	return load(bitmap, bit / PAGE_BITMAP_BITS)->words[bit % PAGE_BITMAP_BITS / 64] >> bit % 64 & 1;
}

uint64_t page_bitmap_rank(struct page_bitmap *bitmap, uint64_t bit)
{
	uint64_t nr = bit / PAGE_BITMAP_BITS, rank;

	if (bit >= bitmap->nr_bits)
		return bitmap->nr_set;
	rank = bitmap->ranks[nr / bitmap->stride];
	for (uint64_t i = round_down(nr, bitmap->stride); i < nr; i++)
		rank += count_block(bitmap, i);
	return rank + rank_in_block(load(bitmap, nr), bit % PAGE_BITMAP_BITS);
}

uint64_t page_bitmap_select(struct page_bitmap *bitmap, uint64_t rank)
{
	uint64_t low = 0, high = bitmap->nr_bits;

	/* The lowest bit up to which, itself included, more than rank bits are set. */
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (page_bitmap_rank(bitmap, mid + 1) > rank)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* The first bit from `bit` on inside its block that differs from set, or the end of the block. */
static unsigned int run_in_block(const struct page_bitmap_block *block, unsigned int bit, bool set)
{
	uint64_t flip = set ? UINT64_MAX : 0;
	unsigned int word = bit / 64;
	uint64_t other = (block->words[word] ^ flip) >> bit % 64;

	if (other)
		return bit + __builtin_ctzll(other);
	for (word++; word < WORDS; word++)
		if (block->words[word] != flip)
			return word * 64 + __builtin_ctzll(block->words[word] ^ flip);
	return PAGE_BITMAP_BITS;
}

uint64_t page_bitmap_run_end(struct page_bitmap *bitmap, uint64_t bit, uint64_t end, bool *set_ret)
{
	*set_ret = page_bitmap_test(bitmap, bit);
	while (bit < end && bit < bitmap->nr_bits) {
		uint64_t nr = bit / PAGE_BITMAP_BITS;
		unsigned int next = run_in_block(load(bitmap, nr), bit % PAGE_BITMAP_BITS, *set_ret);

		bit = nr * PAGE_BITMAP_BITS + next;
		if (next < PAGE_BITMAP_BITS)
			break;
	}
	if (!*set_ret && bit >= bitmap->nr_bits)
		return end;
	return min_u64(bit, end);
}
