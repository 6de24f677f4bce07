/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this machine says about kexec, and the firmware's map of its memory. Everything is read below a prefix ("" on a
 * real machine), so that tests can build a machine out of files.
 */
#ifndef INITRAMFS_MACHINE_H
#define INITRAMFS_MACHINE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "elfcore/error.h"

struct machine {
	char prefix[PATH_MAX];
	char sysfs[PATH_MAX];		/* prefix/sys */
	char release[65];		/* of the running kernel, as in uname -r */
	char arch[65];			/* uname -m */
	bool has_kexec;			/* the kernel has kexec at all */
	bool crash_loaded;		/* a capture kernel is loaded */
	uint64_t crash_size;		/* bytes reserved by crashkernel= */
	char lockdown[32];		/* none, integrity or confidentiality */
	char *cmdline;			/* /proc/cmdline */
};

int machine_init(struct machine *m, const char *prefix, struct error *err);
void machine_deinit(struct machine *m);

/* Read crash_loaded and crash_size again, after kexec changed them. */
void machine_update(struct machine *m);

/* Under lockdown only signed kernels can be loaded, and that only by kexec_file_load. */
bool machine_is_locked_down(const struct machine *m);

/*
 * /sys/firmware/memmap as text, one "start-end type" a line, sorted by address; to be freed. NULL in *ret and 0 when the
 * machine has none.
 */
int machine_firmware_map(const struct machine *m, char **ret, struct error *err);

#endif
