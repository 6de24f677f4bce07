// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/armed.h"

#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char top[64];

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/kcapture-armed-XXXXXX");
	assert_non_null(mkdtemp(top));
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* What is written is read again, and no record is told from a record. */
static void test_round_trip(void **state)
{
	static struct armed armed, again;
	char input[128], sum[DIGEST_HEX_SIZE];
	struct error err;

	(void)state;
	assert_int_equal(armed_read(&again, top, &err), -ENOENT);
	snprintf(input, sizeof(input), "%s/a file", top);
	put(input, "abc");
	armed.time = "2026-11-29T08:00:00Z";
	armed.kernel = "6.1";
	armed.cmdline = "one two\nthree";
	armed_add_input(&armed, input);
	armed_add_input(&armed, "/nowhere");
	armed_add_input(&armed, "");
	assert_int_equal(armed_write(&armed, top, &err), 0);
	assert_int_equal(armed_read(&again, top, &err), 0);
	assert_string_equal(again.time, "2026-11-29T08:00:00Z");
	assert_string_equal(again.kernel, "6.1");
	assert_string_equal(again.cmdline, "one two three");
	assert_string_equal(again.initramfs, "");
	assert_int_equal(again.nr_inputs, 1);
	assert_string_equal(again.inputs[0].path, input);
	assert_string_equal(again.inputs[0].sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	put(input, "abcd");
	assert_int_equal(armed_digest(input, sum, &err), 0);
	assert_string_not_equal(sum, again.inputs[0].sha256);
	armed_forget(top);
	assert_int_equal(armed_read(&again, top, &err), -ENOENT);
}

/* A file that somebody has been at. */
static void test_rubbish(void **state)
{
	static struct armed armed;
	char path[128];
	struct error err;

	(void)state;
	snprintf(path, sizeof(path), "%s/run", top);
	assert_int_equal(armed_write(&armed, top, &err), 0);
	snprintf(path, sizeof(path), "%s/run/kcapture/armed", top);
	put(path, "kernel\ninput\ninput abc\n\nwhat is this\nkernel 7\ninput 12  /x\n");
	assert_int_equal(armed_read(&armed, top, &err), 0);
	assert_string_equal(armed.kernel, "7");
	assert_int_equal(armed.nr_inputs, 0);
	assert_string_equal(armed.time, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rubbish, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
