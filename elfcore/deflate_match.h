/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a block consists of (RFC 1951, 3.2.5): literals and matches, found in one greedy pass. */
#ifndef ELFCORE_DEFLATE_MATCH_H
#define ELFCORE_DEFLATE_MATCH_H

#include "elfcore/deflate_page.h"

#define DEFLATE_BLOCK_MAX 32768		/* of input; a stored block has room for that */
#define DEFLATE_END_OF_BLOCK 256

/* How many bits follow the code of a length, or a distance; the lowest of it less 3, or 1. */
static inline unsigned deflate_len_extra(unsigned len_sym)
{
	return len_sym < 8 || len_sym == 28 ? 0 : len_sym / 4 - 1;
}

static inline unsigned deflate_dist_extra(unsigned dist_sym)
{
	return dist_sym < 4 ? 0 : dist_sym / 2 - 1;
}

/*
 * Fills seqs, and the frequencies of all symbols, with what begins at from; returns where the block ends. Literals behind the
 * last match are not in seqs.
 */
size_t deflate_find_matches(struct deflate_page *d, const uint8_t *in, size_t from, size_t len);

#endif
