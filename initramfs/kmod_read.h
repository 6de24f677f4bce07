/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text files of lib/modules/VER into the tables of struct kmod; only kmod.c calls this. */
#ifndef INITRAMFS_KMOD_READ_H
#define INITRAMFS_KMOD_READ_H

#include "initramfs/kmod.h"

/* Fill in dir, monolithic, texts, entries, aliases and softdeps. On error the caller deinits. */
int kmod_read(struct kmod *km, const char *root, struct error *err);

/* '-' becomes '_' except inside the brackets of a pattern, as in modprobe. */
void kmod_normalise(char *name);

/* Order of kmod.entries, for bsearch(3). */
int kmod_entry_cmp(const void *a, const void *b);

#endif
