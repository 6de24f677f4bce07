/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what the configuration calls a disk to its node in /dev: by name, or by what is on it. The same code runs in the
 * capture kernel and on the host when it is armed.
 */
#ifndef SRC_DEVICE_H
#define SRC_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "elfcore/error.h"
#include "elfcore/log.h"

/*
 * Which device is being looked at, in memory that outlives a process: one that hangs there is killed, and the next one
 * passes that device over.
 */
struct device_memo {
	char looking_at[64];
	char dead[4][64];
	unsigned int nr_dead;
};

/* What memo->looking_at names becomes dead; for who killed the process that looked. */
void device_memo_bury(struct device_memo *memo);

/*
 * The node of a place: /dev/NAME, UUID=, LABEL= (of a filesystem, or of what LUKS, md and LVM are made of), PARTUUID=, ID=
 * (serial number, or a name of /dev/disk/by-id, which ends in it; "-partN" behind it is a partition). -ENOENT without
 * text in err: not there; -ENOTBLK: no block device. memo may be NULL.
 */
int device_look(const char *place, struct device_memo *memo, char *ret, size_t size, struct error *err);

struct device_wait {
	uint64_t deadline_ms;		/* of now_ms() */
	struct device_memo *memo;	/* or NULL */
	struct log *log;
};

/* The same, waited for until the deadline (-ETIMEDOUT). */
int device_wait(const char *place, const struct device_wait *wait, char *ret, size_t size, struct error *err);

#endif
