/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dead kernel's log as a file beside the dump, written before any memory is: vmcore-dmesg.txt, which is called
 * vmcore-dmesg-incomplete.txt until it is synced.
 */
#ifndef SRC_DMESG_FILE_H
#define SRC_DMESG_FILE_H

#include "elfcore/kernel.h"

struct dmesg_summary {
	unsigned int nr_records;
	char panic[160];	/* the last "Kernel panic" line, or the last BUG: or Oops line; empty = none */
};

int dmesg_file_write(const char *dir, struct kernel *kernel, struct dmesg_summary *ret, struct error *err);

#endif
