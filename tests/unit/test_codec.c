// SPDX-License-Identifier: GPL-2.0-or-later
/* Every codec gives back what it was given, and says so when something does not fit or is broken. */
#include <errno.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/codec.h"
#include "elfcore/elf_codec.h"
#include "elfcore/kdump_format.h"

#include "tests/lib/unit.h"

#define LEN 65536
#define NR_WRITTEN CODEC_SNAPPY		/* those behind are read only */

static uint8_t plain[LEN], packed[2 * LEN + 64], again[LEN + 1];

enum content { ZEROS, TEXT, SPARSE, RANDOM, NR_CONTENTS };

static void fill(enum content content)
{
	uint32_t x = 1;

	for (size_t i = 0; i < LEN; i++) {
		x = x * 1664525 + 1013904223;
		plain[i] = content == ZEROS || (content == SPARSE && i / 8 % 4) ? 0 :
			   content == TEXT ? "page frame"[i % 10] + (x >> 30) : x >> 24;
	}
}

static void roundtrip(const struct codec_ops *ops, enum content content, size_t len, int level)
{
	struct codec_ctx c, d;
	size_t n;

	fill(content);
	assert_int_equal(codec_open_compressor(&c, ops->codec, LEN, level), 0);
	assert_int_equal(codec_open_decompressor(&d, ops->codec), 0);
	n = codec_compress(&c, plain, len, packed, codec_bound(len));
	assert_true(n > 0 && n <= codec_bound(len));
	if (ops->codec != CODEC_NONE && content != RANDOM)
		assert_true(n < len);
	memset(again, 0xee, sizeof(again));
	assert_int_equal(codec_decompress(&d, packed, n, again, len), 0);
	assert_memory_equal(again, plain, len);
	assert_int_equal(again[len], 0xee);
	/* Exact room is enough, less is not, and is not written over. */
	memset(packed, 0xee, sizeof(packed));
	if (codec_compress(&c, plain, len, packed, n) == n)
		assert_int_equal(packed[n], 0xee);
	memset(packed, 0xee, sizeof(packed));
	assert_int_equal(codec_compress(&c, plain, len, packed, n / 2), 0);
	assert_int_equal(packed[n / 2], 0xee);
	codec_close(&c);
	codec_close(&d);
}

static void test_roundtrips(void **state)
{
	static const size_t lens[] = { 4096, 16384, LEN };

	(void)state;
	for (int codec = 0; codec < NR_WRITTEN; codec++)
		for (int content = 0; content < NR_CONTENTS; content++)
			for (size_t i = 0; i < ARRAY_SIZE(lens); i++)
				for (int level = 0; level < 4; level += 3)
					roundtrip(codec_find(codec), content, lens[i], level);
}

/* The same context, a thousand buffers: nothing is carried over. */
static void test_reuse(void **state)
{
	(void)state;
	fill(TEXT);
	/* Of several kinds, for which a codec may choose. */
	memset(plain + 4096, 0, 2048);
	for (int codec = 0; codec < NR_WRITTEN; codec++) {
		struct codec_ctx c, d;
		size_t first = 0;

		assert_int_equal(codec_open_compressor(&c, codec, 4096, 0), 0);
		assert_int_equal(codec_open_decompressor(&d, codec), 0);
		for (int i = 0; i < 1000; i++) {
			size_t n = codec_compress(&c, plain + i % 3 * 4096, 4096, packed, codec_bound(4096));

			if (!i)
				first = n;
			assert_true(i % 3 || n == first);
			assert_int_equal(codec_decompress(&d, packed, n, again, 4096), 0);
			assert_memory_equal(again, plain + i % 3 * 4096, 4096);
		}
		codec_close(&c);
		codec_close(&d);
	}
}

/* Whatever stands there, decompression ends within its buffer. The sanitizer watches. */
static void test_broken(void **state)
{
	uint8_t *exact = malloc(4096), *cut;

	(void)state;
	fill(TEXT);
	for (int codec = CODEC_ZLIB; codec < NR_WRITTEN; codec++) {
		struct codec_ctx c, d;
		size_t n;

		assert_int_equal(codec_open_compressor(&c, codec, 4096, 0), 0);
		assert_int_equal(codec_open_decompressor(&d, codec), 0);
		n = codec_compress(&c, plain, 4096, packed, codec_bound(4096));
		assert_int_equal(codec_decompress(&d, packed, n, exact, 4095), -EINVAL);
		assert_int_equal(codec_decompress(&d, packed, n, again, 4097), -EINVAL);
		for (size_t len = 0; len < n; len++) {
			cut = malloc(len ? len : 1);
			memcpy(cut, packed, len);
			assert_int_equal(codec_decompress(&d, cut, len, exact, 4096), -EINVAL);
			free(cut);
		}
		for (size_t i = 0; i < n; i++) {
			packed[i] ^= 0x5a;
			codec_decompress(&d, packed, n, exact, 4096);
			packed[i] ^= 0x5a;
		}
		codec_close(&c);
		codec_close(&d);
	}
	free(exact);
}

/* What libsnappy writes; its elements of every kind come with these contents. */
static void test_snappy(void **state)
{
	struct codec_ctx d;

	(void)state;
	assert_int_equal(codec_open_decompressor(&d, CODEC_SNAPPY), 0);
	for (int content = 0; content < NR_CONTENTS; content++)
		for (size_t len = 1; len <= LEN; len = len * 5 + 3) {
			size_t n = sizeof(packed);
			uint8_t *cut;

			fill(content);
			for (size_t i = 0; i < len / 100; i++)
				plain[i * 97 % len] ^= i;
			assert_int_equal(snappy_compress((char *)plain, len, (char *)packed, &n), SNAPPY_OK);
			memset(again, 0xee, sizeof(again));
			assert_int_equal(codec_decompress(&d, packed, n, again, len), 0);
			assert_memory_equal(again, plain, len);
			assert_int_equal(again[len], 0xee);
			assert_int_equal(codec_decompress(&d, packed, n, again, len + 1), -EINVAL);
			for (size_t i = 0; i < n && n < 5000; i++) {
				cut = malloc(i ? i : 1);
				memcpy(cut, packed, i);
				assert_int_equal(codec_decompress(&d, cut, i, again, len), -EINVAL);
				free(cut);
				packed[i] ^= 0x5a;
				codec_decompress(&d, packed, n, again, len);
				packed[i] ^= 0x5a;
			}
		}
	/* A copy from before the begin, a literal of 4 GiB, a copy of offset 0, a length that does not end. */
	assert_int_equal(codec_decompress(&d, "\x05\x00" "a" "\x01\x02", 5, again, 5), -EINVAL);
	assert_int_equal(codec_decompress(&d, "\x05\xfc\xff\xff\xff\xff" "a", 7, again, 5), -EINVAL);
	assert_int_equal(codec_decompress(&d, "\x05\x00" "a" "\x01\x00", 5, again, 5), -EINVAL);
	assert_int_equal(codec_decompress(&d, "\xff\xff\xff\xff\xff\xff", 6, again, 5), -EINVAL);
	codec_close(&d);
	assert_null(codec_by_name("snappy"));
}

static void test_names(void **state)
{
	(void)state;
	assert_ptr_equal(codec_by_name("zlib"), &codec_zlib);
	assert_ptr_equal(codec_by_name("none"), &codec_none);
	assert_null(codec_by_name("gzip"));
	assert_ptr_equal(codec_by_kdump_flag(KDUMP_ZSTD), &codec_zstd);
	assert_ptr_equal(codec_by_kdump_flag(0), &codec_none);
	assert_ptr_equal(codec_by_kdump_flag(KDUMP_SNAPPY), &codec_snappy);
	assert_null(codec_by_kdump_flag(KDUMP_ZLIB | KDUMP_LZO));
}

/* The bytes of the format, as the facts about it have them, and back. */
static void test_kdump_headers(void **state)
{
	static uint8_t buf[KDUMP_HEADER_SIZE], sub_buf[KDUMP_SUB_HEADER_SIZE], desc_buf[KDUMP_DESC_SIZE];
	struct kdump_header header = {
		.version = 6, .nodename = "host", .machine = "x86_64", .crashtime = 0x1122334455, .status = 0x21,
		.block_size = 4096, .sub_hdr_size = 2, .bitmap_blocks = 4, .max_mapnr = 77, .nr_cpus = 3,
	}, header_again;
	struct kdump_sub_header sub = { .phys_base = 1, .dump_level = 31, .off_note = 4200, .size_note = 9, .max_mapnr = 1ULL << 33,
					.split = 1, .start_pfn = 5, .end_pfn = 6 }, sub_again;
	struct kdump_desc desc = { 1ULL << 40, 17, KDUMP_LZO }, desc_again;

	(void)state;
	memset(header.release, 'r', sizeof(header.release));	/* not terminated: it is in the file */
	for (uint8_t data = ELFDATA2LSB; data <= ELFDATA2MSB; data++) {
		kdump_header_encode(data, &header, buf);
		assert_memory_equal(buf, "KDUMP   ", 8);
		assert_int_equal(buf[206], 0);
		assert_string_equal((char *)buf + 77, "host");
		assert_true(elf_get(data, buf + 408, 8) == 0x1122334455 && !elf_get(data, buf + 416, 8));
		assert_int_equal(elf_get(data, buf + 424, 4), 0x21);
		assert_int_equal(elf_get(data, buf + 460, 4), 3);
		kdump_header_decode(data, buf, &header_again);
		assert_int_equal(header_again.block_size, 4096);
		assert_string_equal(header_again.machine, "x86_64");
		assert_int_equal(strlen(header_again.release), 64);
		kdump_sub_header_encode(data, &sub, sub_buf);
		assert_int_equal(elf_get(data, sub_buf + 16, 8), 5);
		assert_int_equal(elf_get(data, sub_buf + 88, 8), 6);
		kdump_sub_header_decode(data, sub_buf, &sub_again);
		assert_memory_equal(&sub_again, &sub, sizeof(sub));
		kdump_desc_encode(data, &desc, desc_buf);
		assert_int_equal(elf_get(data, desc_buf + 16, 8), 0);
		kdump_desc_decode(data, desc_buf, &desc_again);
		assert_true(desc_again.off == desc.off && desc_again.size == 17 && desc_again.flags == KDUMP_LZO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roundtrips),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_snappy),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_kdump_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
