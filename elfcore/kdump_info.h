/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The headers of a kdump-compressed file of any version and layout as one native structure. The file is a raw copy of
 * makedumpfile's C structures, so there are as many layouts as there are C ABIs (makedumpfile diskdump_mod.h, crash
 * diskdump.h; elfcore/kdump_format.h shows the one that is written today): 64 bit, 32 bit with 8-byte integers aligned
 * to 4 (i386) or to 8 (arm, ppc, mips), either byte order.
 */
#ifndef ELFCORE_KDUMP_INFO_H
#define ELFCORE_KDUMP_INFO_H

#include "elfcore/elf_codec.h"
#include "elfcore/kdump_format.h"
#include "elfcore/mem.h"

struct kdump_utsname {
	char sysname[KDUMP_UTSNAME_LEN], nodename[KDUMP_UTSNAME_LEN], release[KDUMP_UTSNAME_LEN];
	char version[KDUMP_UTSNAME_LEN], machine[KDUMP_UTSNAME_LEN], domainname[KDUMP_UTSNAME_LEN];
};

/* A part of the file; len 0 = not there. */
struct kdump_blob {
	uint64_t off, len;
};

struct kdump_info {
	struct elf_form form;		/* of the file's own structures */
	uint16_t e_machine;		/* by utsname.machine, EM_NONE = unknown */
	uint32_t version;		/* 1..6 */
	struct kdump_utsname uts;	/* each field terminated */
	int64_t timestamp;		/* s since 1970 UTC */
	uint32_t status;
	uint32_t block_size;		/* the page size of the dead kernel */
	uint64_t max_pfn;		/* page frames that the bitmaps speak of */
	uint64_t exists_off, stored_off;	/* of bitmap 1 and 2; the same when an old file has but one */
	uint64_t desc_off;		/* of the first page descriptor */
	int64_t phys_base;
	uint32_t dump_level;
	bool split;			/* a piece of several: descriptors are those of [start_pfn, end_pfn) only */
	pfn_t start_pfn, end_pfn;	/* of the whole dump when it is not split */
	struct kdump_blob vmcoreinfo, notes, eraseinfo;
	uint32_t nr_cpus;
};

/* -ENODEV: not such a file; -EINVAL: one, but a field makes no sense, which is named with its value. */
int kdump_info_read(struct kdump_info *ret, struct mem *mem, struct error *err);

#endif
