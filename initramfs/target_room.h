/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much a configured target can take, seen from the running system. */
#ifndef INITRAMFS_TARGET_ROOM_H
#define INITRAMFS_TARGET_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "elfcore/error.h"
#include "src/config.h"

/*
 * Bytes that are free on a mounted filesystem, or the size of the device (*whole true) where nothing is mounted or nothing
 * needs to be. -ENODATA: it is no disk.
 */
int target_room(const struct target_config *target, uint64_t *ret, bool *whole, struct error *err);

#endif
