/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The elfcorehdr= parameter of the capture kernel (kernel/elfcorehdr.c): where the crashed kernel left its ELF header.
 *
 *   elfcorehdr=[size[KMGTPE]@]offset[KMGTPE]
 *
 * Numbers as the kernel's memparse() takes them: decimal, 0x hexadecimal, leading 0 octal, a suffix in either case.
 */
#ifndef ELFCORE_ELFCOREHDR_H
#define ELFCORE_ELFCOREHDR_H

#include "elfcore/error.h"
#include "elfcore/types.h"

struct elfcorehdr {
	paddr_t addr;
	uint64_t size;		/* 0 = not given */
};

/*
 * Find the last well-formed elfcorehdr= in a kernel command line. -ENOENT: there is none; -EINVAL: there are only
 * malformed ones, and the text names the last.
 */
int elfcorehdr_parse(const char *cmdline, struct elfcorehdr *ret, struct error *err);

#endif
