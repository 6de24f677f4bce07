// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages out of kdump-compressed files: every codec, what is left out, what is cut or broken, dumps in pieces. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/mem_kdump.h"
#include "tests/lib/kdumpbuilder.h"

#include "tests/lib/unit.h"

#define PAGE 4096ULL
#define NR_PFNS 70000		/* three blocks of bitmap */

static struct kdump_image image;
static struct bytes bytes;
static struct fake_mem files[3];
static struct mem_kdump kdump;
static struct fake_log log_;
static struct error err;
static uint8_t buf[4 * PAGE];

static int setup(void **state)
{
	(void)state;
	kdump_image_init(&image, NR_PFNS);
	return 0;
}

/* A file knows how long it is: what follows a page is read with it then. */
static uint64_t file_size(struct mem *mem)
{
	return container_of(mem, struct fake_mem, mem)->pieces[0].bytes.len;
}

static void tell_size(struct fake_mem *file)
{
	static struct mem_ops ops;

	ops = *file->mem.ops;
	ops.size = file_size;
	file->mem.ops = &ops;
}

static void add_file(unsigned int i)
{
	kdump_image_build(&image, &bytes);
	fake_mem_init(&files[i]);
	fake_mem_add(&files[i], 0, bytes.p, bytes.len);
	tell_size(&files[i]);
	bytes_free(&bytes);
}

static int open_files(unsigned int nr)
{
	static const char *const names[] = { "a", "b", "c" };
	struct kdump_file list[3];

	for (unsigned int i = 0; i < nr; i++)
		list[i] = (struct kdump_file){ &files[i].mem, names[i] };
	return mem_kdump_open(&kdump, list, nr, fake_log_init(&log_), &err);
}

static void open_one(void)
{
	add_file(0);
	assert_int_equal(open_files(1), 0);
}

static int teardown(void **state)
{
	(void)state;
	if (kdump.mem.ops)
		mem_close(&kdump.mem);
	memset(&kdump, 0, sizeof(kdump));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		fake_mem_free(&files[i]);
	memset(files, 0, sizeof(files));
	bytes_free(&bytes);
	return 0;
}

static int read_at(maddr_t addr, size_t len)
{
	memset(buf, 0xaa, sizeof(buf));
	return mem_read(&kdump.mem, addr, buf, len);
}

static void expect_page(uint64_t pfn, uint32_t size)
{
	uint8_t *wanted = malloc(size);

	kdump_image_fill(pfn * size, wanted, size);
	assert_int_equal(mem_kdump_page(&kdump, pfn, buf, &err), 0);
	assert_memory_equal(buf, wanted, size);
	free(wanted);
}

static void check_codecs(const char *machine, uint8_t data)
{
	static const enum page_kind kinds[] = { PAGE_RAW, PAGE_ZLIB, PAGE_LZO, PAGE_SNAPPY, PAGE_ZSTD };

	setup(NULL);
	image.machine = machine;
	image.data = data;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		kdump_image_page(&image, 10 + 7000 * i, kinds[i]);
	open_one();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		expect_page(10 + 7000 * i, PAGE);
	teardown(NULL);
}

static void test_codecs(void **state)
{
	(void)state;
	check_codecs("x86_64", ELFDATA2LSB);
	check_codecs("s390x", ELFDATA2MSB);
	check_codecs("i686", ELFDATA2LSB);
	check_codecs("ppc", ELFDATA2MSB);
}

static void test_large_pages(void **state)
{
	(void)state;
	image.machine = "aarch64";
	image.block_size = 16384;
	kdump_image_page(&image, 1, PAGE_LZO);
	kdump_image_page(&image, 2, PAGE_RAW);
	open_one();
	expect_page(1, 16384);
	expect_page(2, 16384);
}

static void test_zero_pages_share(void **state)
{
	(void)state;
	for (uint64_t pfn = 100; pfn < 110; pfn++)
		kdump_image_page(&image, pfn, pfn == 105 ? PAGE_RAW : PAGE_ZERO);
	open_one();
	memset(buf, 1, sizeof(buf));
	for (uint64_t pfn = 100; pfn < 110; pfn++) {
		if (pfn == 105) {
			expect_page(pfn, PAGE);
			continue;
		}
		assert_int_equal(mem_kdump_page(&kdump, pfn, buf, &err), 0);
		for (size_t i = 0; i < PAGE; i++)
			assert_int_equal(buf[i], 0);
	}
}

/* Reads of any size and alignment, over pages of several kinds. */
static void test_reads(void **state)
{
	uint8_t wanted[4 * PAGE];

	(void)state;
	for (uint64_t pfn = 32766; pfn < 32770; pfn++)
		kdump_image_page(&image, pfn, pfn % 2 ? PAGE_LZO : PAGE_ZLIB);
	open_one();
	for (uint64_t pfn = 32766; pfn < 32770; pfn++)
		kdump_image_fill(pfn * PAGE, wanted + (pfn - 32766) * PAGE, PAGE);
	for (size_t off = 0; off < 2 * PAGE; off += 1000)
		for (size_t len = 1; len < 2 * PAGE; len += 777) {
			assert_int_equal(read_at(32766 * PAGE + off, len), 0);
			assert_memory_equal(buf, wanted + off, len);
		}
	assert_int_equal(read_at(32766 * PAGE, 4 * PAGE), 0);
	assert_memory_equal(buf, wanted, 4 * PAGE);
	assert_int_equal(read_at(32766 * PAGE + 1, 4 * PAGE), -ENODATA);
}

static void test_small_reads_decode_once(void **state)
{
	unsigned int nr;

	(void)state;
	kdump_image_page(&image, 5, PAGE_ZLIB);
	open_one();
	assert_int_equal(read_at(5 * PAGE, 8), 0);
	nr = files[0].nr_requests;
	for (size_t off = 0; off < PAGE; off += 8)
		assert_int_equal(read_at(5 * PAGE + off, 8), 0);
	assert_int_equal(files[0].nr_requests, nr);
}

static void test_left_out(void **state)
{
	uint64_t run;

	(void)state;
	for (uint64_t pfn = 1000; pfn < 1010; pfn++)
		kdump_image_page(&image, pfn, pfn >= 1003 && pfn < 1006 ? PAGE_EXCLUDED : PAGE_RAW);
	open_one();
	assert_int_equal(read_at(1003 * PAGE, PAGE), -ENODATA);
	assert_int_equal(mem_kdump_page(&kdump, 1003, buf, &err), -ENODATA);
	assert_text(err.text, "page frame 1003 is excluded, not in the dump");
	assert_int_equal(mem_kdump_page(&kdump, 999, buf, &err), -ENODATA);
	assert_text(err.text, "no memory");
	assert_int_equal(mem_kdump_page(&kdump, 1ULL << 50, buf, &err), -ENODATA);
	assert_true(mem_present(&kdump.mem, 1000 * PAGE + 5, 10 * PAGE, &run));
	assert_int_equal(run, 3 * PAGE - 5);
	assert_false(mem_present(&kdump.mem, 1003 * PAGE, 10 * PAGE, &run));
	assert_int_equal(run, 3 * PAGE);
	assert_true(mem_present(&kdump.mem, 1006 * PAGE, 2 * PAGE, &run));
	assert_int_equal(run, 2 * PAGE);
	assert_false(mem_present(&kdump.mem, 1010 * PAGE, 1ULL << 40, &run));
	assert_true(run == 1ULL << 40);
	/* What was left out is no defect of the dump. */
	assert_string_equal(log_.text, "");
}

static void test_unwritten(void **state)
{
	(void)state;
	kdump_image_page(&image, 1, PAGE_RAW);
	kdump_image_page(&image, 2, PAGE_UNWRITTEN);
	open_one();
	assert_int_equal(mem_kdump_page(&kdump, 2, buf, &err), -ENODATA);
	assert_text(err.text, "a: page frame 2 was never written");
	assert_int_equal(read_at(2 * PAGE, PAGE), -ENODATA);
	expect_page(1, PAGE);
}

/* Pages in their order cost few reads of the file, also where some are left out between them. */
static void test_order_is_read_ahead(void **state)
{
	unsigned int nr;

	(void)state;
	for (uint64_t pfn = 100; pfn < 220; pfn++)
		kdump_image_page(&image, pfn, pfn % 7 ? PAGE_ZLIB : PAGE_RAW);
	open_one();
	nr = files[0].nr_requests;
	for (uint64_t pfn = 100; pfn < 220; pfn++)
		expect_page(pfn, PAGE);
	assert_true(files[0].nr_requests - nr < 15);
	/* And out of their order they are the same. */
	for (uint64_t pfn = 219; pfn >= 100; pfn -= 3)
		expect_page(pfn, PAGE);
}

/* The file cut at every place behind its headers: what is left of it reads right, the rest fails and says where. */
static void check_cut(bool sized)
{
	setup(NULL);
	for (uint64_t pfn = 1; pfn < 20; pfn++)
		kdump_image_page(&image, pfn, pfn % 3 ? PAGE_LZO : PAGE_RAW);
	add_file(0);
	if (!sized) {
		static struct mem_ops ops;

		ops = *files[0].mem.ops;
		ops.size = NULL;
		files[0].mem.ops = &ops;
	}
	for (size_t len = files[0].pieces[0].bytes.len; len > image.stored_off; len -= 97) {
		unsigned int good = 0;

		files[0].pieces[0].bytes.len = len;
		assert_int_equal(open_files(1), 0);
		for (uint64_t pfn = 1; pfn < 20; pfn++) {
			int rc = mem_kdump_page(&kdump, pfn, buf, &err);

			if (!rc)
				expect_page(pfn, PAGE);
			else
				assert_int_equal(rc, -ENODATA);
			good += !rc;
		}
		assert_true(len > image.data_off ? good < 20 : !good);
		mem_close(&kdump.mem);
	}
	assert_text(log_.text, "a: the page bitmap at 0x");
	memset(&kdump, 0, sizeof(kdump));
	teardown(NULL);
}

static void test_cut(void **state)
{
	(void)state;
	check_cut(true);
	check_cut(false);
}

static const struct {
	unsigned int off, size;
	uint64_t value;
	const char *wanted;
} lies[] = {
	{ 0, 8, 1ULL << 63, "offset 0x8000000000000000" },
	{ 0, 8, 1ULL << 40, "at 0x10000000000" },
	{ 8, 4, 0, "size 0" },
	{ 8, 4, 4097, "size 4097" },
	{ 8, 4, UINT32_MAX, "size 4294967295" },
	{ 8, 4, 10, "does not decode" },
	{ 12, 4, 0, "flags 0x0" },
	{ 12, 4, 2, "does not decode" },
	{ 12, 4, 3, "has no codec" },
};

static void test_broken_descriptors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		setup(NULL);
		kdump_image_page(&image, 1, PAGE_ZLIB);
		kdump_image_page(&image, 2, PAGE_ZLIB);
		add_file(0);
		elf_put(ELFDATA2LSB, fake_mem_at(&files[0], image.desc_off + lies[i].off), lies[i].size, lies[i].value);
		assert_int_equal(open_files(1), 0);
		assert_true(mem_kdump_page(&kdump, 1, buf, &err) < 0);
		assert_text(err.text, lies[i].wanted);
		assert_text(err.text, "a: ");
		assert_true(read_at(PAGE, 100) < 0);
		expect_page(2, PAGE);
		teardown(NULL);
	}
}

static void test_broken_data_is_said_a_few_times(void **state)
{
	(void)state;
	for (uint64_t pfn = 1; pfn < 30; pfn++)
		kdump_image_page(&image, pfn, PAGE_ZLIB);
	open_one();
	memset(fake_mem_at(&files[0], image.data_off), 0x77, files[0].pieces[0].bytes.len - image.data_off);
	for (uint64_t pfn = 1; pfn < 30; pfn++)
		assert_int_equal(read_at(pfn * PAGE, PAGE), -EIO);
	assert_int_equal(log_.nr[LOG_LEVEL_WARN], 11);
	assert_text(log_.text, "more pages are broken");
}

static void add_piece(unsigned int i, uint64_t start, uint64_t end)
{
	setup(NULL);
	for (uint64_t pfn = 100; pfn < 160; pfn++)
		kdump_image_page(&image, pfn, pfn % 5 ? PAGE_LZO : PAGE_EXCLUDED);
	image.split = true;
	image.start_pfn = start;
	image.end_pfn = end;
	add_file(i);
}

static void expect_split(uint64_t missing_from, uint64_t missing_to)
{
	for (uint64_t pfn = 100; pfn < 160; pfn++) {
		uint64_t run;

		if (pfn % 5 == 0) {
			assert_false(mem_present(&kdump.mem, pfn * PAGE, PAGE, &run));
		} else if (pfn >= missing_from && pfn < missing_to) {
			assert_true(mem_present(&kdump.mem, pfn * PAGE, PAGE, &run));
			assert_int_equal(mem_kdump_page(&kdump, pfn, buf, &err), -ENODATA);
			assert_text(err.text, "in a piece of the dump that is missing");
		} else {
			expect_page(pfn, PAGE);
		}
	}
}

static void test_pieces(void **state)
{
	(void)state;
	add_piece(0, 140, NR_PFNS);
	add_piece(1, 0, 120);
	add_piece(2, 120, 140);
	assert_int_equal(open_files(3), 0);
	expect_split(0, 0);
	assert_string_equal(log_.text, "");
}

static void test_missing_pieces(void **state)
{
	(void)state;
	add_piece(0, 140, NR_PFNS);
	add_piece(1, 0, 120);
	assert_int_equal(open_files(2), 0);
	expect_split(120, 140);
	assert_text(log_.text, "the piece with page frames 120 to 140 is missing");
	mem_close(&kdump.mem);
	assert_int_equal(open_files(1), 0);
	expect_split(0, 140);
	assert_text(log_.text, "page frames 0 to 140 is missing");
}

static void test_pieces_that_are_none(void **state)
{
	(void)state;
	add_piece(0, 0, 130);
	add_piece(1, 120, NR_PFNS);
	assert_int_equal(open_files(2), -EINVAL);
	assert_text(err.text, "a and b both have page frame 120");
	memset(&kdump, 0, sizeof(kdump));
	fake_mem_at(&files[1], 12 + 65)[0] = 'X';
	assert_int_equal(open_files(2), -EINVAL);
	assert_text(err.text, "not pieces of the same dump");
	memset(&kdump, 0, sizeof(kdump));
	fake_mem_at(&files[1], 0)[0] = 'X';
	assert_int_equal(open_files(2), -EINVAL);
	assert_text(err.text, "b is not a kdump-compressed file");
	memset(&kdump, 0, sizeof(kdump));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_codecs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zero_pages_share, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small_reads_decode_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unwritten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order_is_read_ahead, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_data_is_said_a_few_times, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces_that_are_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
