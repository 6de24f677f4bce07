// SPDX-License-Identifier: GPL-2.0-or-later
/* makedumpfile's command lines, as kdump-tools, kdump.conf and people write them. */
#include <errno.h>
#include <string.h>

#include "elfcore/mem_kdump.h"
#include "src/dump_options.h"
#include "tests/lib/unit.h"

static struct dump_options opt;
static struct error err;

/* Words of a command line, separated by one blank. */
static int parse(const char *line)
{
	static char copy[1024];
	static char *argv[64];
	int argc = 0;

	strcpy(copy, line);
	argv[argc++] = "makedumpfile";
	for (char *save, *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	err.text[0] = 0;
	return dump_options_parse(&opt, argc, argv, &err);
}

static void test_common_lines(void **state)
{
	(void)state;
	assert_int_equal(parse("-l --message-level 7 -d 31 /proc/vmcore vmcore-incomplete"), 0);
	assert_int_equal(opt.format, FORMAT_KDUMP);
	assert_int_equal(opt.codec, CODEC_LZO);
	assert_int_equal(opt.nr_levels, 1);
	assert_int_equal(opt.levels[0], 31);
	assert_int_equal(opt.messages, 7);
	assert_string_equal(opt.operands[1], "vmcore-incomplete");

	assert_int_equal(parse("-F -c -d 31 /proc/vmcore"), 0);
	assert_true(opt.flat);
	assert_int_equal(opt.codec, CODEC_ZLIB);
	assert_int_equal(opt.nr_operands, 1);

	assert_int_equal(parse("-c --num-threads 4 -d 11,31 --cyclic-buffer 1024 --work-dir /tmp --non-mmap core out"), 0);
	assert_int_equal(opt.jobs, 4);
	assert_int_equal(opt.nr_levels, 2);
	assert_int_equal(opt.levels[1], 31);

	assert_int_equal(parse("core out"), 0);
	assert_int_equal(opt.codec, CODEC_NONE);
	assert_int_equal(opt.nr_levels, 1);
	assert_int_equal(opt.levels[0], 0);

	assert_int_equal(parse("-cd31 -f core out"), 0);
	assert_true(opt.force);
	assert_int_equal(parse("core out -Ezd 1"), 0);
	assert_int_equal(opt.format, FORMAT_ELF);
	assert_int_equal(opt.codec, CODEC_ZSTD);
	assert_null(opt.vmcoreinfo);
	assert_int_equal(parse("-x vmlinux -i info -b 4 core out"), 0);
	assert_string_equal(opt.vmcoreinfo, "info");
}

/* Options among the operands and behind them, values joined or not, names cut short, and what stands behind "--". */
static void test_words(void **state)
{
	(void)state;
	assert_int_equal(parse("core -cd 1 out --message-level=5"), 0);
	assert_int_equal(opt.codec, CODEC_ZLIB);
	assert_int_equal(opt.levels[0], 1);
	assert_int_equal(opt.messages, 5);
	assert_int_equal(opt.nr_operands, 2);
	assert_string_equal(opt.operands[0], "core");
	assert_string_equal(opt.operands[1], "out");
	assert_int_equal(parse("--message 3 --num 2 core -- -l"), 0);
	assert_int_equal(opt.messages, 3);
	assert_int_equal(opt.jobs, 2);
	assert_string_equal(opt.operands[1], "-l");
	assert_int_equal(opt.codec, CODEC_NONE);
	assert_int_equal(parse("-F -"), 0);
	assert_string_equal(opt.operands[0], "-");
}

static void test_modes(void **state)
{
	(void)state;
	assert_int_equal(parse("--dump-dmesg --partial-dmesg core log"), 0);
	assert_int_equal(opt.mode, DUMP_MODE_DMESG);
	assert_true(opt.partial_dmesg);
	assert_int_equal(parse("-F --dump-dmesg core"), 0);
	assert_int_equal(parse("-R out"), 0);
	assert_int_equal(opt.mode, DUMP_MODE_REARRANGE);
	assert_int_equal(parse("--mem-usage /proc/kcore"), 0);
	assert_int_equal(opt.mode, DUMP_MODE_MEM_USAGE);
	assert_int_equal(parse("--split -c core a b c"), 0);
	assert_true(opt.split);
	assert_int_equal(opt.nr_operands, 4);
	assert_int_equal(parse("--reassemble a b out"), 0);
	assert_int_equal(opt.mode, DUMP_MODE_REASSEMBLE);
	assert_int_equal(parse("-h"), 0);
	assert_int_equal(opt.mode, DUMP_MODE_HELP);
	assert_int_equal(parse("--help"), 0);
	assert_int_equal(opt.mode, DUMP_MODE_HELP);
	assert_int_equal(parse("-v"), 0);
	assert_int_equal(opt.mode, DUMP_MODE_VERSION);
	assert_int_equal(parse("--check-params -c -d 31 a b"), 0);
	assert_true(opt.check_only);
}

static void test_messages(void **state)
{
	(void)state;
	assert_int_equal(parse("--message-level 0 a b"), 0);
	assert_int_equal(opt.messages, 0);
	assert_int_equal(parse("--message-level 2 --show-stats a b"), 0);
	assert_int_equal(opt.messages, 18);
	assert_int_equal(parse("-D a b"), 0);
	assert_int_equal(opt.messages, 31);
	assert_int_equal(parse("--message-level 32 a b"), -EINVAL);
	assert_int_equal(opt.messages, 7);
}

static void test_sizes(void **state)
{
	char *blank[] = { "makedumpfile", "-L", "5 ", "a", "b", NULL };

	(void)state;
	assert_int_equal(dump_options_parse(&opt, 5, blank, &err), -EINVAL);
	assert_int_equal(parse("-L 3k a b"), 0);
	assert_int_equal(opt.max_size, 3 << 10);
	assert_int_equal(parse("-L 5000 a b"), 0);
	assert_int_equal(opt.max_size, 5000);
	assert_int_equal(parse("-L 5M a b"), 0);
	assert_int_equal(opt.max_size, 5 << 20);
	assert_int_equal(parse("-L 2g a b"), 0);
	assert_int_equal(opt.max_size, 2ULL << 30);
	assert_int_equal(parse("-L 0 a b"), -EINVAL);
	assert_int_equal(parse("-L 5x a b"), -EINVAL);
	assert_int_equal(parse("-L 5MB a b"), -EINVAL);
	assert_int_equal(parse("-L -5 a b"), -EINVAL);
	assert_int_equal(parse("-L 18446744073709551615G a b"), -EINVAL);
}

/* A dump is split into as many parts as can be read. */
static void test_parts(void **state)
{
	static const char *const options[] = { "--split", "--reassemble" };
	char *argv[128] = { "makedumpfile" };

	(void)state;
	for (int i = 2; i < 128; i++)
		argv[i] = "file";
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		argv[1] = (char *)options[i];
		assert_int_equal(dump_options_parse(&opt, 2 + 1 + KDUMP_PIECES_MAX, argv, &err), 0);
		argv[1] = (char *)options[i];
		assert_int_equal(dump_options_parse(&opt, 2 + 1 + KDUMP_PIECES_MAX + 1, argv, &err), -EINVAL);
		assert_string_equal(err.text, "65 parts are more than 64.");
	}
}

static void expect_wrong(const char *line, int code, const char *says)
{
	if (parse(line) != code || !strstr(err.text, says))
		fail_msg("\"%s\": %s", line, err.text);
}

static void test_wrong(void **state)
{
	(void)state;
	expect_wrong("-d 32 a b", -EINVAL, "Dump_level(32) is invalid");
	expect_wrong("-d abc a b", -EINVAL, "Dump_level(abc) is invalid");
	expect_wrong("-d 1, a b", -EINVAL, "Dump_level");
	expect_wrong("-d -1 a b", -EINVAL, "Dump_level");
	expect_wrong("-c -l a b", -EINVAL, "More than one compression");
	expect_wrong("-E -c a b", -EINVAL, "ELF");
	expect_wrong("--split -E core a b", -EINVAL, "Elf");
	expect_wrong("--split core a", -EINVAL, "missing");
	expect_wrong("-F --split core a b", -EINVAL, "--split");
	expect_wrong("-F --reassemble a b out", -EINVAL, "--reassemble makes a file");
	expect_wrong("-F core out", -EINVAL, "\"out\"");
	expect_wrong("core", -EINVAL, "missing");
	expect_wrong("a b c", -EINVAL, "\"c\"");
	expect_wrong("--dry-run --dump-dmesg a b", -EINVAL, "--dry-run");
	expect_wrong("--num-threads x a b", -EINVAL, "num-threads");
	expect_wrong("-Q a b", -EINVAL, "-Q");
	expect_wrong("--bogus a b", -EINVAL, "--bogus");
	expect_wrong("a b -d", -EINVAL, "-d needs a value");
	expect_wrong("a b --message-level", -EINVAL, "--message-level needs a value");
	expect_wrong("a b -cd", -EINVAL, "-d needs a value");
	expect_wrong("a b --split=3", -EINVAL, "--split has no value");
	expect_wrong("a b --s", -EINVAL, "--s");
	expect_wrong("a b -c:", -EINVAL, "-:");
}

/* What would be unsafe to pass over is refused by name. */
static void test_refused(void **state)
{
	(void)state;
	expect_wrong("--eppic erase.c a b", -EOPNOTSUPP, "--eppic");
	expect_wrong("--config erase.conf a b", -EOPNOTSUPP, "--config");
	expect_wrong("-e a b", -EOPNOTSUPP, "-e");
	expect_wrong("-X a b", -EOPNOTSUPP, "Xen");
	expect_wrong("--xen-syms xen a b", -EOPNOTSUPP, "--xen-syms");
	expect_wrong("--diskset=a b", -EOPNOTSUPP, "sadump");
	expect_wrong("-g info -x vmlinux", -EOPNOTSUPP, "-g");
	expect_wrong("--vtop 1234 a b", -EOPNOTSUPP, "vtop");
	assert_int_equal(parse("-p -d 31 a b"), 0);
	assert_true(opt.snappy);
	assert_int_equal(opt.codec, CODEC_LZO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_common_lines),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
