// SPDX-License-Identifier: GPL-2.0-or-later
/* Several sources as one: exactly the refused pages from the next, and zeros for what nobody has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/mem_chain.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

#define PAGE 4096
#define BASE 0x100000ULL
#define SIZE (64 * PAGE)

/* Two sources of the same 64 pages; the second one's bytes are told apart by their complement. */
struct scene {
	struct fake_mem first, second;
	struct mem_chain chain;
	struct holes holes;
	uint8_t buf[SIZE], expected[SIZE];
};

static struct scene s;

static int setup(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	fake_mem_init(&s.first);
	fake_mem_init(&s.second);
	fake_mem_pattern(&s.first, BASE, SIZE);
	fake_mem_pattern(&s.second, BASE, SIZE);
	for (size_t i = 0; i < SIZE; i++)
		fake_mem_at(&s.second, BASE)[i] ^= 0xff;
	pattern_fill(s.expected, BASE, SIZE);
	mem_chain_init(&s.chain, PAGE);
	assert_int_equal(mem_chain_add(&s.chain, &s.first.mem), 0);
	assert_int_equal(mem_chain_add(&s.chain, &s.second.mem), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_mem_free(&s.first);
	fake_mem_free(&s.second);
	return 0;
}

static void refuse_page(struct fake_mem *mem, unsigned int page, unsigned int nr, int error)
{
	fake_mem_refuse(mem, BASE + page * PAGE, BASE + (page + nr) * PAGE, error);
}

static void expect_from_second(unsigned int page, unsigned int nr)
{
	for (size_t i = page * PAGE; i < (page + nr) * PAGE; i++)
		s.expected[i] ^= 0xff;
}

static void expect_zeros(unsigned int page, unsigned int nr)
{
	memset(s.expected + page * PAGE, 0, nr * PAGE);
}

static void fill(size_t from, size_t to)
{
	memset(s.buf, 0xcc, sizeof(s.buf));
	mem_chain_fill(&s.chain, BASE + from, s.buf, to - from, &s.holes);
	assert_memory_equal(s.buf, s.expected + from, to - from);
	if (to - from < SIZE)
		assert_int_equal(s.buf[to - from], 0xcc);
}

static void test_all_from_first(void **state)
{
	(void)state;
	fill(0, SIZE);
	assert_int_equal(s.first.nr_requests, 1);
	assert_int_equal(s.second.nr_requests, 0);
	assert_int_equal(s.chain.nr_bytes[0], SIZE);
	assert_int_equal(s.chain.nr_bytes[1], 0);
	assert_int_equal(s.holes.nr_ranges, 0);
}

static void test_one_page_refused(void **state)
{
	(void)state;
	for (unsigned int page = 0; page < 64; page++) {
		setup(NULL);
		refuse_page(&s.first, page, 1, -EPERM);
		expect_from_second(page, 1);
		fill(0, SIZE);
		assert_int_equal(s.second.nr_requests, 1);
		assert_int_equal(s.second.requests[0].addr, BASE + page * PAGE);
		assert_int_equal(s.second.requests[0].len, PAGE);
		assert_int_equal(s.chain.nr_bytes[0], SIZE - PAGE);
		assert_int_equal(s.chain.nr_bytes[1], PAGE);
		assert_int_equal(s.holes.nr_ranges, 0);
		/* About two requests a halving: 64 pages are halved six times. */
		assert_in_range(s.first.nr_requests, 7, 24);
		teardown(NULL);
	}
	setup(NULL);
}

/* Any set of refused pages is asked from the second source, page by page, and nothing else is. */
static void test_patterns_of_refusal(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned int round = 0; round < 50; round++) {
		unsigned int nr = 0, asked = 0;
		bool refused[64] = { false };

		setup(NULL);
		for (unsigned int page = 0; page < 64; page++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			if ((seed >> 60) >= 1 + round % 15)
				continue;
			refused[page] = true;
			refuse_page(&s.first, page, 1, -EPERM);
			expect_from_second(page, 1);
			nr++;
		}
		fill(0, SIZE);
		assert_int_equal(s.second.nr_requests, nr);
		for (unsigned int page = 0; page < 64; page++) {
			if (!refused[page])
				continue;
			assert_int_equal(s.second.requests[asked].addr, BASE + page * PAGE);
			assert_int_equal(s.second.requests[asked++].len, PAGE);
		}
		assert_int_equal(s.chain.nr_bytes[1], nr * PAGE);
		teardown(NULL);
	}
	setup(NULL);
}

static void test_holes(void **state)
{
	(void)state;
	refuse_page(&s.first, 10, 5, -EPERM);
	refuse_page(&s.second, 11, 2, -EIO);
	refuse_page(&s.first, 63, 1, -EPERM);
	refuse_page(&s.second, 63, 1, -ENODATA);
	expect_from_second(10, 5);
	expect_zeros(11, 2);
	expect_zeros(63, 1);
	fill(0, SIZE);
	assert_int_equal(s.holes.nr, 2);
	assert_int_equal(s.holes.nr_ranges, 2);
	assert_int_equal(s.holes.nr_bytes, 3 * PAGE);
	/* Neighbours are one range, with the error of the last source asked. */
	assert_int_equal(s.holes.list[0].start, BASE + 11 * PAGE);
	assert_int_equal(s.holes.list[0].end, BASE + 13 * PAGE);
	assert_int_equal(s.holes.list[0].error, -EIO);
	assert_int_equal(s.holes.list[1].start, BASE + 63 * PAGE);
	assert_int_equal(s.holes.list[1].end, BASE + 64 * PAGE);
	assert_int_equal(s.holes.list[1].error, -ENODATA);
}

static void test_holes_merge_across_calls(void **state)
{
	(void)state;
	refuse_page(&s.first, 0, 64, -EPERM);
	refuse_page(&s.second, 0, 64, -EIO);
	memset(s.expected, 0, SIZE);
	fill(0, SIZE / 2);
	fill(SIZE / 2, SIZE);
	assert_int_equal(s.holes.nr, 1);
	assert_int_equal(s.holes.nr_ranges, 1);
	assert_int_equal(s.holes.nr_bytes, SIZE);
	/* A refused stretch costs one request a page. */
	assert_in_range(s.first.nr_requests, 64, 64 + 2 * 6);
	assert_int_equal(s.second.nr_requests, 64);
}

static void test_holes_are_bounded(void **state)
{
	struct holes holes = { .nr = 0 };

	(void)state;
	for (unsigned int i = 0; i < 100; i++)
		holes_add(&holes, i * 0x2000, 0x1000, -EIO);
	assert_int_equal(holes.nr, HOLES_MAX);
	assert_int_equal(holes.nr_ranges, 100);
	assert_int_equal(holes.nr_bytes, 100 * 0x1000);
	assert_int_equal(holes.list[HOLES_MAX - 1].end, 63 * 0x2000 + 0x1000);
	/* What continues a range that the list had no room for must not be taken for the last one listed. */
	holes_add(&holes, 63 * 0x2000 + 0x1000, 0x1000, -EIO);
	assert_int_equal(holes.nr_ranges, 101);
	assert_int_equal(holes.list[HOLES_MAX - 1].end, 63 * 0x2000 + 0x1000);
}

static void test_holes_of_other_errors_apart(void **state)
{
	struct holes holes = { .nr = 0 };

	(void)state;
	holes_add(&holes, 0x1000, 0x1000, -EIO);
	holes_add(&holes, 0x2000, 0x1000, -EPERM);
	holes_add(&holes, 0x3000, 0x800, -EPERM);
	assert_int_equal(holes.nr, 2);
	assert_int_equal(holes.list[1].start, 0x2000);
	assert_int_equal(holes.list[1].end, 0x3800);
}

/* Ranges that begin and end inside pages: the parts of a page are asked for, never more. */
static void test_unaligned(void **state)
{
	static const size_t ends[][2] = {
		{ 1, 2 }, { 0x123, 0x4567 }, { 0xfff, 0x1001 }, { 0x10ff, SIZE - 1 }, { 0x800, 0x5000 }, { 0, 0x1800 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		for (unsigned int page = 0; page < 6; page++) {
			setup(NULL);
			refuse_page(&s.first, page, 1, -EPERM);
			refuse_page(&s.second, page, 1, -EIO);
			expect_zeros(page, 1);
			fill(ends[i][0], ends[i][1]);

			uint64_t start = max_u64(ends[i][0], page * PAGE), end = min_u64(ends[i][1], (page + 1) * PAGE);

			assert_int_equal(s.holes.nr_bytes, end > start ? end - start : 0);
			if (end > start) {
				assert_int_equal(s.holes.nr, 1);
				assert_int_equal(s.holes.list[0].start, BASE + start);
				assert_int_equal(s.holes.list[0].end, BASE + end);
				assert_int_equal(s.second.nr_requests, 1);
			}
			teardown(NULL);
		}
	}
	setup(NULL);
}

static void test_strict_read(void **state)
{
	struct mem *mem = &s.chain.mem;

	(void)state;
	refuse_page(&s.first, 3, 2, -EPERM);
	refuse_page(&s.second, 4, 1, -EIO);
	assert_int_equal(mem_read(mem, BASE, s.buf, 4 * PAGE), 0);
	expect_from_second(3, 1);
	assert_memory_equal(s.buf, s.expected, 4 * PAGE);
	assert_int_equal(mem_read(mem, BASE, s.buf, 5 * PAGE), -EIO);
	assert_int_equal(mem_read(mem, BASE + 4 * PAGE + 8, s.buf, 1), -EIO);
	assert_int_equal(mem_read(mem, BASE + SIZE, s.buf, 1), -ENODATA);
	mem_close(mem);
}

static void test_no_source(void **state)
{
	struct mem_chain none;

	(void)state;
	mem_chain_init(&none, PAGE);
	memset(s.buf, 0xcc, SIZE);
	mem_chain_fill(&none, BASE + 5, s.buf, 10000, &s.holes);
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(s.buf[i], 0);
	assert_int_equal(s.holes.nr_bytes, 10000);
	assert_int_equal(s.holes.nr_ranges, 1);
	assert_int_equal(s.holes.list[0].error, -ENODATA);
}

static void test_too_many_sources(void **state)
{
	(void)state;
	assert_int_equal(mem_chain_add(&s.chain, &s.first.mem), 0);
	assert_int_equal(mem_chain_add(&s.chain, &s.first.mem), 0);
	assert_int_equal(mem_chain_add(&s.chain, &s.first.mem), -ENOSPC);
	assert_int_equal(s.chain.nr_sources, MEM_CHAIN_MAX);
}

/* A single failing read anywhere is healed by the second source. */
static void test_nth_read_fails(void **state)
{
	(void)state;
	for (unsigned int n = 1; n < 12; n++) {
		setup(NULL);
		s.first.fail_at = n;
		s.first.fail_error = -EIO;
		refuse_page(&s.first, 20, 1, -EPERM);
		memset(s.buf, 0xcc, SIZE);
		mem_chain_fill(&s.chain, BASE, s.buf, SIZE, &s.holes);
		assert_int_equal(s.holes.nr_ranges, 0);
		for (size_t i = 0; i < SIZE; i++)
			assert_true(s.buf[i] == s.expected[i] || (s.buf[i] ^ s.expected[i]) == 0xff);
		assert_int_equal(s.chain.nr_bytes[0] + s.chain.nr_bytes[1], SIZE);
		teardown(NULL);
	}
	setup(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_from_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_page_refused, NULL, teardown),
		cmocka_unit_test_setup_teardown(test_patterns_of_refusal, NULL, teardown),
		cmocka_unit_test_setup_teardown(test_holes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_holes_merge_across_calls, setup, teardown),
		cmocka_unit_test(test_holes_are_bounded),
		cmocka_unit_test(test_holes_of_other_errors_apart),
		cmocka_unit_test_setup_teardown(test_unaligned, NULL, teardown),
		cmocka_unit_test_setup_teardown(test_strict_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_source, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nth_read_fails, NULL, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
