/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is this machine ready to be armed? Every check runs, whatever the others said, and leaves at most a few lines of text;
 * nothing is printed and nothing is changed here.
 */
#ifndef INITRAMFS_CHECK_H
#define INITRAMFS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "elfcore/error.h"
#include "initramfs/archive.h"
#include "initramfs/machine.h"
#include "src/config.h"

#define CHECK_MAX 24

/*
 * What a capture kernel takes besides its image and the initramfs: page tables, struct pages, slabs, drivers' queues and
 * /init. Debian's 6.1 cloud kernel was measured to start with 71 MiB in all (51 of them its image); drivers of real
 * machines want more.
 */
#define CHECK_RUN_MARGIN (24ULL << 20)

enum load_method { LOAD_AUTO, LOAD_FILE, LOAD_LEGACY };

struct check_list {
	struct {
		bool failed;	/* else a warning */
		char text[320];
	} found[CHECK_MAX];
	unsigned int nr, nr_failed;
};

void check_failed(struct check_list *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void check_warn(struct check_list *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Effective uid 0; with only_warn a note that arming itself will need it. */
void check_root(struct check_list *list, bool only_warn);

/* Memory reserved by crashkernel=. */
void check_reserved(struct check_list *list, const struct machine *m);

/* Each target exists, is a block device that the capture kernel can find by itself, and holds what the config says. */
void check_targets(struct check_list *list, const struct machine *m, const struct config *cfg);

/* kexec-tools are there, the load method is one that lockdown allows, and the sources can be opened then. */
void check_kexec(struct check_list *list, const struct machine *m, const struct config *cfg, enum load_method load);

/* Kernel and initramfs fit into the reserved memory; memory is kernel_image_memory(). */
void check_room(struct check_list *list, const struct machine *m, uint64_t memory, const struct archive_size *size);

#endif
