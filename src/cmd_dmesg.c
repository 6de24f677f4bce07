// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "elfcore/printk.h"
#include "src/cmd.h"
#include "src/json.h"
#include "src/session.h"

static const char help[] =
	"usage: kcapture dmesg [OPTIONS] CORE\n"
	"\n"
	"Show the log of the crashed kernel, as dmesg(1) would have.\n"
	"\n"
	"  -T, --ctime      times of day (UTC) instead of seconds since boot; they are as exact as the time of the crash\n"
	"  -l, --level LIST only these levels, separated by commas: emerg alert crit err warn notice info debug; \"err+\" is\n"
	"                   err and everything graver\n"
	"  -x, --decode     show facility and level before each line\n"
	"      --json       one object a line: seq, usec, caller, level, facility, subsystem, device, text\n"
	"  -h, --help       this text\n";

enum style { STYLE_PLAIN, STYLE_CTIME, STYLE_JSON };

struct show {
	enum style style;
	unsigned int levels;	/* bit by level, 0 = all */
	bool decode;
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

static const char *const level_names[] = { "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug" };
static const char *const facility_names[] = { "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
					      "authpriv", "ftp" };

static const char *level_name(const struct printk_record *record)
{
	return record->level >= 0 && record->level < (int)ARRAY_SIZE(level_names) ? level_names[record->level] : NULL;
}

static const char *facility_name(const struct printk_record *record)
{
	return record->facility >= 0 && record->facility < (int)ARRAY_SIZE(facility_names) ?
	       facility_names[record->facility] : NULL;
}

/* "err,warn" or "crit+" as a set of bits; 0 = a word that is no level. */
static unsigned int parse_levels(const char *list)
{
	unsigned int levels = 0;

	while (*list) {
		size_t len = strcspn(list, ","), i;
		bool graver = len && list[len - 1] == '+';

		for (i = 0; i < ARRAY_SIZE(level_names); i++)
			if (strlen(level_names[i]) == len - graver && !strncmp(list, level_names[i], len - graver))
				break;
		if (i == ARRAY_SIZE(level_names))
			return 0;
		levels |= graver ? (2U << i) - 1 : 1U << i;
		list += len + (list[len] == ',');
	}
	return levels;
}

static void print_json(const struct printk_record *record)
{
	struct json json;
	char caller[16];

	snprintf(caller, sizeof(caller), "%c%u", record->caller_id >> 31 ? 'C' : 'T', record->caller_id & 0x7fffffff);
	json_init(&json, stdout);
	json_object(&json, NULL);
	json_int(&json, "seq", record->seq);
	json_int(&json, "usec", record->ts_nsec / 1000);
	json_string(&json, "caller", caller);
	json_string(&json, "level", level_name(record));
	json_string(&json, "facility", facility_name(record));
	if (record->subsystem[0])
		json_string(&json, "subsystem", record->subsystem);
	if (record->device[0])
		json_string(&json, "device", record->device);
	json_text(&json, "text", record->text, record->text_len);
	json_end_object(&json);
	json_newline(&json);
}

/* "kern  :info  : " in front of each line, as dmesg -x does. */
static void print_decoded(const struct show *show, const struct printk_record *record, size_t len)
{
	const char *facility = facility_name(record), *level = level_name(record);

	for (const char *line = show->text, *end = line + len, *eol; line < end; line = eol) {
		eol = memchr(line, '\n', end - line);
		eol = eol ? eol + 1 : end;
		printf("%-6s:%-6s: %.*s", facility ? facility : "?", level ? level : "?", (int)(eol - line), line);
	}
}

static void print_text(struct show *show, const struct printk_record *record)
{
	time_t when = show->boot + record->ts_nsec / 1000000000;
	char stamp[32];
	size_t len;

	strftime(stamp, sizeof(stamp), "%a %b %e %H:%M:%S %Y", gmtime(&when));
	len = printk_format(record, show->style == STYLE_CTIME ? stamp : NULL, show->text, sizeof(show->text));
	if (show->decode)
		print_decoded(show, record, len);
	else
		fwrite(show->text, 1, len, stdout);
}

static int print_record(void *arg, const struct printk_record *record)
{
	struct show *show = arg;

	if (show->levels && !(record->level >= 0 && show->levels >> record->level & 1))
		return 0;
	if (show->style == STYLE_JSON)
		print_json(record);
	else
		print_text(show, record);
	return ferror(stdout);
}

static int run(const char *path, struct show *show)
{
	static struct session s;
	const struct btf *btf;
	struct error err;
	int rc;

	if (session_open(&s, path, show->levels || show->decode ? SESSION_TYPES : 0, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	btf = s.have & SESSION_TYPES ? &s.btf : NULL;
	rc = printk_each(&s.kernel, find_last, show, &err);
	show->boot = s.kernel.crashtime - (int64_t)(show->last_ns / 1000000000);
	if (!rc)
		rc = printk_each_typed(&s.kernel, btf, print_record, show, &err);
	session_close(&s);
	if (rc > 0 || fflush(stdout))
		return cmd_fail("writing the log failed");
	return rc ? cmd_fail("%s: %s", path, err.text) : 0;
}

int cmd_dmesg(int argc, char **argv)
{
	static const struct option options[] = {
		{ "ctime", no_argument, NULL, 'T' },
		{ "level", required_argument, NULL, 'l' },
		{ "decode", no_argument, NULL, 'x' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct show show;
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":Tl:xh", options, help, 1)) != -1) {
		switch (opt) {
		case 'T': show.style = STYLE_CTIME; break;
		case 'l':
			show.levels = parse_levels(optarg);
			if (!show.levels)
				return usage_error(argv[0], "\"%s\" is no list of levels", optarg);
			break;
		case 'x': show.decode = true; break;
		case 'j': show.style = STYLE_JSON; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	return run(argv[optind], &show);
}
