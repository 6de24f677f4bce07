/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the bytes of a dump go. Every write says its offset; there is no hidden position. Sinks are sticky: the first
 * error is kept and every later call returns it, so that loops need no checks of their own.
 */
#ifndef ELFCORE_SINK_H
#define ELFCORE_SINK_H

#include "elfcore/types.h"

struct sink;

#define SINK_VECS_MAX 64

/* A stretch of memory to be written. */
struct sink_vec {
	const void *base;
	size_t len;
};

enum {
	SINK_SEEK = 1,		/* offsets may come in any order; otherwise each write must follow the last one (-ESPIPE) */
};

struct sink_ops {
	const char *name;
	unsigned int caps;

	int (*write)(struct sink *sink, uint64_t off, const void *buf, size_t len);

	/* Several stretches one behind another; at most SINK_VECS_MAX. NULL = write() each. */
	int (*writev)(struct sink *sink, uint64_t off, const struct sink_vec *vecs, unsigned int nr);

	/* [off, off + len) was never written and is to read as zeros: a hole where the target has holes. */
	int (*zero)(struct sink *sink, uint64_t off, uint64_t len);

	/* See sink_reserve(); NULL = there is nothing to be done for it. */
	int (*reserve)(struct sink *sink, uint64_t off, uint64_t len);

	/* See sink_expect(); NULL = of no interest. */
	void (*expect)(struct sink *sink, uint64_t off, const void *buf, size_t len);

	/* Everything written so far is on the medium when this returns. NULL = nothing to do. */
	int (*sync)(struct sink *sink);

	/* The SHA-256 of the whole file, said just before its commit() when it is known. NULL = of no interest. */
	void (*sum)(struct sink *sink, const uint8_t sha256[32]);

	/* The dump is complete and size bytes long: make it durable and give it its final name. */
	int (*commit)(struct sink *sink, uint64_t size);

	/*
	 * The dump ended early: keep what there is, under its unfinished name. What is missing of its size bytes is zeros
	 * in a file, on a device whatever that held. Called instead of commit() or after it failed, and even when writes
	 * have failed.
	 */
	int (*keep)(struct sink *sink, uint64_t size);

	/* Release; without commit() or keep() what was written is nothing that a reader would take for a dump. */
	void (*close)(struct sink *sink);
};

struct sink {
	const struct sink_ops *ops;
	const char *name;	/* what it writes to, for people, when whoever opened it told; borrowed */
	int error;		/* the first one, sticky */
	uint64_t nr_written;	/* bytes handed to write() */
};

void sink_init(struct sink *sink, const struct sink_ops *ops);
const char *sink_name(const struct sink *sink);	/* never NULL */
int sink_write(struct sink *sink, uint64_t off, const void *buf, size_t len);
int sink_writev(struct sink *sink, uint64_t off, const struct sink_vec *vecs, unsigned int nr);
int sink_zero(struct sink *sink, uint64_t off, uint64_t len);

/*
 * [off, off + len) was never written and will be, but what lies behind it comes first: that must not take the last room
 * there is. It reads as zeros until then.
 */
int sink_reserve(struct sink *sink, uint64_t off, uint64_t len);
int sink_sync(struct sink *sink);
int sink_commit(struct sink *sink, uint64_t size);

/*
 * Tells in advance what will lie at off when the dump has ended well, although something else is written there first: for
 * stages that look at every byte once. To be called before anything behind off is written; no promise, the dump may end
 * otherwise.
 */
void sink_expect(struct sink *sink, uint64_t off, const void *buf, size_t len);

/* Forget the error: what is written next (a header in place, on a full disk) may well succeed. */
void sink_retry(struct sink *sink);
int sink_keep(struct sink *sink, uint64_t size);
void sink_close(struct sink *sink);

#endif
