/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plain bytes of a file of zstd frames, read at random: seekable zstd (elfcore/zseek_format.h), whose table says
 * where the frames are, and without such a table any file of many frames, which are counted once. maddr_t is an offset
 * in what "zstd -d" would give. The latest frames stay decoded.
 */
#ifndef ELFCORE_MEM_ZSEEK_H
#define ELFCORE_MEM_ZSEEK_H

#include "elfcore/codec.h"
#include "elfcore/error.h"
#include "elfcore/log.h"
#include "elfcore/marks.h"
#include "elfcore/mem.h"

/* A frame is decoded as a whole: larger ones are refused. kcapture's have 1 MiB. */
#define ZSEEK_READ_MAX (64U << 20)
#define ZSEEK_SLOTS 4

/* A frame's plain bytes. */
struct zseek_slot {
	uint64_t start, len;	/* len 0 = empty */
	uint8_t *buf;
	size_t cap;
	uint64_t used;		/* when: the least is replaced */
};

struct mem_zseek {
	struct mem mem;
	struct mem *below;	/* borrowed */
	struct log *log;
	uint64_t in_size;	/* of all frames that are understood */
	uint64_t size;		/* of the plain bytes */
	struct marks marks;	/* key: plain offset, pos: of the frame */
	bool has_table;
	bool cut;		/* something that is no whole frame follows */
	uint64_t cut_at;
	struct codec_ctx decoder;
	uint8_t *in;		/* a frame as it is in the file */
	size_t in_cap;
	struct zseek_slot slots[ZSEEK_SLOTS];
	uint64_t clock;
	uint64_t bad_start, bad_len;	/* plain bytes of the frame that failed last: it is not tried again at once */
	int bad_error;
	unsigned int nr_said;
};

/*
 * -ENODEV: it does not begin with a zstd frame. -EOPNOTSUPP: its frames are too large or do not say how much they hold. A
 * file that was cut, or whose table is wrong, is taken as far as its frames go, with a warning.
 */
int mem_zseek_open(struct mem_zseek *zseek, struct mem *below, struct log *log, struct error *err);

#endif
