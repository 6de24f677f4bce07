/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be done with a crash: read from /etc/kcapture.conf (directive style of kdump.conf: one "word value" a line,
 * '#' starts a comment, the last occurrence wins) and in the capture kernel also from "kcapture.WORD=VALUE" on the
 * kernel command line, which wins over the file. Const for everybody once it is read.
 *
 * Targets are tried in the order of their lines. An option of a target (path, subvol, target_timeout, stall_timeout,
 * target_limit) belongs to the target above it; before the first one it is the default of all. The first target on the
 * kernel command line replaces those of the file.
 *
 * Targets:
 *   ext2|ext3|ext4|xfs|btrfs|vfat PLACE    a directory on this filesystem. PLACE: /dev/NAME, UUID=, LABEL=, PARTUUID=, ID=
 *   raw PLACE                              a whole block device or partition
 *   tcp HOST[:PORT]                        a receiver across the network
 * Options of a target:
 *   path DIR                               directory on the target filesystem, default /var/crash
 *   subvol NAME                            btrfs: the subvolume to mount
 *   assemble STEP ...                      what userspace has to put together first, from the disk upwards: md:UUID,
 *                                          lvm:VG/LV, luks:UUID; arming finds out by itself
 *   luks_key FILE                          the key file for the target's LUKS devices
 *   target_timeout SECONDS                 deadline for the target to appear, default 30
 *   stall_timeout SECONDS                  deadline while no byte moves, default 120, 0 = none
 *   target_limit SECONDS                   deadline for this target in all, default 0 = none
 * The rest:
 *   final_action reboot|halt|poweroff      after a saved dump, default reboot
 *   failure_action reboot|halt|poweroff    after a failure, default reboot
 *   timeout SECONDS                        deadline of the whole capture, default 0 = none
 *   source devmem|vmcore ...               sources of memory in the order to try, default "devmem vmcore"
 *   crosscheck yes|no                      compare /dev/mem, /proc/vmcore and the written core page by page
 *   format elf|kdump                       ELF core, or makedumpfile's kdump-compressed format; default elf
 *   compress none|zlib|lzo|zstd            default none; an ELF core can be zstd (seekable) or none
 *   dump_level 0..31[,0..31 ...]           pages to leave out, makedumpfile's sum of 1 zero pages, 2 page cache, 4 page cache
 *                                          with private data too, 8 user memory, 16 free pages; default 31. Of several the
 *                                          first is taken whose dump finds room
 *   jobs N                                 processes that compress, 1..32; default 1
 *   aliases yes|no                         segments by which gdb reads stacks and modules (vmalloc), default yes
 *   checksum yes|no                        SHA256SUMS beside the dump, default yes
 *   keep N, keep_bytes SIZE                how many complete dumps, and bytes of them, stay; 0 = all, the default
 *   crash_loop N                           the Nth crash within an hour saves no memory, default 6; 0 = off
 *   watchdog yes|no|DEVICE                 feed the hardware's watchdog while bytes move, default yes
 *   console auto|plain|screen              whether to draw on the console, default auto
 *   net WHICH dhcp|slaac|ADDRESS/PREFIX [gateway ADDRESS] [vlan ID] [mtu BYTES]
 *                                          an interface for tcp targets, see config_net.h
 *   key FILE                               the key of tcp targets, which the receivers have too
 *   host NAME ADDRESS                      there is no name service in the capture kernel; "kcapture arm" adds these
 *   extra_modules NAME ...                 kernel modules to carry besides those that the target needs
 *   extra_bins FILE ...                    programs to carry, with their libraries
 *   kdump_pre FILE, kdump_post FILE        programs to run before and after the dump
 */
#ifndef SRC_CONFIG_H
#define SRC_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elfcore/core.h"
#include "elfcore/error.h"
#include "elfcore/log.h"
#include "src/config_net.h"

#define CONFIG_MAX_TARGETS 8

enum target_kind { TARGET_FS, TARGET_RAW, TARGET_TCP };
enum action { ACTION_REBOOT, ACTION_HALT, ACTION_POWEROFF };
enum source_kind { SOURCE_DEVMEM, SOURCE_VMCORE, NR_SOURCES };
enum console_kind { CONSOLE_AUTO, CONSOLE_PLAIN, CONSOLE_SCREEN };

struct target_config {
	enum target_kind kind;
	char word[16];			/* its directive; TARGET_FS: type for mount(2) */
	char place[160];		/* /dev/NAME or KEY=VALUE; TARGET_TCP: HOST[:PORT] */
	char path[256];			/* absolute directory inside the target filesystem */
	char subvol[128];		/* "" = the default one */
	char assemble[256];		/* steps with one blank between, "" = none */
	char luks_key[128];		/* absolute path on the machine that arms, "" = none */
	unsigned int target_timeout;	/* s */
	unsigned int stall_timeout;	/* s, 0 = none */
	unsigned int target_limit;	/* s, 0 = none */
};

struct config {
	struct target_config targets[CONFIG_MAX_TARGETS];
	unsigned int nr_targets;
	struct target_config defaults;	/* what the next target starts from */
	bool overriding;		/* options are for all targets, the next target replaces them */
	enum action final_action;
	enum action failure_action;
	unsigned int timeout;		/* s, 0 = none */
	enum source_kind sources[NR_SOURCES];
	unsigned int nr_sources;
	bool crosscheck;
	bool aliases;
	bool checksum;
	enum dump_format format;
	enum codec codec;
	unsigned int levels[LEVELS_MAX];	/* DUMP_LEVEL_*, elfcore/page.h */
	unsigned int nr_levels;
	unsigned int jobs;
	unsigned int keep;		/* dumps, 0 = all */
	uint64_t keep_bytes;		/* 0 = all */
	unsigned int crash_loop;	/* crashes within an hour, 0 = off */
	enum console_kind console;
	char watchdog[64];		/* device, "" = none */
	bool net_overriding;		/* the next interface replaces them all */
	struct net_config nets[CONFIG_MAX_NETS];
	unsigned int nr_nets;
	struct host_config hosts[CONFIG_MAX_HOSTS];	/* names that were resolved when the image was made */
	unsigned int nr_hosts;
	char key[256];			/* of tcp targets: a file, "" = none */
	char extra_modules[512];	/* names separated by one blank */
	char extra_bins[512];		/* absolute paths separated by one blank */
	char kdump_pre[256];		/* absolute path, "" = none */
	char kdump_post[256];
};

void config_init(struct config *cfg);

/*
 * Read directives from text (not terminated, len bytes; name is for messages). Every wrong line is reported to the
 * log with name and line number and passed over; a word of kdump.conf that is taken but means little here is reported,
 * too. Returns the number of wrong lines.
 */
unsigned int config_parse(struct config *cfg, const char *text, size_t len, const char *name, struct log *log);

/* Take "kcapture.WORD=VALUE" parameters out of a kernel command line. Returns the number of wrong ones. */
unsigned int config_parse_cmdline(struct config *cfg, const char *cmdline, struct log *log);

/* Can a capture be made of this? -EINVAL with the missing piece named. */
int config_check(const struct config *cfg, struct error *err);

const char *action_name(enum action action);
const char *source_name(enum source_kind source);

#endif
