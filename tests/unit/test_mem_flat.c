// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flattened streams read at random, by an index that is far smaller than they have records: what is read is what the records
 * say, applied one after the other, in whatever order they were written and are asked for.
 */
#define FLAT_MARKS_MAX 8
#define mem_flat_open small_mem_flat_open
#include "src/mem_flat.c"
#undef mem_flat_open

#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

/* The stream, which counts how often it is read; the read with the number fail_at (from 1) fails. */
static struct {
	struct mem mem;
	struct bytes bytes;
	unsigned int nr_reads, fail_at;
} stream;

static struct bytes plain;
static struct mem_flat flat;
static struct fake_log log_;
static struct error err;
static bool opened;

static int stream_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	(void)mem;
	if (++stream.nr_reads == stream.fail_at)
		return -EIO;
	if (addr > stream.bytes.len || len > stream.bytes.len - addr)
		return -ENODATA;
	memcpy(buf, stream.bytes.p + addr, len);
	return 0;
}

static const struct mem_ops stream_ops = { .name = "stream", .read = stream_read };

static void put64(uint64_t value)
{
	uint8_t raw[8];

	elf_put(ELFDATA2MSB, raw, 8, value);
	bytes_add(&stream.bytes, raw, 8);
}

static int setup(void **state)
{
	(void)state;
	memset(&stream, 0, sizeof(stream));
	memset(&plain, 0, sizeof(plain));
	stream.mem.ops = &stream_ops;
	bytes_add(&stream.bytes, FLAT_SIGNATURE, 16);
	put64(1);
	put64(1);
	bytes_add_zeros(&stream.bytes, FLAT_HEADER_SIZE - 32);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (opened)
		mem_close(&flat.mem);
	opened = false;
	bytes_free(&stream.bytes);
	bytes_free(&plain);
	return 0;
}

/* Into the stream and into the file that it stands for; no two records have the same bytes. */
static void record(uint64_t off, size_t len)
{
	static uint8_t buf[1000];

	pattern_fill(buf, stream.bytes.len, len);
	put64(off);
	put64(len);
	bytes_add(&stream.bytes, buf, len);
	if (plain.len < off + len)
		bytes_add_zeros(&plain, off + len - plain.len);
	memcpy(plain.p + off, buf, len);
}

static void open_flat(void)
{
	put64(UINT64_MAX);
	put64(UINT64_MAX);
	assert_int_equal(small_mem_flat_open(&flat, &stream.mem, fake_log_init(&log_), &err), 0);
	opened = true;
	assert_int_equal(flat.size, plain.len);
	assert_true(flat.nr_marks <= FLAT_MARKS_MAX && flat.stride * FLAT_MARKS_MAX >= flat.nr_records);
}

static void expect_at(uint64_t off, size_t len)
{
	static uint8_t buf[5000];

	assert_int_equal(mem_read(&flat.mem, off, buf, len), 0);
	assert_memory_equal(buf, plain.p + off, len);
}

/* From the beginning, from the end, and here and there. */
static void expect_plain(void)
{
	for (uint64_t off = 0; off < plain.len; off += 777)
		expect_at(off, min_u64(900, plain.len - off));
	for (uint64_t off = plain.len; off >= 555; off -= 555)
		expect_at(off - 555, 555);
	for (unsigned int i = 0; i < 500; i++) {
		uint64_t off = rand() % plain.len;

		expect_at(off, min_u64(rand() % 4000, plain.len - off));
	}
	assert_int_equal(mem_read(&flat.mem, plain.len, &err, 1), -ENODATA);
}

/* Cursors that take turns, each in a region of its own, some with gaps; those that are too many are strays. */
static void test_interleaved(void **state)
{
	(void)state;
	for (unsigned int nr_cursors = 1; nr_cursors <= 12; nr_cursors++) {
		uint64_t at[12] = { 0 };

		setup(NULL);
		srand(nr_cursors);
		for (unsigned int i = 0; i < 1000; i++) {
			unsigned int cursor = rand() % nr_cursors;
			size_t len = 1 + rand() % 50;

			record(cursor * 30000 + at[cursor], len);
			at[cursor] += len + (rand() % 10 ? 0 : 100);
		}
		open_flat();
		assert_int_equal(flat.nr_stray != 0, nr_cursors > FLAT_LANES);
		expect_plain();
		teardown(NULL);
	}
}

/* Anything over anything: the later one wins. */
static void test_overwritten(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 10; seed++) {
		setup(NULL);
		srand(seed);
		for (unsigned int i = 0; i < 300; i++)
			record(rand() % 5000, 1 + rand() % 600);
		open_flat();
		assert_true(flat.nr_stray);
		expect_plain();
		teardown(NULL);
	}
}

/* As kdump dumps are: descriptors and data grow by turns, and a header that was written first is written again. */
static void write_like_kdump(void)
{
	record(0, 400);
	for (unsigned int i = 0; i < 4000; i++) {
		if (i % 50 == 0)
			record(400 + i / 50 * 24, 24);
		record(10000 + i * 40, 40);
	}
	record(0, 400);
	open_flat();
}

/* However few the marks are, who reads on, in two places by turns, does not begin at one of them again. */
static void test_reading_on_is_cheap(void **state)
{
	(void)state;
	write_like_kdump();
	assert_int_equal(flat.nr_stray, 0);
	stream.nr_reads = 0;
	for (uint64_t off = 10000; off + 40 <= plain.len; off += 40) {
		expect_at(400 + (off - 10000) / 2000 * 24, 24);
		expect_at(off, 40);
	}
	assert_true(stream.nr_reads < 5 * 4000);
	/* And who reads anywhere walks over one stretch of each lane at most. */
	stream.nr_reads = 0;
	for (unsigned int i = 0; i < 100; i++)
		expect_at(10000 + rand() % 150000, 1);
	assert_true(stream.nr_reads < 100 * FLAT_LANES * (flat.stride + 2));
	expect_plain();
}

/* A read of the stream that fails is an error, and what follows is read right. */
static void test_stream_fails(void **state)
{
	uint8_t buf[500];

	(void)state;
	write_like_kdump();
	for (unsigned int n = 1; n < 2000; n += 13) {
		uint64_t off = rand() % (plain.len - sizeof(buf));
		int rc;

		stream.nr_reads = 0;
		stream.fail_at = n;
		rc = mem_read(&flat.mem, off, buf, sizeof(buf));
		assert_int_equal(rc, stream.nr_reads >= n ? -EIO : 0);
		stream.fail_at = 0;
		expect_at(off, sizeof(buf));
	}
}

static void test_many_strays_are_told(void **state)
{
	(void)state;
	for (unsigned int i = 1100; i; i--)
		record(i * 10, 10);
	open_flat();
	assert_text(log_.text, "more than 7 places at once");
	expect_plain();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interleaved),
		cmocka_unit_test(test_overwritten),
		cmocka_unit_test_setup_teardown(test_reading_on_is_cheap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_strays_are_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
