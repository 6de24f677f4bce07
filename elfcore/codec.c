// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/codec.h"

#include <errno.h>
#include <string.h>

static const struct codec_ops *const codecs[NR_CODECS] = {
	[CODEC_NONE] = &codec_none,
	[CODEC_ZLIB] = &codec_zlib,
	[CODEC_LZO] = &codec_lzo,
	[CODEC_ZSTD] = &codec_zstd,
	[CODEC_SNAPPY] = &codec_snappy,
};

const struct codec_ops *codec_find(enum codec codec)
{
	return codecs[codec];
}

const struct codec_ops *codec_by_name(const char *name)
{
	for (size_t i = 0; i < NR_CODECS; i++)
		if (codecs[i]->compress && !strcmp(codecs[i]->name, name))
			return codecs[i];
	return NULL;
}

const struct codec_ops *codec_by_kdump_flag(uint32_t flag)
{
	for (size_t i = 0; i < NR_CODECS; i++)
		if (codecs[i]->kdump_flag == flag)
			return codecs[i];
	return NULL;
}

int codec_open_compressor(struct codec_ctx *ctx, enum codec codec, size_t max_len, int level)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->ops = codec_find(codec);
	ctx->max_len = max_len;
	ctx->level = level;
	return ctx->ops->open_compressor(ctx, max_len, level);
}

int codec_open_decompressor(struct codec_ctx *ctx, enum codec codec)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->ops = codec_find(codec);
	return ctx->ops->open_decompressor(ctx);
}

void codec_close(struct codec_ctx *ctx)
{
	if (ctx->ops)
		ctx->ops->close(ctx);
	memset(ctx, 0, sizeof(*ctx));
}

static int none_open_compressor(struct codec_ctx *ctx, size_t max_len, int level)
{
	(void)ctx, (void)max_len, (void)level;
	return 0;
}

static int none_open_decompressor(struct codec_ctx *ctx)
{
	(void)ctx;
	return 0;
}

static size_t none_compress(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t cap)
{
	(void)ctx;
	if (len > cap)
		return 0;
	memcpy(dst, src, len);
	return len;
}

static int none_decompress(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t dst_len)
{
	(void)ctx;
	if (len != dst_len)
		return -EINVAL;
	memcpy(dst, src, len);
	return 0;
}

static void none_close(struct codec_ctx *ctx)
{
	(void)ctx;
}

const struct codec_ops codec_none = {
	.codec = CODEC_NONE,
	.name = "none",
	.open_compressor = none_open_compressor,
	.open_decompressor = none_open_decompressor,
	.compress = none_compress,
	.decompress = none_decompress,
	.close = none_close,
};
