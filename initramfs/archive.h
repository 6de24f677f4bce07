/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A deterministic initramfs: files are staged in a temporary directory and written by GNU cpio, names sorted, everything
 * owned by 0:0 with one fixed time (SOURCE_DATE_EPOCH or 0). Same files, same bytes. No root rights: no device nodes.
 *
 * Parents have to be added before what is in them. The output appears under its name only when it is complete, and only its
 * owner can read it: there may be keys in it.
 */
#ifndef INITRAMFS_ARCHIVE_H
#define INITRAMFS_ARCHIVE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "elfcore/error.h"

struct archive {
	char work[PATH_MAX];	/* temporary directory; the files are in work/root */
	char **names;		/* of what was added, relative */
	size_t nr_names;
	int64_t mtime;
};

struct archive_size {
	uint64_t packed;
	uint64_t unpacked;	/* of the cpio archive */
};

/* What the kernel unpacks: none, gzip, xz, zstd. */
struct archive_codec {
	const char *name;
	const char *config;	/* kernel option that must be y, NULL = always there */
	const char *argv[8];	/* compress the file named next to stdout */
};

/* NULL: no such codec. */
const struct archive_codec *archive_codec_find(const char *name);

int archive_init(struct archive *ar, struct error *err);
/* Removes the temporary directory. */
void archive_deinit(struct archive *ar);

int archive_add_dir(struct archive *ar, const char *name, struct error *err);
int archive_add_text(struct archive *ar, const char *name, mode_t mode, const char *text, size_t len, struct error *err);
int archive_add_copy(struct archive *ar, const char *name, mode_t mode, const char *source, struct error *err);
/* An empty file, opened for writing, for the caller to fill and close. Returns the fd or -errno. */
int archive_create(struct archive *ar, const char *name, mode_t mode, struct error *err);

int archive_write(struct archive *ar, const struct archive_codec *codec, const char *out, struct archive_size *ret,
		  struct error *err);

#endif
