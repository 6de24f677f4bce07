/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * makedumpfile's command line, as makedumpfile(8) 1.7 and its -h tell it, read for `kcapture dump`, for a link that is
 * called makedumpfile, and for core_collector in a configuration.
 */
#ifndef SRC_DUMP_OPTIONS_H
#define SRC_DUMP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "elfcore/error.h"
#include "src/capture.h"

enum dump_mode {
	DUMP_MODE_DUMP,
	DUMP_MODE_DMESG,	/* --dump-dmesg */
	DUMP_MODE_REARRANGE,	/* -R */
	DUMP_MODE_REASSEMBLE,
	DUMP_MODE_MEM_USAGE,
	DUMP_MODE_HELP,
	DUMP_MODE_VERSION,
};

/* Bits of --message-level. */
enum {
	MESSAGE_PROGRESS = 1,
	MESSAGE_COMMON = 2,
	MESSAGE_ERROR = 4,
	MESSAGE_DEBUG = 8,
	MESSAGE_REPORT = 16,
	MESSAGE_DEFAULT = MESSAGE_PROGRESS | MESSAGE_COMMON | MESSAGE_ERROR,
	MESSAGE_MAX = 31,
};

struct dump_options {
	enum dump_mode mode;
	enum dump_format format;
	enum codec codec;
	bool compressed;		/* one of -c -l -p -z was given */
	unsigned int levels[LEVELS_MAX], nr_levels;	/* in the order to try */
	unsigned int jobs;
	unsigned int messages;		/* MESSAGE_* */
	uint64_t max_size;		/* bytes, 0 = no limit */
	const char *vmcoreinfo;		/* -i, borrowed; NULL = not given */
	bool flat, force, dry_run, split, partial_dmesg;
	bool check_only;		/* --check-params */
	bool snappy;			/* -p, which nobody makes any more: codec is another one */
	char *const *operands;		/* borrowed from argv */
	int nr_operands;
};

/*
 * 0; or -EINVAL: not understood or contradictory, and -EOPNOTSUPP: makedumpfile does this, kcapture does not. Whatever was read
 * until then is in ret, of which messages, flat and check_only count for how the error is told. The operands are moved to
 * the front of argv.
 */
int dump_options_read(struct dump_options *ret, int argc, char **argv, struct error *err);

/* The same, and the files must be named that these options need. */
int dump_options_parse(struct dump_options *ret, int argc, char **argv, struct error *err);

#endif
