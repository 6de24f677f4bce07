// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/deflate_page.h"

#include <stdbool.h>
#include <string.h>

#include <libdeflate.h>

#define BLOCK_MAX 32768			/* of input; a stored block has room for that */
#define DIST_MAX 32768
#define MATCH_MIN 4			/* that is looked for; the remainder of a long one may have 3 */
#define MISSES_TO_STEP 5		/* after each 1 << 5 misses in a row the next position is one further away */
#define LEN_MAX 258
#define SEQS_OF_A_MATCH (BLOCK_MAX / LEN_MAX + 2)
#define END_OF_BLOCK 256
#define NR_LITLEN 286			/* that occur; the fixed code has two more of each */
#define NR_DIST 30
#define NR_PRECODE 19
#define LITLEN_LIMIT 14			/* not 15: four literals and the rest of a byte fit into 64 bits */
#define DIST_LIMIT 15
#define PRECODE_LIMIT 7
#define SMALL_FREQ 64			/* symbols that are less often there are sorted by counting */
#define FIXED_IS_FINE 512		/* bits that are too few for trying anything better */
#define HEADER_LEN 2
#define TRAILER_LEN 4

#define code_bits(code) ((code) & 0xffff)
#define code_len(code) ((code) >> 16)

enum block_type { STORED, FIXED, DYNAMIC };

/* Bits of one to seven are left in word between puts; flush leaves less than 8. */
struct out {
	uint64_t word;
	unsigned bits;
	uint8_t *p, *end;
};

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

static inline void put(struct out *o, uint32_t bits, unsigned nr)
{
	o->word |= (uint64_t)bits << o->bits;
	o->bits += nr;
}

static inline void put_code(struct out *o, deflate_code_t code)
{
	put(o, code_bits(code), code_len(code));
}

static inline void flush(struct out *o)
{
	unsigned n = o->bits / 8;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (o->end - o->p >= 8) {
		memcpy(o->p, &o->word, 8);
		o->p += n;
		o->word >>= n * 8;
		o->bits &= 7;
		return;
	}
#endif
	for (; n; n--) {
		*o->p++ = o->word;
		o->word >>= 8;
	}
	o->bits &= 7;
}

/* --- matches */

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

static inline unsigned len_extra(unsigned len_sym)
{
	return len_sym < 8 || len_sym == 28 ? 0 : len_sym / 4 - 1;
}

static inline unsigned dist_extra(unsigned dist_sym)
{
	return dist_sym < 4 ? 0 : dist_sym / 2 - 1;
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
		d->extra_bits += len_extra(sym) + dist_extra(dist_sym);
		lits = 0;
		len -= piece;
	}
}

/* Fills seqs with what begins at from; returns where the block ends. Literals behind the last match are not in seqs. */
static size_t find_matches(struct deflate_page *d, const uint8_t *in, size_t from, size_t len)
{
	size_t end = min_u64(len, from + BLOCK_MAX), pos = from, lits = from, misses = 0, dist = 8;
	uint32_t base = d->base;

	memset(d->litlen_freqs, 0, sizeof(d->litlen_freqs));
	memset(d->dist_freqs, 0, sizeof(d->dist_freqs));
	d->litlen_freqs[END_OF_BLOCK] = 1;
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

/* --- Huffman codes */

/* Symbols that occur, the rarest first, as frequency << 16 | symbol. */
static unsigned sort_symbols(struct deflate_page *d, const uint32_t *freqs, unsigned nr)
{
	uint16_t starts[SMALL_FREQ + 1] = { 0 };
	unsigned used = 0, n = 0;

	for (unsigned i = 0; i < nr; i++)
		starts[freqs[i] < SMALL_FREQ ? freqs[i] : SMALL_FREQ]++;
	for (unsigned freq = 1; freq <= SMALL_FREQ; freq++) {
		n = starts[freq];
		starts[freq] = used;
		used += n;
	}
	n = starts[SMALL_FREQ];
	for (unsigned i = 0; i < nr; i++) {
		uint32_t freq = freqs[i], key = freq << 16 | i;
		unsigned at;

		if (!freq)
			continue;
		if (freq < SMALL_FREQ) {
			d->sorted[starts[freq]++] = key;
			continue;
		}
		for (at = starts[SMALL_FREQ]++; at > n && d->sorted[at - 1] > key; at--)
			d->sorted[at] = d->sorted[at - 1];
		d->sorted[at] = key;
	}
	return used;
}

/*
 * How many codes of each length: Huffman's tree over sorted, whose inner nodes come into being in the order of their weight,
 * so that two queues are enough (Moffat and Katajainen 1995). nodes has the weights, then the parents, then the depths of
 * inner nodes. Codes that are too long are cut, and shorter ones lengthened until all fit.
 */
static void count_lens(struct deflate_page *d, unsigned used, unsigned limit, uint16_t *counts)
{
	uint32_t *nodes = d->nodes, weight;
	unsigned leaf = 0, inner = 0, root = used - 2, depth;
	uint64_t room;

	for (unsigned next = 0; next <= root; next++) {
		weight = 0;
		for (int child = 0; child < 2; child++) {
			if (inner < next && (leaf == used || nodes[inner] < d->sorted[leaf] >> 16)) {
				weight += nodes[inner];
				nodes[inner++] = next;
			} else {
				weight += d->sorted[leaf++] >> 16;
			}
		}
		nodes[next] = weight;
	}
	/* An inner node of some depth is two more places below it, and one less there. */
	memset(counts, 0, (limit + 1) * sizeof(*counts));
	nodes[root] = 0;
	counts[1] = 2;
	for (unsigned i = root; i-- > 0;) {
		depth = nodes[i] = nodes[nodes[i]] + 1;
		if (depth >= limit)
			counts[limit] += 1;
		else
			counts[depth]--, counts[depth + 1] += 2;
	}
	room = 0;
	for (unsigned l = 1; l <= limit; l++)
		room += (uint64_t)counts[l] << (limit - l);
	for (; room > 1ULL << limit; room--) {
		depth = limit - 1;
		while (!counts[depth])
			depth--;
		counts[depth]--;
		counts[depth + 1] += 2;
		counts[limit]--;
	}
}

/* Lengths of a complete code; one of less than two symbols gets others that do not occur. */
static void make_lens(struct deflate_page *d, const uint32_t *freqs, unsigned nr, unsigned limit, uint8_t *lens)
{
	unsigned used = sort_symbols(d, freqs, nr), at = 0;
	uint16_t counts[16];

	memset(lens, 0, nr);
	if (used < 2) {
		unsigned only = used ? d->sorted[0] & 0xffff : 0;

		lens[only] = lens[only ? 0 : 1] = 1;
		return;
	}
	count_lens(d, used, limit, counts);
	for (unsigned len = limit; len; len--)
		for (unsigned n = counts[len]; n; n--)
			lens[d->sorted[at++] & 0xffff] = len;
}

static void make_codes(const struct deflate_page *d, const uint8_t *lens, unsigned nr, deflate_code_t *codes)
{
	uint32_t next[17] = { 0 }, code = 0;

	for (unsigned i = 0; i < nr; i++)
		next[lens[i] + 1]++;
	next[1] = 0;
	for (unsigned len = 1; len <= 16; len++) {
		uint32_t n = next[len];

		next[len] = code = (code + n) << 1;
	}
	/* next[n] is now the first code of n bits */
	for (unsigned i = 0; i < nr; i++) {
		unsigned len = lens[i];

		codes[i] = 0;
		if (len) {
			code = next[len]++;
			code = d->reversed[code & 0xff] << 8 | d->reversed[code >> 8];
			codes[i] = code >> (16 - len) | len << 16;
		}
	}
}

static uint64_t sum_bits(const uint32_t *freqs, const uint8_t *lens, unsigned nr)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < nr; i++)
		bits += freqs[i] * lens[i];
	return bits;
}

static unsigned used_of(const uint8_t *lens, unsigned nr, unsigned min)
{
	while (nr > min && !lens[nr - 1])
		nr--;
	return nr;
}

/* The lengths as symbols of the precode, with what follows them from bit 8 on. */
static unsigned make_items(struct deflate_page *d, unsigned nr, uint32_t *freqs)
{
	unsigned nr_items = 0, run, sym, n;

	memset(freqs, 0, NR_PRECODE * sizeof(*freqs));
	for (unsigned i = 0; i < nr; i += run) {
		unsigned len = d->lens[i], extra = 0;

		for (run = 1; i + run < nr && d->lens[i + run] == len; run++)
			;
		for (unsigned left = run; left; left -= n) {
			n = 1;
			sym = len;
			extra = 0;
			if (!len && left >= 3) {
				n = min_u64(left, 138);
				sym = n < 11 ? 17 : 18;
				extra = n - (n < 11 ? 3 : 11);
			} else if (len && left < run && left >= 3) {
				n = min_u64(left, 6);
				sym = 16;
				extra = n - 3;
			}
			d->items[nr_items++] = sym | extra << 8;
			freqs[sym]++;
		}
	}
	return nr_items;
}

static inline unsigned item_extra(unsigned sym)
{
	return sym < 16 ? 0 : sym == 16 ? 2 : sym == 17 ? 3 : 7;
}

/* --- blocks */

static void put_seqs(struct out *o, const struct deflate_page *d, const uint8_t *p, const uint8_t *end,
		     const deflate_code_t *litlen, const deflate_code_t *dist)
{
	struct out out = *o;

	for (unsigned i = 0; i <= d->nr_seqs; i++) {
		const struct deflate_seq *seq = &d->seqs[i];
		size_t lits = i < d->nr_seqs ? seq->lits : (size_t)(end - p);
		unsigned extra;

		for (; lits >= 4; lits -= 4, p += 4) {
			put_code(&out, litlen[p[0]]);
			put_code(&out, litlen[p[1]]);
			put_code(&out, litlen[p[2]]);
			put_code(&out, litlen[p[3]]);
			flush(&out);
		}
		for (; lits; lits--)
			put_code(&out, litlen[*p++]);
		flush(&out);
		if (i == d->nr_seqs)
			break;
		put_code(&out, litlen[257 + seq->len_sym]);
		extra = len_extra(seq->len_sym);
		put(&out, seq->len & ((1 << extra) - 1), extra);
		put_code(&out, dist[seq->dist_sym]);
		extra = dist_extra(seq->dist_sym);
		put(&out, seq->dist & ((1 << extra) - 1), extra);
		flush(&out);
		p += seq->len + 3;
	}
	put_code(&out, litlen[END_OF_BLOCK]);
	flush(&out);
	*o = out;
}

static void put_stored(struct out *o, const uint8_t *p, size_t len, bool last)
{
	put(o, last, 3);
	put(o, 0, -o->bits & 7);
	put(o, len, 16);
	flush(o);
	put(o, ~len & 0xffff, 16);
	flush(o);
	memcpy(o->p, p, len);
	o->p += len;
}

/* Hardly a match, and bytes that are all about as frequent: their entropy is at least -log2 of the sum of squared shares. */
static bool is_hopeless(const struct deflate_page *d, size_t len)
{
	uint64_t squares = 0, lits = 0;

	if (d->nr_seqs > len / 256)
		return false;
	for (unsigned i = 0; i < 256; i++) {
		lits += d->litlen_freqs[i];
		squares += (uint64_t)d->litlen_freqs[i] * d->litlen_freqs[i];
	}
	return lits > len - len / 32 && squares * 225 < lits * lits;
}

/* How the codes of a dynamic block are written. */
struct dynamic {
	unsigned nr_litlen, nr_dist, nr_pre, nr_items;
	uint32_t pre_freqs[NR_PRECODE];
	uint8_t pre_lens[NR_PRECODE];
};

static const uint8_t pre_order[NR_PRECODE] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };

/* Makes the codes; returns the bits that the block would have. */
static uint64_t plan_dynamic(struct deflate_page *d, struct dynamic *dyn)
{
	uint8_t *lens = d->lens;
	uint64_t bits = 3 + 14 + d->extra_bits;

	make_lens(d, d->litlen_freqs, NR_LITLEN, LITLEN_LIMIT, lens);
	dyn->nr_litlen = used_of(lens, NR_LITLEN, 257);
	make_codes(d, lens, dyn->nr_litlen, d->litlen);
	bits += sum_bits(d->litlen_freqs, lens, dyn->nr_litlen);
	lens += dyn->nr_litlen;
	make_lens(d, d->dist_freqs, NR_DIST, DIST_LIMIT, lens);
	dyn->nr_dist = used_of(lens, NR_DIST, 1);
	make_codes(d, lens, dyn->nr_dist, d->dist);
	bits += sum_bits(d->dist_freqs, lens, dyn->nr_dist);
	dyn->nr_items = make_items(d, dyn->nr_litlen + dyn->nr_dist, dyn->pre_freqs);
	make_lens(d, dyn->pre_freqs, NR_PRECODE, PRECODE_LIMIT, dyn->pre_lens);
	dyn->nr_pre = NR_PRECODE;
	while (dyn->nr_pre > 4 && !dyn->pre_lens[pre_order[dyn->nr_pre - 1]])
		dyn->nr_pre--;
	bits += dyn->nr_pre * 3 + sum_bits(dyn->pre_freqs, dyn->pre_lens, NR_PRECODE);
	for (unsigned sym = 16; sym < NR_PRECODE; sym++)
		bits += dyn->pre_freqs[sym] * item_extra(sym);
	return bits;
}

static void put_dynamic(struct out *o, const struct deflate_page *d, const struct dynamic *dyn)
{
	deflate_code_t precode[NR_PRECODE];

	make_codes(d, dyn->pre_lens, NR_PRECODE, precode);
	put(o, dyn->nr_litlen - 257, 5);
	put(o, dyn->nr_dist - 1, 5);
	put(o, dyn->nr_pre - 4, 4);
	for (unsigned i = 0; i < dyn->nr_pre; i++) {
		put(o, dyn->pre_lens[pre_order[i]], 3);
		flush(o);
	}
	for (unsigned i = 0; i < dyn->nr_items; i++) {
		unsigned sym = d->items[i] & 0xff;

		put_code(o, precode[sym]);
		put(o, d->items[i] >> 8, item_extra(sym));
		flush(o);
	}
}

/* False: no room. */
static bool put_block(struct deflate_page *d, struct out *o, const uint8_t *in, size_t len, bool last)
{
	uint64_t room = (uint64_t)(o->end - o->p) * 8 - o->bits, bits, best;
	enum block_type type = STORED;
	struct dynamic dyn;

	best = 3 + (-(o->bits + 3) & 7) + 32 + len * 8;
	if (!is_hopeless(d, len)) {
		bits = 3 + d->extra_bits + d->nr_seqs * 5;
		for (unsigned i = 0; i < NR_LITLEN; i++)
			bits += d->litlen_freqs[i] * code_len(d->fixed_litlen[i]);
		if (bits < best) {
			best = bits;
			type = FIXED;
		}
		bits = best < FIXED_IS_FINE ? best : plan_dynamic(d, &dyn);
		if (bits < best) {
			best = bits;
			type = DYNAMIC;
		}
	}
	if (best > room)
		return false;
	if (type == STORED) {
		put_stored(o, in, len, last);
		return true;
	}
	put(o, last | type << 1, 3);
	if (type == DYNAMIC)
		put_dynamic(o, d, &dyn);
	put_seqs(o, d, in, in + len, type == DYNAMIC ? d->litlen : d->fixed_litlen, type == DYNAMIC ? d->dist : d->fixed_dist);
	return true;
}

void deflate_page_init(struct deflate_page *d)
{
	uint8_t lens[DEFLATE_NR_LITLEN];

	memset(d, 0, sizeof(*d));
	d->base = 1;
	for (unsigned i = 0; i < 256; i++)
		for (unsigned bit = 0; bit < 8; bit++)
			d->reversed[i] |= (i >> bit & 1) << (7 - bit);
	memset(lens, 8, 144);
	memset(lens + 144, 9, 112);
	memset(lens + 256, 7, 24);
	memset(lens + 280, 8, 8);
	make_codes(d, lens, DEFLATE_NR_LITLEN, d->fixed_litlen);
	memset(lens, 5, DEFLATE_NR_DIST);
	make_codes(d, lens, DEFLATE_NR_DIST, d->fixed_dist);
}

size_t deflate_page(struct deflate_page *d, const void *src, size_t len, void *dst, size_t cap)
{
	const uint8_t *in = src;
	uint8_t *start = dst;
	struct out o = { .p = start };
	size_t from = 0, end;
	uint32_t sum;

	if (len > DEFLATE_PAGE_MAX || cap < HEADER_LEN + TRAILER_LEN)
		return 0;
	o.end = start + cap - TRAILER_LEN;
	*o.p++ = 0x78;
	*o.p++ = 0x01;
	/* Positions are entered that have four bytes behind them: the last one of the longest input still fits. */
	if (d->base + len > UINT16_MAX) {
		memset(d->heads, 0, sizeof(d->heads));
		d->base = 1;
	}
	do {
		end = find_matches(d, in, from, len);
		if (!put_block(d, &o, in + from, end - from, end == len)) {
			d->base += len;
			return 0;
		}
		from = end;
	} while (end < len);
	d->base += len;
	put(&o, 0, -o.bits & 7);
	flush(&o);
	sum = libdeflate_adler32(1, src, len);
	for (int i = 0; i < TRAILER_LEN; i++)
		*o.p++ = sum >> (24 - 8 * i);
	return o.p - start;
}
