/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps in bytes, the lowest bit first. Ranges are half open.
 */
#ifndef ELFCORE_BITS_H
#define ELFCORE_BITS_H

#include <stdbool.h>
#include <string.h>

#include "elfcore/types.h"

static inline bool bits_test(const uint8_t *bitmap, uint32_t bit)
{
	return bitmap[bit / 8] >> bit % 8 & 1;
}

static inline void bits_set(uint8_t *bitmap, uint32_t from, uint32_t to)
{
	for (; from < to && from % 8; from++)
		bitmap[from / 8] |= 1U << from % 8;
	if (to > from) {
		memset(bitmap + from / 8, 0xff, (to - from) / 8);
		from += round_down(to - from, 8);
	}
	for (; from < to; from++)
		bitmap[from / 8] |= 1U << from % 8;
}

static inline void bits_clear(uint8_t *bitmap, uint32_t from, uint32_t to)
{
	for (; from < to && from % 8; from++)
		bitmap[from / 8] &= ~(1U << from % 8);
	if (to > from) {
		memset(bitmap + from / 8, 0, (to - from) / 8);
		from += round_down(to - from, 8);
	}
	for (; from < to; from++)
		bitmap[from / 8] &= ~(1U << from % 8);
}

/* nr is a multiple of 64. Most words of a bitmap of pages are all the same. */
static inline uint64_t bits_count(const uint8_t *bitmap, uint32_t nr)
{
	uint64_t count = 0, word;

	for (uint32_t i = 0; i < nr / 8; i += sizeof(word)) {
		__builtin_memcpy(&word, bitmap + i, sizeof(word));
		count += word == UINT64_MAX ? 64 : word ? (uint64_t)__builtin_popcountll(word) : 0;
	}
	return count;
}

/* The first bit at or after from that is set, or to. */
static inline uint32_t bits_next(const uint8_t *bitmap, uint32_t from, uint32_t to)
{
	while (from < to && !bits_test(bitmap, from))
		from += from % 8 == 0 && !bitmap[from / 8] ? 8 : 1;
	return from < to ? from : to;
}

/* The first bit at or after from that is clear, or to. */
static inline uint32_t bits_next_clear(const uint8_t *bitmap, uint32_t from, uint32_t to)
{
	while (from < to && bits_test(bitmap, from))
		from += from % 8 == 0 && bitmap[from / 8] == 0xff ? 8 : 1;
	return from < to ? from : to;
}

#endif
