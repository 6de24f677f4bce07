/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose registers a note holds. /proc/vmcore and what is made of it (makedumpfile, a copy by cp) have all NT_PRSTATUS notes
 * in one PT_NOTE: in the order of the CPUs, without those that saved nothing.
 */
#ifndef ELFCORE_CPU_NOTES_H
#define ELFCORE_CPU_NOTES_H

#include "elfcore/backtrace.h"

/* The task whose registers the note holds, 0 = an idle one, or not known. */
uint32_t cpu_note_pid(const struct kernel *kernel, const struct cpu_note *note);

/*
 * Give notes whose CPU is unknown the CPU on which the dead kernel has their task: all of them when there are as many as CPUs
 * online and the tasks agree, else those of a task that only one CPU and one note have. Notes of known CPUs stay as they are.
 */
void cpu_notes_number(struct backtrace *bt, struct notes *notes);

#endif
