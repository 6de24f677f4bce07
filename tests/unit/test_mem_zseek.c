// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of zstd frames read at random: with a seek table, without one, with a wrong one, cut anywhere, broken anywhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "elfcore/mem_zseek.h"
#include "elfcore/zseek_format.h"
#include "elfcore/zstd_frame.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

static struct bytes file, plain, table;
static unsigned int nr_entries;
static struct fake_mem below;
static struct mem_zseek zseek;
static struct fake_log log_;
static struct error err;
static bool opened;

/* A fake_mem does not know its size. */
static uint64_t below_size(struct mem *mem)
{
	(void)mem;
	return file.len;
}

static int setup(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	memset(&plain, 0, sizeof(plain));
	memset(&table, 0, sizeof(table));
	nr_entries = 0;
	fake_mem_init(&below);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (opened)
		mem_close(&zseek.mem);
	opened = false;
	bytes_free(&file);
	bytes_free(&plain);
	bytes_free(&table);
	fake_mem_free(&below);
	return 0;
}

static void add_entry(size_t in, size_t out)
{
	uint8_t raw[8];

	elf_put(ELFDATA2LSB, raw, 4, in);
	elf_put(ELFDATA2LSB, raw + 4, 4, out);
	bytes_add(&table, raw, 8);
	nr_entries++;
}

/* One frame; flags: what its header has. */
static size_t add_frame(size_t len, bool checksum, bool content_size)
{
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	size_t cap = ZSTD_compressBound(len), n;
	uint8_t *buf = malloc(len + 1), *out = malloc(cap);

	for (size_t i = 0; i < len; i++)
		buf[i] = (plain.len + i) / 100 * 7 + (i % 300 == 0 ? plain.len : 0);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, checksum);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, content_size);
	n = ZSTD_compress2(cctx, out, cap, buf, len);
	assert_false(ZSTD_isError(n));
	bytes_add(&file, out, n);
	bytes_add(&plain, buf, len);
	ZSTD_freeCCtx(cctx);
	free(buf);
	free(out);
	return n;
}

static void add_frames(void)
{
	static const size_t lens[] = { 64, 5000, 200, 300000, 1 << 20, 70000, 1 };

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++)
		add_entry(add_frame(lens[i], i % 2, true), lens[i]);
}

static void add_table(void)
{
	uint8_t header[8], footer[9] = { 0 };

	elf_put(ELFDATA2LSB, header, 4, ZSEEK_TABLE_MAGIC);
	elf_put(ELFDATA2LSB, header + 4, 4, table.len + 9);
	elf_put(ELFDATA2LSB, footer, 4, nr_entries);
	elf_put(ELFDATA2LSB, footer + 5, 4, ZSEEK_FOOTER_MAGIC);
	bytes_add(&file, header, 8);
	bytes_add(&file, table.p, table.len);
	bytes_add(&file, footer, 9);
}

static int open_file(void)
{
	static struct mem_ops ops;

	fake_mem_free(&below);
	fake_mem_init(&below);
	fake_mem_add(&below, 0, file.p, file.len);
	ops = *below.mem.ops;
	ops.size = below_size;
	below.mem.ops = &ops;
	if (opened)
		mem_close(&zseek.mem);
	opened = false;
	if (mem_zseek_open(&zseek, &below.mem, fake_log_init(&log_), &err))
		return err.code ? err.code : -ENODEV;
	opened = true;
	return 0;
}

static void expect_all(uint64_t size)
{
	uint8_t *buf = malloc(plain.len + 1);

	assert_int_equal(mem_size(&zseek.mem), size);
	assert_int_equal(mem_read(&zseek.mem, 0, buf, size), 0);
	assert_memory_equal(buf, plain.p, size);
	for (uint64_t off = 0; off < size; off += 12345) {
		size_t len = min_u64(1 + off % 50000, size - off);

		assert_int_equal(mem_read(&zseek.mem, size - off - len, buf, len), 0);
		assert_memory_equal(buf, plain.p + size - off - len, len);
	}
	assert_int_equal(mem_read(&zseek.mem, size, buf, 1), -ENODATA);
	free(buf);
}

static void test_with_table(void **state)
{
	(void)state;
	add_frames();
	add_table();
	assert_int_equal(open_file(), 0);
	assert_true(zseek.has_table);
	expect_all(plain.len);
	assert_int_equal(mem_check_whole(&zseek.mem, &err), 0);
	assert_int_equal(mem_check(&zseek.mem, &err), 0);
	assert_string_equal(log_.text, "");
}

/* An entry may stand for several frames. */
static void test_table_of_groups(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		size_t in = 0, out = plain.len;

		for (unsigned int j = 0; j < 5; j++)
			in += add_frame(1000 + 100 * i + j, false, true);
		add_entry(in, plain.len - out);
	}
	add_table();
	assert_int_equal(open_file(), 0);
	assert_int_equal(zseek.marks.nr_items, 20);
	assert_int_equal(mem_check(&zseek.mem, &err), 0);
	expect_all(plain.len);
}

static void test_without_table(void **state)
{
	(void)state;
	add_frames();
	bytes_add(&file, "\x5a\x2a\x4d\x18\x03\0\0\0abc", 11);	/* a skippable frame of somebody else */
	add_frames();
	assert_int_equal(open_file(), 0);
	assert_false(zseek.has_table);
	expect_all(plain.len);
}

/* On a device the table is not at the end. */
static void test_table_in_the_middle(void **state)
{
	(void)state;
	add_frames();
	add_table();
	bytes_add_zeros(&file, 100000);
	assert_int_equal(open_file(), 0);
	expect_all(plain.len);
	assert_int_equal(mem_check_whole(&zseek.mem, &err), 0);
}

static void test_wrong_table(void **state)
{
	(void)state;
	add_frames();
	elf_put(ELFDATA2LSB, table.p, 4, 99999);
	add_table();
	assert_int_equal(open_file(), 0);
	assert_text(log_.text, "is not about the frames before it");
	expect_all(plain.len);
	assert_int_equal(mem_check(&zseek.mem, &err), -EINVAL);
	assert_text(err.text, "entry 0 of the seek table");
}

static void change_entry(unsigned int i, unsigned int field, int by)
{
	uint8_t *p = table.p + 8 * i + 4 * field;

	elf_put(ELFDATA2LSB, p, 4, elf_get(ELFDATA2LSB, p, 4) + by);
}

/* Tables of the right length and sums, one entry of which is wrong: the check says which. */
static void test_check_of_entries(void **state)
{
	static const struct {
		unsigned int more, less, field;
		const char *says;
	} cases[] = {
		{ 1, 2, 0, "entry 1 of the seek table ends at" },	/* into the frame behind */
		{ 2, 1, 0, "entry 1 of the seek table ends at" },		/* short of its own end */
		{ 3, 5, 1, "entry 3 of the seek table says 300010 bytes of content, its frames hold 300000" },
		{ 5, 3, 1, "entry 3 of the seek table says 299990 bytes of content, its frames hold 300000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		file.len = plain.len = table.len = nr_entries = 0;
		add_frames();
		change_entry(cases[i].more, cases[i].field, 10);
		change_entry(cases[i].less, cases[i].field, -10);
		add_table();
		assert_int_equal(open_file(), 0);
		assert_true(zseek.has_table);
		assert_int_equal(mem_check(&zseek.mem, &err), -EINVAL);
		assert_text(err.text, cases[i].says);
	}
}

/* An entry more than there are frames, and one less. */
static void test_check_of_sums(void **state)
{
	(void)state;
	add_frames();
	add_entry(0, 5);
	add_table();
	assert_int_equal(open_file(), 0);
	assert_int_equal(mem_check(&zseek.mem, &err), -EINVAL);
	assert_text(err.text, "entry 7 of the seek table says 5 bytes of content, its frames hold 0");
	file.len = plain.len = table.len = nr_entries = 0;
	add_frames();
	nr_entries--;
	table.len -= 8;
	add_table();
	assert_int_equal(open_file(), 0);
	assert_int_equal(mem_check(&zseek.mem, &err), -EINVAL);
	assert_text(err.text, "the seek table ends at");
}

/* A table that adds up, but whose entries lie: what they make wrong fails, nothing else happens. */
static void test_lying_entries(void **state)
{
	uint8_t buf[300];

	(void)state;
	add_frames();
	elf_put(ELFDATA2LSB, table.p, 4, elf_get(ELFDATA2LSB, table.p, 4) + 10);
	elf_put(ELFDATA2LSB, table.p + 8, 4, elf_get(ELFDATA2LSB, table.p + 8, 4) - 10);
	add_table();
	assert_int_equal(open_file(), 0);
	assert_int_equal(mem_read(&zseek.mem, 0, buf, 64), 0);
	assert_int_equal(mem_read(&zseek.mem, 100, buf, 64), -EIO);
	assert_int_equal(mem_read(&zseek.mem, 5064, buf, 200), 0);
}

static void test_cut(void **state)
{
	size_t whole;

	(void)state;
	add_frames();
	whole = file.len;
	add_table();
	for (size_t len = file.len - 1; len > 4; len -= len > whole ? 1 : 397) {
		file.len = len;
		if (open_file()) {
			assert_true(len < 200 && err.code == -ENODATA);
			continue;
		}
		if (zseek.size)
			expect_all(zseek.size);
		if (len < whole)
			assert_true(zseek.size < plain.len && mem_check_whole(&zseek.mem, &err) == -ENODATA);
		if (len < 600)
			break;
	}
}

static void test_broken_frame(void **state)
{
	uint8_t buf[100];

	(void)state;
	add_frames();
	add_table();
	/* In the blocks of the frame of 300,000 bytes, which has a checksum. */
	file.p[elf_get(ELFDATA2LSB, table.p, 4) + elf_get(ELFDATA2LSB, table.p + 8, 4) + elf_get(ELFDATA2LSB, table.p + 16, 4) + 100] ^= 0x40;
	assert_int_equal(open_file(), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(mem_read(&zseek.mem, 6000, buf, 100), -EIO);
	assert_text(log_.text, "does not decode");
	/* It is decoded once, and said once. */
	assert_int_equal(log_.nr[LOG_LEVEL_WARN], 1);
	assert_int_equal(mem_read(&zseek.mem, 5000, buf, 100), 0);
	assert_memory_equal(buf, plain.p + 5000, 100);
}

static void test_not_ours(void **state)
{
	(void)state;
	bytes_add(&file, "\177ELF", 5);
	err.code = 0;
	assert_int_equal(open_file(), -ENODEV);
	file.len = 0;
	add_frame(1000, false, false);
	assert_int_equal(open_file(), -EOPNOTSUPP);
	assert_text(err.text, "does not say how much it holds");
}

static void test_memory_does_not_grow(void **state)
{
	struct marks marks = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 10 * MARKS_MAX; i++)
		assert_int_equal(marks_add(&marks, i * 1000, i * 7), 0);
	assert_true(marks.nr <= MARKS_MAX && marks.cap <= MARKS_MAX && marks.stride == 16);
	for (uint64_t key = 0; key < 10000ULL * MARKS_MAX; key += 999983) {
		const struct mark *mark = marks_find(&marks, key);

		assert_true(mark && mark->key <= key && key - mark->key < 16000 && mark->pos == mark->key / 1000 * 7);
	}
	marks_deinit(&marks);
	assert_null(marks_find(&marks, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_with_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table_of_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check_of_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check_of_sums, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lying_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_ours, setup, teardown),
		cmocka_unit_test(test_memory_does_not_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
