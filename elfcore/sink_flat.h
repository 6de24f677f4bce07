/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flattened form (makedumpfile -F): a stream of records that say where their bytes belong, for targets that
 * cannot seek. "makedumpfile -R" and "kcapture copy" make a plain file of it again.
 *
 *   +---------------------------+ 0
 *   | "makedumpfile", 4 NUL     | 16     all integers big endian
 *   | type 1, version 1         | 8 + 8
 *   | zeros                     | up to 4096
 *   +---------------------------+
 *   | offset, size              | 8 + 8  a record; a later one overwrites an earlier one
 *   | size bytes                |
 *   +---------------------------+ ...
 *   | -1, -1                    |        the end
 *   +---------------------------+
 */
#ifndef ELFCORE_SINK_FLAT_H
#define ELFCORE_SINK_FLAT_H

#include <stdbool.h>

#include "elfcore/sink.h"

#define FLAT_HEADER_SIZE 4096
#define FLAT_RECORD_HEADER 16
#define FLAT_SIGNATURE "makedumpfile\0\0\0\0"	/* 16 bytes */

struct sink_flat {
	struct sink sink;
	struct sink *below;	/* borrowed: closed by who opened it */
	uint64_t pos;		/* in the stream below */
	uint64_t end;		/* highest offset written */
	bool started;
};

/* A stage that can seek, on a sink that need not. Returns &flat->sink. */
struct sink *sink_flat_init(struct sink_flat *flat, struct sink *below);

#endif
