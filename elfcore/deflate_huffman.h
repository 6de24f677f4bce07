/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Codes as deflate has them (RFC 1951, 3.2.2), made in a few passes over the symbols that occur. They are not quite Huffman's,
 * whose tree takes several times as long for 0.2 % of size: a code has as many bits as the share of its symbol
 * says, rounded up or down such that the code is complete.
 */
#ifndef ELFCORE_DEFLATE_HUFFMAN_H
#define ELFCORE_DEFLATE_HUFFMAN_H

#include "elfcore/types.h"

#define DEFLATE_NR_SYMBOLS 288		/* of the largest alphabet */
#define DEFLATE_LEN_MAX 15

/*
 * Of a symbol: the bits as they go out, the lowest first; from bit 16 on how many; from bit 24 on how many with those that
 * follow the code.
 */
typedef uint32_t deflate_code_t;

struct deflate_alphabet {
	unsigned nr, limit;		/* symbols; bits of a code */
	uint8_t extra[DEFLATE_NR_SYMBOLS];	/* how many bits follow the code */
	deflate_code_t codes[DEFLATE_NR_SYMBOLS];

	/* Symbols that have a code, in their order */
	unsigned nr_used;
	uint16_t used[DEFLATE_NR_SYMBOLS + 1];	/* one more is written to */
	uint16_t bits[DEFLATE_NR_SYMBOLS];	/* that they should have, in fractions */
	uint8_t lens[DEFLATE_NR_SYMBOLS];
	uint16_t nr_of_len[DEFLATE_LEN_MAX + 1];
	uint32_t all_bits;		/* that all symbols take, with what follows their codes */
};

struct deflate_tables {
	uint8_t log2s[256];		/* in units of 1/16 */
	uint8_t reversed[256];
};

void deflate_tables_init(struct deflate_tables *t);
void deflate_alphabet_init(struct deflate_alphabet *a, unsigned nr, unsigned limit);

/* A complete code by freqs; if less than two symbols occur others get one too. */
void deflate_make_code(const struct deflate_tables *t, struct deflate_alphabet *a, const uint16_t *freqs);

/* The code by lens of all symbols. */
void deflate_fixed_code(const struct deflate_tables *t, struct deflate_alphabet *a);

#endif
