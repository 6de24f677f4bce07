/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A zlib stream (RFC 1950, 1951) of one page, fast. libdeflate's fastest level empties a hash table of 128 KiB for every
 * stream and enters every byte of the long runs that pages have, the latter alone for 30 % of the time. This one
 * has a table of 8 KiB that is hardly ever emptied, and leaves most of a long match out.
 *
 * Greedy LZ77, then for each block whatever is smallest of stored, fixed and dynamic Huffman codes. What comes out depends on the
 * input only, not on what was compressed before.
 */
#ifndef ELFCORE_DEFLATE_PAGE_H
#define ELFCORE_DEFLATE_PAGE_H

#include "elfcore/types.h"

#define DEFLATE_PAGE_MAX 65536		/* longest input */

#define DEFLATE_NR_LITLEN 288
#define DEFLATE_NR_DIST 32
#define DEFLATE_NR_SEQ 2048
#define DEFLATE_HASH_BITS 12

/* Some literals, then a match. */
struct deflate_seq {
	uint16_t lits;
	uint16_t dist;			/* - 1 */
	uint8_t len;			/* - 3 */
	uint8_t len_sym;		/* - 257 */
	uint8_t dist_sym;
};

/* Of a symbol: the bits as they go out, the lowest first, and from bit 16 on how many. */
typedef uint32_t deflate_code_t;

/* All that is needed to compress, about 32 KiB. */
struct deflate_page {
	uint32_t base;			/* what position 0 of this input is in heads; lower ones are of inputs before */
	uint16_t heads[1 << DEFLATE_HASH_BITS];
	struct deflate_seq seqs[DEFLATE_NR_SEQ];
	uint32_t nr_seqs;
	uint32_t litlen_freqs[DEFLATE_NR_LITLEN], dist_freqs[DEFLATE_NR_DIST];
	uint64_t extra_bits;
	uint8_t lens[DEFLATE_NR_LITLEN + DEFLATE_NR_DIST];
	uint32_t sorted[DEFLATE_NR_LITLEN], nodes[DEFLATE_NR_LITLEN];
	uint16_t items[DEFLATE_NR_LITLEN + DEFLATE_NR_DIST];	/* the code lengths, run-length coded */
	deflate_code_t litlen[DEFLATE_NR_LITLEN], dist[DEFLATE_NR_DIST];
	deflate_code_t fixed_litlen[DEFLATE_NR_LITLEN], fixed_dist[DEFLATE_NR_DIST];
	uint8_t reversed[256];
};

void deflate_page_init(struct deflate_page *d);

/* len is at most DEFLATE_PAGE_MAX. Returns the length of the stream, 0 when it would be more than cap. */
size_t deflate_page(struct deflate_page *d, const void *src, size_t len, void *dst, size_t cap);

#endif
