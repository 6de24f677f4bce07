/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of the whole road (src/capture.h): a crashed machine as an input, an output to a file in a directory of its own
 * or into memory, and the file opened again. Large: keep it static.
 */
#ifndef TESTS_LIB_CAPTURE_BED_H
#define TESTS_LIB_CAPTURE_BED_H

#include "src/capture.h"
#include "src/crosscheck.h"
#include "src/sinks.h"
#include "tests/lib/corebuilder.h"

#define WRECK_PAGES (8 + 5 + 64 + 8)	/* of all PT_LOADs of a wreck, the text twice */

struct bed_output {
	struct output out;
	const char *dir;		/* borrowed from the bed */
	const char *name;		/* in dir; NULL = fake */
	struct sink_file file;
	struct fake_sink fake;
	struct sink_limit limit;
	uint64_t max;			/* bytes that the sink takes, 0 = all */
	uint64_t room;			/* that it says it has */
	unsigned int nr_opened, nr_closed;
	int open_error;
};

struct capture_bed {
	char dir[64];
	struct wreck wreck;
	struct input live, file;	/* the machine, and what became of it */
	struct bed_output output;
	struct progress progress;
	struct fake_log log;
	struct error err;
	struct capture cap;
};

/* 0 or -1, as cmocka's setup functions. */
int bed_init(struct capture_bed *bed);
int bed_free(struct capture_bed *bed);

/* The machine once more, of another form; from bed_init() on it is FORMS[0]. */
void bed_rebuild(struct capture_bed *bed, struct elf_form form);

/* The path of a file in the directory; good until the next call. */
const char *bed_path(const struct capture_bed *bed, const char *name);

/* Make bed->cap ready for capture(): in to the output called name, with aliases, all else as it comes. */
void bed_prepare(struct capture_bed *bed, struct input *in, const char *name);

/* Open a file of the directory as bed->file. */
void bed_open(struct capture_bed *bed, const char *name);

/* The machine against the file, by the oracle of the end-to-end tests; and that they are the same. */
struct crosscheck bed_crosscheck(struct capture_bed *bed);
void bed_expect_same(struct capture_bed *bed);

/* STATUS in the note that a capture leaves in the file. */
void bed_expect_status(const struct capture_bed *bed, const char *wanted);

#endif
