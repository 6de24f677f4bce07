// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/task_wait.h"

#include <string.h>

#include "tests/lib/unit.h"

#define NS 1000000000ULL

static void text_of_durations(void **state)
{
	static const struct { uint64_t ns; const char *text; } cases[] = {
		{ 0, "0.0 s" }, { 1250000000, "1.2 s" }, { 10 * NS - 1, "9.9 s" }, { 10 * NS, "10 s" }, { 60 * NS - 1, "59 s" },
		{ 60 * NS, "1 min 0 s" }, { 3599 * NS, "59 min 59 s" }, { 3600 * NS, "1 h 0 min" }, { 86400 * NS, "1 d 0 h" },
		{ UINT64_MAX, "213503 d 23 h" },
	};
	char text[TASK_WAIT_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		task_wait_text(cases[i].ns, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* Nothing is known of a task on a CPU that there is not, nor of one that runs. */
static void unknown(void **state)
{
	struct task_wait wait = { .now_ns = NS };
	struct task task = { .cpu = 3 }, running = { .on_cpu = true };
	uint64_t ns = 1;

	(void)state;
	assert_false(task_wait_ns(&wait, &task, &ns));
	assert_int_equal(ns, 0);
	assert_false(task_wait_ns(&wait, &running, &ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_durations),
		cmocka_unit_test(unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
