// SPDX-License-Identifier: GPL-2.0-or-later
/* Progress and the log ring, both under a clock that the test moves. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/sys.h"

/* The sources themselves, with another clock, and under other names than the linked ones. */
static uint64_t clock_ms;
#define now_ms() clock_ms
#define progress_begin test_progress_begin
#define progress_advance test_progress_advance
#include "src/progress.c"
#include "src/console.c"
#include "src/log_ring.c"

#include "tests/lib/unit.h"

static char shown[128];
static unsigned int nr_shown;

static void show(struct progress *progress, const char *line)
{
	(void)progress;
	nr_shown++;
	snprintf(shown, sizeof(shown), "%s", line);
}

static void begin(struct progress *progress, uint64_t total)
{
	*progress = (struct progress){ .show = show };
	clock_ms = 1000000;
	nr_shown = 0;
	shown[0] = 0;
	progress_begin(progress, "writing memory", total);
}

static void test_text(void **state)
{
	struct progress progress;

	(void)state;
	begin(&progress, 2000000000);
	clock_ms += 2000;
	progress_advance(&progress, 500000000);
	assert_string_equal(shown, "writing memory:  25 %  500 of 2000 MB  250 MB/s  ETA 0:06");
	clock_ms += 2000;
	progress_advance(&progress, 1500000000);
	assert_string_equal(shown, "writing memory: 100 %  2000 of 2000 MB  500 MB/s  ETA 0:00");
	begin(&progress, 1000000000000);
	clock_ms += 1000;
	progress_advance(&progress, 1000000);
	assert_string_equal(shown, "writing memory:   0 %  1 of 1000000 MB  1 MB/s  ETA 16666:39");
}

static void test_at_most_once_a_second(void **state)
{
	struct progress progress;

	(void)state;
	begin(&progress, 100000);
	for (unsigned int i = 0; i < 10000; i++) {
		clock_ms++;
		progress_advance(&progress, 10);
	}
	assert_int_equal(nr_shown, 10);
	clock_ms += 999;
	progress_advance(&progress, 0);
	assert_int_equal(nr_shown, 10);
	clock_ms += 1;
	progress_advance(&progress, 0);
	assert_int_equal(nr_shown, 11);
}

static void test_slow(void **state)
{
	struct progress progress;

	(void)state;
	begin(&progress, 1000000);
	clock_ms += 5000;
	progress_advance(&progress, 10);	/* less than a byte a millisecond: no rate, no time left */
	assert_string_equal(shown, "writing memory:   0 %  0 of 1 MB  0 MB/s  ETA 0:00");
}

/* More than was announced, a total of nothing, and a clock that was set back: nothing wraps, nothing divides by zero. */
static void test_odd(void **state)
{
	struct progress progress;

	(void)state;
	begin(&progress, 1000000);
	clock_ms += 1000;
	progress_advance(&progress, 3000000);
	assert_string_equal(shown, "writing memory: 100 %  3 of 1 MB  3 MB/s  ETA 0:00");
	begin(&progress, 0);
	clock_ms += 5000;
	progress_advance(&progress, 3000000);
	assert_int_equal(nr_shown, 0);
	begin(&progress, 1000000);
	clock_ms += 1500;
	progress_advance(&progress, 1);
	clock_ms -= 1500;
	progress_advance(&progress, 1);
	clock_ms -= 1500;
	progress_advance(&progress, 1);
	assert_int_equal(progress.done, 3);
}

static void test_watcher(void **state)
{
	volatile uint64_t moved = 0;
	struct progress progress = { .moved = &moved };

	(void)state;
	progress_begin(&progress, "x", 10);
	assert_int_equal(moved, 1);
	progress_advance(&progress, 1);
	progress_advance(&progress, 0);
	assert_int_equal(moved, 3);
}

static struct log_ring ring;

static size_t text_of(char *ret)
{
	const char *piece[2];
	size_t len[2], total = log_ring_text(&ring, piece, len);

	assert_int_equal(total, len[0] + len[1]);
	assert_true(total <= LOG_RING_SIZE);
	memcpy(ret, piece[0], len[0]);
	memcpy(ret + len[0], piece[1], len[1]);
	ret[total] = 0;
	return total;
}

static int ring_setup(void **state)
{
	(void)state;
	clock_ms = 5000;
	log_ring_init(&ring, 5000);
	console_add(&ring.console, open("/dev/null", O_WRONLY), false);
	return 0;
}

static int ring_teardown(void **state)
{
	(void)state;
	close(ring.console.list[0].fd);
	return 0;
}

static void test_log_lines(void **state)
{
	char text[LOG_RING_SIZE + 1];

	(void)state;
	assert_int_equal(text_of(text), 0);
	log_info(&ring.log, "hello %d", 1);
	clock_ms += 12345;
	log_warn(&ring.log, "beware");
	log_err(&ring.log, "broken");
	log_debug(&ring.log, "detail");
	log_ring_console(&ring, "progress is not kept");
	text_of(text);
	assert_string_equal(text, "[    0.000] hello 1\n[   12.345] warning: beware\n[   12.345] error: broken\n[   12.345] detail\n");
}

/* The last LOG_RING_SIZE bytes of everything, in order, however often it went round. */
static void test_log_wraps(void **state)
{
	static char all[4 * LOG_RING_SIZE], text[LOG_RING_SIZE + 1];
	size_t len = 0;

	(void)state;
	for (unsigned int i = 0; len < 3 * LOG_RING_SIZE; i++) {
		size_t total, expected;

		log_info(&ring.log, "line number %u", i);
		len += sprintf(all + len, "[    0.000] line number %u\n", i);
		total = text_of(text);
		expected = len < LOG_RING_SIZE ? len : LOG_RING_SIZE;
		assert_int_equal(total, expected);
		assert_memory_equal(text, all + len - expected, expected);
	}
}

static void test_log_exactly_full(void **state)
{
	char text[LOG_RING_SIZE + 1], line[256];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[256 - 13] = 0;	/* with its time and newline: 256 bytes */
	for (unsigned int i = 0; i < LOG_RING_SIZE / 256; i++)
		log_info(&ring.log, "%s", line);
	assert_int_equal(ring.nr_bytes, LOG_RING_SIZE);
	assert_int_equal(text_of(text), LOG_RING_SIZE);
	assert_memory_equal(text, "[    0.000] xxx", 15);
}

/* A line without end is cut, on the console as in the buffer, and the next one begins at its own place. */
static void test_log_long_line(void **state)
{
	char text[LOG_RING_SIZE + 1], line[2000];
	size_t total;

	(void)state;
	memset(line, 'y', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	log_err(&ring.log, "%s", line);
	log_info(&ring.log, "next");
	total = text_of(text);
	assert_int_equal(total, 12 + 7 + 319 + 1 + 17);
	assert_memory_equal(text + total - 17, "[    0.000] next\n", 17);
	assert_int_equal(text[total - 18], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_at_most_once_a_second),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_watcher),
		cmocka_unit_test_setup_teardown(test_log_lines, ring_setup, ring_teardown),
		cmocka_unit_test_setup_teardown(test_log_wraps, ring_setup, ring_teardown),
		cmocka_unit_test_setup_teardown(test_log_exactly_full, ring_setup, ring_teardown),
		cmocka_unit_test_setup_teardown(test_log_long_line, ring_setup, ring_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
