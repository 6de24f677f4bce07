/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a target's device on this machine is made of, as steps to put it together again (src/assemble.h), and whether that is
 * sensible in a capture kernel.
 */
#ifndef INITRAMFS_STACK_H
#define INITRAMFS_STACK_H

#include <stdint.h>

#include "elfcore/error.h"
#include "initramfs/archive.h"
#include "initramfs/kmod.h"
#include "src/config.h"

/*
 * Fill in target->assemble from sysfs, if the configuration has not, and the device (already found: its name in sysfs) is no
 * plain disk. -EINVAL with what it is that cannot be put together again.
 */
int stack_derive(struct target_config *target, const char *sysfs, const char *name, struct error *err);

/*
 * Will cryptsetup find the memory to open the target's LUKS devices? -ENOMEM with numbers when a key slot (argon2) wants more
 * than half of crash_size, -EINVAL when there is no key file.
 */
int stack_check_luks(const struct target_config *target, uint64_t crash_size, struct error *err);

/* The kernel modules that the steps need. */
int stack_add_modules(struct kmod *km, const struct target_config *target, struct error *err);

/* The programs, key files and /etc/assemble of all targets. */
int stack_add_files(struct archive *ar, const struct config *cfg, struct error *err);

#endif
