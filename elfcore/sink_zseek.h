/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stage that makes a seekable zstd file (zseek_format.h) of a file that is written in order. What sink_expect() names
 * beforehand becomes raw frames, which alone can be written again.
 *
 * After an error below, everything but that and sink_zseek_finish() is over: what was written stays a valid file.
 */
#ifndef ELFCORE_SINK_ZSEEK_H
#define ELFCORE_SINK_ZSEEK_H

#include <stdbool.h>

#include "elfcore/codec.h"
#include "elfcore/sink.h"
#include "elfcore/zseek_format.h"

#define ZSEEK_PINS 4
#define ZSEEK_PIN_MAX 4096

struct sink_zseek {
	struct sink sink;
	struct sink *below;		/* borrowed */
	struct codec_ctx codec;
	uint64_t plain_pos;		/* in the plain file: all before it is in frames or in the buffer */
	uint64_t pos;			/* in the file below: the end of the last whole frame, at last the end of the file */

	uint8_t *entries;		/* of the table, as they go into it */
	uint32_t nr_entries;
	uint32_t group, in_group;	/* frames that an entry stands for, and that the last one has */

	uint8_t *buf, *packed;		/* ZSEEK_BUF_LEN plain bytes, not in a frame yet; room for their frame */
	size_t buf_len;
	struct {
		uint64_t plain_off, off;
		size_t len;
		bool written;
		uint8_t expected[ZSEEK_PIN_MAX];
	} pins[ZSEEK_PINS];
	unsigned int nr_pins;
};

/* -ENOMEM. */
int sink_zseek_init(struct sink_zseek *zseek, struct sink *below);

/* A frame of len plain bytes that somebody else has compressed, at plain_off, which nothing may follow or be missing before. */
int sink_zseek_frame(struct sink_zseek *zseek, uint64_t plain_off, uint32_t len, const struct sink_vec *frame);

/* Write the table; pos is then the size of the file. */
int sink_zseek_finish(struct sink_zseek *zseek);

void sink_zseek_deinit(struct sink_zseek *zseek);

#endif
