// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(const char *prefix, const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: ", prefix);
	vfprintf(stderr, fmt, ap);
}

int usage_error(const char *verb, const char *fmt, ...)
{
	va_list ap;

	fputs("kcapture ", stderr);
	va_start(ap, fmt);
	print(verb, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; see \"kcapture %s --help\"\n", verb);
	return 2;
}

int cmd_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print("kcapture", fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

/*
 * getopt leaves the character of a short option, and 0 for a long one that it does not know; where it stands is of no use
 * in the middle of a cluster (-xq). "--quiet=x" leaves the character of -q.
 */
static void unknown_option(const char *verb, const char *last)
{
	if (optopt && !(last[0] == '-' && last[1] == '-' && strchr(last, '=')))
		usage_error(verb, "unknown option -%c", optopt);
	else
		usage_error(verb, "unknown option %s", last);
}

int cmd_getopt(int argc, char **argv, const char *shorts, const struct option *longs, const char *help, int nr_operands)
{
	int c;

	opterr = 0;
	c = getopt_long(argc, argv, shorts, longs, NULL);
	if (c == 'h')
		fputs(help, stdout);
	else if (c == ':')
		usage_error(argv[0], "%s needs a value", argv[optind - 1]);
	else if (c == '?')
		unknown_option(argv[0], argv[optind - 1]);
	else if (c == -1 && nr_operands >= 0 && argc - optind > nr_operands)
		usage_error(argv[0], "unexpected argument \"%s\"", argv[optind + nr_operands]);
	else if (c == -1 && argc - optind < abs(nr_operands))
		usage_error(argv[0], "an argument is missing");
	else
		return c;
	return c == 'h' ? c : '?';
}

int cmd_only_json(int argc, char **argv, const char *help, int nr_operands, bool *json_ret)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":h", options, help, nr_operands)) != -1) {
		switch (opt) {
		case 'j': *json_ret = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	return -1;
}

static void emit(struct log *log, enum log_level level, const char *line)
{
	(void)log;
	if (level <= LOG_LEVEL_WARN)
		fprintf(stderr, "kcapture: %s\n", line);
}

struct log *stderr_log(void)
{
	static struct log log = { emit };

	return &log;
}
