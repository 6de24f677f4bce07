/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The header of a crash out of a kdump-compressed dump, which has no program headers: what was memory becomes segments,
 * and where the kernel saw it is asked from the dead kernel's page tables.
 */
#ifndef ELFCORE_KDUMP_CRASH_H
#define ELFCORE_KDUMP_CRASH_H

#include "elfcore/crash.h"
#include "elfcore/mem_kdump.h"

/*
 * More runs of memory than this are joined over the shortest gaps; the gaps count as pages that were left out. Memory
 * of a machine comes in dozens.
 */
#define KDUMP_CRASH_MAX_SEGS 16384

/*
 * Notes that cannot be read are said in the log and missing. Where the page tables cannot be walked, segments have
 * their physical address as virtual one. On error (-ENOMEM; -EINVAL: no memory at all) nothing needs to be released.
 */
int kdump_crash(struct crash *crash, struct mem_kdump *kdump, struct log *log, struct error *err);

#endif
