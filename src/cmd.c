// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/cmd.h"

#include <stdarg.h>
#include <stdio.h>

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
		usage_error(argv[0], "unknown option %s", argv[optind - 1]);
	else if (c == -1 && argc - optind > nr_operands)
		usage_error(argv[0], "unexpected argument \"%s\"", argv[optind + nr_operands]);
	else if (c == -1 && argc - optind < nr_operands)
		usage_error(argv[0], "an argument is missing");
	else
		return c;
	return c == 'h' ? c : '?';
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
