/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The note that kcapture adds to a core: name "KCAPTURE", lines of KEY=VALUE in a desc of fixed size (padded with
 * newlines) so that it can be written again when the capture has ended. Readers that do not know it skip it.
 *
 *   VERSION=1
 *   CPUS=0-1,3             CPU of each NT_PRSTATUS note, in order; absent when the header did not say
 *   CPUS_EMPTY=1           PT_NOTEs of CPUs that saved no registers
 *   LEVEL=31               dump level that was asked for
 *   LEVEL_DONE=1           what could be done of it, when that is less, and why no more:
 *   REASON=VMCOREINFO has no valid SIZE(page)
 *   STATUS=complete        or "incomplete" and, once it is known, the errno
 *   SOURCES=devmem:N,...   bytes that each source delivered, and
 *   DURATION_MS=N          how long it took: of a dump with holes or an early end; a clean one's note is known beforehand
 *   HOLES=N BYTES          ranges and bytes that were unreadable and are zeros
 *   HOLE=0xSTART-0xEND E   physical addresses of the dead kernel, half open, and errno; as many as fit
 */
#ifndef ELFCORE_CAPTURE_NOTE_H
#define ELFCORE_CAPTURE_NOTE_H

#include "elfcore/core.h"

#define CAPTURE_NOTE_NAME "KCAPTURE"
#define CAPTURE_NOTE_TYPE 0x6b63
#define CAPTURE_NOTE_SIZE 4096
#define CAPTURE_NOTE_HEADER 24		/* note header and name, padded */
#define CAPTURE_NOTE_LEN (CAPTURE_NOTE_HEADER + CAPTURE_NOTE_SIZE)

/* Fill desc. result NULL = the capture is running. */
void capture_note_format(char desc[CAPTURE_NOTE_SIZE], const struct plan *plan, const struct core_result *result);

/* The whole note at off, in two pieces that sink_expect() may know. desc is room for the text. */
int capture_note_write(struct sink *sink, uint64_t off, const struct plan *plan, const struct core_result *result,
		       char desc[CAPTURE_NOTE_SIZE]);

/* Tell the sink how it will look when all goes well. */
void capture_note_expect(struct sink *sink, uint64_t off, const struct plan *plan, char desc[CAPTURE_NOTE_SIZE]);

/* The desc of the note in a core that kcapture wrote, as lines to look up; false when it has none. */
bool capture_note_find(const struct notes *notes, struct vmcoreinfo *ret);

/* Attribute NT_PRSTATUS notes of a merged core to CPUs by the CPUS= line. Without one nothing changes. */
void capture_note_attribute_cpus(struct notes *notes);

#endif
