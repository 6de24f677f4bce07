// SPDX-License-Identifier: GPL-2.0-or-later
/* What the encoder of pages writes, libdeflate's decoder and zlib's read back; a stream fits exactly or not at all. */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "elfcore/deflate_page.h"

#include "tests/lib/unit.h"

#define NR_PAGES 20000
#define ROOM (DEFLATE_PAGE_MAX + 128)

static uint8_t plain[DEFLATE_PAGE_MAX], packed[ROOM], again[ROOM], back[DEFLATE_PAGE_MAX + 1];
static struct deflate_page d;
static struct libdeflate_decompressor *decoder;
static uint32_t seed = 1;

static uint32_t rnd(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static size_t check(const uint8_t *in, size_t len)
{
	size_t n = deflate_page(&d, in, len, packed, ROOM);
	uLongf back_len = len;

	assert_true(n >= 8 && n <= len + 11 + 5 * (len / 4096));
	assert_int_equal(packed[0] * 256 + packed[1], 0x7801);
	back[len] = 0xee;
	assert_int_equal(libdeflate_zlib_decompress(decoder, packed, n, back, len, NULL), 0);
	assert_memory_equal(back, in, len);
	assert_int_equal(back[len], 0xee);
	memset(back, 0xee, len);
	assert_int_equal(uncompress(back, &back_len, packed, n), Z_OK);
	assert_int_equal(back_len, len);
	assert_memory_equal(back, in, len);
	return n;
}

/* Also that it does not write behind its room, and that nothing is carried over. */
static size_t check_room(const uint8_t *in, size_t len)
{
	size_t n = check(in, len);
	static const size_t less[] = { 1, 2, 3, 4, 5, 8, 100 };

	memset(again, 0xee, sizeof(again));
	assert_int_equal(deflate_page(&d, in, len, again, n), n);
	assert_memory_equal(again, packed, n);
	assert_int_equal(again[n], 0xee);
	/* Where there is a little more room eight bytes are not always written at once. */
	for (size_t more = 1; more < 20; more++) {
		memset(again, 0xee, n + more + 1);
		assert_int_equal(deflate_page(&d, in, len, again, n + more), n);
		assert_memory_equal(again, packed, n);
		assert_int_equal(again[n + more], 0xee);
	}
	for (size_t i = 0; i < ARRAY_SIZE(less); i++) {
		size_t cap = n > less[i] ? n - less[i] : 0;

		memset(again, 0xee, n);
		assert_int_equal(deflate_page(&d, in, len, again, cap), 0);
		assert_int_equal(again[cap], 0xee);
	}
	return n;
}

enum content { ZEROS, ONE_BYTE, TWO_BYTES, RANDOM, TEXT, POINTERS, RAMP, WORDS, NO_MATCH, FAR_BACK, NR_CONTENTS };

static void fill(enum content content, size_t len)
{
	static const char text[] = "Out of memory: Killed process page frame in kernel mode at address ";
	uint64_t word;

	for (size_t i = 0; i < len; i++)
		switch (content) {
		case ZEROS: plain[i] = 0; break;
		case ONE_BYTE: plain[i] = 0xa5; break;
		case TWO_BYTES: plain[i] = rnd() & 1 ? 'x' : 'y'; break;
		case RANDOM: plain[i] = rnd(); break;
		case TEXT: plain[i] = rnd() % 8 ? (uint8_t)text[i % (sizeof(text) - 1)] : 'a' + rnd() % 26; break;
		case RAMP: plain[i] = i; break;
		case WORDS: plain[i] = i & 3 ? 0 : rnd(); break;
		/* Three bytes that count: never the same four again */
		case NO_MATCH: plain[i] = i % 4 == 3 ? rnd() % 16 : i / 4 >> (i % 4 * 5) & 31; break;
		case FAR_BACK: plain[i] = i >= 33000 ? plain[i - 33000] : i >= 32768 ? plain[i - 32768] : rnd(); break;
		case POINTERS:
			word = 0xffff888000000000 + (rnd() & 0xfffff8);
			memcpy(plain + i, &word, min_u64(8, len - i));
			i += 7;
			break;
		default: break;
		}
}

static void test_contents(void **state)
{
	static const size_t lens[] = { 4095, 4096, 16384, 32767, 32768, 32769, 65535, 65536 };

	(void)state;
	for (int content = 0; content < NR_CONTENTS; content++)
		for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
			size_t n;

			fill(content, lens[i]);
			n = check_room(plain, lens[i]);
			if (content == ZEROS || content == ONE_BYTE)
				assert_true(n < 20 + lens[i] / 100);
			if (content == POINTERS || content == TWO_BYTES || content == WORDS || content == TEXT)
				assert_true(n < lens[i] * 3 / 4);
			if (content == RANDOM)
				assert_true(n > lens[i]);
		}
	fill(RANDOM, DEFLATE_PAGE_MAX);
	assert_int_equal(deflate_page(&d, plain, DEFLATE_PAGE_MAX + 1, packed, ROOM), 0);
}

static void test_lengths(void **state)
{
	(void)state;
	for (int content = 0; content < NR_CONTENTS; content++)
		for (size_t len = 0; len <= 300; len++) {
			fill(content, len);
			check_room(plain, len);
		}
	/* A run of every length, in the middle of what is none */
	for (size_t len = 1; len < 800; len++) {
		fill(RANDOM, 1000);
		memset(plain + 100, 7, len);
		check(plain, 1000);
	}
}

/* Frequencies for which Huffman's codes would be longer than the format has, of literals and of distances. */
static void test_skewed(void **state)
{
	(void)state;
	for (unsigned nr = 2; nr <= 22; nr++) {
		size_t a = 1, b = 1, len = 0;

		for (unsigned sym = 0; sym < nr; sym++) {
			for (size_t i = 0; i < a && len < 32768; i++)
				plain[len++] = sym * 11;
			b += a;
			a = b - a;
		}
		/* Not in runs, which would be matches */
		for (size_t i = len; i-- > 1;) {
			size_t other = rnd() % (i + 1);
			uint8_t byte = plain[i];

			plain[i] = plain[other];
			plain[other] = byte;
		}
		check_room(plain, len);
	}
	for (unsigned nr = 2; nr < 16; nr++) {
		size_t len = 4200;

		fill(RANDOM, len);
		for (unsigned i = 0; i < nr; i++)
			for (unsigned n = 0; n < 1u << i && len < 32000; n++) {
				memcpy(plain + len, plain + len - (2u << (nr - i) % 11) - 5, 5);
				plain[len + 5] = rnd();
				len += 6;
			}
		check_room(plain, len);
	}
}

/* Pages made of what pages have: runs, words, arrays of structs, text, noise. */
static void structured(uint8_t *page, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t n = 1 + rnd() % (rnd() % 4 ? 64 : 1500), stride = 1 + rnd() % 200;
		uint32_t kind = rnd() % 6, byte = rnd(), mask = rnd() % 3 ? 15 : 255;

		for (n = min_u64(n, len - at); n; n--, at++)
			page[at] = kind == 0 ? 0 : kind == 1 ? byte : kind == 2 ? rnd() : kind == 3 && at >= stride ? page[at - stride] :
				   kind == 4 ? 'a' + (rnd() & mask) : at % 8 < 3 ? rnd() : 0xff;
	}
}

static void test_pages(void **state)
{
	size_t sum = 0;

	(void)state;
	seed = 77;
	for (int i = 0; i < NR_PAGES; i++) {
		structured(plain, 4096);
		sum += i % 50 ? check(plain, 4096) : check_room(plain, 4096);
	}
	assert_true(sum < NR_PAGES * 4096UL * 2 / 3);
	for (int i = 0; i < 100; i++) {
		size_t len = rnd() % (DEFLATE_PAGE_MAX + 1);

		structured(plain, len);
		check(plain, len);
	}
}

/* The same bytes give the same stream, whatever the context had before. */
static void test_same(void **state)
{
	static struct deflate_page fresh;
	static uint8_t page[4096];

	(void)state;
	structured(page, sizeof(page));
	deflate_page_init(&fresh);
	for (int i = 0; i < 100; i++) {
		size_t n = deflate_page(&fresh, page, sizeof(page), again, ROOM);

		fill(i % NR_CONTENTS, 1000 + i);
		check(plain, 1000 + i);
		deflate_page(&fresh, plain, 3000, packed, 50);
		assert_int_equal(check(page, sizeof(page)), n);
		assert_memory_equal(packed, again, n);
	}
}

static int open_all(void **state)
{
	(void)state;
	deflate_page_init(&d);
	decoder = libdeflate_alloc_decompressor();
	return !decoder;
}

static int close_all(void **state)
{
	(void)state;
	libdeflate_free_decompressor(decoder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_skewed),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
