/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be done with a crash: read from /etc/kcapture.conf (directive style of kdump.conf: one "word value" a line,
 * '#' starts a comment, the last occurrence wins) and in the capture kernel also from "kcapture.WORD=VALUE" on the
 * kernel command line, which wins over the file. Const for everybody once it is read.
 *
 * Directives:
 *   ext2|ext3|ext4|xfs|btrfs|vfat DEVICE   target: a directory on this filesystem
 *   raw DEVICE                             target: a whole block device or partition
 *   path DIR                               directory on the target filesystem, default /var/crash
 *   final_action reboot|halt|poweroff      after a saved dump, default reboot
 *   failure_action reboot|halt|poweroff    after a failure, default reboot
 *   timeout SECONDS                        deadline of the whole capture, default 0 = none
 *   stall_timeout SECONDS                  deadline while no byte moves, default 120, 0 = none
 *   target_timeout SECONDS                 deadline for the target to appear, default 30
 *   source devmem|vmcore ...               sources of memory in the order to try, default "devmem vmcore"
 *   crosscheck yes|no                      compare /dev/mem, /proc/vmcore and the written core page by page
 *   dump_level 0..31                       pages to leave out, makedumpfile's sum of 2 page cache, 4 page cache with
 *                                          private data too, 8 user memory, 16 free pages; default 0
 *   aliases yes|no                         segments by which gdb reads stacks and modules (vmalloc), default yes
 *   extra_modules NAME ...                 kernel modules to carry besides those that the target needs
 */
#ifndef SRC_CONFIG_H
#define SRC_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "elfcore/error.h"
#include "elfcore/log.h"

enum target_kind { TARGET_NONE, TARGET_FS, TARGET_RAW };
enum action { ACTION_REBOOT, ACTION_HALT, ACTION_POWEROFF };
enum source_kind { SOURCE_DEVMEM, SOURCE_VMCORE, NR_SOURCES };

struct config {
	enum target_kind target;
	char fstype[16];		/* TARGET_FS: mount(2) type */
	char device[128];		/* /dev/... */
	char path[256];			/* absolute directory inside the target filesystem */
	enum action final_action;
	enum action failure_action;
	unsigned int timeout;		/* s, 0 = none */
	unsigned int stall_timeout;	/* s, 0 = none */
	unsigned int target_timeout;	/* s */
	enum source_kind sources[NR_SOURCES];
	unsigned int nr_sources;
	bool crosscheck;
	bool aliases;
	unsigned int dump_level;	/* DUMP_LEVEL_*, elfcore/page.h */
	char extra_modules[512];	/* names separated by one blank */
};

void config_init(struct config *cfg);

/*
 * Read directives from text (not terminated, len bytes; name is for messages). Every wrong line is reported to the
 * log with name and line number and passed over. Returns the number of wrong lines.
 */
unsigned int config_parse(struct config *cfg, const char *text, size_t len, const char *name, struct log *log);

/* Take "kcapture.WORD=VALUE" parameters out of a kernel command line. Returns the number of wrong ones. */
unsigned int config_parse_cmdline(struct config *cfg, const char *cmdline, struct log *log);

/* Can a capture be made of this? -EINVAL with the missing piece named. */
int config_check(const struct config *cfg, struct error *err);

const char *action_name(enum action action);
const char *source_name(enum source_kind source);

#endif
