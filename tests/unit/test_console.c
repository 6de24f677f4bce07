// SPDX-License-Identifier: GPL-2.0-or-later
/* What the consoles get: plain lines without escape codes, or a screen that a small terminal draws here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "src/console.c"

#include "tests/lib/unit.h"

#define ROWS 24
#define COLUMNS 80

static struct console console;
static int plain_fd, screen_fd;
static char grid[ROWS][COLUMNS + 1];

static int temporary(void)
{
	char name[] = "/tmp/kcapture-console-XXXXXX";
	int fd = mkstemp(name);

	unlink(name);
	return fd;
}

static int setup(void **state)
{
	(void)state;
	plain_fd = temporary();
	screen_fd = temporary();
	console_init(&console);
	console_add(&console, plain_fd, false);
	console_add(&console, screen_fd, true);
	return plain_fd < 0 || screen_fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	close(plain_fd);
	close(screen_fd);
	return 0;
}

static const char *text_of(int fd)
{
	static char text[1 << 20];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = 0;
	return text;
}

/* Just the codes that are used; any other fails the test, and so does writing beside the screen. */
static const char *escape(const char *p, unsigned int *row, unsigned int *column)
{
	unsigned int a = 1, b = 1;

	assert_int_equal(*p++, '[');
	if (*p >= '0' && *p <= '9')
		a = strtoul(p, (char **)&p, 10);
	if (*p == ';')
		b = strtoul(p + 1, (char **)&p, 10);
	switch (*p) {
	case 'H': *row = a - 1; *column = b - 1; break;
	case 'K': memset(grid[*row] + *column, ' ', COLUMNS - *column); break;
	case 'J':
		for (unsigned int i = a == 2 ? 0 : *row; i < ROWS; i++)
			memset(grid[i], ' ', COLUMNS);
		break;
	case 'm': break;
	default: fail_msg("escape code %c", *p);
	}
	return p + 1;
}

static void draw(void)
{
	unsigned int row = 0, column = 0;

	memset(grid, ' ', sizeof(grid));
	for (const char *p = text_of(screen_fd); *p;) {
		if (*p == '\033') {
			p = escape(p + 1, &row, &column);
			continue;
		}
		assert_true(row < ROWS && column < COLUMNS - 1 && *p >= 0x20 && *p < 0x7f);
		grid[row][column++] = *p++;
	}
	for (unsigned int i = 0; i < ROWS; i++)
		grid[i][COLUMNS] = 0;
}

static bool shown(const char *text)
{
	draw();
	for (unsigned int i = 0; i < ROWS; i++)
		if (strstr(grid[i], text))
			return true;
	return false;
}

static void test_plain_lines(void **state)
{
	(void)state;
	console_line(&console, "crashed: Linux");
	console_progress(&console, "writing memory:  47 %", 47);
	assert_string_equal(text_of(plain_fd), "kcapture: crashed: Linux\nkcapture: writing memory:  47 %\n");
}

static void test_headings(void **state)
{
	(void)state;
	console_line(&console, "capturing the crashed kernel, do not reset this machine");
	assert_true(shown("DO NOT RESET"));
	assert_true(shown("result   not yet"));
	console_line(&console, "crashed: Linux 6.1 on box");
	console_line(&console, "the last words: Kernel panic");
	console_line(&console, "saving to /dev/sda:/vmcore");
	assert_true(shown("crashed  Linux 6.1 on box") && shown("because  Kernel panic") && shown("to       /dev/sda:/vmcore"));
	console_line(&console, "trying the next target: raw /dev/sdb");
	assert_true(shown("result   not yet, the next target is tried: raw /dev/sdb"));
	assert_false(shown("IT IS OVER"));
	console_line(&console, "saved /dev/sdb (5 MB)");
	assert_true(shown("result   SAVED /dev/sdb (5 MB)"));
	assert_true(shown("IT IS OVER"));
	console_line(&console, "saved /dev/nvme0n1:/var/crash/crashbox-2026-11-25-02:09:30/vmcore (871 MB, 419 MB of them not zero)");
	assert_true(shown("           (871 MB, 419 MB of them not zero)") || shown("           MB of them not zero)") ||
		    shown("MB, 419 MB of them not zero)"));
	console_line(&console, "FAILED: it was not");
	assert_true(shown("result   NOT SAVED: it was not"));
}

static void test_bar(void **state)
{
	(void)state;
	console_progress(&console, "writing memory:  50 %  1 of 2 MB", 50);
	assert_true(shown("[################################................................]  50 %"));
	assert_true(shown("writing memory:  50 %  1 of 2 MB"));
	console_progress(&console, "all", 1000);
	assert_true(shown("################] 100 %"));
	console_line(&console, "saved it");
	assert_false(shown("[####"));
}

/* Long lines, many lines, and what a dead kernel's log may hold: nothing leaves its row. */
static void test_hostile_lines(void **state)
{
	char line[1000];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	console_line(&console, line);
	memcpy(line, "crashed: \033[2J\a\x9b", 16);
	console_line(&console, line);
	console_progress(&console, line, 5);
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "line %u", i);
		console_line(&console, line);
	}
	assert_true(shown("line 99") && shown("line 91"));
	assert_false(shown("line 90"));
	assert_true(shown("crashed  ?[2J??"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_headings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bar, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_lines, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
