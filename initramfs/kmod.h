/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel modules below a root directory and what has to be loaded, in which order, to have a given set of them.
 *
 * Everything is read from the text files of ROOT/lib/modules/VER or ROOT/usr/lib/modules/VER: modules.dep, .alias and
 * .softdep, and modules.builtin. A tree that never saw depmod (a Debian kernel package that was only unpacked) has none
 * of the first three; then depmod is asked to print them, which needs neither write permission in ROOT nor root rights.
 *
 * In names '-' and '_' are the same, as for modprobe. A module that is built in is present and has nothing to load.
 * Soft dependencies ("pre:") are loaded where they exist: ext4 of 6.1 asks the crypto API for crc32c by name and does not
 * find it without them, as there is no modprobe in the capture kernel. "post:" ones and /etc/modprobe.d are not looked at.
 */
#ifndef INITRAMFS_KMOD_H
#define INITRAMFS_KMOD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "elfcore/error.h"

enum kmod_state { KMOD_UNUSED, KMOD_OPEN, KMOD_ORDERED };

struct kmod_entry {
	const char *name;	/* normalised: '_' only */
	const char *path;	/* relative to kmod.dir; NULL = built in */
	const char *deps;	/* rest of the line in modules.dep */
	enum kmod_state state;
};

struct kmod_alias {
	const char *pattern;	/* fnmatch(3) pattern, normalised; for a softdep the name of the module */
	const char *target;	/* module name as written; for a softdep the rest of the line */
};

#define KMOD_NR_TEXTS 4

struct kmod {
	char version[128];
	char dir[PATH_MAX];
	bool monolithic;	/* a kernel without module support: everything is built in */
	char *texts[KMOD_NR_TEXTS];	/* the files; entries point into them */
	struct kmod_entry *entries;	/* sorted by name */
	size_t nr_entries;
	struct kmod_alias *aliases, *softdeps;
	size_t nr_aliases, nr_softdeps;
	size_t *order;		/* indices into entries, dependencies first */
	size_t nr_order;
};

/* Read what is known of kernel version below root. */
int kmod_init(struct kmod *km, const char *root, const char *version, struct error *err);
void kmod_deinit(struct kmod *km);

/* Is there such a module, loadable or built in, under this name or (exact) alias? */
bool kmod_has(const struct kmod *km, const char *name);

/*
 * Add a module and everything it depends on to the load order. name may be an alias: then all modules that match are
 * added. Nothing to do for built-in ones. -ENOENT when the kernel does not have it.
 */
int kmod_add(struct kmod *km, const char *name, struct error *err);

/* Name and absolute path of the i-th module to load, i < km->nr_order. */
const char *kmod_order_name(const struct kmod *km, size_t i);
int kmod_order_path(const struct kmod *km, size_t i, char *ret, size_t size);

/* Write the i-th module, decompressed if its file is a .gz, .xz or .zst, to fd. */
int kmod_extract(const struct kmod *km, size_t i, int fd, struct error *err);

#endif
