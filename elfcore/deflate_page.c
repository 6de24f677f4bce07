// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/deflate_page.h"

#include <stdbool.h>
#include <string.h>

#include <libdeflate.h>

#include "elfcore/deflate_huffman.h"
#include "elfcore/deflate_match.h"

#define NR_LITLEN 286			/* that occur; the fixed code has two more of each */
#define NR_DIST 30
#define NR_PRECODE 19
#define LITLEN_LIMIT 14			/* not 15: four literals and the rest of a byte fit into 64 bits */
#define DIST_LIMIT 15
#define PRECODE_LIMIT 7
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
		extra = deflate_len_extra(seq->len_sym);
		put(&out, seq->len & ((1 << extra) - 1), extra);
		put_code(&out, dist[seq->dist_sym]);
		extra = deflate_dist_extra(seq->dist_sym);
		put(&out, seq->dist & ((1 << extra) - 1), extra);
		flush(&out);
		p += seq->len + 3;
	}
	put_code(&out, litlen[DEFLATE_END_OF_BLOCK]);
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

	deflate_make_lens(d, d->litlen_freqs, NR_LITLEN, LITLEN_LIMIT, lens);
	dyn->nr_litlen = used_of(lens, NR_LITLEN, 257);
	deflate_make_codes(d, lens, dyn->nr_litlen, d->litlen);
	bits += sum_bits(d->litlen_freqs, lens, dyn->nr_litlen);
	lens += dyn->nr_litlen;
	deflate_make_lens(d, d->dist_freqs, NR_DIST, DIST_LIMIT, lens);
	dyn->nr_dist = used_of(lens, NR_DIST, 1);
	deflate_make_codes(d, lens, dyn->nr_dist, d->dist);
	bits += sum_bits(d->dist_freqs, lens, dyn->nr_dist);
	dyn->nr_items = make_items(d, dyn->nr_litlen + dyn->nr_dist, dyn->pre_freqs);
	deflate_make_lens(d, dyn->pre_freqs, NR_PRECODE, PRECODE_LIMIT, dyn->pre_lens);
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

	deflate_make_codes(d, dyn->pre_lens, NR_PRECODE, precode);
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
	deflate_make_codes(d, lens, DEFLATE_NR_LITLEN, d->fixed_litlen);
	memset(lens, 5, DEFLATE_NR_DIST);
	deflate_make_codes(d, lens, DEFLATE_NR_DIST, d->fixed_dist);
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
		end = deflate_find_matches(d, in, from, len);
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
