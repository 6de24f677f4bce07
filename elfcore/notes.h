/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF notes: iterate over a buffer that nobody vouches for, and merge many PT_NOTE segments into one.
 *
 *   +--------+--------+------+------------------+------------------+
 *   | namesz | descsz | type | name, padded to 4 | desc, padded to 4 |     also in ELF64, as the kernel writes them
 *   +--------+--------+------+------------------+------------------+
 *
 * The kernel's per-CPU buffers are larger than their content: a note with namesz 0 ends them, and a CPU that never
 * saved its registers left only that (crash_save_cpu() in kernel/crash_core.c, append_elf_note()).
 */
#ifndef ELFCORE_NOTES_H
#define ELFCORE_NOTES_H

#include <stdbool.h>

#include "elfcore/elf_codec.h"
#include "elfcore/log.h"
#include "elfcore/types.h"

/* One note inside a buffer; name and desc are borrowed from it. */
struct note {
	uint32_t type;
	const char *name;	/* namesz bytes, the terminating zero among them if the writer put one */
	uint32_t namesz;
	const uint8_t *desc;
	uint32_t descsz;
	size_t off, len;	/* the whole note inside the buffer, padding included */
};

/*
 * The note at off: 1 and *ret, or 0 at the end (namesz 0, or less than a note header left), or -EINVAL when the note
 * overruns the buffer. The padding of the last note may be missing. align is 4 or 8 (p_align 8 is rare but legal).
 */
int note_next(uint8_t data, const uint8_t *buf, size_t len, size_t off, unsigned int align, struct note *ret);

/* Is this its name? A missing terminating zero does not matter. */
bool note_named(const struct note *note, const char *name);

#define CPU_UNKNOWN UINT32_MAX

/* Where an NT_PRSTATUS lies in the merged notes and which CPU's PT_NOTE it came from. */
struct cpu_note {
	uint32_t cpu;		/* index of the PT_NOTE, which is the CPU in the kernel's headers; or CPU_UNKNOWN */
	size_t desc_off;	/* of its elf_prstatus inside the merged notes */
	uint32_t descsz;
};

/* All notes of a core in one buffer, in their original order, each padded to 4 bytes. */
struct notes {
	uint8_t data;		/* ELFDATA2LSB or ELFDATA2MSB */
	uint8_t *buf;
	size_t len, cap;
	struct cpu_note *cpus;
	unsigned int nr_cpus, cap_cpus;
	unsigned int nr_empty;	/* PT_NOTEs without any note: CPUs that saved nothing */
	unsigned int nr_broken;	/* PT_NOTEs whose content ended in a note that overran */
	size_t vmcoreinfo_off, vmcoreinfo_len;	/* desc of the last VMCOREINFO note; len 0 = none */
};

void notes_init(struct notes *notes, uint8_t data);
void notes_deinit(struct notes *notes);

/*
 * Append the notes of one PT_NOTE segment (len bytes at buf). cpu is what its NT_PRSTATUS notes are attributed to.
 * Broken content is kept up to the last whole note and said in the log; notes of idle_notes.h are left out. -ENOMEM is the
 * only error.
 */
int notes_append(struct notes *notes, const uint8_t *buf, size_t len, unsigned int align, uint32_t cpu, struct log *log);

/* Append one note of our own making. */
int notes_add(struct notes *notes, const char *name, uint32_t type, const void *desc, uint32_t descsz);

/* Append a note as it is; cpu as above. */
int notes_copy(struct notes *notes, const struct note *note, uint32_t cpu);

#endif
