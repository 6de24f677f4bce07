/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The crashed kernel's log as `makedumpfile --dump-dmesg` writes it: further lines of a record are indented, not stamped.
 */
#ifndef SRC_DUMP_DMESG_H
#define SRC_DUMP_DMESG_H

#include <stdbool.h>
#include <stdio.h>

#include "elfcore/kernel.h"

/* partial: only what came after the last "dmesg --clear". Errors as of printk_each(); -EIO when out cannot be written. */
int dump_dmesg(struct kernel *kernel, bool partial, FILE *out, struct error *err);

#endif
