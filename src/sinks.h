/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ends of the road: a file, a block device, a stream. Storage is the caller's; release through sink_close().
 */
#ifndef SRC_SINKS_H
#define SRC_SINKS_H

#include <stdbool.h>

#include "elfcore/error.h"
#include "elfcore/sink.h"
#include "src/writeback.h"
#include "src/sender.h"

/* For zero() and reserve() of sinks that have nothing better: zeros by write(). */
int sink_write_zeros(struct sink *sink, uint64_t off, uint64_t len);

#define FILE_NAME_LEN 255	/* NAME_MAX; filesystems may allow less */

/*
 * What a file is called until it is whole: NAME-incomplete, or NAME-incomplete.txt for NAME.txt, for what people open by
 * its ending keeps it. Where that would be longer than max bytes NAME loses its beginning: what tells long names apart is
 * mostly their end. name has FILE_NAME_LEN bytes at most.
 */
void unfinished_name(const char *name, size_t max, char ret[FILE_NAME_LEN + 1]);

/*
 * A file in a directory. It is called by its unfinished name, is private (0600), and gets its own by rename(2) in commit(),
 * after fsync(2) of the file and before fsync(2) of the directory. zero() leaves holes, reserve() does not. What is neither
 * committed nor kept is removed.
 */
struct sink_file {
	struct sink sink;
	int dir_fd;
	int fd;
	bool kept;
	char name[FILE_NAME_LEN + 1], unfinished[FILE_NAME_LEN + 1];
	struct writeback writeback;
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
	struct writeback writeback;
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

/* Nothing is kept. */
struct sink_null {
	struct sink sink;
	uint64_t size;			/* that the dump would have had */
};

void sink_null_init(struct sink_null *null);

/* A stage that answers -ENOSPC to whatever would make the dump longer than max_size; closes what is below it. */
struct sink_limit {
	struct sink sink;
	struct sink *below;
	uint64_t max_size;
};

struct sink *sink_limit_init(struct sink_limit *limit, struct sink *below, uint64_t max_size);

/* One file of a dump that goes to a receiver. zero() costs nothing, what is not sent is zeros there. */
struct sink_tcp {
	struct sink sink;
	struct sender *sender;		/* borrowed */
	enum wire_file file;
	bool has_sum;
	uint8_t sha256[32];		/* the receiver compares it before it gives the file its name */
};

/* -EINVAL: a receiver takes no file of that name. */
int sink_tcp_init(struct sink_tcp *tcp, struct sender *sender, const char *name, struct error *err);

#endif
