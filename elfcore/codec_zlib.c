// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zlib streams (RFC 1950), the codec that every reader has: at the fast level pages by an encoder of our own, all else by
 * libdeflate.
 */
#include <errno.h>
#include <stdlib.h>

#include <libdeflate.h>

#include "elfcore/codec.h"
#include "elfcore/deflate_page.h"
#include "elfcore/kdump_format.h"

#define LEVEL_FAST 1

struct zlib_compressor {
	struct libdeflate_compressor *general;	/* NULL = pages */
	struct deflate_page page;
};

static int zlib_open_compressor(struct codec_ctx *ctx, size_t max_len, int level)
{
	struct zlib_compressor *z = malloc(sizeof(*z));

	if (!z)
		return -ENOMEM;
	z->general = NULL;
	if (!level && max_len <= DEFLATE_PAGE_MAX) {
		deflate_page_init(&z->page);
	} else {
		z->general = libdeflate_alloc_compressor(level ? level : LEVEL_FAST);
		if (!z->general) {
			free(z);
			return -ENOMEM;
		}
	}
	ctx->compressor = z;
	return 0;
}

static int zlib_open_decompressor(struct codec_ctx *ctx)
{
	ctx->decompressor = libdeflate_alloc_decompressor();
	return ctx->decompressor ? 0 : -ENOMEM;
}

static size_t zlib_compress(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t cap)
{
	struct zlib_compressor *z = ctx->compressor;

	return z->general ? libdeflate_zlib_compress(z->general, src, len, dst, cap) : deflate_page(&z->page, src, len, dst, cap);
}

static int zlib_decompress(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t dst_len)
{
	return libdeflate_zlib_decompress(ctx->decompressor, src, len, dst, dst_len, NULL) ? -EINVAL : 0;
}

static void zlib_close(struct codec_ctx *ctx)
{
	struct zlib_compressor *z = ctx->compressor;

	if (z)
		libdeflate_free_compressor(z->general);
	free(z);
	libdeflate_free_decompressor(ctx->decompressor);
}

const struct codec_ops codec_zlib = {
	.codec = CODEC_ZLIB,
	.name = "zlib",
	.kdump_flag = KDUMP_ZLIB,
	.open_compressor = zlib_open_compressor,
	.open_decompressor = zlib_open_decompressor,
	.compress = zlib_compress,
	.decompress = zlib_decompress,
	.close = zlib_close,
};
