/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in the initramfs:
 *
 *   /init                the static capture program
 *   /etc/kcapture.conf   the configuration as given
 *   /etc/kcapture.key    the key of tcp targets
 *   /usr/lib/klibc/bin/ipconfig   with its library in /lib, for tcp targets
 *   /etc/firmware-map    memory map of the firmware that armed, one "start-end type" a line (only if asked for)
 *   /modules/load        names of module files in load order, one a line
 *   /modules/NAME.ko     the modules, not compressed
 *   /etc/assemble        what to put together for each target (src/assemble.h), "NUMBER STEP ..." a line
 *   /etc/keys/NUMBER     the key file of a target's LUKS devices
 *   programs that the configuration names, with their libraries, under their own names
 *   /dev /mnt /proc /run /sys   empty
 */
#ifndef INITRAMFS_IMAGE_H
#define INITRAMFS_IMAGE_H

#include <limits.h>
#include <stddef.h>

#include "elfcore/error.h"
#include "elfcore/log.h"
#include "initramfs/archive.h"
#include "initramfs/kmod.h"
#include "src/config.h"

/* /init reads the configuration and the list of modules into buffers of this size. */
#define IMAGE_TEXT_MAX 8192

struct image {
	const char *root;	/* where lib/modules and boot are; "/" = this system */
	const char *sysfs;	/* this machine's /sys, NULL: the image is for another machine */
	const char *version;	/* of the capture kernel */
	const char *init;	/* path or NULL: found by image_find_init() */
	const struct archive_codec *codec;
	const char *firmware_map;	/* contents of /etc/firmware-map, NULL = none */
	char *config_text;	/* as read */
	size_t config_len;
	struct config cfg;
	struct kmod km;		/* the load order is the list of modules in the image */
};

/* Read configuration file and modules and decide on the modules. Wrong lines go to log; one is enough to fail. */
int image_init(struct image *img, const char *config_path, struct log *log, struct error *err);
void image_deinit(struct image *img);

int image_write(struct image *img, const char *out, struct archive_size *ret, struct error *err);

/* Read and check a configuration file alone. text and len may be NULL. */
int image_read_config(const char *path, struct config *cfg, char **text, size_t *len, struct log *log, struct error *err);

/*
 * The capture program: $KCAPTURE_INIT, else "init" beside the running executable (a build tree), else
 * ../lib/kcapture/init from there, else PREFIX/lib/kcapture/init.
 */
int image_find_init(char *ret, size_t size, struct error *err);

#endif
