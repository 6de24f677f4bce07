/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ELF core: PT_NOTE first, then the PT_LOADs of the crash, then aliases. Zero pages are holes of the file; p_filesz
 * and p_memsz stay what they were. e_flags bit 0 says incomplete until the very last write. p_align is 0, by which
 * crash knows a kdump core. With a zseek stage the same file goes out as seekable zstd.
 */
#ifndef ELFCORE_CORE_ELF_H
#define ELFCORE_CORE_ELF_H

#include "elfcore/capture_note.h"
#include "elfcore/core.h"
#include "elfcore/sink_zseek.h"

struct core_elf {
	struct core core;
	struct plan *plan;
	struct mem *mem;		/* asked what it holds; borrowed */
	struct sink_zseek *zseek;	/* NULL = plain; borrowed */
	struct sink *out;		/* the zseek stage, or the sink itself */
	bool align;			/* batches end at multiples of their size in the file */

	unsigned int range;		/* all ranges before it, and done bytes of it, were handed out */
	uint64_t done;
	uint64_t pos;			/* in the core: all before it is written */
	uint64_t nr_zero_bytes;		/* found as holes */
	char desc[CAPTURE_NOTE_SIZE];	/* of our own note, while it is made */
};

struct core *core_elf_init(struct core_elf *elf, struct mem *mem, struct sink_zseek *zseek);

#endif
