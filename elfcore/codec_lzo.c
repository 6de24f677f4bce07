// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * LZO1X by liblzo2. Of its compressors the one with 2^11 table entries: for a page the table of the usual one (2^14)
 * takes longer to clear than the page to compress, and finds hardly more.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lzo/lzo1x.h>

#include "elfcore/codec.h"
#include "elfcore/kdump_format.h"

static int lzo_open_compressor(struct codec_ctx *ctx, size_t max_len, int level)
{
	(void)level;
	/* Work memory, and behind it a place for what may not fit the caller's: LZO does not look where it writes. */
	ctx->compressor = malloc(LZO1X_1_11_MEM_COMPRESS + codec_bound(max_len));
	return ctx->compressor ? 0 : -ENOMEM;
}

static int lzo_open_decompressor(struct codec_ctx *ctx)
{
	(void)ctx;
	return 0;
}

static size_t lzo_compress(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t cap)
{
	uint8_t *spare = (uint8_t *)ctx->compressor + LZO1X_1_11_MEM_COMPRESS;
	bool fits = cap >= codec_bound(len);
	lzo_uint n = 0;

	if (len > ctx->max_len || lzo1x_1_11_compress(src, len, fits ? dst : spare, &n, ctx->compressor) != LZO_E_OK)
		return 0;
	if (fits)
		return n;
	if (n > cap)
		return 0;
	memcpy(dst, spare, n);
	return n;
}

static int lzo_decompress(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t dst_len)
{
	lzo_uint n = dst_len;

	(void)ctx;
	return lzo1x_decompress_safe(src, len, dst, &n, NULL) != LZO_E_OK || n != dst_len ? -EINVAL : 0;
}

static void lzo_close(struct codec_ctx *ctx)
{
	free(ctx->compressor);
}

const struct codec_ops codec_lzo = {
	.codec = CODEC_LZO,
	.name = "lzo",
	.kdump_flag = KDUMP_LZO,
	.open_compressor = lzo_open_compressor,
	.open_decompressor = lzo_open_decompressor,
	.compress = lzo_compress,
	.decompress = lzo_decompress,
	.close = lzo_close,
};
