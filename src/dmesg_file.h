/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dead kernel's log as a file beside the dump, written before any memory is.
 */
#ifndef SRC_DMESG_FILE_H
#define SRC_DMESG_FILE_H

#include "elfcore/kernel.h"
#include "elfcore/sink.h"

#define DMESG_FILE_NAME "vmcore-dmesg.txt"

struct dmesg_summary {
	unsigned int nr_records;
	uint64_t last_ns;	/* the last record's time since boot */
	char panic[160];	/* the last "Kernel panic" line, or the last BUG: or Oops line; empty = none */
};

/* The sink is committed when all of the log could be read and written; else what could be is kept as unfinished. */
int dmesg_file_write(struct sink *sink, struct kernel *kernel, struct dmesg_summary *ret, struct error *err);

#endif
