/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compression of one buffer at a time: a page of a kdump-compressed file, a frame of a seekable zstd file. The code is
 * in the distribution's libraries: libdeflate for zlib streams, liblzo2, libzstd;
 * snappy is read only, by a decoder of our own.
 */
#ifndef ELFCORE_CODEC_H
#define ELFCORE_CODEC_H

#include "elfcore/types.h"

enum codec { CODEC_NONE, CODEC_ZLIB, CODEC_LZO, CODEC_ZSTD, CODEC_SNAPPY, NR_CODECS };

struct codec_ops;

/* What a codec needs for its work; of one process, for one direction or both. */
struct codec_ctx {
	const struct codec_ops *ops;
	void *compressor, *decompressor;	/* NULL = that direction is not set up */
	size_t max_len;
	int level;			/* of the compressor, 0 = the fast one */
};

struct codec_ops {
	enum codec codec;
	const char *name;		/* in the configuration and on the command line */
	uint32_t kdump_flag;		/* of a page descriptor: KDUMP_ZLIB ... */

	/*
	 * Get all memory for buffers of up to max_len plain bytes, so that none is needed later. level 0 is the codec's
	 * fast one. -ENOMEM.
	 */
	int (*open_compressor)(struct codec_ctx *ctx, size_t max_len, int level);
	int (*open_decompressor)(struct codec_ctx *ctx);

	/* Returns the compressed length, 0 when it would be more than cap. NULL = the codec only reads. */
	size_t (*compress)(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t cap);

	/* dst gets exactly dst_len bytes, else -EINVAL. src is not trusted. */
	int (*decompress)(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t dst_len);

	void (*close)(struct codec_ctx *ctx);
};

/* In this room a codec never has to give up: for one that needs none, cap may be less. */
static inline size_t codec_bound(size_t len)
{
	return len + len / 16 + 128;
}

const struct codec_ops *codec_find(enum codec codec);

/* NULL: unknown, by name also one that only reads. */
const struct codec_ops *codec_by_name(const char *name);
const struct codec_ops *codec_by_kdump_flag(uint32_t flag);

/* On error there is nothing to close. */
int codec_open_compressor(struct codec_ctx *ctx, enum codec codec, size_t max_len, int level);
int codec_open_decompressor(struct codec_ctx *ctx, enum codec codec);
void codec_close(struct codec_ctx *ctx);

static inline size_t codec_compress(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t cap)
{
	return ctx->ops->compress(ctx, src, len, dst, cap);
}

static inline int codec_decompress(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t dst_len)
{
	return ctx->ops->decompress(ctx, src, len, dst, dst_len);
}

extern const struct codec_ops codec_none, codec_zlib, codec_lzo, codec_zstd, codec_snappy;

#endif
