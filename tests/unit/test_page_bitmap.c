// SPDX-License-Identifier: GPL-2.0-or-later
/* Bitmaps in a file against bits counted one by one: ranks, runs, edges of blocks, sizes that grow the stride. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/page_bitmap.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

#define OFF 12345		/* bitmaps need not be aligned to anything */

static struct page_bitmap bitmap;
static struct fake_mem mem;
static struct error err;
static uint8_t *bits;

/* A source of one kind of bits, as far as anybody asks. */
static struct { struct mem mem; uint8_t byte; } endless;

static int endless_read(struct mem *m, maddr_t addr, void *buf, size_t len)
{
	(void)m, (void)addr;
	memset(buf, endless.byte, len);
	return 0;
}

static const struct mem_ops endless_ops = { .name = "endless", .read = endless_read };

static int teardown(void **state)
{
	(void)state;
	page_bitmap_deinit(&bitmap);
	fake_mem_free(&mem);
	free(bits);
	bits = NULL;
	return 0;
}

/* Runs of pseudo-random lengths, the first of clear bits. */
static void build(uint64_t nr, unsigned int longest)
{
	struct bytes bytes = { NULL, 0, 0 };
	uint64_t random = 42;
	bool set = false;

	bits = calloc(1, nr);
	bytes_add_zeros(&bytes, OFF + nr / 8 + 2);
	for (uint64_t i = 0; i < nr; set = !set) {
		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		for (uint64_t end = min_u64(nr, i + 1 + (random >> 33) % longest); i < end; i++) {
			bits[i] = set;
			bytes.p[OFF + i / 8] |= (unsigned int)set << i % 8;
		}
	}
	bytes.p[OFF + nr / 8] |= 0xff << nr % 8;	/* rubbish behind the last bit */
	bytes.p[OFF + nr / 8 + 1] = 0xff;
	fake_mem_init(&mem);
	fake_mem_add(&mem, 0, bytes.p, bytes.len);
	bytes_free(&bytes);
	assert_int_equal(page_bitmap_init(&bitmap, &mem.mem, OFF, nr, &err), 0);
	assert_int_equal(page_bitmap_index(&bitmap, &err), 0);
}

static void check(uint64_t nr)
{
	uint64_t rank = 0;

	for (uint64_t i = 0; i < nr; i++) {
		assert_int_equal(page_bitmap_test(&bitmap, i), bits[i]);
		assert_int_equal(page_bitmap_rank(&bitmap, i), rank);
		if (bits[i] && i % 7 == 0)
			assert_int_equal(page_bitmap_select(&bitmap, rank), i);
		rank += bits[i];
	}
	assert_int_equal(bitmap.nr_set, rank);
	assert_int_equal(page_bitmap_rank(&bitmap, nr + 5), rank);
	assert_int_equal(page_bitmap_select(&bitmap, rank), nr);
	assert_false(page_bitmap_test(&bitmap, nr));
	for (uint64_t i = 0, end; i < nr; i = end) {
		bool set;

		end = page_bitmap_run_end(&bitmap, i, nr, &set);
		assert_true(end > i && end <= nr && set == bits[i]);
		for (uint64_t j = i; j < end; j++)
			assert_int_equal(bits[j], bits[i]);
		assert_true(end == nr || bits[end] != bits[i]);
	}
}

static void test_against_counting(void **state)
{
	static const struct { uint64_t nr; unsigned int longest; } cases[] = {
		{ 1, 1 }, { 7, 1 }, { 64, 2 }, { 32768, 3 }, { 32769, 200 }, { 3 * 32768, 70000 }, { 400000, 5000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		build(cases[i].nr, cases[i].longest);
		check(cases[i].nr);
		teardown(NULL);
	}
}

static void test_run_behind_the_end(void **state)
{
	bool set;

	(void)state;
	build(100, 200);
	assert_int_equal(page_bitmap_run_end(&bitmap, 100, 5000, &set), 5000);
	assert_false(set);
	assert_int_equal(page_bitmap_run_end(&bitmap, 1ULL << 50, (1ULL << 50) + 7, &set), (1ULL << 50) + 7);
}

/* 64 TiB in pages of 4 KiB: four blocks to an entry of the table. */
static void test_stride(void **state)
{
	uint64_t nr = 1ULL << 34;

	(void)state;
	endless.mem.ops = &endless_ops;
	endless.byte = 0x11;
	assert_int_equal(page_bitmap_init(&bitmap, &endless.mem, 0, nr, &err), 0);
	assert_int_equal(page_bitmap_index(&bitmap, &err), 0);
	assert_int_equal(bitmap.stride, 4);
	assert_true(bitmap.nr_set == nr / 4);
	assert_true(page_bitmap_rank(&bitmap, nr - 1) == nr / 4);
	assert_true(page_bitmap_rank(&bitmap, 123456789012 % nr) == (123456789012 % nr + 3) / 4);
}

static void test_unreadable_is_zero(void **state)
{
	bool set;

	(void)state;
	build(100000, 1);
	fake_mem_refuse(&mem, OFF + 5000, OFF + 5001, -EIO);
	page_bitmap_deinit(&bitmap);
	assert_int_equal(page_bitmap_init(&bitmap, &mem.mem, OFF, 100000, &err), 0);
	assert_int_equal(page_bitmap_index(&bitmap, &err), 0);
	assert_true(bitmap.cut);
	assert_int_equal(bitmap.nr_set, (100000 - 32768) / 2);
	assert_true(page_bitmap_test(&bitmap, 32767));
	assert_int_equal(page_bitmap_run_end(&bitmap, 32768, 100000, &set), 65537);
	assert_false(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_against_counting, teardown),
		cmocka_unit_test_teardown(test_run_behind_the_end, teardown),
		cmocka_unit_test_teardown(test_stride, teardown),
		cmocka_unit_test_teardown(test_unreadable_is_zero, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
