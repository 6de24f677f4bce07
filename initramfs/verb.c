/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/verb.h"

#include <stdio.h>
#include <string.h>

#include "src/cmd.h"

static void emit(struct log *log, enum log_level level, const char *line)
{
	(void)log;
	if (level <= LOG_LEVEL_WARN)
		fprintf(stderr, "kcapture: %s\n", line);
}

struct log verb_log = { .emit = emit };

int verb_getopt(int argc, char **argv, const char *shorts, const struct option *longs, const char *help)
{
	opterr = 0;
	int c = getopt_long(argc, argv, shorts, longs, NULL);
	if (c == 'h') {
		fputs(help, stdout);
	} else if (c == ':') {
		usage_error(argv[0], "%s needs a value", argv[optind - 1]);
		return '?';
	} else if (c == '?') {
		/* optopt is set for short options and for long ones that may not have a value. */
		usage_error(argv[0], "unknown option %s", argv[optind - 1]);
	} else if (c == -1 && optind < argc) {
		usage_error(argv[0], "unexpected argument \"%s\"", argv[optind]);
		return '?';
	}
	return c;
}

bool verb_is_this_machine(const char *root)
{
	return strspn(root, "/") == strlen(root);
}
