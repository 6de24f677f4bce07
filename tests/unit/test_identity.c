// SPDX-License-Identifier: GPL-2.0-or-later
/* The name of a dump: dates without gmtime(3), and host names that want to be paths. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/identity.h"

#include "tests/lib/unit.h"

static void test_dates(void **state)
{
	static const struct { int64_t seconds; const char *text; } cases[] = {
		{ 0, "1970-01-01-00:00:00" },
		{ 1, "1970-01-01-00:00:01" },
		{ 86399, "1970-01-01-23:59:59" },
		{ 86400, "1970-01-02-00:00:00" },
		{ -1, "1969-12-31-23:59:59" },
		{ -86400, "1969-12-31-00:00:00" },
		{ 951782399, "2000-02-28-23:59:59" },
		{ 951782400, "2000-02-29-00:00:00" },
		{ 951868800, "2000-03-01-00:00:00" },
		{ 1709164800, "2024-02-29-00:00:00" },
		{ 1735689599, "2024-12-31-23:59:59" },
		{ 1795227917, "2026-11-21-02:25:17" },
		{ 4107542399, "2100-02-28-23:59:59" },
		{ 4107542400, "2100-03-01-00:00:00" },	/* no leap year */
		{ 4294967295, "2106-02-07-06:28:15" },
		{ 253402300799, "9999-12-31-23:59:59" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		format_time(cases[i].seconds, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* Days and times of 475 years, as gmtime() has them. */
static void test_against_gmtime(void **state)
{
	char text[32], expected[32];
	struct tm tm;

	(void)state;
	for (int64_t t = -2000000000; t < 13000000000; t += 950400 + 4321) {
		time_t seconds = t;

		strftime(expected, sizeof(expected), "%Y-%m-%d-%H:%M:%S", gmtime_r(&seconds, &tm));
		format_time(t, text);
		assert_string_equal(text, expected);
	}
}

/* CRASHTIME is text of the dump: any number must end in a name. */
static void test_absurd_times(void **state)
{
	static const int64_t times[] = { INT64_MAX, INT64_MIN, INT64_MIN + 1, INT64_MAX - 86400, 253402300800, -62167219201 };
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		format_time(times[i], text);
		assert_int_equal(strlen(text), 19);
		assert_memory_equal(text, "0000-", 5);
	}
}

static void test_names(void **state)
{
	static const struct { const char *nodename, *name; } cases[] = {
		{ "node-1", "node-1" },
		{ "node.example.com", "node.example.com" },
		{ "", "localhost" },
		{ "(none)", "localhost" },
		{ ".", "_" },
		{ "..", "_." },
		{ "../../etc", "_._.._etc" },
		{ "/etc/passwd", "_etc_passwd" },
		{ "a b;c$d\n\033[m", "a_b_c_d___m" },
		{ "\xff\x80", "__" },
		{ "Node_9", "Node_9" },
	};
	char name[IDENTITY_MAX], expected[IDENTITY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		identity_name(cases[i].nodename, 1795227917, name);
		snprintf(expected, sizeof(expected), "%s-2026-11-21-02:25:17", cases[i].name);
		assert_string_equal(name, expected);
	}
}

static void test_long_name_is_cut(void **state)
{
	char nodename[500], name[IDENTITY_MAX];

	(void)state;
	memset(nodename, 'n', sizeof(nodename) - 1);
	nodename[sizeof(nodename) - 1] = 0;
	identity_name(nodename, 86400, name);
	assert_int_equal(strlen(name), 64 + 1 + 19);
	assert_string_equal(name + 64, "-1970-01-02-00:00:00");
}

static void test_missing_time_is_now(void **state)
{
	char name[IDENTITY_MAX], before[32], after[32];

	(void)state;
	format_time(time(NULL), before);
	identity_name("x", 0, name);
	format_time(time(NULL), after);
	assert_true(strcmp(name + 2, before) >= 0 && strcmp(name + 2, after) <= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_against_gmtime),
		cmocka_unit_test(test_absurd_times),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_name_is_cut),
		cmocka_unit_test(test_missing_time_is_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
