/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outside of a zstd frame (RFC 8878): how long it is and what it holds, without decoding it.
 */
#ifndef ELFCORE_ZSTD_FRAME_H
#define ELFCORE_ZSTD_FRAME_H

#include "elfcore/error.h"
#include "elfcore/mem.h"

struct zstd_frame {
	uint64_t len;		/* in the file, checksum included */
	uint64_t plain_len;	/* 0 of a skippable frame */
	uint32_t magic;
};

/*
 * The frame at off of mem, which is size bytes long. -ENODATA: it is cut; -ENODEV: no frame begins there; -EINVAL: it
 * is broken; -EOPNOTSUPP: it does not say how much it holds, or needs a dictionary.
 */
int zstd_frame_read(struct zstd_frame *ret, struct mem *mem, uint64_t off, uint64_t size, struct error *err);

#endif
