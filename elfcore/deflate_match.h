/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a block of deflate consists of (RFC 1951, 3.2.5): literals and matches, found in one greedy pass. */
#ifndef ELFCORE_DEFLATE_MATCH_H
#define ELFCORE_DEFLATE_MATCH_H

#include "elfcore/types.h"

#define DEFLATE_BLOCK_MAX 32768		/* of input: no distance is longer, and a stored block has room for that */
#define DEFLATE_NR_LITLEN 286		/* that occur; the fixed code has two more of each */
#define DEFLATE_NR_DIST 30
#define DEFLATE_END_OF_BLOCK 256
#define DEFLATE_NR_SEQ 2048
#define DEFLATE_HASH_BITS 12

/* How many bits follow the code of a length (less 257), or a distance. */
static inline unsigned deflate_len_extra(unsigned len_sym)
{
	return len_sym < 8 || len_sym == 28 ? 0 : len_sym / 4 - 1;
}

static inline unsigned deflate_dist_extra(unsigned dist_sym)
{
	return dist_sym < 4 ? 0 : dist_sym / 2 - 1;
}

/* As its symbol, less 257, and the bits that follow the code. */
struct deflate_len {
	uint8_t sym, bits;
};

/* Some literals, then a match. */
struct deflate_seq {
	uint16_t lits;
	uint16_t dist_bits;
	struct deflate_len len;
	uint8_t dist_sym;
};

struct deflate_matches {
	uint32_t nr_lits, nr_seqs;
	uint16_t litlen_freqs[DEFLATE_NR_LITLEN], dist_freqs[DEFLATE_NR_DIST];
	struct deflate_len lens[256];	/* of a length less 3 */
	uint8_t dist_syms[512];		/* of a distance less 1; from 256 on of 128 distances each */
	uint16_t dist_bases[DEFLATE_NR_DIST];
	uint16_t heads[1 << DEFLATE_HASH_BITS];
	struct deflate_seq seqs[DEFLATE_NR_SEQ + 1];	/* one more for the literals behind the last match */
	uint8_t lits[DEFLATE_BLOCK_MAX + 16];	/* all of the block, one behind the other; copied in pieces of 16 */
};

void deflate_matches_init(struct deflate_matches *m);

/* Fills m with what in begins with; returns where the block ends, at most at DEFLATE_BLOCK_MAX. */
size_t deflate_find_matches(struct deflate_matches *m, const uint8_t *in, size_t len);

#endif
