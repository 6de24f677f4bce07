// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/deflate_huffman.h"

#include <stdbool.h>
#include <string.h>

#define SMALL_FREQ 64			/* symbols that are less often there are sorted by counting */

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

void deflate_make_lens(struct deflate_page *d, const uint32_t *freqs, unsigned nr, unsigned limit, uint8_t *lens)
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

void deflate_make_codes(const struct deflate_page *d, const uint8_t *lens, unsigned nr, deflate_code_t *codes)
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
