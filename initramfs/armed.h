/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `kcapture arm` has loaded, on record while this boot lasts: the kernel itself only says that something is loaded.
 * PREFIX/run/kcapture/armed has a line "KEY VALUE" for each field, and a line "input SHA256  PATH" for each file that the
 * image was made of, so that status can say which of them has changed since.
 */
#ifndef INITRAMFS_ARMED_H
#define INITRAMFS_ARMED_H

#include <stdbool.h>
#include <stddef.h>

#include "elfcore/error.h"
#include "src/digest.h"

#define ARMED_TEXT_MAX 8192
#define ARMED_MAX_INPUTS 16

struct armed {
	const char *time, *kernel, *image, *method, *initramfs, *initramfs_sha256, *config, *cmdline, *targets;
	struct armed_input {
		const char *path;
		char sha256[DIGEST_HEX_SIZE];
	} inputs[ARMED_MAX_INPUTS];
	unsigned int nr_inputs;
	char text[ARMED_TEXT_MAX];	/* what the fields point into, once it was read */
};

/* SHA-256 of a file as sha256sum(1) writes it. */
int armed_digest(const char *path, char ret[DIGEST_HEX_SIZE], struct error *err);

/* A file that the image was made of, as it is now; one that cannot be read, or is one too many, is left out. */
void armed_add_input(struct armed *armed, const char *path);

int armed_write(const struct armed *armed, const char *prefix, struct error *err);

/* -ENOENT: there is no record, nothing was armed by kcapture. Every field is at least "". */
int armed_read(struct armed *armed, const char *prefix, struct error *err);

/* Nothing is known any more of what is loaded. */
void armed_forget(const char *prefix);

#endif
