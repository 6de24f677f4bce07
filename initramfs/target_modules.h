/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which kernel modules the target of a configuration needs.
 *
 * The filesystem: by a table. The block device: when it exists on this machine, by following it through sysfs from the
 * partition to the disk, into stacked devices' slaves, and up through every parent to the bus's root, taking each driver
 * on the way. When it is not here (an image for another machine), by the family of its name: the likely drivers, as a
 * table. Then config.extra_modules. Before all of them the watchdog's driver.
 */
#ifndef INITRAMFS_TARGET_MODULES_H
#define INITRAMFS_TARGET_MODULES_H

#include "elfcore/error.h"
#include "initramfs/kmod.h"
#include "src/config.h"

/*
 * Add all of them to km. sysfs is where the machine's /sys is found (tests have their own), NULL when the image is for
 * another machine. -ENOENT, with module and kernel named, when something indispensable is missing.
 */
int target_modules_add(struct kmod *km, const struct config *cfg, const char *sysfs, struct error *err);

/*
 * Name of the block device in sysfs ("nvme0n1p1", "dm-0") for a path in /dev, symbolic links followed.
 * -ENOENT when sysfs has no such block device.
 */
int block_device_name(const char *device, const char *sysfs, char *ret, size_t size);

#endif
