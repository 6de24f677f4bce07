/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ends of the road: a file, a block device, a stream. Storage is the caller's; release through sink_close().
 */
#ifndef SRC_SINKS_H
#define SRC_SINKS_H

#include <stdbool.h>

#include "elfcore/error.h"
#include "elfcore/sink.h"

/*
 * A file in a directory. It is called NAME-incomplete, is private (0600), and gets its name by rename(2) in commit(),
 * after fsync(2) of the file and before fsync(2) of the directory. zero() leaves holes.
 */
struct sink_file {
	struct sink sink;
	int dir_fd;
	int fd;
	char name[96];
	uint64_t flushed;	/* data up to here is on its way to the medium */
	uint64_t end;		/* highest offset written */
};

/* An unfinished file of an earlier run is replaced, a finished one too when the commit comes. */
int sink_file_open(struct sink_file *file, const char *dir, const char *name, struct error *err);

#define BLOCK_HEADER_SIZE 4096

/*
 * A whole block device or partition. Its first block is overwritten with zeros at once and written last: what is on
 * it is either no dump or one whose headers are whole. zero() really writes zeros, an old dump may lie there.
 */
struct sink_block {
	struct sink sink;
	int fd;
	uint64_t size;			/* of the device */
	uint64_t flushed;
	uint64_t end;
	uint8_t header[BLOCK_HEADER_SIZE];
};

int sink_block_open(struct sink_block *block, const char *device, struct error *err);

/* A descriptor that cannot seek; borrowed, not closed. */
struct sink_stream {
	struct sink sink;
	int fd;
	uint64_t pos;
};

void sink_stream_init(struct sink_stream *stream, int fd);

#endif
