/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of a command line one after the other, as glibc's getopt_long() reads them: clusters, values that are joined
 * or the next word, operands in between, long names cut short. klibc's knows neither the latter two nor "a value is
 * missing", and /init has to read a line as the command does; nor can a line of a file be read by what keeps its place in
 * the command's own.
 */
#ifndef SRC_OPTION_WALK_H
#define SRC_OPTION_WALK_H

#include <getopt.h>
#include <stdbool.h>

#include "elfcore/error.h"

struct option_walk {
	const char *letters;		/* as getopt() has them, no optional values */
	const struct option *names;	/* flag is not used */
	int argc;
	char **argv;			/* operands are moved to its front, behind the program's name */
	int at;				/* the next word, from 1 */
	int nr_operands;
	const char *cluster;		/* letters of the present word that are still to come */
	bool only_operands;		/* behind "--" */
	int option;			/* the present one: a letter, or val of a name */
	const char *name;		/* of one that is long */
	const char *value;		/* NULL = it has none */
};

/* 1: the next option is in walk; 0: there is none; -EINVAL: no such option, or its value is missing. */
int option_walk_next(struct option_walk *walk, struct error *err);

#endif
