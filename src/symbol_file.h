/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ELF file with the symbols of the dead kernel and its modules at the addresses they had when it ran, for gdb and
 * whoever reads ELF: sections without contents where code and data lie, .symtab, and .debug_frame, by which gdb unwinds.
 *
 *   header | .debug_frame | .symtab, local symbols first | .strtab | .shstrtab | section headers
 */
#ifndef SRC_SYMBOL_FILE_H
#define SRC_SYMBOL_FILE_H

#include "elfcore/sink.h"
#include "src/session.h"

struct symbol_file_stats {
	uint32_t nr_kernel, nr_modules;		/* symbols */
	unsigned int nr_sections;
	uint32_t nr_frames;			/* rows of .debug_frame, 0 = the kernel has no ORC tables */
};

/* Write it to a sink, header to end; the caller commits. */
int symbol_file_write(struct session *s, struct sink *sink, uint64_t *size_ret, struct symbol_file_stats *stats,
		      struct error *err);

#endif
