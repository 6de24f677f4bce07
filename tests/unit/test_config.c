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
	assert_int_equal(cfg.nr_targets, 0);
	assert_string_equal(cfg.defaults.path, "/var/crash");
	assert_int_equal(cfg.final_action, ACTION_REBOOT);
	assert_int_equal(cfg.failure_action, ACTION_REBOOT);
	assert_int_equal(cfg.timeout, 0);
	assert_int_equal(cfg.defaults.stall_timeout, 120);
	assert_int_equal(cfg.defaults.target_timeout, 30);
	assert_int_equal(cfg.defaults.target_limit, 0);
	assert_string_equal(cfg.watchdog, "/dev/watchdog");
	assert_true(cfg.checksum);
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
			       "target_limit 60\n"
			       "subvol @crash\n"
			       "assemble md:1:2 luks:3-4 lvm:vg/lv\n"
			       "luks_key /etc/key\n"
			       "keep 5\n"
			       "keep_bytes 20G\n"
			       "crash_loop 3\n"
			       "watchdog no\n"
			       "console plain\n"
			       "checksum no\n"
			       "extra_bins /bin/one /bin/two\n"
			       "kdump_pre /bin/pre\n"
			       "kdump_post /bin/post\n"
			       "source vmcore\n"
			       "crosscheck yes\n"
			       "aliases no\n"
			       "extra_modules one two-three\n"), 0);
	assert_string_equal(log_.text, "");
	assert_int_equal(cfg.nr_targets, 1);
	assert_int_equal(cfg.targets[0].kind, TARGET_FS);
	assert_string_equal(cfg.targets[0].word, "ext4");
	assert_string_equal(cfg.targets[0].place, "/dev/nvme0n1p1");
	assert_string_equal(cfg.targets[0].path, "/srv/dumps");
	assert_int_equal(cfg.final_action, ACTION_HALT);
	assert_int_equal(cfg.failure_action, ACTION_POWEROFF);
	assert_int_equal(cfg.timeout, 3600);
	assert_int_equal(cfg.targets[0].stall_timeout, 0);
	assert_int_equal(cfg.targets[0].target_timeout, 604800);
	assert_int_equal(cfg.targets[0].target_limit, 60);
	assert_string_equal(cfg.targets[0].subvol, "@crash");
	assert_string_equal(cfg.targets[0].assemble, "md:1:2 luks:3-4 lvm:vg/lv");
	assert_string_equal(cfg.targets[0].luks_key, "/etc/key");
	assert_int_equal(cfg.keep, 5);
	assert_true(cfg.keep_bytes == 20ULL << 30);
	assert_int_equal(cfg.crash_loop, 3);
	assert_string_equal(cfg.watchdog, "");
	assert_int_equal(cfg.console, CONSOLE_PLAIN);
	assert_false(cfg.checksum);
	assert_string_equal(cfg.extra_bins, "/bin/one /bin/two");
	assert_string_equal(cfg.kdump_pre, "/bin/pre");
	assert_string_equal(cfg.kdump_post, "/bin/post");
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
		assert_int_equal(cfg.nr_targets, 1);
		assert_int_equal(cfg.targets[0].kind, TARGET_FS);
		assert_string_equal(cfg.targets[0].word, types[i]);
		assert_string_equal(cfg.targets[0].place, line + strlen(types[i]) + 1);
	}
}

/* In their order, and each with the options behind it. */
static void test_several_targets(void **state)
{
	(void)state;
	assert_int_equal(parse("path /all\nstall_timeout 7\next4 UUID=1-2\npath /first\nraw ID=disk_1\nstall_timeout 8\n"
			       "tcp [fe80::1%eth0]:5000\nxfs LABEL=x\nbtrfs PARTUUID=0a\ntarget_limit 9"), 0);
	assert_int_equal(cfg.nr_targets, 5);
	assert_string_equal(cfg.targets[0].place, "UUID=1-2");
	assert_string_equal(cfg.targets[0].path, "/first");
	assert_int_equal(cfg.targets[0].stall_timeout, 7);
	assert_int_equal(cfg.targets[1].kind, TARGET_RAW);
	assert_string_equal(cfg.targets[1].path, "/all");
	assert_int_equal(cfg.targets[1].stall_timeout, 8);
	assert_int_equal(cfg.targets[2].kind, TARGET_TCP);
	assert_string_equal(cfg.targets[2].place, "[fe80::1%eth0]:5000");
	assert_int_equal(cfg.targets[2].stall_timeout, 7);
	assert_int_equal(cfg.targets[3].target_limit, 0);
	assert_int_equal(cfg.targets[4].target_limit, 9);
	assert_int_equal(parse("raw /dev/1\nraw /dev/2\nraw /dev/3\nraw /dev/4\nraw /dev/5\nraw /dev/6\nraw /dev/7\n"
			       "raw /dev/8\nraw /dev/9\n"), 1);
	assert_text(log_.text, "raw: more than 8 targets");
}

/* On the command line: a target replaces those of the file, an option before it is everybody's. */
static void test_cmdline_targets(void **state)
{
	(void)state;
	assert_int_equal(parse("ext4 /dev/sda1\npath /a\next4 /dev/sdb1\npath /b\n"), 0);
	assert_int_equal(config_parse_cmdline(&cfg, "kcapture.path=/c kcapture.stall_timeout=1", &log_.log), 0);
	assert_int_equal(cfg.nr_targets, 2);
	assert_string_equal(cfg.targets[0].path, "/c");
	assert_string_equal(cfg.targets[1].path, "/c");
	assert_int_equal(config_parse_cmdline(&cfg, "kcapture.xfs=UUID=1 kcapture.path=/d kcapture.raw=/dev/sdz", &log_.log), 0);
	assert_int_equal(cfg.nr_targets, 2);
	assert_string_equal(cfg.targets[0].place, "UUID=1");
	assert_string_equal(cfg.targets[0].path, "/d");
	assert_int_equal(cfg.targets[0].stall_timeout, 1);
	assert_string_equal(cfg.targets[1].place, "/dev/sdz");
	assert_string_equal(cfg.targets[1].path, "/c");
}

static void test_formats(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(cfg.format, FORMAT_ELF);
	assert_int_equal(cfg.codec, CODEC_NONE);
	assert_int_equal(cfg.jobs, 1);
	assert_int_equal(parse("format kdump\ncompress zstd\njobs 4\ndump_level 1,17,31\n"), 0);
	assert_int_equal(cfg.format, FORMAT_KDUMP);
	assert_int_equal(cfg.codec, CODEC_ZSTD);
	assert_int_equal(cfg.jobs, 4);
	assert_int_equal(cfg.nr_levels, 3);
	assert_int_equal(cfg.levels[0], 1);
	assert_int_equal(cfg.levels[2], 31);
	assert_int_equal(parse("core_collector makedumpfile -E -d 1,31\n"), 0);
	assert_int_equal(cfg.format, FORMAT_ELF);
	assert_int_equal(cfg.nr_levels, 2);
	assert_int_equal(parse("core_collector makedumpfile -c --message-level 1 -d31\n"), 0);
	assert_int_equal(cfg.codec, CODEC_ZLIB);
	assert_int_equal(cfg.levels[0], 31);
	/* What is wrong changes nothing. */
	assert_int_equal(parse("dump_level 1,\ndump_level 1,32\ndump_level 1,2,3,4,5,6,7,8,9\ndump_level -1\njobs 0\njobs 33\n"
			       "compress gzip\nformat core\ncore_collector makedumpfile -c -d\n"), 9);
	assert_int_equal(cfg.nr_levels, 1);
	assert_int_equal(cfg.levels[0], 31);
	assert_int_equal(cfg.jobs, 1);
	assert_int_equal(cfg.codec, CODEC_NONE);
	assert_int_equal(cfg.format, FORMAT_ELF);
}

/* makedumpfile's options mean what they mean to makedumpfile and to `kcapture dump`. */
static void test_core_collector(void **state)
{
	static const struct { const char *options; enum dump_format format; enum codec codec; unsigned int level; } cases[] = {
		{ "", FORMAT_KDUMP, CODEC_NONE, 0 },
		{ " -l", FORMAT_KDUMP, CODEC_LZO, 0 },
		{ " -cd 1", FORMAT_KDUMP, CODEC_ZLIB, 1 },
		{ " -cd31", FORMAT_KDUMP, CODEC_ZLIB, 31 },
		{ " -p -d 17", FORMAT_KDUMP, CODEC_LZO, 17 },
		{ " -E -d 31", FORMAT_ELF, CODEC_NONE, 31 },
		{ " -E -z", FORMAT_ELF, CODEC_ZSTD, 0 },
		{ " -F -l --message-level 7 --num-threads=2 -x -E -d 8", FORMAT_KDUMP, CODEC_LZO, 8 },
		{ " --message 7 -z -d 2,31", FORMAT_KDUMP, CODEC_ZSTD, 2 },
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* Of what stands above the line nothing is left. */
		snprintf(line, sizeof(line), "compress zlib\ndump_level 23\ncore_collector makedumpfile%s\n", cases[i].options);
		if (parse(line) || cfg.format != cases[i].format || cfg.codec != cases[i].codec || cfg.levels[0] != cases[i].level ||
		    cfg.nr_levels != 1 + !!strchr(line, ','))
			fail_msg("%s: format %d, codec %d, level %u", line, cfg.format, cfg.codec, cfg.levels[0]);
	}
	assert_int_equal(cfg.levels[1], 31);
	/* The last one wins, in both directions. */
	assert_int_equal(parse("core_collector makedumpfile -l\ndump_level 31\n"), 0);
	assert_int_equal(cfg.levels[0], 31);
	assert_int_equal(cfg.codec, CODEC_LZO);
	assert_int_equal(parse("dump_level 8\ncore_collector makedumpfile -l -d 99\n"), 1);
	assert_int_equal(cfg.levels[0], 8);
}

/* Words of kdump.conf: taken with a hint, or refused with one. */
static void test_network(void **state)
{
	static const char *const wrong[] = {
		"net eth0\n", "net eth0 10.0.0.1\n", "net eth0 10.0.0.1/0\n", "net eth0 10.0.0.1/33\n", "net eth0 10.0.0/24\n",
		"net eth0 dhcp vlan 4095\n", "net eth0 dhcp vlan\n", "net eth0 dhcp speed 5\n", "net a/b dhcp\n",
		"net eth0 10.0.0.1/24 gateway fe80::1\n", "net eth0 dhcp mtu 3\n", "key secret\n", "host a\n", "host a b\n",
		"tcp a b\n", "net 01234567890123456789012345678901234567890123456789012345678901234 dhcp\n",
	};

	(void)state;
	assert_int_equal(parse("tcp crash.example:99\nnet 52:54:00:12:34:56 dhcp vlan 7\nnet eth0 10.0.2.15/24 gateway 10.0.2.2 mtu 1400\n"
			       "net 0000:00:03.0 2001:db8::5/64\nnet eth1 slaac\nkey /etc/k\nhost crash.example 2001:db8::1\n"), 0);
	assert_int_equal(cfg.targets[0].kind, TARGET_TCP);
	assert_int_equal(cfg.nr_nets, 4);
	assert_string_equal(cfg.nets[0].which, "52:54:00:12:34:56");
	assert_int_equal(cfg.nets[0].method, NET_DHCP);
	assert_int_equal(cfg.nets[0].vlan, 7);
	assert_int_equal(cfg.nets[1].method, NET_STATIC);
	assert_string_equal(cfg.nets[1].address, "10.0.2.15");
	assert_int_equal(cfg.nets[1].prefix, 24);
	assert_string_equal(cfg.nets[1].gateway, "10.0.2.2");
	assert_int_equal(cfg.nets[1].mtu, 1400);
	assert_string_equal(cfg.nets[2].address, "2001:db8::5");
	assert_int_equal(cfg.nets[3].method, NET_SLAAC);
	assert_string_equal(cfg.key, "/etc/k");
	assert_string_equal(config_host_address(&cfg, "crash.example"), "2001:db8::1");
	assert_string_equal(config_host_address(&cfg, "10.1.2.3"), "10.1.2.3");
	assert_null(config_host_address(&cfg, "other.example"));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (parse(wrong[i]) != 1)
			fail_msg("taken: %s", wrong[i]);
	assert_int_equal(parse("net a dhcp\nnet b dhcp\nnet c dhcp\nnet d dhcp\nnet e dhcp\n"), 1);
	/* The command line's replace those of the file. */
	assert_int_equal(config_parse_cmdline(&cfg, "kcapture.net=eth0,10.0.2.15/24,gateway,10.0.2.2 kcapture.net=eth1,dhcp",
					      fake_log_init(&log_)), 0);
	assert_int_equal(cfg.nr_nets, 2);
	assert_string_equal(cfg.nets[0].gateway, "10.0.2.2");
}

static void test_kdump_words(void **state)
{
	(void)state;
	assert_int_equal(parse("core_collector makedumpfile -l --message-level 7 -d 31\ndefault halt\nforce_rebuild 1\n"), 0);
	assert_int_equal(cfg.nr_levels, 1);
	assert_int_equal(cfg.levels[0], 31);
	assert_int_equal(cfg.format, FORMAT_KDUMP);
	assert_int_equal(cfg.codec, CODEC_LZO);
	assert_int_equal(cfg.failure_action, ACTION_HALT);
	assert_text(log_.text, "file:1: core_collector: its -c, -l, -p (as lzo), -z, -E and -d (0 when not given) are taken");
	assert_text(log_.text, "file:2: default: failure_action is its present name");
	assert_text(log_.text, "file:3: force_rebuild: means nothing here");
	assert_int_equal(parse("nfs server:/export\nssh root@host\n"), 2);
	assert_text(log_.text, "file:1: nfs: not supported yet; use tcp");
}

static void test_keep_bytes(void **state)
{
	(void)state;
	assert_int_equal(parse("keep_bytes 1024\n"), 0);
	assert_true(cfg.keep_bytes == 1024);
	assert_int_equal(parse("keep_bytes 3T\n"), 0);
	assert_true(cfg.keep_bytes == 3ULL << 40);
	assert_int_equal(parse("keep_bytes 99999999999T\nkeep_bytes 1KB\nkeep_bytes x\nkeep_bytes -1\n"), 4);
}

static void test_last_wins(void **state)
{
	(void)state;
	assert_int_equal(parse("timeout 5\ntimeout 6\nsource vmcore devmem\nsource devmem,vmcore\npath /a\npath /b\n"), 0);
	assert_int_equal(cfg.timeout, 6);
	assert_int_equal(cfg.sources[0], SOURCE_DEVMEM);
	assert_string_equal(cfg.defaults.path, "/b");
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
	assert_int_equal(cfg.defaults.stall_timeout, 8);
	assert_int_equal(cfg.defaults.target_timeout, 9);
	assert_string_equal(cfg.extra_modules, "a b");
	assert_int_equal(parse("\xef\xbb\xbf" "ext4 /dev/sda1\n"), 0);
	assert_string_equal(cfg.targets[0].place, "/dev/sda1");
	assert_int_equal(parse("\xef\xbb"), 1);
}

static void test_wrong_lines(void **state)
{
	static const struct { const char *line, *text; } cases[] = {
		{ "rubbish 1", "unknown directive \"rubbish\"" },
		{ "Timeout 1", "unknown directive \"Timeout\", did you mean \"timeout\"?" },
		{ "timeout=1", "unknown directive \"timeout=1\", did you mean \"timeout\"?" },
		{ "dumplevel 31", "did you mean \"dump_level\"?" },
		{ "stalltimeout 5", "did you mean \"stall_timeout\"?" },
		{ "xf UUID=1", "did you mean \"xfs\"?" },
		{ "timeout", "timeout needs a value" },
		{ "timeout # 5", "timeout needs a value" },
		{ "timeout -1", "timeout: \"-1\" is not a number of seconds from 0 to 604800" },
		{ "timeout 5s", "timeout: \"5s\" is not a number" },
		{ "timeout 604801", "timeout: \"604801\" is not a number" },
		{ "timeout 99999999999999999999999", "is not a number" },
		{ "timeout 5 6", "timeout: \"5 6\" is not a number" },
		{ "ext4 nvme0n1", "ext4: \"nvme0n1\" is neither a device below /dev nor UUID=" },
		{ "ext4 /dev/../etc/passwd", "is neither a device below /dev" },
		{ "raw /tmp/x", "raw: \"/tmp/x\" is neither a device below /dev" },
		{ "raw /dev/", "is neither a device below /dev" },
		{ "xfs UUID=", "\"UUID=\" is empty" },
		{ "xfs UUID=1 2", "is more than one word" },
		{ "tcp host/x", "is not HOST[:PORT]" },
		{ "assemble md:1 zfs:pool", "\"zfs:pool\" is none of md:UUID" },
		{ "assemble md:", "\"md:\" is none of md:UUID" },
		{ "luks_key key", "is no absolute path" },
		{ "subvol a,b", "is no name of a subvolume" },
		{ "keep -1", "keep: \"-1\" is not a number from 0" },
		{ "watchdog maybe", "none of yes, no, /dev/NAME" },
		{ "console vga", "none of auto, plain, screen" },
		{ "kdump_pre script", "is not the absolute path of a program" },
		{ "kdump_post /bin/a /bin/b", "is not the absolute path of a program" },
		{ "extra_bins /bin/../x", "is not the absolute path of a program" },
		{ "core_collector scp", "is not makedumpfile" },
		{ "core_collector makedumpfile -d 99", "core_collector: Dump_level(99) is invalid." },
		{ "core_collector makedumpfile -c -l", "core_collector: More than one compression is given." },
		{ "core_collector makedumpfile -E -c", "core_collector: The ELF format can be compressed with -z only." },
		{ "core_collector makedumpfile -l -Q", "core_collector: There is no option -Q." },
		{ "core_collector makedumpfile -l -d 31 /proc/vmcore vmcore", "core_collector: \"/proc/vmcore\" is no option of makedumpfile" },
		{ "core_collector makedumpfile --dump-dmesg", "core_collector: its options make no dump" },
		{ "core_collector makedumpfile -l --eppic erase.c", "core_collector: '--eppic' is not available" },
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
	assert_string_equal(cfg.defaults.path, "/a..b/.hidden/c..");
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
		{ "raw", 159, '/' }, { "ext4", 159, '/' }, { "path", 255, '/' }, { "extra_modules", 511, 'x' },
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
	assert_int_equal(cfg.nr_targets, 1);
	assert_int_equal(cfg.targets[0].kind, TARGET_FS);
	assert_string_equal(cfg.targets[0].place, "/dev/vda1");
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
		cmocka_unit_test(test_several_targets),
		cmocka_unit_test(test_cmdline_targets),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_core_collector),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_kdump_words),
		cmocka_unit_test(test_keep_bytes),
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
