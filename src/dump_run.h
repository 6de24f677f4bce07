/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One call of `kcapture dump` or of the program by the name of makedumpfile, and the ways in which it makes dumps. All
 * functions return 0 or -errno; what is to be said before the end they say themselves.
 */
#ifndef SRC_DUMP_RUN_H
#define SRC_DUMP_RUN_H

#include "src/dump_options.h"
#include "src/dump_show.h"
#include "src/output_path.h"

struct dump_run {
	struct dump_options opt;
	struct dump_show show;
	bool makedumpfile;		/* called by that name */
	bool other_release;		/* why it failed: the kernel of -i is another one than the dump's */
	pfn_t start, end;		/* the part that this process writes of a split dump; end 0 = all */
};

/* What the options name: VMCORE to DUMPFILE; to several DUMPFILEs, at once; several DUMPFILEs to one. */
int dump_whole(struct dump_run *run, struct error *err);
int dump_split(struct dump_run *run, struct error *err);
int dump_reassemble(struct dump_run *run, struct error *err);

/* VMCORE: /proc/vmcore by its own way, everything else by what it is. It must be of the kernel that -i tells of. */
int dump_open_input(struct dump_run *run, struct input *in, struct error *err);

/* DUMPFILE or LOGFILE, for messages. */
const char *dump_output_name(const struct dump_run *run);

/* One dump at one level, with its statistics. */
int dump_at_level(struct dump_run *run, struct input *in, struct output_path *path, unsigned int level, struct error *err);

/* After rc of the i-th level: is it the room that lacked, and there is another level to try? Says so. */
bool dump_wants_next_level(const struct dump_run *run, unsigned int i, int rc, struct error *err);

/*
 * Give what broke off its name and say it. makedumpfile's name is that of a whole dump, the mark in its header makes the
 * difference.
 */
void dump_name_incomplete(const struct dump_run *run, struct output_path *path);

void dump_say_saved(const struct dump_run *run, const char *name);

#endif
