/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flattened stream to the output that a path names. */
#ifndef SRC_REARRANGE_H
#define SRC_REARRANGE_H

#include "src/output_path.h"

/* What could be put together of a stream that broke off is kept, under its unfinished name. Errors of flat_together(). */
int rearrange(int fd, struct output_path *out, struct error *err);

#endif
