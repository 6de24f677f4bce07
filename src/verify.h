/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of a dump, one file a format: each calls verify_defect() for what is wrong and fills the summary.
 */
#ifndef SRC_VERIFY_H
#define SRC_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "elfcore/log.h"

struct input;

struct verify {
	struct log log;			/* of the sources: what they say while data is read is a defect */
	bool reading;
	const char *path;
	bool quiet;
	bool quick;			/* the headers alone, no page data */
	unsigned int nr_defects;
	char summary[160];		/* of a good dump: what it has */
};

/* One line; of a defect that comes by the thousand only the first ones are printed. */
void verify_defect(struct verify *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An ELF core in a file of its own. */
void verify_elf(struct verify *v, int fd);

/* One inside something else (flattened, compressed): the headers as above, and all of its data is read. */
void verify_wrapped_elf(struct verify *v, struct input *in);

/* A kdump-compressed dump: every descriptor, and every page is decoded. */
void verify_kdump(struct verify *v, struct input *in);

#endif
