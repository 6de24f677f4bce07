// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/mem_zseek.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/elf_codec.h"
#include "elfcore/zseek_table.h"
#include "elfcore/zstd_frame.h"

#define BROKEN_SAID_MAX 10

/* The entries must add up to what lies before the table: else they are not about these frames. */
static int read_table(struct mem_zseek *zseek, struct zseek_table *table)
{
	uint64_t in = 0, out = 0, len, plain_len;
	int rc;

	while (!(rc = zseek_table_next(table, &len, &plain_len))) {
		if (marks_add(&zseek->marks, out, in))
			return -ENOMEM;
		in += len;
		out += plain_len;
	}
	if (rc != -ENODATA)
		return rc;
	if (in != table->off)
		return -EINVAL;
	zseek->in_size = in;
	zseek->size = out;
	zseek->has_table = true;
	return 0;
}

/* Without a table: from frame to frame. */
static int walk(struct mem_zseek *zseek, uint64_t size, struct error *err)
{
	int rc = 0;

	while (zseek->in_size < size && !rc) {
		struct zstd_frame frame;

		rc = zstd_frame_read(&frame, zseek->below, zseek->in_size, size, err);
		/* On a device an old content may follow the table, which ends a file. */
		if (rc || frame.magic == ZSEEK_TABLE_MAGIC)
			break;
		if (frame.plain_len > ZSEEK_READ_MAX)
			return fail(err, -EOPNOTSUPP, "the zstd frame at 0x%llx holds %llu bytes, more than %u cannot be read at "
				    "random: take \"zstd -d\" first", (unsigned long long)zseek->in_size,
				    (unsigned long long)frame.plain_len, ZSEEK_READ_MAX);
		if (frame.plain_len && marks_add(&zseek->marks, zseek->size, zseek->in_size))
			return fail(err, -ENOMEM, "no memory for an index of zstd frames");
		zseek->size += frame.plain_len;
		zseek->in_size += frame.len;
	}
	if (rc == -EOPNOTSUPP || (rc && !zseek->size))
		return rc;
	zseek->cut = rc != 0;
	zseek->cut_at = zseek->in_size;
	if (rc)
		log_warn(zseek->log, "%s", err->text);
	return 0;
}

static int make_index(struct mem_zseek *zseek, struct error *err)
{
	uint64_t size = mem_size(zseek->below);
	struct zseek_table table;
	int rc = zseek_table_find(&table, zseek->below, size);

	if (!rc)
		rc = read_table(zseek, &table);
	if (!rc)
		return 0;
	if (rc == -ENOMEM)
		return fail(err, rc, "no memory for an index of zstd frames");
	if (rc != -ENODEV)
		log_warn(zseek->log, "the seek table at 0x%llx is not about the frames before it, they are counted instead",
			 (unsigned long long)table.off);
	marks_deinit(&zseek->marks);
	return walk(zseek, size, err);
}

/* The frame that holds a plain offset, from the last mark before it on. */
static int find_frame(struct mem_zseek *zseek, uint64_t off, struct zstd_frame *frame, struct mark *at,
		      struct error *err)
{
	const struct mark *mark = marks_find(&zseek->marks, off);

	if (!mark || off >= zseek->size)
		return fail(err, -ENODATA, "0x%llx is behind the %llu bytes of the zstd stream", (unsigned long long)off,
			    (unsigned long long)zseek->size);
	for (*at = *mark;; at->key += frame->plain_len, at->pos += frame->len) {
		int rc = zstd_frame_read(frame, zseek->below, at->pos, zseek->in_size, err);

		if (rc)
			return rc == -ENODATA ? rc : -EIO;
		if (off - at->key < frame->plain_len)
			return 0;
	}
}

static int grow(uint8_t **buf, size_t *cap, size_t len)
{
	uint8_t *p;

	if (len <= *cap)
		return 0;
	p = realloc(*buf, len);
	if (!p)
		return -ENOMEM;
	*buf = p;
	*cap = len;
	return 0;
}

static int decode(struct mem_zseek *zseek, struct zseek_slot *slot, const struct zstd_frame *frame, const struct mark *at,
		  struct error *err)
{
	int rc;

	slot->len = 0;
	/* What does not compress is a little longer than before, nothing is twice as long. */
	if (frame->plain_len > ZSEEK_READ_MAX || frame->len > 2 * frame->plain_len + 1024)
		return fail(err, -EIO, "the zstd frame at 0x%llx has %llu bytes for %llu", (unsigned long long)at->pos,
			    (unsigned long long)frame->len, (unsigned long long)frame->plain_len);
	if (grow(&zseek->in, &zseek->in_cap, frame->len) || grow(&slot->buf, &slot->cap, frame->plain_len))
		return fail(err, -ENOMEM, "no memory for a zstd frame of %llu bytes", (unsigned long long)frame->plain_len);
	rc = mem_read(zseek->below, at->pos, zseek->in, frame->len);
	if (rc)
		return fail(err, rc, "the zstd frame at 0x%llx is not readable: %s", (unsigned long long)at->pos, strerror(-rc));
	if (codec_decompress(&zseek->decoder, zseek->in, frame->len, slot->buf, frame->plain_len))
		return fail(err, -EIO, "the zstd frame at 0x%llx with %llu bytes does not decode", (unsigned long long)at->pos,
			    (unsigned long long)frame->len);
	slot->start = at->key;
	slot->len = frame->plain_len;
	return 0;
}

static int find_slot(struct mem_zseek *zseek, uint64_t off, struct zseek_slot **ret, struct error *err)
{
	struct zseek_slot *oldest = &zseek->slots[0];
	struct zstd_frame frame;
	struct mark at = { 0, 0 };
	int rc;

	for (struct zseek_slot *slot = zseek->slots; slot < zseek->slots + ZSEEK_SLOTS; slot++) {
		if (off - slot->start < slot->len) {
			*ret = slot;
			return 0;
		}
		if (slot->used < oldest->used)
			oldest = slot;
	}
	rc = find_frame(zseek, off, &frame, &at, err);
	if (rc)
		return rc;
	*ret = oldest;
	rc = decode(zseek, oldest, &frame, &at, err);
	if (rc) {
		zseek->bad_start = at.key;
		zseek->bad_len = frame.plain_len;
		zseek->bad_error = rc;
	}
	return rc;
}

/* Who is refused a megabyte asks for each page of it. */
static bool is_bad(const struct mem_zseek *zseek, uint64_t off)
{
	return off - zseek->bad_start < zseek->bad_len;
}

static int zseek_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct mem_zseek *zseek = container_of(mem, struct mem_zseek, mem);
	uint8_t *out = buf;

	if (addr > zseek->size || len > zseek->size - addr)
		return -ENODATA;
	while (len) {
		struct zseek_slot *slot;
		struct error err;
		size_t piece;
		int rc;

		if (is_bad(zseek, addr))
			return zseek->bad_error;
		rc = find_slot(zseek, addr, &slot, &err);
		if (rc) {
			if (zseek->nr_said++ < BROKEN_SAID_MAX)
				log_warn(zseek->log, "%s", err.text);
			return rc;
		}
		slot->used = ++zseek->clock;
		piece = min_u64(len, slot->len - (addr - slot->start));
		memcpy(out, slot->buf + (addr - slot->start), piece);
		addr += piece;
		out += piece;
		len -= piece;
	}
	return 0;
}

static uint64_t zseek_size(struct mem *mem)
{
	return container_of(mem, struct mem_zseek, mem)->size;
}

static void zseek_facts(struct mem *mem, struct mem_facts *facts)
{
	const struct mem_zseek *zseek = container_of(mem, struct mem_zseek, mem);

	mem_fact(facts, "zstd", "%llu bytes in %llu, %llu %s", (unsigned long long)zseek->size,
		 (unsigned long long)zseek->in_size, (unsigned long long)zseek->marks.nr_items,
		 zseek->has_table ? "entries in the seek table" : "frames without a seek table");
}

static int zseek_whole(struct mem *mem, struct error *err)
{
	const struct mem_zseek *zseek = container_of(mem, struct mem_zseek, mem);

	return zseek->cut ? fail(err, -ENODATA, "the zstd stream ends early, its last whole frame at byte %llu",
				 (unsigned long long)zseek->cut_at) : 0;
}

static int zseek_check(struct mem *mem, struct error *err)
{
	const struct mem_zseek *zseek = container_of(mem, struct mem_zseek, mem);

	return zseek_table_check(zseek->below, mem_size(zseek->below), err);
}

static void zseek_close(struct mem *mem)
{
	struct mem_zseek *zseek = container_of(mem, struct mem_zseek, mem);

	codec_close(&zseek->decoder);
	marks_deinit(&zseek->marks);
	free(zseek->in);
	for (size_t i = 0; i < ZSEEK_SLOTS; i++)
		free(zseek->slots[i].buf);
}

static const struct mem_ops zseek_ops = {
	.name = "zstd file",
	.read = zseek_read,
	.size = zseek_size,
	.facts = zseek_facts,
	.whole = zseek_whole,
	.check = zseek_check,
	.close = zseek_close,
};

int mem_zseek_open(struct mem_zseek *zseek, struct mem *below, struct log *log, struct error *err)
{
	uint8_t magic[4];
	int rc;

	if (mem_read(below, 0, magic, sizeof(magic)) || elf_get(ELFDATA2LSB, magic, 4) != ZSTD_FRAME_MAGIC)
		return -ENODEV;
	memset(zseek, 0, sizeof(*zseek));
	zseek->mem.ops = &zseek_ops;
	zseek->below = below;
	zseek->log = log;
	if (codec_open_decompressor(&zseek->decoder, CODEC_ZSTD)) {
		memset(&zseek->decoder, 0, sizeof(zseek->decoder));
		return fail(err, -ENOMEM, "no memory for the zstd decoder");
	}
	rc = make_index(zseek, err);
	if (rc)
		zseek_close(&zseek->mem);
	return rc;
}
