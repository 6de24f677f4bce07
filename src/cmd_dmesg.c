// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "elfcore/printk.h"
#include "src/cmd.h"
#include "src/input.h"

static const char help[] =
	"usage: kcapture dmesg [OPTIONS] CORE\n"
	"\n"
	"Show the log of the crashed kernel, as dmesg(1) would have.\n"
	"\n"
	"  -T, --ctime      times of day (UTC) instead of seconds since boot; they are as exact as the time of the crash\n"
	"      --json       one object a line: seq, usec, caller, text\n"
	"  -h, --help       this text\n";

enum style { STYLE_PLAIN, STYLE_CTIME, STYLE_JSON };

struct show {
	enum style style;
	int64_t boot;		/* s since 1970 UTC */
	uint64_t last_ns;
	char text[PRINTK_FORMAT_MAX];
};

static int find_last(void *arg, const struct printk_record *record)
{
	struct show *show = arg;

	if (record->ts_nsec > show->last_ns)
		show->last_ns = record->ts_nsec;
	return 0;
}

static void print_json_text(const char *text, size_t len)
{
	putchar('"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = text[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void print_json(const struct printk_record *record)
{
	printf("{\"seq\":%llu,\"usec\":%llu,\"caller\":\"%c%u\",\"text\":", (unsigned long long)record->seq,
	       (unsigned long long)(record->ts_nsec / 1000), record->caller_id >> 31 ? 'C' : 'T',
	       record->caller_id & 0x7fffffff);
	print_json_text(record->text, record->text_len);
	puts("}");
}

static void print_text(struct show *show, const struct printk_record *record)
{
	time_t when = show->boot + record->ts_nsec / 1000000000;
	char stamp[32];

	strftime(stamp, sizeof(stamp), "%a %b %e %H:%M:%S %Y", gmtime(&when));
	fwrite(show->text, 1, printk_format(record, show->style == STYLE_CTIME ? stamp : NULL, show->text, sizeof(show->text)),
	       stdout);
}

static int print_record(void *arg, const struct printk_record *record)
{
	struct show *show = arg;

	if (show->style == STYLE_JSON)
		print_json(record);
	else
		print_text(show, record);
	return ferror(stdout);
}

static int run(const char *path, struct show *show)
{
	static struct input in;
	struct kernel kernel;
	struct error err;
	int rc;

	if (input_file_open(&in, path, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	kernel_init(&kernel, &in.crash, &in.chain.mem, stderr_log());
	rc = printk_each(&kernel, find_last, show, &err);
	show->boot = kernel.crashtime - (int64_t)(show->last_ns / 1000000000);
	if (!rc)
		rc = printk_each(&kernel, print_record, show, &err);
	input_close(&in);
	if (rc > 0 || fflush(stdout))
		return cmd_fail("writing the log failed");
	return rc ? cmd_fail("%s: %s", path, err.text) : 0;
}

int cmd_dmesg(int argc, char **argv)
{
	static const struct option options[] = {
		{ "ctime", no_argument, NULL, 'T' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct show show;
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":Th", options, help, 1)) != -1) {
		switch (opt) {
		case 'T': show.style = STYLE_CTIME; break;
		case 'j': show.style = STYLE_JSON; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	return run(argv[optind], &show);
}
