// SPDX-License-Identifier: GPL-2.0-or-later
/* Codes are complete and as RFC 1951 numbers them, within their limit, and hardly longer than Huffman's. */
#include <stdbool.h>
#include <string.h>

#include "elfcore/deflate_huffman.h"

#include "tests/lib/unit.h"

static struct deflate_tables tables;
static struct deflate_alphabet alphabet;
static uint16_t freqs[DEFLATE_NR_SYMBOLS];
static uint8_t lens[DEFLATE_NR_SYMBOLS];
static uint32_t seed = 1;

static uint32_t rnd(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* The bits of Huffman's code: what all inner nodes of his tree weigh. The slow way. */
static uint64_t huffman_bits(unsigned nr)
{
	uint64_t weights[DEFLATE_NR_SYMBOLS], bits = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < nr; i++)
		if (freqs[i])
			weights[n++] = freqs[i];
	for (; n > 1; n--) {
		for (int pass = 0; pass < 2; pass++)
			for (unsigned i = n - 1; i > (pass ? 1u : 0u); i--)
				if (weights[i] < weights[i - 1]) {
					uint64_t weight = weights[i];

					weights[i] = weights[i - 1];
					weights[i - 1] = weight;
				}
		weights[1] += weights[0];
		bits += weights[1];
		memmove(weights, weights + 1, (n - 1) * sizeof(*weights));
	}
	return bits;
}

/* RFC 1951, 3.2.2: codes of a length are consecutive, and shorter ones precede; they go out with the highest bit first. */
static void check_codes(unsigned nr)
{
	uint32_t code = 0;

	for (unsigned len = 1; len <= DEFLATE_LEN_MAX; len++, code <<= 1)
		for (unsigned sym = 0; sym < nr; sym++) {
			uint32_t bits = 0;

			if (lens[sym] != len)
				continue;
			for (unsigned i = 0; i < len; i++)
				bits |= (code >> i & 1) << (len - 1 - i);
			assert_int_equal(alphabet.codes[sym], bits | len << 16 | (len + alphabet.extra[sym]) << 24);
			code++;
		}
	assert_int_equal(code, 2 << DEFLATE_LEN_MAX);
}

static void check(unsigned nr, unsigned limit, bool is_huffman)
{
	unsigned used = 0, nr_of_len[DEFLATE_LEN_MAX + 1] = { 0 };
	uint64_t bits = 0, extra = 0;

	deflate_alphabet_init(&alphabet, nr, limit);
	for (unsigned sym = nr / 2; sym < nr; sym++)
		alphabet.extra[sym] = sym % 14;
	deflate_make_code(&tables, &alphabet, freqs);
	memset(lens, 0, sizeof(lens));
	assert_in_range(alphabet.nr_used, 2, nr);
	for (unsigned i = 0; i < alphabet.nr_used; i++) {
		assert_true(!i || alphabet.used[i] > alphabet.used[i - 1]);
		assert_in_range(alphabet.used[i], 0, nr - 1);
		assert_in_range(alphabet.lens[i], 1, limit);
		lens[alphabet.used[i]] = alphabet.lens[i];
		nr_of_len[alphabet.lens[i]]++;
	}
	for (unsigned len = 0; len <= DEFLATE_LEN_MAX; len++)
		assert_int_equal(alphabet.nr_of_len[len], nr_of_len[len]);
	for (unsigned sym = 0; sym < nr; sym++) {
		used += freqs[sym] > 0;
		assert_true(!freqs[sym] || lens[sym]);
		bits += freqs[sym] * lens[sym];
		extra += freqs[sym] * alphabet.extra[sym];
	}
	assert_int_equal(alphabet.nr_used, used < 2 ? 2 : used);
	assert_int_equal(alphabet.all_bits, bits + extra);
	check_codes(nr);
	if (is_huffman && used > 1)
		assert_in_range(bits, huffman_bits(nr), huffman_bits(nr) * 11 / 10);
}

static void check_all(bool is_huffman)
{
	check(286, 14, is_huffman);
	check(30, 14, is_huffman);
	/* Such a limit costs what Huffman's code does not have to heed. */
	check(19, 7, false);
}

static void test_few_symbols(void **state)
{
	(void)state;
	memset(freqs, 0, sizeof(freqs));
	check_all(true);
	for (unsigned sym = 0; sym < 19; sym++)
		for (unsigned other = 0; other < 19; other++)
			for (unsigned freq = 1; freq <= 32767; freq = freq * 3 + 1) {
				memset(freqs, 0, sizeof(freqs));
				freqs[other] = 1;
				freqs[sym] = freq;
				check_all(true);
			}
}

static void test_random(void **state)
{
	(void)state;
	for (int round = 0; round < 400; round++) {
		unsigned most = 1 << rnd() % 8, share = 1 + rnd() % 100, often = rnd() % 10;

		memset(freqs, 0, sizeof(freqs));
		for (unsigned sym = 0; sym < 286; sym++)
			if (rnd() % 100 < share)
				freqs[sym] = rnd() % 8 < often ? rnd() % most : 1 + rnd() % 2;
		for (unsigned i = 0; i < often; i++)
			freqs[rnd() % 286] = rnd() % 1000;
		check_all(true);
	}
}

/* Huffman's codes would be longer than the limit, up to as many symbols as there are in a block. */
static void test_skewed(void **state)
{
	(void)state;
	for (unsigned nr = 2; nr <= 22; nr++)
		for (int reverse = 0; reverse < 2; reverse++) {
			unsigned a = 1, b = 1;

			memset(freqs, 0, sizeof(freqs));
			for (unsigned i = 0; i < nr && a < 14000; i++) {
				freqs[reverse ? nr - 1 - i : i] = a;
				b += a;
				a = b - a;
			}
			check_all(false);
			for (unsigned sym = 22; sym < 286; sym++)
				freqs[sym] = 1;
			check_all(false);
		}
	for (unsigned rare = 1; rare < 286; rare++) {
		memset(freqs, 0, sizeof(freqs));
		for (unsigned sym = 0; sym < rare; sym++)
			freqs[sym] = 1;
		freqs[rare] = 32768 - rare;
		check_all(true);
	}
}

static void test_fixed(void **state)
{
	(void)state;
	deflate_alphabet_init(&alphabet, 288, 14);
	for (unsigned sym = 0; sym < 288; sym++)
		alphabet.lens[sym] = lens[sym] = sym < 144 ? 8 : sym < 256 ? 9 : sym < 280 ? 7 : 8;
	deflate_fixed_code(&tables, &alphabet);
	assert_int_equal(alphabet.nr_used, 288);
	check_codes(288);
}

static int set_up(void **state)
{
	(void)state;
	deflate_tables_init(&tables);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_symbols),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_skewed),
		cmocka_unit_test(test_fixed),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
