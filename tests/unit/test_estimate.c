// SPDX-License-Identifier: GPL-2.0-or-later
/* The arithmetic of kcapture estimate: what levels leave out, how samples scale, how long it takes, crashkernel=. */
#include <string.h>

#include "elfcore/kdump_format.h"
#include "initramfs/check.h"
#include "initramfs/estimate.h"
#include "tests/lib/unit.h"

#define PAGE 4096
#define RATE (100 * 1000 * 1000)

static struct memory_use use = {
	.page_size = PAGE,
	.nr_pages = 111110,
	.nr_class = { [PAGE_KEEP] = 10000, [PAGE_CACHE] = 1000, [PAGE_CACHE_PRIVATE] = 100, [PAGE_USER] = 10,
		      [PAGE_FREE] = 100000 },
};

/* Half of the kernel's pages zero, the others compressed to a quarter by zlib, in 10 us each. */
static void sample(void)
{
	use.sample[PAGE_KEEP] = (struct page_sample){
		.nr_pages = 100, .nr_zero = 50,
		.nr_bytes = { [CODEC_NONE] = 50 * PAGE, [CODEC_ZLIB] = 50 * PAGE / 4 },
		.ns = { [CODEC_ZLIB] = 100 * 10000 },
	};
}

static uint64_t pages_at(unsigned int level)
{
	struct estimate_dump dump;

	estimate_dump(&dump, &use, level, RATE, 1);
	return dump.nr_pages;
}

static void test_levels(void **state)
{
	(void)state;
	assert_int_equal(pages_at(0), 111110);
	assert_int_equal(pages_at(1), 111110);
	assert_int_equal(pages_at(2), 110110);
	assert_int_equal(pages_at(4), 110010);	/* 4 implies 2 */
	assert_int_equal(pages_at(8), 111100);
	assert_int_equal(pages_at(16), 11110);
	assert_int_equal(pages_at(31), 10000);
}

static void test_sizes(void **state)
{
	uint64_t overhead = 10000 * KDUMP_DESC_SIZE + 111110 / 4;
	struct estimate_dump dump;

	(void)state;
	memset(use.sample, 0, sizeof(use.sample));
	estimate_dump(&dump, &use, 31, RATE, 1);
	assert_int_equal(dump.size[CODEC_NONE], 10000ULL * PAGE + overhead);
	assert_int_equal(dump.size[CODEC_ZLIB], 0);
	sample();
	estimate_dump(&dump, &use, 31, RATE, 1);
	assert_int_equal(dump.size[CODEC_NONE], 5000ULL * PAGE + overhead);
	assert_int_equal(dump.size[CODEC_ZLIB], 5000ULL * PAGE / 4 + overhead);
	assert_int_equal(dump.size[CODEC_LZO], 0);
}

/* A slow medium decides, or else the CPUs, which workers share. */
static void test_time(void **state)
{
	struct estimate_dump dump;
	uint64_t alone;

	(void)state;
	sample();
	estimate_dump(&dump, &use, 31, 1000 * 1000, 1);
	assert_int_equal(dump.ms[CODEC_NONE], dump.size[CODEC_NONE] / 1000);
	estimate_dump(&dump, &use, 31, 1000ULL * RATE, 1);
	alone = dump.ms[CODEC_ZLIB];
	assert_in_range(alone, 100, 200);	/* 10000 pages at 10 us, and reading them */
	estimate_dump(&dump, &use, 31, 1000ULL * RATE, 2);
	assert_int_equal(dump.ms[CODEC_ZLIB], alone / 2);
}

static void test_reserve(void **state)
{
	struct estimate_reserve r;

	(void)state;
	estimate_reserve(&r, 51ULL << 20, 1ULL << 20, 1);
	assert_int_equal(r.total % (16 << 20), 0);
	assert_in_range(r.total, r.kernel + CHECK_RUN_MARGIN + r.image + r.capture, 112ULL << 20);
	estimate_reserve(&r, 51ULL << 20, 1ULL << 20, 5);
	assert_int_equal(r.capture, 28ULL << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
