// SPDX-License-Identifier: GPL-2.0-or-later
/* A flattened stream put together again: records out of order and overlapping, streams that end early or lie. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/sink_flat.h"
#include "src/flat_together.h"
#include "tests/lib/unit.h"

static uint8_t stream[FLAT_HEADER_SIZE + 4096];
static size_t stream_len;
static struct error err;

/* A sink in memory. */
struct memory_sink {
	struct sink sink;
	char data[256];
};

static int memory_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct memory_sink *memory = container_of(sink, struct memory_sink, sink);

	if (off + len > sizeof(memory->data))
		return -ENOSPC;
	memcpy(memory->data + off, buf, len);
	return 0;
}

static int memory_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	return memory_write(sink, off, (const char[256]){ 0 }, len);
}

static const struct sink_ops memory_ops = { .name = "memory", .caps = SINK_SEEK, .write = memory_write, .zero = memory_zero };

static void put_be64(uint64_t value)
{
	for (int i = 56; i >= 0; i -= 8)
		stream[stream_len++] = value >> i;
}

static void begin(void)
{
	memset(stream, 0, sizeof(stream));
	memcpy(stream, FLAT_SIGNATURE, 16);
	stream_len = 16;
	put_be64(1);
	put_be64(1);
	stream_len = FLAT_HEADER_SIZE;
}

static void record(uint64_t off, uint64_t len, const char *data)
{
	put_be64(off);
	put_be64(len);
	memcpy(stream + stream_len, data, strlen(data));
	stream_len += strlen(data);
}

static int run(struct memory_sink *memory, uint64_t *size)
{
	int fds[2], rc;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], stream, stream_len), stream_len);
	close(fds[1]);
	memset(memory, 0, sizeof(*memory));
	sink_init(&memory->sink, &memory_ops);
	*size = 0;
	rc = flat_take_header(fds[0], &err);
	if (!rc)
		rc = flat_together(fds[0], &memory->sink, size, &err);
	close(fds[0]);
	return rc;
}

static void test_order(void **state)
{
	struct memory_sink memory;
	uint64_t size;

	(void)state;
	begin();
	record(0, 6, "HEADER");
	record(20, 4, "tail");
	record(10, 4, "midd");
	record(0, 4, "head");
	record(UINT64_MAX, UINT64_MAX, "");
	assert_int_equal(run(&memory, &size), 0);
	assert_int_equal(size, 24);
	assert_memory_equal(memory.data, "headER\0\0\0\0midd\0\0\0\0\0\0tail", 24);
}

static void test_early_end(void **state)
{
	struct memory_sink memory;
	uint64_t size;

	(void)state;
	begin();
	record(0, 4, "head");
	assert_int_equal(run(&memory, &size), -ENODATA);
	assert_int_equal(size, 4);
	assert_non_null(strstr(err.text, "without an end record"));
	record(4, 100, "short");
	assert_int_equal(run(&memory, &size), -ENODATA);
	assert_non_null(strstr(err.text, "before the end of a record"));
	stream_len = 100;
	assert_int_equal(run(&memory, &size), -EINVAL);
}

static void test_lies(void **state)
{
	struct memory_sink memory;
	uint64_t size;

	(void)state;
	begin();
	record(INT64_MAX, 2, "");
	assert_int_equal(run(&memory, &size), -EINVAL);
	begin();
	record(0, UINT64_MAX, "");
	assert_int_equal(run(&memory, &size), -EINVAL);
	begin();
	record(1000, 4, "full");
	assert_int_equal(run(&memory, &size), -ENOSPC);
	begin();
	stream[0] = 'M';
	assert_int_equal(run(&memory, &size), -EINVAL);
	assert_int_equal(size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_early_end),
		cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
