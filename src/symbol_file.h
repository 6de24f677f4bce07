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

/* What is to be in it. */
#define SYMBOL_FILE_KERNEL 1
#define SYMBOL_FILE_MODULES 2
#define SYMBOL_FILE_FRAMES 4
#define SYMBOL_FILE_SWITCHES 8		/* frames of code that changes stacks: for gdb to find before vmlinux's own */

/* Write it to a sink, header to end; the caller commits. */
int symbol_file_write(struct session *s, unsigned int what, struct sink *sink, uint64_t *size_ret,
		      struct symbol_file_stats *stats, struct error *err);

/* Write the file of that name ("-" = standard output); force = over another one. */
int symbol_file_save(struct session *s, unsigned int what, const char *name, bool force, struct symbol_file_stats *stats,
		     struct error *err);

#endif
