// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "elfcore/page_share.h"

#include "tests/lib/unit.h"

#define SIZE 4096

static struct page_share share;
static uint8_t page[SIZE];

static int setup(void **state)
{
	(void)state;
	return page_share_init(&share, SIZE, PAGE_SHARE_ALONE);
}

static int teardown(void **state)
{
	(void)state;
	page_share_deinit(&share);
	return 0;
}

static const uint8_t *page_of(uint32_t seed)
{
	for (size_t i = 0; i < SIZE; i += 4) {
		seed = seed * 1664525 + 1013904223;
		memcpy(page + i, &seed, 4);
	}
	return page;
}

/* The first sight leaves a tag, the second the page, from the third on there is something to share. */
static void test_third_sight(void **state)
{
	(void)state;
	assert_int_equal(page_share_find(&share, page_of(1), 10), 0);
	assert_int_equal(page_share_find(&share, page_of(2), 11), 0);
	assert_int_equal(page_share_find(&share, page_of(1), 12), 0);
	assert_int_equal(page_share_find(&share, page_of(1), 15), 3);
	assert_int_equal(page_share_find(&share, page_of(1), 16), 1);
	assert_int_equal(page_share_find(&share, page_of(2), 17), 0);
	assert_int_equal(page_share_find(&share, page_of(2), 27), 10);
}

/* Its descriptor is not remembered any more; but this one's will be. */
static void test_too_far(void **state)
{
	(void)state;
	page_share_find(&share, page_of(1), 0);
	page_share_find(&share, page_of(1), 1);
	assert_int_equal(page_share_find(&share, page_of(1), 1 + PAGE_SHARE_DISTANCE), PAGE_SHARE_DISTANCE);
	assert_int_equal(page_share_find(&share, page_of(1), 2 + 2 * PAGE_SHARE_DISTANCE), 0);
	assert_int_equal(page_share_find(&share, page_of(1), 3 + 2 * PAGE_SHARE_DISTANCE), 1);
}

/* Words whose changes cancel out in both sums: the hash is the same, the page is not. */
static void test_same_hash(void **state)
{
	static uint8_t other[SIZE];
	uint64_t word;

	(void)state;
	memcpy(other, page_of(1), SIZE);
	for (unsigned int i = 0; i < 3; i++) {
		memcpy(&word, other + i * 64, 8);
		word += i == 1 ? -2 : 1;
		memcpy(other + i * 64, &word, 8);
	}
	assert_true(memcmp(other, page, SIZE) && page_share_hash(other, SIZE) == page_share_hash(page, SIZE));
	page_share_find(&share, page, 0);
	page_share_find(&share, page, 1);
	assert_int_equal(page_share_find(&share, other, 2), 0);
	assert_int_equal(page_share_find(&share, page, 3), 2);
}

/* Whatever comes, what is said to be equal is, and is within reach. More pages than are kept, some more often. */
static void test_many(void **state)
{
	uint32_t *seeds = malloc(60000 * sizeof(*seeds)), random = 1, nr_shared = 0;

	(void)state;
	for (uint32_t nr = 0; nr < 60000; nr++) {
		uint32_t back;

		random = random * 1664525 + 1013904223;
		seeds[nr] = random >> 16 & 7 ? random >> 20 : random >> 28;
		back = page_share_find(&share, page_of(seeds[nr]), nr);
		assert_true(back <= nr && back <= PAGE_SHARE_DISTANCE);
		assert_int_equal(seeds[nr - back], seeds[nr]);
		nr_shared += back != 0;
	}
	free(seeds);
	assert_true(nr_shared > 60000 / 8 / 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_third_sight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_far, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_hash, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
