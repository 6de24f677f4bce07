/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUs that idled, for gdb: it tells threads apart by pr_pid, which is 0 for each of them, and shows them all with the
 * registers of the first note. Where that is 0 it takes pr_pid of the NT_PRPSINFO that came before: with such a note of our own
 * each gets a number, and the kernel's notes stay as they are. Other readers of kernel cores do not look at that type.
 *
 *   | NT_PRSTATUS, pid 156 | NT_PRPSINFO, pid 2^30 + 1 | NT_PRSTATUS, pid 0 | VMCOREINFO |
 */
#ifndef ELFCORE_IDLE_NOTES_H
#define ELFCORE_IDLE_NOTES_H

#include "elfcore/notes.h"

#define IDLE_PID 0x40000000U		/* + CPU; no PID is that high (PID_MAX_LIMIT) */

/* Is it one of ours? Readers drop them. */
bool idle_note_is(uint8_t data, const struct note *note);

/*
 * ret = these notes with one of ours before each NT_PRSTATUS of a CPU that idled; x86_64's layout. -ENOMEM. What it needs is
 * taken with notes_init(), and notes_deinit() gives it back.
 */
int idle_notes_add(const struct notes *notes, struct notes *ret);

#endif
