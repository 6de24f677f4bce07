// SPDX-License-Identifier: GPL-2.0-or-later
/* zstd frames by libzstd, each with its content size, and large ones with a checksum. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <zstd.h>

#include "elfcore/codec.h"
#include "elfcore/kdump_format.h"

/* The second differs from the first in this alone: what no match covers stays as it is, without a Huffman code. */
#define LEVEL_FAST 1
#define LEVEL_FASTER (-1)

/* What does not compress is stored as it is: without a checksum nobody would see that it changed. A page's worth is none. */
#define CHECKSUM_MIN 65536

/* A word in so many bytes is looked at. */
#define SAMPLE 64

/*
 * Is an eighth of the words zero? Such pages are tables and lists of the kernel: matches cover nearly all of them, and a
 * Huffman code of what is left costs a third of the time for a fiftieth of the size. The place of the word in each 64
 * bytes changes, for structures are as large.
 */
static bool is_sparse(const uint8_t *p, size_t len)
{
	size_t nr_zero = 0;
	uint64_t word;

	for (size_t i = 0; i < len / SAMPLE; i++) {
		__builtin_memcpy(&word, p + i * SAMPLE + i * 5 % 8 * sizeof(word), sizeof(word));
		nr_zero += !word;
	}
	return nr_zero >= len / SAMPLE / 8;
}

static size_t zstd_compress(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t cap)
{
	size_t n;

	if (!ctx->level && len < CHECKSUM_MIN)
		ZSTD_CCtx_setParameter(ctx->compressor, ZSTD_c_compressionLevel, is_sparse(src, len) ? LEVEL_FASTER : LEVEL_FAST);
	n = ZSTD_compress2(ctx->compressor, dst, cap, src, len);
	return ZSTD_isError(n) ? 0 : n;
}

/* The library gets its memory when it first sees a buffer: show it one of the largest. */
static int reserve(struct codec_ctx *ctx, size_t max_len)
{
	size_t bound = ZSTD_compressBound(max_len);
	uint8_t *sample = calloc(1, max_len + bound);
	size_t n = sample ? zstd_compress(ctx, sample, max_len, sample + max_len, bound) : 0;

	free(sample);
	return n ? 0 : -ENOMEM;
}

static int zstd_open_compressor(struct codec_ctx *ctx, size_t max_len, int level)
{
	ZSTD_CCtx *cctx = ZSTD_createCCtx();

	if (!cctx)
		return -ENOMEM;
	ctx->compressor = cctx;
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, level ? level : LEVEL_FAST);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, max_len >= CHECKSUM_MIN);
	if (reserve(ctx, max_len)) {
		ZSTD_freeCCtx(cctx);
		return -ENOMEM;
	}
	return 0;
}

static int zstd_open_decompressor(struct codec_ctx *ctx)
{
	ctx->decompressor = ZSTD_createDCtx();
	return ctx->decompressor ? 0 : -ENOMEM;
}

static int zstd_decompress(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t dst_len)
{
	return ZSTD_decompressDCtx(ctx->decompressor, dst, dst_len, src, len) == dst_len ? 0 : -EINVAL;
}

static void zstd_close(struct codec_ctx *ctx)
{
	ZSTD_freeCCtx(ctx->compressor);
	ZSTD_freeDCtx(ctx->decompressor);
}

const struct codec_ops codec_zstd = {
	.codec = CODEC_ZSTD,
	.name = "zstd",
	.kdump_flag = KDUMP_ZSTD,
	.open_compressor = zstd_open_compressor,
	.open_decompressor = zstd_open_decompressor,
	.compress = zstd_compress,
	.decompress = zstd_decompress,
	.close = zstd_close,
};
