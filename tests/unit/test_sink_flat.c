// SPDX-License-Identifier: GPL-2.0-or-later
/* The flattened stream, taken apart again by a decoder that shares no code with the encoder; and the sticky error. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/sink_flat.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

static struct fake_sink below;
static struct sink_flat flat;
static struct sink *sink;

static int setup(void **state)
{
	(void)state;
	sink = sink_flat_init(&flat, fake_sink_init(&below, 0));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_sink_free(&below);
	return 0;
}

static uint64_t big_endian(const uint8_t *p)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value * 256 + p[i];
	return value;
}

/* The file that the stream stands for; false without an end record. Sizes are checked by their bounds. */
static bool decode(struct bytes *ret, unsigned int *nr_records)
{
	size_t pos = 4096;

	assert_true(below.data.len >= 4096);
	assert_memory_equal(below.data.p, "makedumpfile\0\0\0\0", 16);
	assert_int_equal(big_endian(below.data.p + 16), 1);
	assert_int_equal(big_endian(below.data.p + 24), 1);
	for (size_t i = 32; i < 4096; i++)
		assert_int_equal(below.data.p[i], 0);
	for (*nr_records = 0; pos < below.data.len; ++*nr_records) {
		uint64_t off, size;

		assert_true(below.data.len - pos >= 16);
		off = big_endian(below.data.p + pos);
		size = big_endian(below.data.p + pos + 8);
		pos += 16;
		if (off == UINT64_MAX && size == UINT64_MAX) {
			assert_int_equal(pos, below.data.len);
			return true;
		}
		assert_true(size > 0 && size <= 65536 && size <= below.data.len - pos);
		if (*nr_records == 0)
			assert_int_equal(off, 0);
		if (ret->len < off + size)
			bytes_add_zeros(ret, off + size - ret->len);
		memcpy(ret->p + off, below.data.p + pos, size);
		pos += size;
	}
	return false;
}

static void test_roundtrip(void **state)
{
	struct bytes expected = { 0 }, file = { 0 };
	uint8_t buf[200000];
	unsigned int nr;

	(void)state;
	bytes_add_zeros(&expected, 600000);
	pattern_fill(buf, 5, sizeof(buf));
	assert_int_equal(sink_write(sink, 0, buf, 100), 0);
	memcpy(expected.p, buf, 100);
	assert_int_equal(sink_write(sink, 300000, buf, sizeof(buf)), 0);	/* a gap, and four records */
	memcpy(expected.p + 300000, buf, sizeof(buf));
	assert_int_equal(sink_write(sink, 150000, buf + 7, 50000), 0);		/* backwards */
	memcpy(expected.p + 150000, buf + 7, 50000);
	assert_int_equal(sink_write(sink, 0, buf + 50, 60), 0);			/* again */
	memcpy(expected.p, buf + 50, 60);
	assert_int_equal(sink_zero(sink, 500000, 100000), 0);
	assert_int_equal(sink_sync(sink), 0);
	assert_int_equal(sink_commit(sink, 600000), 0);
	assert_true(decode(&file, &nr));
	assert_int_equal(nr, 1 + 4 + 1 + 1 + 1);
	assert_int_equal(file.len, expected.len);
	assert_memory_equal(file.p, expected.p, expected.len);
	/* The stream below was never asked to seek. */
	assert_int_equal(below.nr_overwritten, 0);
	assert_int_equal(fake_sink_count(&below, 0, below.data.len, 'w'), below.data.len);
	assert_true(below.committed);
	assert_int_equal(below.size, below.data.len);
	bytes_free(&expected);
	bytes_free(&file);
}

/* A file that ends in zeros gets its length by one last byte; one that does not needs none. */
static void test_size(void **state)
{
	struct bytes file = { 0 };
	unsigned int nr;

	(void)state;
	sink_write(sink, 0, "abc", 3);
	assert_int_equal(sink_commit(sink, 1000), 0);
	assert_true(decode(&file, &nr));
	assert_int_equal(file.len, 1000);
	assert_int_equal(nr, 2);
	bytes_free(&file);
	teardown(NULL);
	setup(NULL);
	sink_write(sink, 0, "abc", 3);
	assert_int_equal(sink_commit(sink, 3), 0);
	assert_true(decode(&file, &nr));
	assert_int_equal(file.len, 3);
	assert_int_equal(nr, 1);
	bytes_free(&file);
}

/* Kept, not committed: all records, and no end. */
static void test_keep(void **state)
{
	struct bytes file = { 0 };
	unsigned int nr;

	(void)state;
	sink_write(sink, 0, "abc", 3);
	assert_int_equal(sink_keep(sink, 1000), 0);
	assert_false(decode(&file, &nr));
	assert_int_equal(nr, 1);
	assert_memory_equal(file.p, "abc", 3);
	assert_true(below.kept && !below.committed);
	bytes_free(&file);
}

static void test_full_records(void **state)
{
	struct bytes file = { 0 };
	uint8_t *buf = malloc(3 * 65536);
	unsigned int nr;

	(void)state;
	pattern_fill(buf, 0, 3 * 65536);
	sink_write(sink, 0, buf, 3 * 65536);
	sink_commit(sink, 3 * 65536);
	assert_true(decode(&file, &nr));
	assert_int_equal(nr, 3);
	assert_memory_equal(file.p, buf, 3 * 65536);
	free(buf);
	bytes_free(&file);
}

/* The first error stays, and nothing more goes below. */
static void test_sticky(void **state)
{
	unsigned int nr_events;

	(void)state;
	sink_write(sink, 0, "abc", 3);
	below.fail_at = below.nr_writes + 1;
	below.fail_error = -EPIPE;
	assert_int_equal(sink_write(sink, 10, "d", 1), -EPIPE);
	nr_events = below.nr_events;
	assert_int_equal(sink_write(sink, 20, "e", 1), -EPIPE);
	assert_int_equal(sink_zero(sink, 20, 1), -EPIPE);
	assert_int_equal(sink_sync(sink), -EPIPE);
	assert_int_equal(sink_commit(sink, 30), -EPIPE);
	assert_int_equal(below.nr_events, nr_events);
	assert_int_equal(sink->nr_written, 3);
	assert_false(below.committed);
	sink_retry(sink);
	assert_int_equal(sink->error, 0);
}

static void test_nth_write_fails(void **state)
{
	(void)state;
	for (unsigned int n = 1;; n++) {
		struct bytes file = { 0 };
		uint8_t buf[1000];
		unsigned int nr;

		teardown(NULL);
		setup(NULL);
		pattern_fill(buf, 0, sizeof(buf));
		below.fail_at = n;
		below.fail_error = -EIO;
		sink_write(sink, 0, buf, sizeof(buf));
		sink_write(sink, 5000, buf, sizeof(buf));
		if (!sink_commit(sink, 8000)) {
			assert_true(decode(&file, &nr));
			assert_int_equal(file.len, 8000);
			bytes_free(&file);
			/* header in 17 pieces, 3 records of 2, the end */
			assert_int_equal(n, 1 + 16 + 6 + 1 + 1);
			break;
		}
		assert_false(below.committed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_roundtrip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sticky, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nth_write_fails, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
