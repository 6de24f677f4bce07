// SPDX-License-Identifier: GPL-2.0-or-later
/* Counting crashes and deleting old dumps in a directory that also holds what is none of our business. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/dumps.h"
#include "src/identity.h"
#include "src/sys.h"

#include "tests/lib/unit.h"

#define SELF "box-2026-11-21-03:00:00"

static char base[64];

static void put(const char *dir, const char *name, size_t size)
{
	static char data[65536];
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", base, dir);
	assert_int_equal(make_dirs(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/%s", base, dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0 && size <= sizeof(data));
	memset(data, 'x', sizeof(data));
	assert_int_equal(write_all(fd, data, size), 0);
	fsync(fd);	/* blocks are counted when they are allocated */
	close(fd);
}

static void put_dump(const char *dir)
{
	put(dir, "vmcore", 65536);
	put(dir, "vmcore-dmesg.txt", 100);
	put(dir, "kcapture.log", 100);
}

static bool there(const char *dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", base, dir);
	return !access(path, F_OK);
}

static int setup(void **state)
{
	(void)state;
	strcpy(base, "/tmp/kcapture-dumps-XXXXXX");
	return mkdtemp(base) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", base);
	return system(command);
}

static void test_times(void **state)
{
	char name[IDENTITY_MAX];

	(void)state;
	for (int64_t time = 1; time < 4102444800; time += 86399 * 11) {
		identity_name("box", time, name);
		assert_int_equal(identity_time(name), time);
	}
	assert_int_equal(identity_time("a-b.c-1970-01-02-00:00:00"), 86400);
	assert_int_equal(identity_time("box-1970-01-02-00-00-01.17"), 86401);
	assert_int_equal(identity_time("1970-01-02-00:00:00"), 0);
	assert_int_equal(identity_time("box-1970-13-02-00:00:00"), 0);
	assert_int_equal(identity_time("box-1970-01-02-00:00"), 0);
	assert_int_equal(identity_time("box-1970-01-02-00:00:0x"), 0);
	assert_int_equal(identity_time(""), 0);
	assert_int_equal(identity_time("..."), 0);
}

/* An hour is an hour, the future and the crash itself do not count. */
static void test_lately(void **state)
{
	int64_t when = identity_time(SELF);

	(void)state;
	assert_int_equal(dumps_lately("/nowhere", SELF, when), 0);
	put(SELF, "kcapture.log", 1);
	assert_int_equal(dumps_lately(base, SELF, when), 0);
	put("box-2026-11-21-02:00:01", "kcapture.log", 1);
	put("box-2026-11-21-02:30:00", "kcapture.log", 1);
	put("box-2026-11-21-03:00:00.1", "kcapture.log", 1);
	assert_int_equal(dumps_lately(base, SELF, when), 3);
	put("box-2026-11-21-02:00:00", "kcapture.log", 1);
	put("box-2026-11-21-03:00:01", "kcapture.log", 1);
	put("lost+found", "file", 1);
	assert_int_equal(dumps_lately(base, SELF, when), 3);
}

static void fill(void)
{
	put_dump("box-2026-11-19-00:00:00");
	put_dump("box-2026-11-20-00:00:00");
	put_dump("box-2026-11-21-00:00:00");
	put_dump(SELF);
	/* the oldest of all, and not ours to delete: unfinished, another's, a file */
	put("box-2026-11-01-00:00:00", "vmcore-incomplete", 1);
	put("box-2026-11-01-00:00:00", "kcapture.log", 1);
	put("box-2026-11-02-00:00:00", "vmcore", 1);
	put("127.0.0.1-2026-11-03-00:00:00", "vmcore-dmesg.txt", 1);
	put(".", "notes.txt", 1);
}

static void check_rest(void)
{
	assert_true(there(SELF) && there("notes.txt") && there("box-2026-11-01-00:00:00/vmcore-incomplete"));
	assert_true(there("box-2026-11-02-00:00:00/vmcore") && there("127.0.0.1-2026-11-03-00:00:00/vmcore-dmesg.txt"));
}

static void prune(unsigned int keep, uint64_t bytes)
{
	const struct dumps_limits limits = { .keep = keep, .keep_bytes = bytes };

	dumps_prune(base, SELF, &limits, NULL);
	check_rest();
}

static void test_keep(void **state)
{
	(void)state;
	fill();
	prune(0, 0);
	prune(4, 0);
	assert_true(there("box-2026-11-19-00:00:00"));
	prune(3, 0);
	assert_false(there("box-2026-11-19-00:00:00"));
	assert_true(there("box-2026-11-20-00:00:00/vmcore"));
	prune(1, 0);
	assert_false(there("box-2026-11-20-00:00:00") || there("box-2026-11-21-00:00:00"));
}

/* However small the limit: the new one stays. */
static void test_keep_bytes(void **state)
{
	(void)state;
	fill();
	prune(0, 1 << 20);
	assert_true(there("box-2026-11-19-00:00:00"));
	prune(0, 3 * 80000);
	assert_false(there("box-2026-11-19-00:00:00"));
	assert_true(there("box-2026-11-20-00:00:00/vmcore"));
	prune(0, 1);
	assert_false(there("box-2026-11-20-00:00:00") || there("box-2026-11-21-00:00:00"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test_setup_teardown(test_lately, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keep_bytes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
