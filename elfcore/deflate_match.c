// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/deflate_match.h"

#include <string.h>

#define MATCH_MIN 4			/* that is looked for; the remainder of a long one may have 3 */
#define MISSES_TO_STEP 5		/* after each 1 << 5 misses in a row the next position is one further away */
#define LEN_MAX 258
#define SEQS_OF_A_MATCH (DEFLATE_BLOCK_MAX / LEN_MAX + 2)
#define TAIL 16				/* no match begins there: what is read at once needs no look at the end */

/* How many bytes are the same before two words differ, in memory order. */
static inline unsigned same_bytes(uint64_t difference)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_ctzll(difference) / 8;
#else
	return __builtin_clzll(difference) / 8;
#endif
}

static inline uint32_t hash(uint32_t word)
{
	return word * 0x9e3779b1u >> (32 - DEFLATE_HASH_BITS);
}

/* The first MATCH_MIN bytes are known to be the same. */
static inline size_t match_len(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
	const uint8_t *start = b;

	for (a += MATCH_MIN, b += MATCH_MIN; end - b >= 8; a += 8, b += 8) {
		uint64_t difference = load_64(a) ^ load_64(b);

		if (difference)
			return b - start + same_bytes(difference);
	}
	while (b < end && *a == *b)
		a++, b++;
	return b - start;
}

static inline void add_seq(struct deflate_matches *m, size_t lits, size_t len, size_t dist)
{
	unsigned d = dist - 1, dist_sym = m->dist_syms[d < 256 ? d : 256 + d / 128];
	struct deflate_seq *seq = &m->seqs[m->nr_seqs++];

	*seq = (struct deflate_seq){
		.lits = lits,
		.dist_bits = d - m->dist_bases[dist_sym],
		.len = m->lens[len - 3],
		.dist_sym = dist_sym,
	};
	m->litlen_freqs[257 + seq->len.sym]++;
	m->dist_freqs[dist_sym]++;
}

static void add_long_seq(struct deflate_matches *m, size_t lits, size_t len, size_t dist)
{
	for (; len > LEN_MAX; lits = 0) {
		size_t piece = len < LEN_MAX + 3 ? len - 3 : LEN_MAX;

		add_seq(m, lits, piece, dist);
		len -= piece;
	}
	add_seq(m, lits, len, dist);
}

static inline uint8_t *add_literals(uint8_t *to, const uint8_t *from, size_t n)
{
	memcpy(to, from, 16);
	if (n > 16)
		memcpy(to + 16, from + 16, n - 16);
	return to + n;
}

/* Of the literals. Four tables: the same byte several times in a row is not the same counter. */
static void count_literals(struct deflate_matches *m)
{
	uint16_t more[3][256];
	uint32_t n = m->nr_lits, i;

	memset(more, 0, sizeof(more));
	for (i = 0; i + 4 <= n; i += 4) {
		m->litlen_freqs[m->lits[i]]++;
		more[0][m->lits[i + 1]]++;
		more[1][m->lits[i + 2]]++;
		more[2][m->lits[i + 3]]++;
	}
	for (; i < n; i++)
		m->litlen_freqs[m->lits[i]]++;
	for (i = 0; i < 256; i++)
		m->litlen_freqs[i] += more[0][i] + more[1][i] + more[2][i];
	m->litlen_freqs[DEFLATE_END_OF_BLOCK] = 1;
}

/*
 * An empty entry of heads is position 0, a candidate like any other. The distance of the match before is tried first:
 * elements of arrays differ in a few places, and their other bytes are all that far apart.
 */
size_t deflate_find_matches(struct deflate_matches *m, const uint8_t *in, size_t len)
{
	const uint8_t *end = in + min_u64(len, DEFLATE_BLOCK_MAX), *p = in + 1, *lits = in, *prev;
	uint8_t *next_lit = m->lits;
	size_t n, dist = 1, step = 1 << MISSES_TO_STEP;

	memset(m->heads, 0, sizeof(m->heads));
	memset(m->litlen_freqs, 0, sizeof(m->litlen_freqs));
	memset(m->dist_freqs, 0, sizeof(m->dist_freqs));
	m->nr_seqs = 0;
	while (end - p > TAIL) {
		uint32_t word = load_32(p);
		uint16_t *head = &m->heads[hash(word)];

		prev = in + *head;
		*head = p - in;
		if (load_32(p - dist) == word) {
			prev = p - dist;
		} else if (load_32(prev) != word) {
			p += step++ >> MISSES_TO_STEP;
			continue;
		}
		n = match_len(prev, p, end);
		dist = p - prev;
		step = 1 << MISSES_TO_STEP;
		while (p > lits && prev > in && p[-1] == prev[-1])
			p--, prev--, n++;
		next_lit = add_literals(next_lit, lits, p - lits);
		if (n <= LEN_MAX)
			add_seq(m, p - lits, n, dist);
		else
			add_long_seq(m, p - lits, n, dist);
		lits = p += n;
		if (m->nr_seqs > DEFLATE_NR_SEQ - SEQS_OF_A_MATCH) {
			end = p;
			break;
		}
		if (end - p > TAIL)
			m->heads[hash(load_32(p - 1))] = p - 1 - in;
	}
	memcpy(next_lit, lits, end - lits);
	m->seqs[m->nr_seqs].lits = end - lits;
	m->nr_lits = next_lit + (end - lits) - m->lits;
	count_literals(m);
	return end - in;
}

void deflate_matches_init(struct deflate_matches *m)
{
	unsigned base = 0;

	memset(m, 0, sizeof(*m));
	for (unsigned sym = 0; sym < 28; sym++)
		for (unsigned i = 0; i < 1u << deflate_len_extra(sym) && base < 255; i++)
			m->lens[base++] = (struct deflate_len){ .sym = sym, .bits = i };
	m->lens[255].sym = 28;
	base = 0;
	for (unsigned sym = 0; sym < DEFLATE_NR_DIST; sym++) {
		m->dist_bases[sym] = base;
		for (unsigned i = 0; i < 1u << deflate_dist_extra(sym); i++, base++)
			m->dist_syms[base < 256 ? base : 256 + base / 128] = sym;
	}
}
