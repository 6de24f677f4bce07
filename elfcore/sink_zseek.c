// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/sink_zseek.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/elf_codec.h"
#include "elfcore/zero.h"

#define ZSEEK_BUF_LEN (64U << 10)
#define BLOCK_MAX (128U << 10)		/* of zstd (RFC 8878, 3.1.1.2.4) */

/* A frame of raw or RLE blocks: magic, descriptor (content size in 4 bytes, one segment), size, blocks. */
#define OWN_FRAME_HEADER 9
#define BLOCK_HEADER 3

enum block { BLOCK_RAW, BLOCK_RLE };

static size_t put_frame_header(uint8_t *p, uint32_t len)
{
	elf_put(ELFDATA2LSB, p, 4, ZSTD_FRAME_MAGIC);
	p[4] = 0xa0;
	elf_put(ELFDATA2LSB, p + 5, 4, len);
	return OWN_FRAME_HEADER;
}

static size_t put_block_header(uint8_t *p, enum block type, uint32_t len, bool last)
{
	uint32_t header = last | type << 1 | len << 3;

	p[0] = header;
	p[1] = header >> 8;
	p[2] = header >> 16;
	return BLOCK_HEADER;
}

static void put_entry(struct sink_zseek *zseek, uint32_t i, uint32_t packed, uint32_t plain)
{
	elf_put(ELFDATA2LSB, zseek->entries + i * ZSEEK_ENTRY_SIZE, 4, packed);
	elf_put(ELFDATA2LSB, zseek->entries + i * ZSEEK_ENTRY_SIZE + 4, 4, plain);
}

static void get_entry(const struct sink_zseek *zseek, uint32_t i, uint32_t *packed, uint32_t *plain)
{
	*packed = elf_get(ELFDATA2LSB, zseek->entries + i * ZSEEK_ENTRY_SIZE, 4);
	*plain = elf_get(ELFDATA2LSB, zseek->entries + i * ZSEEK_ENTRY_SIZE + 4, 4);
}

/* The table is full: two entries become one, from now on for all. */
static void halve_table(struct sink_zseek *zseek)
{
	for (uint32_t i = 0; i < zseek->nr_entries / 2; i++) {
		uint32_t a_packed, a_plain, b_packed, b_plain;

		get_entry(zseek, 2 * i, &a_packed, &a_plain);
		get_entry(zseek, 2 * i + 1, &b_packed, &b_plain);
		put_entry(zseek, i, a_packed + b_packed, a_plain + b_plain);
	}
	zseek->nr_entries /= 2;
	zseek->group *= 2;
	zseek->in_group = zseek->group;
}

static int add_entry(struct sink_zseek *zseek, uint32_t packed, uint32_t plain)
{
	uint32_t packed_before, plain_before;

	if (zseek->nr_entries && zseek->in_group < zseek->group) {
		get_entry(zseek, zseek->nr_entries - 1, &packed_before, &plain_before);
		put_entry(zseek, zseek->nr_entries - 1, packed_before + packed, plain_before + plain);
		zseek->in_group++;
		return 0;
	}
	if (zseek->nr_entries == ZSEEK_ENTRIES_MAX)
		halve_table(zseek);
	/* The sizes in an entry have 32 bits. */
	if (zseek->group >= UINT32_MAX / ZSEEK_FRAME_MAX / 2)
		return -EFBIG;
	put_entry(zseek, zseek->nr_entries++, packed, plain);
	zseek->in_group = 1;
	return 0;
}

static int write_frame(struct sink_zseek *zseek, const void *frame, size_t packed, uint32_t plain)
{
	int rc = sink_write(zseek->below, zseek->pos, frame, packed);

	if (!rc)
		rc = add_entry(zseek, packed, plain);
	if (!rc)
		zseek->pos += packed;
	return rc;
}

static int flush(struct sink_zseek *zseek)
{
	size_t len = zseek->buf_len, n;

	if (!len)
		return 0;
	zseek->buf_len = 0;
	n = codec_compress(&zseek->codec, zseek->buf, len, zseek->packed, codec_bound(ZSEEK_BUF_LEN));
	return write_frame(zseek, zseek->packed, n, len);
}

static size_t raw_frame(uint8_t *frame, const void *buf, size_t len)
{
	size_t n = put_frame_header(frame, len);

	n += put_block_header(frame + n, BLOCK_RAW, len, true);
	memcpy(frame + n, buf, len);
	return n + len;
}

static int pin_of(const struct sink_zseek *zseek, uint64_t off, size_t len)
{
	for (unsigned int i = 0; i < zseek->nr_pins; i++)
		if (zseek->pins[i].plain_off == off && zseek->pins[i].len == len)
			return i;
	return -1;
}

/* As large the second time as the first. */
static int write_pin(struct sink_zseek *zseek, int pin, const void *buf, size_t len)
{
	int rc = zseek->pins[pin].written ? 0 : flush(zseek);
	size_t n;

	if (rc)
		return rc;
	if (zseek->pins[pin].written)
		return sink_write(zseek->below, zseek->pins[pin].off, zseek->packed, raw_frame(zseek->packed, buf, len));
	n = raw_frame(zseek->packed, zseek->pins[pin].expected, len);
	sink_expect(zseek->below, zseek->pos, zseek->packed, n);
	n = raw_frame(zseek->packed, buf, len);
	zseek->pins[pin].off = zseek->pos;
	zseek->pins[pin].written = true;
	zseek->plain_pos += len;
	return write_frame(zseek, zseek->packed, n, len);
}

static int zseek_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct sink_zseek *zseek = container_of(sink, struct sink_zseek, sink);
	int pin = pin_of(zseek, off, len), rc = 0;
	const uint8_t *p = buf;

	if (pin >= 0)
		return write_pin(zseek, pin, buf, len);
	if (off != zseek->plain_pos)
		return -ESPIPE;
	while (len && !rc) {
		size_t piece = min_u64(len, ZSEEK_BUF_LEN - zseek->buf_len);

		memcpy(zseek->buf + zseek->buf_len, p, piece);
		zseek->buf_len += piece;
		zseek->plain_pos += piece;
		p += piece;
		len -= piece;
		if (zseek->buf_len == ZSEEK_BUF_LEN)
			rc = flush(zseek);
	}
	return rc;
}

/* Frames of RLE blocks, spelled out: nobody needs to look at zeros to compress them. */
static int write_zero_frame(struct sink_zseek *zseek, uint32_t len)
{
	size_t n = put_frame_header(zseek->packed, len);

	for (uint32_t left = len; left;) {
		uint32_t block = min_u64(left, BLOCK_MAX);

		left -= block;
		n += put_block_header(zseek->packed + n, BLOCK_RLE, block, !left);
		zseek->packed[n++] = 0;
	}
	return write_frame(zseek, zseek->packed, n, len);
}

static int zseek_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	struct sink_zseek *zseek = container_of(sink, struct sink_zseek, sink);
	int rc;

	if (off != zseek->plain_pos)
		return -ESPIPE;
	if (len < ZSEEK_BUF_LEN - zseek->buf_len) {
		memset(zseek->buf + zseek->buf_len, 0, len);
		zseek->buf_len += len;
		zseek->plain_pos += len;
		return 0;
	}
	rc = flush(zseek);
	while (len && !rc) {
		uint32_t piece = min_u64(len, ZSEEK_FRAME_MAX);

		rc = write_zero_frame(zseek, piece);
		zseek->plain_pos += piece;
		len -= piece;
	}
	return rc;
}

static void zseek_expect(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct sink_zseek *zseek = container_of(sink, struct sink_zseek, sink);

	if (zseek->nr_pins == ZSEEK_PINS || len > ZSEEK_PIN_MAX)
		return;
	memcpy(zseek->pins[zseek->nr_pins].expected, buf, len);
	zseek->pins[zseek->nr_pins].plain_off = off;
	zseek->pins[zseek->nr_pins++].len = len;
}

static int zseek_sync(struct sink *sink)
{
	return sink_sync(container_of(sink, struct sink_zseek, sink)->below);
}

/* Committed and kept is what lies below, by who opened it. */
static int zseek_nothing(struct sink *sink, uint64_t size)
{
	(void)sink, (void)size;
	return 0;
}

static void zseek_close(struct sink *sink)
{
	(void)sink;
}

static const struct sink_ops zseek_ops = {
	.name = "seekable zstd",
	.write = zseek_write,
	.zero = zseek_zero,
	.expect = zseek_expect,
	.sync = zseek_sync,
	.commit = zseek_nothing,
	.keep = zseek_nothing,
	.close = zseek_close,
};

int sink_zseek_frame(struct sink_zseek *zseek, uint64_t plain_off, uint32_t len, const struct sink_vec *frame)
{
	struct sink *sink = &zseek->sink;

	if (!sink->error && plain_off != zseek->plain_pos)
		sink->error = -ESPIPE;
	if (!sink->error)
		sink->error = flush(zseek);
	if (!sink->error)
		sink->error = write_frame(zseek, frame->base, frame->len, len);
	zseek->plain_pos += len;
	return sink->error;
}

int sink_zseek_finish(struct sink_zseek *zseek)
{
	uint8_t header[ZSEEK_SKIP_HEADER_SIZE], footer[ZSEEK_FOOTER_SIZE] = { 0 };
	uint32_t table = zseek->nr_entries * ZSEEK_ENTRY_SIZE;
	uint64_t off;
	int rc = zseek->sink.error ? zseek->sink.error : flush(zseek);

	if (rc)
		return rc;
	table = zseek->nr_entries * ZSEEK_ENTRY_SIZE;
	off = zseek->pos;
	elf_put(ELFDATA2LSB, header, 4, ZSEEK_TABLE_MAGIC);
	elf_put(ELFDATA2LSB, header + 4, 4, table + ZSEEK_FOOTER_SIZE);
	elf_put(ELFDATA2LSB, footer, 4, zseek->nr_entries);
	elf_put(ELFDATA2LSB, footer + 5, 4, ZSEEK_FOOTER_MAGIC);
	sink_write(zseek->below, off, header, sizeof(header));
	sink_write(zseek->below, off + sizeof(header), zseek->entries, table);
	rc = sink_write(zseek->below, off + sizeof(header) + table, footer, sizeof(footer));
	if (!rc)
		zseek->pos = off + sizeof(header) + table + sizeof(footer);
	return rc;
}

int sink_zseek_init(struct sink_zseek *zseek, struct sink *below)
{
	memset(zseek, 0, sizeof(*zseek));
	sink_init(&zseek->sink, &zseek_ops);
	zseek->below = below;
	zseek->group = 1;
	zseek->entries = malloc((size_t)ZSEEK_ENTRIES_MAX * ZSEEK_ENTRY_SIZE);
	zseek->buf = malloc(ZSEEK_BUF_LEN);
	zseek->packed = malloc(codec_bound(ZSEEK_BUF_LEN));
	if (!zseek->entries || !zseek->buf || !zseek->packed ||
	    codec_open_compressor(&zseek->codec, CODEC_ZSTD, ZSEEK_BUF_LEN, 0)) {
		sink_zseek_deinit(zseek);
		return -ENOMEM;
	}
	return 0;
}

void sink_zseek_deinit(struct sink_zseek *zseek)
{
	free(zseek->entries);
	free(zseek->buf);
	free(zseek->packed);
	codec_close(&zseek->codec);
	zseek->entries = zseek->buf = zseek->packed = NULL;
}
