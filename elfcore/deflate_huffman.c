// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/deflate_huffman.h"

#include <string.h>

#define FRACTIONS 16			/* of a bit */
#define ONE (1 << 16)			/* what all codes of a complete code take together, each 2^-len */

/* At most 2 units too little. */
static inline unsigned log2_of(const struct deflate_tables *t, unsigned n)
{
	unsigned more = 0;

	for (; n >= 256; n /= 2)
		more += FRACTIONS;
	return t->log2s[n] + more;
}

static unsigned find_used(struct deflate_alphabet *a, const uint16_t *freqs)
{
	uint16_t *used = a->used;
	unsigned nr = a->nr, n = 0, sum = 0;

	for (unsigned sym = 0; sym < nr; sym++) {
		used[n] = sym;
		n += freqs[sym] != 0;
		sum += freqs[sym];
	}
	a->nr_used = n;
	return sum;
}

/*
 * How many bits each code should have, in fractions and rather more than less: all rounded up they take at most ONE. Returns
 * from which fraction on they are to be rounded up when the others are rounded down, and what is left of ONE then. Where the
 * code of a rare symbol could get too long all are taken for more frequent than they are.
 */
static unsigned share_out(const struct deflate_tables *t, struct deflate_alphabet *a, const uint16_t *freqs, unsigned sum,
			  int *room)
{
	unsigned more = sum >> (a->limit - 1), all = log2_of(t, sum + more * a->nr_used) + 2, up;
	int shares[FRACTIONS] = { 0 }, left = ONE;

	for (unsigned i = 0; i < a->nr_used; i++) {
		unsigned bits = all - log2_of(t, freqs[a->used[i]] + more);

		bits = bits < FRACTIONS ? FRACTIONS : bits;
		a->bits[i] = bits;
		shares[bits % FRACTIONS] += ONE >> bits / FRACTIONS;
	}
	left -= shares[0];
	for (up = 1; up < FRACTIONS; up++)
		left -= shares[up] / 2;
	for (up = 1; up < FRACTIONS && shares[up] / 2 <= left; up++)
		left -= shares[up] / 2;
	*room = left;
	return up;
}

static void make_lens(const struct deflate_tables *t, struct deflate_alphabet *a, const uint16_t *freqs, unsigned sum)
{
	unsigned nr = a->nr_used, up, len;
	int room;

	up = share_out(t, a, freqs, sum, &room);
	for (unsigned i = 0; i < nr; i++)
		a->lens[i] = (a->bits[i] + FRACTIONS - up) / FRACTIONS;
	/* Of those that nearly were rounded down some still can be. */
	for (unsigned i = 0; i < nr && room > 0; i++)
		if (a->bits[i] % FRACTIONS == up && ONE >> a->lens[i] <= room)
			room -= ONE >> a->lens[i]--;
	/* The rest is a multiple of what the longest code takes: there is always one that can be shorter. */
	while (room > 0)
		for (len = 2; len <= DEFLATE_LEN_MAX; len++)
			while (ONE >> len <= room) {
				uint8_t *one = memchr(a->lens, len, nr);

				if (!one)
					break;
				*one = len - 1;
				room -= ONE >> len;
			}
}

static void make_codes(const struct deflate_tables *t, struct deflate_alphabet *a, const uint16_t *freqs)
{
	uint16_t next[DEFLATE_LEN_MAX + 1];	/* the highest bit of a code is bit 15 */
	uint32_t code = 0, bits = 0;

	memset(a->nr_of_len, 0, sizeof(a->nr_of_len));
	for (unsigned i = 0; i < a->nr_used; i++)
		a->nr_of_len[a->lens[i]]++;
	for (unsigned len = 1; len <= DEFLATE_LEN_MAX; len++) {
		next[len] = code;
		code += a->nr_of_len[len] << (16 - len);
	}
	for (unsigned i = 0; i < a->nr_used; i++) {
		unsigned sym = a->used[i], len = a->lens[i], len_all = len + a->extra[sym];

		code = next[len];
		next[len] += 1u << (16 - len);
		a->codes[sym] = t->reversed[code & 0xff] << 8 | t->reversed[code >> 8] | len << 16 | len_all << 24;
		bits += freqs[sym] * len_all;
	}
	a->all_bits = bits;
}

void deflate_make_code(const struct deflate_tables *t, struct deflate_alphabet *a, const uint16_t *freqs)
{
	unsigned sum = find_used(a, freqs);

	if (a->nr_used < 2) {
		unsigned only = a->nr_used ? a->used[0] : 0;

		a->used[0] = 0;
		a->used[1] = only ? only : 1;
		a->nr_used = 2;
		a->lens[0] = a->lens[1] = 1;
	} else {
		make_lens(t, a, freqs, sum);
	}
	make_codes(t, a, freqs);
}

void deflate_fixed_code(const struct deflate_tables *t, struct deflate_alphabet *a)
{
	uint16_t freqs[DEFLATE_NR_SYMBOLS] = { 0 };

	for (a->nr_used = 0; a->nr_used < a->nr; a->nr_used++)
		a->used[a->nr_used] = a->nr_used;
	make_codes(t, a, freqs);
}

void deflate_alphabet_init(struct deflate_alphabet *a, unsigned nr, unsigned limit)
{
	memset(a, 0, sizeof(*a));
	a->nr = nr;
	a->limit = limit;
}

void deflate_tables_init(struct deflate_tables *t)
{
	memset(t, 0, sizeof(*t));
	for (unsigned i = 0; i < 256; i++)
		for (unsigned bit = 0; bit < 8; bit++)
			t->reversed[i] |= (i >> bit & 1) << (7 - bit);
	/* Squaring doubles the logarithm: its next binary digit is whether the square reaches 2. */
	for (unsigned i = 1; i < 256; i++) {
		unsigned log2 = 31 - __builtin_clz(i);
		uint64_t n = (uint64_t)i << (31 - log2);	/* 1 is 1 << 31 */

		for (unsigned digit = FRACTIONS; digit > 1; digit /= 2) {
			n = n * n >> 31;
			log2 = log2 * 2 + (n >> 32);
			n >>= n >> 32;
		}
		t->log2s[i] = log2;
	}
}
