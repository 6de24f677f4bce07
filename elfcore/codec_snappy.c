// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Snappy, to read what "makedumpfile -p" wrote; nothing new is compressed with it. The distribution's library is C++
 * and links into no klibc program, so the format (snappy's format_description.txt) is decoded here: the length, then
 * literals and copies of what was decoded before, told apart by the two lowest bits of a tag.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "elfcore/codec.h"
#include "elfcore/elf_codec.h"
#include "elfcore/kdump_format.h"

struct stream {
	const uint8_t *p, *end;
	uint8_t *start, *out, *out_end;
};

/* An integer of n bytes, little endian; what is not there makes the stream end. */
static uint32_t take(struct stream *s, unsigned int n)
{
	uint32_t value = 0;

	if ((size_t)(s->end - s->p) < n) {
		s->p = s->end;
		return UINT32_MAX;
	}
	for (unsigned int i = 0; i < n; i++)
		value |= (uint32_t)*s->p++ << 8 * i;
	return value;
}

static bool take_length(struct stream *s, uint64_t *ret)
{
	*ret = 0;
	for (unsigned int shift = 0; shift < 35 && s->p < s->end; shift += 7) {
		uint8_t byte = *s->p++;

		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* Lengths above 60 are in as many bytes behind the tag as they are above 59. */
static bool literal(struct stream *s, uint8_t tag)
{
	uint64_t len = tag >> 2;

	if (len >= 60)
		len = take(s, len - 59);
	len++;
	if (len > (uint64_t)(s->end - s->p) || len > (uint64_t)(s->out_end - s->out))
		return false;
	memcpy(s->out, s->p, len);
	s->p += len;
	s->out += len;
	return true;
}

/* A copy may overlap what it makes: that is how runs are written. */
static bool copy(struct stream *s, uint32_t off, uint32_t len)
{
	if (!off || off > (uint64_t)(s->out - s->start) || len > (uint64_t)(s->out_end - s->out))
		return false;
	for (; len; len--, s->out++)
		*s->out = s->out[-(ptrdiff_t)off];
	return true;
}

static bool element(struct stream *s)
{
	uint8_t tag = *s->p++;

	switch (tag & 3) {
	case 0: return literal(s, tag);
	case 1: return copy(s, (uint32_t)(tag >> 5) << 8 | take(s, 1), (tag >> 2 & 7) + 4);
	case 2: return copy(s, take(s, 2), (tag >> 2) + 1);
	default: return copy(s, take(s, 4), (tag >> 2) + 1);
	}
}

static int snappy_decompress(struct codec_ctx *ctx, const void *src, size_t len, void *dst, size_t dst_len)
{
	struct stream s = { src, (const uint8_t *)src + len, dst, dst, (uint8_t *)dst + dst_len };
	uint64_t plain_len;

	(void)ctx;
	if (!take_length(&s, &plain_len) || plain_len != dst_len)
		return -EINVAL;
	while (s.p < s.end)
		if (!element(&s))
			return -EINVAL;
	return s.out == s.out_end ? 0 : -EINVAL;
}

static int snappy_open_compressor(struct codec_ctx *ctx, size_t max_len, int level)
{
	(void)ctx, (void)max_len, (void)level;
	return -EOPNOTSUPP;
}

static int snappy_open_decompressor(struct codec_ctx *ctx)
{
	(void)ctx;
	return 0;
}

static void snappy_close(struct codec_ctx *ctx)
{
	(void)ctx;
}

const struct codec_ops codec_snappy = {
	.codec = CODEC_SNAPPY,
	.name = "snappy",
	.kdump_flag = KDUMP_SNAPPY,
	.open_compressor = snappy_open_compressor,
	.open_decompressor = snappy_open_decompressor,
	.decompress = snappy_decompress,
	.close = snappy_close,
};
