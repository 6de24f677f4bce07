/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel modules of the image: /modules/load names their files in the order of dependencies, as it was made by who armed.
 */
#ifndef SRC_MODULES_H
#define SRC_MODULES_H

#include "elfcore/log.h"

/*
 * Load those from number *nr_done on. A driver that hangs or crashes takes its process along: *nr_done, which is to lie in
 * memory that outlives it, is counted up before each one, so that the next process goes on behind it.
 */
void modules_load(volatile unsigned int *nr_done, struct log *log);

#endif
