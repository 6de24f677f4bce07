// SPDX-License-Identifier: GPL-2.0-or-later
/* The grammar of elfcorehdr=, as the kernel's memparse() takes it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "elfcore/elfcorehdr.h"

#include "tests/lib/unit.h"

struct good {
	const char *cmdline;
	uint64_t addr, size;
};

static void test_accepted(void **state)
{
	static const struct good cases[] = {
		{ "elfcorehdr=0x33000000", 0x33000000, 0 },
		{ "elfcorehdr=1031540K", 1031540ULL << 10, 0 },
		{ "elfcorehdr=0", 0, 0 },
		{ "elfcorehdr=1", 1, 0 },
		{ "elfcorehdr=0777", 0777, 0 },
		{ "elfcorehdr=0XaBcDeF", 0xabcdef, 0 },
		{ "elfcorehdr=0x10k", 0x4000, 0 },
		{ "elfcorehdr=3m", 3ULL << 20, 0 },
		{ "elfcorehdr=3M", 3ULL << 20, 0 },
		{ "elfcorehdr=5g", 5ULL << 30, 0 },
		{ "elfcorehdr=5G", 5ULL << 30, 0 },
		{ "elfcorehdr=7t", 7ULL << 40, 0 },
		{ "elfcorehdr=7T", 7ULL << 40, 0 },
		{ "elfcorehdr=9p", 9ULL << 50, 0 },
		{ "elfcorehdr=9P", 9ULL << 50, 0 },
		{ "elfcorehdr=15e", 15ULL << 60, 0 },
		{ "elfcorehdr=15E", 15ULL << 60, 0 },
		{ "elfcorehdr=0x400@0x1000", 0x1000, 0x400 },
		{ "elfcorehdr=64K@1G", 1ULL << 30, 64 << 10 },
		{ "elfcorehdr=0@0x1000", 0x1000, 0 },
		{ "elfcorehdr=0xfffffffffffffffd", UINT64_MAX - 2, 0 },
		{ "elfcorehdr=18446744073709551613", UINT64_MAX - 2, 0 },
		{ "ro quiet elfcorehdr=0x1000 panic=1", 0x1000, 0 },
		{ "elfcorehdr=0x1000\n", 0x1000, 0 },
		{ "a\telfcorehdr=0x1000\tb", 0x1000, 0 },
		/* The last one that is whole wins. */
		{ "elfcorehdr=0x1000 elfcorehdr=0x2000", 0x2000, 0 },
		{ "elfcorehdr=16@0x1000 elfcorehdr=0x2000", 0x2000, 0 },
		{ "elfcorehdr=0x1000 elfcorehdr=rubbish", 0x1000, 0 },
		{ "elfcorehdr=rubbish elfcorehdr=0x1000", 0x1000, 0 },
		/* Nobody else's parameter. */
		{ "xelfcorehdr=1 elfcorehdr=0x2000 elfcorehdrs=3", 0x2000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct elfcorehdr hdr = { 77, 77 };
		struct error err;
		int rc = elfcorehdr_parse(cases[i].cmdline, &hdr, &err);

		if (rc || hdr.addr != cases[i].addr || hdr.size != cases[i].size)
			fail_msg("%s: %d, %#jx, %#jx", cases[i].cmdline, rc, (uintmax_t)hdr.addr, (uintmax_t)hdr.size);
	}
}

static void test_rejected(void **state)
{
	static const char *const values[] = {
		"", "x", "K", "@", "0x", "0xg", "12x", "12KK", "12KB", "08", "-1", "+1", " 1", "1@", "@1", "1@2@3", "1@2x", "1x@2",
		"1@0x", "0x1000,", "0x1000\"", "1.5M",
		/* none and broken, include/linux/crash_dump.h */
		"0xffffffffffffffff", "0xfffffffffffffffe", "18446744073709551615", "01777777777777777777777", "4K@0xffffffffffffffff",
		/* too large for 64 bits */
		"18446744073709551616", "0x10000000000000000", "16E", "16777216T", "02000000000000000000000", "16E@1",
		"99999999999999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		char line[128];
		struct elfcorehdr hdr;
		struct error err;
		int rc;

		snprintf(line, sizeof(line), "a elfcorehdr=%s", values[i]);
		rc = elfcorehdr_parse(line, &hdr, &err);
		if (rc != -EINVAL || err.code != -EINVAL)
			fail_msg("\"%s\": %d", values[i], rc);
	}
}

static void test_error_names_the_last(void **state)
{
	struct elfcorehdr hdr;
	struct error err;

	(void)state;
	assert_int_equal(elfcorehdr_parse("elfcorehdr=first elfcorehdr=second b", &hdr, &err), -EINVAL);
	assert_string_equal(err.text, "elfcorehdr=second is not [size[KMG]@]offset[KMG]");
}

static void test_none(void **state)
{
	static const char *const lines[] = { "", " ", "\n", "ro quiet", "elfcorehdr", "xelfcorehdr=1", "elfcorehd=1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct elfcorehdr hdr;
		struct error err;

		assert_int_equal(elfcorehdr_parse(lines[i], &hdr, &err), -ENOENT);
		assert_text(err.text, "not a capture kernel");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_rejected),
		cmocka_unit_test(test_error_names_the_last),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
