/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kcapture verify for the directory of a dump: its SHA256SUMS, and what has to be there.
 */
#ifndef SRC_VERIFY_DIR_H
#define SRC_VERIFY_DIR_H

#include <stdbool.h>

/* One line for each defect and the verdict, unless quiet; 0 = can be trusted, 1 = cannot. */
int verify_dir(const char *dir, bool quiet);

/*
 * The file at path against the SHA256SUMS beside it: 0 = right, -ENOENT = there is none or it does not name the file,
 * -EILSEQ = the file has changed, or another error of reading.
 */
int verify_sum(const char *path);

/* Of cmd_verify.c: the verdict on a core alone, said unless quiet. 0 or 1. */
int verify_core(const char *path, bool quiet);

#endif
