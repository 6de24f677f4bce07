/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The output that a path on the command line names: a file, which becomes sparse and gets its name when it is whole; a
 * block device; "-" for standard output; or nothing at all.
 */
#ifndef SRC_OUTPUT_PATH_H
#define SRC_OUTPUT_PATH_H

#include "src/capture.h"
#include "src/sinks.h"

enum output_kind { OUTPUT_FILE, OUTPUT_DEVICE, OUTPUT_STDOUT, OUTPUT_NOWHERE };

struct output_path {
	struct output out;
	const char *name;		/* borrowed */
	enum output_kind kind;		/* may be set to OUTPUT_NOWHERE afterwards: the dump is made and dropped */
	bool opened;			/* by capture(): what it wrote is there, under its name or the unfinished one */
	char unfinished[4096 + FILE_NAME_LEN];	/* path of a file that was opened, until it is whole */
	uint64_t max_size;		/* bytes, 0 = no limit: more is -ENOSPC; not for standard output */

	/* storage of the sink in use */
	struct sink_file file;
	struct sink_block block;
	struct sink_stream stream;
	struct sink_null null;
	struct sink_limit limit;
};

/*
 * Decide what name stands for, and refuse what must not be lost: source itself (NULL = none), anything that exists unless
 * force, and in any case what is neither a file nor a block device. /dev/null is nowhere. Nothing is opened yet.
 */
int output_path_init(struct output_path *path, const char *name, const char *source, bool force, struct error *err);

/* What was written to it, whole or broken off, is to go: a file, or the header on a device. Nothing where none was opened. */
void output_path_discard(struct output_path *path, bool whole);

/* For a file that could not be finished, after it was closed: give it its full name nevertheless. 0 or -errno. */
int output_path_name_incomplete(struct output_path *path);

#endif
