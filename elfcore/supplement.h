/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What VMCOREINFO lacks for page selection, out of the dead kernel's own types (BTF) and symbols (kallsyms): the same keys
 * with the values that the kernel would have written.
 */
#ifndef ELFCORE_SUPPLEMENT_H
#define ELFCORE_SUPPLEMENT_H

#include "elfcore/kernel.h"

struct supplement {
	struct vmcoreinfo info;		/* the whole: VMCOREINFO first, then what it did not have */
	unsigned int nr_added;
	char *text;
};

/*
 * Costs some 10 MiB while it runs, so it is only for a kernel that cannot be dealt with otherwise. -ENODATA and others, with
 * words: there are no types to be had.
 */
int supplement_init(struct supplement *supplement, struct kernel *kernel, struct error *err);

/* Of a zeroed one, too. */
void supplement_deinit(struct supplement *supplement);

#endif
