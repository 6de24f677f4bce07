// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/deflate_match.h"

#include <stdbool.h>
#include <string.h>

#define DIST_MAX 32768
#define MATCH_MIN 4			/* that is looked for; the remainder of a long one may have 3 */
#define MISSES_TO_STEP 5		/* after each 1 << 5 misses in a row the next position is one further away */
#define LEN_MAX 258
#define SEQS_OF_A_MATCH (DEFLATE_BLOCK_MAX / LEN_MAX + 2)

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline unsigned log2_of(uint32_t n)
{
	return 31 - __builtin_clz(n);
}

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

static inline void enter(struct deflate_page *d, const uint8_t *in, size_t pos)
{
	d->heads[hash(load32(in + pos))] = d->base + pos;
}

static size_t match_len(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
	const uint8_t *start = b;

	for (; end - b >= 8; a += 8, b += 8) {
		uint64_t difference = load64(a) ^ load64(b);

		if (difference)
			return b - start + same_bytes(difference);
	}
	while (b < end && *a == *b)
		a++, b++;
	return b - start;
}

static void count_literals(struct deflate_page *d, const uint8_t *p, size_t n)
{
	for (; n; n--)
		d->litlen_freqs[*p++]++;
}

static void add_match(struct deflate_page *d, size_t lits, size_t len, size_t dist)
{
	unsigned n, dist_sym = dist - 1;

	if (dist > 4) {
		n = log2_of(dist - 1);
		dist_sym = 2 * n + ((dist - 1) >> (n - 1) & 1);
	}
	while (len) {
		struct deflate_seq *seq = &d->seqs[d->nr_seqs++];
		size_t piece = len <= LEN_MAX ? len : len < LEN_MAX + 3 ? len - 3 : LEN_MAX;
		unsigned l = piece - 3, sym = l;

		if (piece == LEN_MAX) {
			sym = 28;
		} else if (l >= 4) {
			n = log2_of(l);
			sym = 4 * (n - 1) + (l >> (n - 2) & 3);
		}
		*seq = (struct deflate_seq){ .lits = lits, .dist = dist - 1, .len = l, .len_sym = sym, .dist_sym = dist_sym };
		d->litlen_freqs[257 + sym]++;
		d->dist_freqs[dist_sym]++;
		d->extra_bits += deflate_len_extra(sym) + deflate_dist_extra(dist_sym);
		lits = 0;
		len -= piece;
	}
}

size_t deflate_find_matches(struct deflate_page *d, const uint8_t *in, size_t from, size_t len)
{
	size_t end = min_u64(len, from + DEFLATE_BLOCK_MAX), pos = from, lits = from, misses = 0, dist = 8;
	uint32_t base = d->base;

	memset(d->litlen_freqs, 0, sizeof(d->litlen_freqs));
	memset(d->dist_freqs, 0, sizeof(d->dist_freqs));
	d->litlen_freqs[DEFLATE_END_OF_BLOCK] = 1;
	d->nr_seqs = 0;
	d->extra_bits = 0;
	while (pos + MATCH_MIN <= end) {
		uint32_t word = load32(in + pos);
		uint16_t *head = &d->heads[hash(word)];
		size_t prev = *head, n, m;
		bool valid;

		*head = base + pos;
		/* One branch that is hard to foresee, not two. */
		valid = prev >= base;
		prev = valid ? prev - base : 0;
		if (((load32(in + prev) ^ word) | !valid) || pos - prev > DIST_MAX) {
			pos += 1 + (misses++ >> MISSES_TO_STEP);
			continue;
		}
		misses = 0;
		n = MATCH_MIN + match_len(in + prev + MATCH_MIN, in + pos + MATCH_MIN, in + end);
		/* Elements of arrays: the distance of the match before is better than a near one that ends sooner. */
		if (dist != pos - prev && pos >= dist && load32(in + pos - dist) == word) {
			m = MATCH_MIN + match_len(in + pos - dist + MATCH_MIN, in + pos + MATCH_MIN, in + end);
			if (m >= n) {
				n = m;
				prev = pos - dist;
			}
		}
		dist = pos - prev;
		while (pos > lits && prev && in[pos - 1] == in[prev - 1])
			pos--, prev--, n++;
		count_literals(d, in + lits, pos - lits);
		add_match(d, pos - lits, n, pos - prev);
		lits = pos + n;
		if (lits + 2 <= end)
			enter(d, in, lits - 2);
		pos = lits;
		if (d->nr_seqs > DEFLATE_NR_SEQ - SEQS_OF_A_MATCH) {
			end = pos;
			break;
		}
	}
	count_literals(d, in + lits, end - lits);
	return end;
}
