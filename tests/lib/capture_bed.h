/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of the whole road (src/capture.h): a crashed machine as an input, an output to a file in a directory of its own
 * or into memory, and the file opened again.
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

/* The one of this program, made anew for each test by these two, which are for cmocka. */
extern struct capture_bed bed;
int bed_setup(void **state);
int bed_teardown(void **state);

/* The machine once more, of another form; at first it is FORMS[0]. */
void bed_rebuild(struct elf_form form);

/* The path of a file in the directory; good until the next call. */
const char *bed_path(const char *name);

/* Make bed.cap ready for capture(): in to the output called name, with aliases, all else as it comes. */
void bed_prepare(struct input *in, const char *name);

/* That, and capture() itself. */
int bed_run(struct input *in, const char *name);

/* Open a file of the directory as bed.file. */
void bed_open(const char *name);

/* The machine against the file, by the oracle of the end-to-end tests; and that they are the same. */
struct crosscheck bed_crosscheck(void);
void bed_expect_same(void);

/* STATUS in the note that a capture leaves in the file. */
void bed_expect_status(const char *wanted);

#endif
