/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of `makedumpfile --mem-usage /proc/kcore`: what the running kernel's pages are, and which a dump can do without. */
#ifndef SRC_MEM_USAGE_H
#define SRC_MEM_USAGE_H

#include <stdio.h>

#include "elfcore/error.h"
#include "elfcore/log.h"

/* out NULL: find out, but do not print. */
int mem_usage(const char *path, FILE *out, struct log *log, struct error *err);

#endif
