// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/deflate_page.h"

#include <stdbool.h>
#include <string.h>

#include <libdeflate.h>

#define NR_FIXED_LITLEN 288
#define NR_FIXED_DIST 32
#define CODE_LIMIT 14			/* not 15: three literals, or two and a length, fit into 64 bits behind the rest of a byte */
#define PRECODE_LIMIT 7
#define GAP_MAX 138			/* symbols without a code that one symbol of the precode stands for */
#define FIXED_IS_FINE 512		/* bits that are too few for trying anything better */
#define MANY_SYMBOLS 512		/* too many for the fixed code */
#define HEADER_LEN 2
#define TRAILER_LEN 4

#define code_bits(code) ((code) & 0xffff)
#define code_len(code) ((code) >> 16 & 0xff)
#define code_len_all(code) ((code) >> 24)

#define IS_LITTLE (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

enum block_type { STORED, FIXED, DYNAMIC };

/* Bits of one to seven are left in word between puts; flush leaves less than 8. */
struct out {
	uint64_t word;
	unsigned bits;
	uint8_t *p, *end;
};

static inline void put(struct out *o, uint64_t bits, unsigned nr)
{
	o->word |= bits << o->bits;
	o->bits += nr;
}

static inline void put_code(struct out *o, deflate_code_t code)
{
	put(o, code_bits(code), code_len(code));
}

/* The code and what follows it. */
static inline void put_code_and(struct out *o, deflate_code_t code, uint64_t extra)
{
	put(o, code_bits(code) | extra << code_len(code), code_len_all(code));
}

/* roomy: there are eight bytes of room behind all that is to be written. */
static inline void flush(struct out *o, bool roomy)
{
	unsigned n = o->bits / 8;

	if (IS_LITTLE && roomy) {
		memcpy(o->p, &o->word, 8);
		o->p += n;
		o->word >>= n * 8;
	} else {
		for (; n; n--) {
			*o->p++ = o->word;
			o->word >>= 8;
		}
	}
	o->bits &= 7;
}

/* --- how the codes of a dynamic block are written: the lengths of all symbols, where those without a code are counted */

enum gap { NO_GAP, ONE_ZERO, TWO_ZEROS, ZEROS_17, ZEROS_18, NR_GAPS };

static inline enum gap gap_of(unsigned n)
{
	return n < 3 ? n : n < 11 ? ZEROS_17 : ZEROS_18;
}

static void count_gaps(const struct deflate_alphabet *a, uint16_t *gaps)
{
	unsigned next = 0;

	for (unsigned i = 0; i < a->nr_used; i++) {
		unsigned n = a->used[i] - next;

		for (; n > GAP_MAX; n -= GAP_MAX)
			gaps[ZEROS_18]++;
		gaps[gap_of(n)]++;
		next = a->used[i] + 1;
	}
}

/* Returns the bits that the block would have. */
static uint64_t plan_dynamic(struct deflate_page *d)
{
	/* Where its length is written: in the order 16, 17, 18, 0, 8, 7, 9, 6 ... */
	static const uint8_t place[DEFLATE_NR_PRECODE] = { 3, 17, 15, 13, 11, 9, 7, 5, 4, 6, 8, 10, 12, 14, 16, 18, 0, 1, 2 };
	uint16_t gaps[NR_GAPS] = { 0 }, freqs[DEFLATE_NR_PRECODE] = { 0 };

	deflate_make_code(&d->tables, &d->litlen, d->matches.litlen_freqs);
	deflate_make_code(&d->tables, &d->dist, d->matches.dist_freqs);
	count_gaps(&d->litlen, gaps);
	count_gaps(&d->dist, gaps);
	for (unsigned len = 1; len <= DEFLATE_LEN_MAX; len++)
		freqs[len] = d->litlen.nr_of_len[len] + d->dist.nr_of_len[len];
	freqs[0] = gaps[ONE_ZERO] + gaps[TWO_ZEROS] * 2;
	freqs[17] = gaps[ZEROS_17];
	freqs[18] = gaps[ZEROS_18];
	deflate_make_code(&d->tables, &d->pre, freqs);
	memset(d->pre_lens, 0, sizeof(d->pre_lens));
	for (unsigned i = 0; i < d->pre.nr_used; i++)
		d->pre_lens[place[d->pre.used[i]]] = d->pre.lens[i];
	for (d->nr_pre_lens = DEFLATE_NR_PRECODE; d->nr_pre_lens > 4 && !d->pre_lens[d->nr_pre_lens - 1]; d->nr_pre_lens--)
		;
	return 3 + 14 + d->nr_pre_lens * 3 + d->pre.all_bits + d->litlen.all_bits + d->dist.all_bits;
}

/* The lengths of one alphabet. */
static void put_lens(struct out *out, bool roomy, const struct deflate_page *d, const struct deflate_alphabet *a)
{
	const deflate_code_t *codes = d->pre.codes;
	deflate_code_t zero = codes[0];
	deflate_code_t gap_codes[NR_GAPS] = { 0, zero, 0, codes[17], codes[18] };
	static const uint8_t least[NR_GAPS] = { 0, 1, 2, 3, 11 };
	unsigned next = 0;
	struct out o = *out;

	gap_codes[TWO_ZEROS] = (zero & ~0xffffu) * 2 | code_bits(zero) << code_len(zero) | code_bits(zero);
	for (unsigned i = 0; i < a->nr_used; i++) {
		unsigned sym = a->used[i], n = sym - next;
		enum gap gap;

		for (; n > GAP_MAX; n -= GAP_MAX) {
			put_code_and(&o, codes[18], GAP_MAX - 11);
			flush(&o, roomy);
		}
		gap = gap_of(n);
		put_code_and(&o, gap_codes[gap], n - least[gap]);
		put_code(&o, codes[a->lens[i]]);
		flush(&o, roomy);
		next = sym + 1;
	}
	*out = o;
}

static void put_dynamic(struct out *o, bool roomy, const struct deflate_page *d)
{
	put(o, d->litlen.used[d->litlen.nr_used - 1] + 1 - 257, 5);
	put(o, d->dist.used[d->dist.nr_used - 1], 5);
	put(o, d->nr_pre_lens - 4, 4);
	for (unsigned i = 0; i < d->nr_pre_lens; i++) {
		put(o, d->pre_lens[i], 3);
		flush(o, roomy);
	}
	put_lens(o, roomy, d, &d->litlen);
	put_lens(o, roomy, d, &d->dist);
}

/* --- blocks */

/* Nothing follows its code. */
static inline void put_literal(struct out *o, deflate_code_t code)
{
	put(o, code_bits(code), code_len_all(code));
}

/*
 * roomy is a constant where this is called. How many literals are left behind those in threes is hard to foresee: it is
 * always two, of no bits where there are none.
 */
static inline __attribute__((always_inline)) void put_symbols(struct out *o, bool roomy, const struct deflate_matches *m,
							      const deflate_code_t *litlen, const deflate_code_t *dist)
{
	static const deflate_code_t keep[3][2] = { { 0, 0 }, { ~0u, 0 }, { ~0u, ~0u } };
	const struct deflate_seq *seq = m->seqs, *last = seq + m->nr_seqs;
	const uint8_t *p = m->lits;
	struct out out = *o;

	for (;; seq++) {
		unsigned n = seq->lits;

		for (; n >= 3; n -= 3, p += 3) {
			put_literal(&out, litlen[p[0]]);
			put_literal(&out, litlen[p[1]]);
			put_literal(&out, litlen[p[2]]);
			flush(&out, roomy);
		}
		put_literal(&out, litlen[p[0]] & keep[n][0]);
		put_literal(&out, litlen[p[1]] & keep[n][1]);
		p += n;
		if (seq == last)
			break;
		put_code_and(&out, litlen[257 + seq->len.sym], seq->len.bits);
		flush(&out, roomy);
		put_code_and(&out, dist[seq->dist_sym], seq->dist_bits);
		flush(&out, roomy);
	}
	put_code(&out, litlen[DEFLATE_END_OF_BLOCK]);
	flush(&out, roomy);
	*o = out;
}

static void put_stored(struct out *o, const uint8_t *p, size_t len, bool last)
{
	put(o, last, 3);
	put(o, 0, -o->bits & 7);
	put(o, len, 16);
	flush(o, false);
	put(o, ~len & 0xffff, 16);
	flush(o, false);
	memcpy(o->p, p, len);
	o->p += len;
}

/* Hardly a match, and bytes that are all about as frequent: their entropy is at least -log2 of the sum of squared shares. */
static bool is_hopeless(const struct deflate_page *d, size_t len)
{
	uint64_t squares = 0, lits = d->matches.nr_lits;

	if (d->matches.nr_seqs > len / 256 || lits <= len - len / 32)
		return false;
	for (unsigned i = 0; i < 256; i++)
		squares += (uint32_t)d->matches.litlen_freqs[i] * d->matches.litlen_freqs[i];
	return squares * 225 < lits * lits;
}

/* What codes of a block's own save is more than they take for so many symbols. */
static uint64_t fixed_bits(const struct deflate_page *d)
{
	const struct deflate_matches *m = &d->matches;
	uint64_t bits = 3;

	if (m->nr_lits + m->nr_seqs > MANY_SYMBOLS)
		return UINT64_MAX;
	for (unsigned i = 0; i < DEFLATE_NR_LITLEN; i++)
		bits += m->litlen_freqs[i] * code_len_all(d->fixed_litlen.codes[i]);
	for (unsigned i = 0; i < DEFLATE_NR_DIST; i++)
		bits += m->dist_freqs[i] * code_len_all(d->fixed_dist.codes[i]);
	return bits;
}

/* False: no room. */
static bool put_block(struct deflate_page *d, struct out *o, const uint8_t *in, size_t len, bool last)
{
	uint64_t room = (uint64_t)(o->end - o->p) * 8 - o->bits, bits, best;
	const struct deflate_alphabet *litlen, *dist;
	enum block_type type = STORED;
	bool roomy;

	best = 3 + (-(o->bits + 3) & 7) + 32 + len * 8;
	if (!is_hopeless(d, len)) {
		bits = fixed_bits(d);
		if (bits < best) {
			best = bits;
			type = FIXED;
		}
		bits = best < FIXED_IS_FINE ? best : plan_dynamic(d);
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
	roomy = room >= best + 64;
	put(o, last | type << 1, 3);
	if (type == DYNAMIC)
		put_dynamic(o, roomy, d);
	litlen = type == DYNAMIC ? &d->litlen : &d->fixed_litlen;
	dist = type == DYNAMIC ? &d->dist : &d->fixed_dist;
	if (roomy)
		put_symbols(o, true, &d->matches, litlen->codes, dist->codes);
	else
		put_symbols(o, false, &d->matches, litlen->codes, dist->codes);
	return true;
}

static void init_extra(struct deflate_alphabet *litlen, struct deflate_alphabet *dist)
{
	for (unsigned i = 0; i < DEFLATE_NR_LITLEN - 257; i++)
		litlen->extra[257 + i] = deflate_len_extra(i);
	for (unsigned i = 0; i < DEFLATE_NR_DIST; i++)
		dist->extra[i] = deflate_dist_extra(i);
}

void deflate_page_init(struct deflate_page *d)
{
	uint8_t *lens = d->fixed_litlen.lens;

	deflate_matches_init(&d->matches);
	deflate_tables_init(&d->tables);
	deflate_alphabet_init(&d->litlen, DEFLATE_NR_LITLEN, CODE_LIMIT);
	deflate_alphabet_init(&d->dist, DEFLATE_NR_DIST, CODE_LIMIT);
	init_extra(&d->litlen, &d->dist);
	deflate_alphabet_init(&d->pre, DEFLATE_NR_PRECODE, PRECODE_LIMIT);
	d->pre.extra[17] = 3;
	d->pre.extra[18] = 7;
	deflate_alphabet_init(&d->fixed_litlen, NR_FIXED_LITLEN, CODE_LIMIT);
	deflate_alphabet_init(&d->fixed_dist, NR_FIXED_DIST, CODE_LIMIT);
	init_extra(&d->fixed_litlen, &d->fixed_dist);
	memset(lens, 8, 144);
	memset(lens + 144, 9, 112);
	memset(lens + 256, 7, 24);
	memset(lens + 280, 8, 8);
	memset(d->fixed_dist.lens, 5, NR_FIXED_DIST);
	deflate_fixed_code(&d->tables, &d->fixed_litlen);
	deflate_fixed_code(&d->tables, &d->fixed_dist);
}

size_t deflate_page(struct deflate_page *d, const void *src, size_t len, void *dst, size_t cap)
{
	const uint8_t *in = src;
	uint8_t *start = dst;
	struct out o = { .p = start };
	size_t from = 0, n;
	uint32_t sum;

	if (len > DEFLATE_PAGE_MAX || cap < HEADER_LEN + TRAILER_LEN)
		return 0;
	o.end = start + cap - TRAILER_LEN;
	*o.p++ = 0x78;
	*o.p++ = 0x01;
	do {
		n = deflate_find_matches(&d->matches, in + from, len - from);
		if (!put_block(d, &o, in + from, n, from + n == len))
			return 0;
		from += n;
	} while (from < len);
	put(&o, 0, -o.bits & 7);
	flush(&o, false);
	sum = libdeflate_adler32(1, src, len);
	for (int i = 0; i < TRAILER_LEN; i++)
		*o.p++ = sum >> (24 - 8 * i);
	return o.p - start;
}
