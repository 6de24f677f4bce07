/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Put a flattened stream (elfcore/sink_flat.h) together again, as "makedumpfile -R" does: its records go where they
 * say, whatever dump they are of. The stream need not seek.
 */
#ifndef SRC_FLAT_TOGETHER_H
#define SRC_FLAT_TOGETHER_H

#include "elfcore/error.h"
#include "elfcore/sink.h"

/* Take the stream's header. -EINVAL: it is not flattened. */
int flat_take_header(int fd, struct error *err);

/*
 * Read on to the end record and write to sink, which must be able to seek; what no record covers becomes zeros.
 * *size_ret is the length of what was put together, after an error as far as it came. -EINVAL: a record is broken;
 * -ENODATA: the stream ends before its end record. Committing is the caller's.
 */
int flat_together(int fd, struct sink *sink, uint64_t *size_ret, struct error *err);

#endif
