/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A zlib stream (RFC 1950, 1951) of one page, fast. libdeflate's fastest level empties a hash table of 128 KiB for every
 * stream and enters every byte of the long runs that pages have, the latter alone for 30 % of the time; of what is left
 * most goes into Huffman's tree. This one has a table of 8 KiB, leaves most of a match out, and has no tree.
 *
 * Greedy LZ77 (deflate_match.h), then for each block whatever is smallest of stored, fixed and dynamic codes
 * (deflate_huffman.h). What comes out depends on the input only, not on what was compressed before.
 */
#ifndef ELFCORE_DEFLATE_PAGE_H
#define ELFCORE_DEFLATE_PAGE_H

#include "elfcore/deflate_huffman.h"
#include "elfcore/deflate_match.h"
#include "elfcore/types.h"

#define DEFLATE_PAGE_MAX 65536		/* longest input */
#define DEFLATE_NR_PRECODE 19

/* All that is needed to compress, about 80 KiB, most of which a page of 4 KiB does not touch. */
struct deflate_page {
	struct deflate_tables tables;
	struct deflate_alphabet litlen, dist, pre;	/* of a dynamic block; pre is that of the code lengths */
	unsigned nr_pre_lens;
	uint8_t pre_lens[DEFLATE_NR_PRECODE];	/* as they are written */
	struct deflate_alphabet fixed_litlen, fixed_dist;
	struct deflate_matches matches;
};

void deflate_page_init(struct deflate_page *d);

/* len is at most DEFLATE_PAGE_MAX. Returns the length of the stream, 0 when it would be more than cap. */
size_t deflate_page(struct deflate_page *d, const void *src, size_t len, void *dst, size_t cap);

#endif
