/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makedumpfile tells its user, in its words and on its streams: progress and errors on stderr, everything else on
 * stdout, or on stderr too when that is the dump. Scripts and people know these lines.
 */
#ifndef SRC_DUMP_SHOW_H
#define SRC_DUMP_SHOW_H

#include <stdio.h>

#include "src/dump_options.h"
#include "src/progress.h"

struct dump_show {
	struct log log;			/* the engine's warnings are errors here, its details are debug messages */
	struct progress progress;
	unsigned int messages;		/* MESSAGE_* */
	FILE *out;
	unsigned int turns;		/* of the spinner */
};

void dump_show_init(struct dump_show *show, const struct dump_options *opt);

/* Prints when kind is among the messages wanted; errors go to stderr with a newline of their own. */
void dump_say(const struct dump_show *show, unsigned int kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The progress line of a phase that is through. */
void dump_show_done(struct dump_show *show);

/* The table of --show-stats: what was left out of the dump that c made and why; pages are counted anew for it. */
void dump_show_stats(const struct dump_show *show, struct capture *c);

#endif
