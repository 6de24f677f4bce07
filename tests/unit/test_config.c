// SPDX-License-Identifier: GPL-2.0-or-later
/* The configuration file and what the kernel command line overrides of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/config.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

static struct config cfg;
static struct fake_log log_;

/* Without a terminator behind it, and without room. */
static unsigned int parse(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	unsigned int wrong;

	memcpy(copy, text, len);
	config_init(&cfg);
	wrong = config_parse(&cfg, copy, len, "file", fake_log_init(&log_));
	free(copy);
	return wrong;
}

static void test_defaults(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(cfg.target, TARGET_NONE);
	assert_string_equal(cfg.path, "/var/crash");
	assert_int_equal(cfg.final_action, ACTION_REBOOT);
	assert_int_equal(cfg.failure_action, ACTION_REBOOT);
	assert_int_equal(cfg.timeout, 0);
	assert_int_equal(cfg.stall_timeout, 120);
	assert_int_equal(cfg.target_timeout, 30);
	assert_int_equal(cfg.nr_sources, 2);
	assert_int_equal(cfg.sources[0], SOURCE_DEVMEM);
	assert_int_equal(cfg.sources[1], SOURCE_VMCORE);
	assert_false(cfg.crosscheck);
	assert_true(cfg.aliases);
	assert_string_equal(cfg.extra_modules, "");
	assert_int_equal(config_check(&cfg, &err), -EINVAL);
	assert_text(err.text, "no target");
}

static void test_every_directive(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(parse("# a comment\n"
			       "ext4 /dev/nvme0n1p1\n"
			       "path /srv/dumps\n"
			       "final_action halt\n"
			       "failure_action poweroff\n"
			       "timeout 3600\n"
			       "stall_timeout 0\n"
			       "target_timeout 604800\n"
			       "source vmcore\n"
			       "crosscheck yes\n"
			       "aliases no\n"
			       "extra_modules one two-three\n"), 0);
	assert_string_equal(log_.text, "");
	assert_int_equal(cfg.target, TARGET_FS);
	assert_string_equal(cfg.fstype, "ext4");
	assert_string_equal(cfg.device, "/dev/nvme0n1p1");
	assert_string_equal(cfg.path, "/srv/dumps");
	assert_int_equal(cfg.final_action, ACTION_HALT);
	assert_int_equal(cfg.failure_action, ACTION_POWEROFF);
	assert_int_equal(cfg.timeout, 3600);
	assert_int_equal(cfg.stall_timeout, 0);
	assert_int_equal(cfg.target_timeout, 604800);
	assert_int_equal(cfg.nr_sources, 1);
	assert_int_equal(cfg.sources[0], SOURCE_VMCORE);
	assert_true(cfg.crosscheck);
	assert_false(cfg.aliases);
	assert_string_equal(cfg.extra_modules, "one two-three");
	assert_int_equal(config_check(&cfg, &err), 0);
}

static void test_targets(void **state)
{
	static const char *const types[] = { "ext2", "ext3", "ext4", "xfs", "btrfs", "vfat" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		char line[64];

		snprintf(line, sizeof(line), "%s /dev/sda%zu", types[i], i);
		assert_int_equal(parse(line), 0);
		assert_int_equal(cfg.target, TARGET_FS);
		assert_string_equal(cfg.fstype, types[i]);
		assert_string_equal(cfg.device, line + strlen(types[i]) + 1);
	}
	assert_int_equal(parse("ext4 /dev/sda1\nraw /dev/sdb"), 0);
	assert_int_equal(cfg.target, TARGET_RAW);
	assert_string_equal(cfg.device, "/dev/sdb");
	assert_string_equal(cfg.fstype, "");
}

static void test_last_wins(void **state)
{
	(void)state;
	assert_int_equal(parse("timeout 5\ntimeout 6\nsource vmcore devmem\nsource devmem,vmcore\npath /a\npath /b\n"), 0);
	assert_int_equal(cfg.timeout, 6);
	assert_int_equal(cfg.sources[0], SOURCE_DEVMEM);
	assert_string_equal(cfg.path, "/b");
	/* A wrong one takes nothing away. */
	assert_int_equal(parse("timeout 5\ntimeout x\n"), 1);
	assert_int_equal(cfg.timeout, 5);
}

static void test_blanks_comments_and_line_ends(void **state)
{
	(void)state;
	assert_int_equal(parse("\n\n   \n\t\n#\n  # only a comment\n \t timeout \t 7 \t # behind it\r\n"
			       "stall_timeout 8\r\nextra_modules   a \t  b   # c\ntarget_timeout 9"), 0);
	assert_int_equal(cfg.timeout, 7);
	assert_int_equal(cfg.stall_timeout, 8);
	assert_int_equal(cfg.target_timeout, 9);
	assert_string_equal(cfg.extra_modules, "a b");
}

static void test_wrong_lines(void **state)
{
	static const struct { const char *line, *text; } cases[] = {
		{ "rubbish 1", "unknown directive \"rubbish\"" },
		{ "Timeout 1", "unknown directive \"Timeout\"" },
		{ "timeout=1", "unknown directive \"timeout=1\"" },
		{ "timeout", "timeout needs a value" },
		{ "timeout # 5", "timeout needs a value" },
		{ "timeout -1", "timeout: \"-1\" is not a number of seconds from 0 to 604800" },
		{ "timeout 5s", "timeout: \"5s\" is not a number" },
		{ "timeout 604801", "timeout: \"604801\" is not a number" },
		{ "timeout 99999999999999999999999", "is not a number" },
		{ "timeout 5 6", "timeout: \"5 6\" is not a number" },
		{ "ext4 nvme0n1", "ext4: \"nvme0n1\" is not a device below /dev" },
		{ "ext4 /dev/../etc/passwd", "is not a device below /dev" },
		{ "raw /tmp/x", "raw: \"/tmp/x\" is not a device below /dev" },
		{ "path var/crash", "path: \"var/crash\" is not an absolute path without \"..\"" },
		{ "path /a/../b", "is not an absolute path" },
		{ "path /..", "is not an absolute path" },
		{ "final_action explode", "final_action: \"explode\" is none of reboot, halt, poweroff" },
		{ "failure_action shell", "failure_action: \"shell\" is none of" },
		{ "source tape", "source: \"tape\" is none of devmem, vmcore" },
		{ "source devmem devmem", "does not name each source once" },
		{ "source vmcore devmem vmcore", "names a source twice" },
		{ "source ,", "does not name each source once" },
		{ "crosscheck maybe", "crosscheck: \"maybe\" is neither yes nor no" },
		{ "aliases 1", "aliases: \"1\" is neither yes nor no" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[256];
		struct config untouched;

		snprintf(text, sizeof(text), "\n%s\n", cases[i].line);
		assert_int_equal(parse(text), 1);
		assert_int_equal(log_.nr[LOG_LEVEL_WARN], 1);
		assert_text(log_.text, "file:2: ");
		assert_text(log_.text, cases[i].text);
		config_init(&untouched);
		assert_memory_equal(&cfg, &untouched, sizeof(cfg));
	}
}

static void test_dots_that_are_allowed(void **state)
{
	(void)state;
	assert_int_equal(parse("path /a..b/.hidden/c..\n"), 0);
	assert_string_equal(cfg.path, "/a..b/.hidden/c..");
}

static char *line_of(const char *word, size_t value_len, char first)
{
	char *text = malloc(strlen(word) + value_len + 3);
	size_t len = sprintf(text, "%s ", word);

	memset(text + len, 'x', value_len);
	text[len] = first;
	memcpy(text + len, first == '/' ? "/dev/" : "x", first == '/' ? 5 : 1);
	strcpy(text + len + value_len, "\n");
	return text;
}

/* One byte too long for its place is refused, one less is taken. */
static void test_long_values(void **state)
{
	static const struct { const char *word; size_t max; char first; } cases[] = {
		{ "raw", 127, '/' }, { "ext4", 127, '/' }, { "path", 255, '/' }, { "extra_modules", 511, 'x' },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *good = line_of(cases[i].word, cases[i].max, cases[i].first);
		char *bad = line_of(cases[i].word, cases[i].max + 1, cases[i].first);

		assert_int_equal(parse(good), 0);
		assert_int_equal(parse(bad), 1);
		assert_text(log_.text, "longer than");
		free(good);
		free(bad);
	}
}

static void test_overlong_lines(void **state)
{
	char text[4000];

	(void)state;
	memset(text, 'x', sizeof(text));
	strcpy(text + 3000, "\ntimeout 5\n");
	assert_int_equal(parse(text), 1);
	assert_string_equal(log_.text, "file:1: line longer than 1023 bytes, ignored\n");
	assert_int_equal(cfg.timeout, 5);
	/* 1023 bytes are a line, 1024 are not. */
	memset(text, ' ', sizeof(text));
	memcpy(text, "timeout 6", 9);
	text[1023] = 0;
	assert_int_equal(parse(text), 0);
	assert_int_equal(cfg.timeout, 6);
	text[1023] = ' ';
	text[1024] = 0;
	assert_int_equal(parse(text), 1);
}

static void test_zero_bytes(void **state)
{
	(void)state;
	config_init(&cfg);
	assert_int_equal(config_parse(&cfg, "timeout 5\0 6\ntimeout\0 7\n\0\n", 26, "file", fake_log_init(&log_)), 1);
	assert_int_equal(cfg.timeout, 5);
}

static void test_cmdline(void **state)
{
	(void)state;
	assert_int_equal(parse("timeout 5\nraw /dev/sda\ncrosscheck yes\n"), 0);
	assert_int_equal(config_parse_cmdline(&cfg, "ro kcapture.timeout=6 timeout=7 xkcapture.timeout=8 kcapture.ext4=/dev/vda1 "
					      "kcapture.source=vmcore,devmem kcapture.crosscheck=no kcapture. quiet\n", &log_.log), 1);
	assert_string_equal(log_.text, "kernel command line: unknown directive \"\"\n");
	assert_int_equal(cfg.timeout, 6);
	assert_int_equal(cfg.target, TARGET_FS);
	assert_string_equal(cfg.device, "/dev/vda1");
	assert_int_equal(cfg.sources[0], SOURCE_VMCORE);
	assert_int_equal(cfg.nr_sources, 2);
	assert_false(cfg.crosscheck);
}

static void test_cmdline_wrong(void **state)
{
	char text[1300];

	(void)state;
	parse("");
	assert_int_equal(config_parse_cmdline(&cfg, "kcapture.timeout kcapture.timeout= kcapture.nonsense=1 kcapture.path=x",
					      &log_.log), 4);
	assert_int_equal(config_parse_cmdline(&cfg, "", &log_.log), 0);
	/* One that is too long for anything is wrong as well, not unseen. */
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "kcapture.path=/", 15);
	text[sizeof(text) - 1] = 0;
	assert_int_equal(config_parse_cmdline(&cfg, text, &log_.log), 1);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(action_name(ACTION_REBOOT), "reboot");
	assert_string_equal(action_name(ACTION_HALT), "halt");
	assert_string_equal(action_name(ACTION_POWEROFF), "poweroff");
	assert_string_equal(source_name(SOURCE_DEVMEM), "devmem");
	assert_string_equal(source_name(SOURCE_VMCORE), "vmcore");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_directive),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_last_wins),
		cmocka_unit_test(test_blanks_comments_and_line_ends),
		cmocka_unit_test(test_wrong_lines),
		cmocka_unit_test(test_dots_that_are_allowed),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_overlong_lines),
		cmocka_unit_test(test_zero_bytes),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_cmdline_wrong),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
