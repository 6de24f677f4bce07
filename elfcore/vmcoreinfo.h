/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMCOREINFO: lines of "KEY=VALUE" that the dead kernel left about itself
 * (Documentation/admin-guide/kdump/vmcoreinfo.rst). Borrowed text, looked up in place; absent is not zero.
 */
#ifndef ELFCORE_VMCOREINFO_H
#define ELFCORE_VMCOREINFO_H

#include <stdbool.h>

#include "elfcore/types.h"

struct vmcoreinfo {
	const char *text;	/* not terminated */
	size_t len;
};

/* The value of a key (the whole left side, such as "SYMBOL(prb)"): its length, or -1 when absent. */
int vmcoreinfo_get(const struct vmcoreinfo *info, const char *key, const char **ret);

/* Copy a value as a terminated string; false when absent. Too long values are cut. */
bool vmcoreinfo_string(const struct vmcoreinfo *info, const char *key, char *ret, size_t size);

/* A number in hexadecimal without 0x, as SYMBOL(x) and KERNELOFFSET are written. */
bool vmcoreinfo_hex(const struct vmcoreinfo *info, const char *key, uint64_t *ret);

/* A number as SIZE, OFFSET, LENGTH and NUMBER are written: decimal, perhaps negative, in some architectures 0x hexadecimal. */
bool vmcoreinfo_number(const struct vmcoreinfo *info, const char *key, int64_t *ret);

#endif
