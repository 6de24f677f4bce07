// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/sink_flat.h"

#include <errno.h>
#include <string.h>

#include "elfcore/elf_codec.h"

/* Readers take records of any size; makedumpfile itself never writes larger ones. */
#define RECORD_MAX 65536

static int append(struct sink_flat *flat, const void *buf, size_t len)
{
	int rc = sink_write(flat->below, flat->pos, buf, len);

	flat->pos += len;
	return rc;
}

static int start(struct sink_flat *flat)
{
	uint8_t header[32];
	uint8_t zeros[256];
	int rc;

	memcpy(header, FLAT_SIGNATURE, 16);
	elf_put(ELFDATA2MSB, header + 16, 8, 1);
	elf_put(ELFDATA2MSB, header + 24, 8, 1);
	memset(zeros, 0, sizeof(zeros));
	rc = append(flat, header, sizeof(header));
	while (!rc && flat->pos < FLAT_HEADER_SIZE)
		rc = append(flat, zeros, min_u64(sizeof(zeros), FLAT_HEADER_SIZE - flat->pos));
	flat->started = true;
	return rc;
}

static int record_header(struct sink_flat *flat, uint64_t off, uint64_t len)
{
	uint8_t header[FLAT_RECORD_HEADER];

	elf_put(ELFDATA2MSB, header, 8, off);
	elf_put(ELFDATA2MSB, header + 8, 8, len);
	return append(flat, header, sizeof(header));
}

static int flat_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct sink_flat *flat = container_of(sink, struct sink_flat, sink);
	const uint8_t *p = buf;
	int rc = flat->started ? 0 : start(flat);

	while (!rc && len) {
		size_t piece = min_u64(len, RECORD_MAX);

		rc = record_header(flat, off, piece);
		if (!rc)
			rc = append(flat, p, piece);
		off += piece;
		p += piece;
		len -= piece;
	}
	flat->end = max_u64(flat->end, off);
	return rc;
}

/* What no record covers is zeros. */
static int flat_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	(void)sink, (void)off, (void)len;
	return 0;
}

static int flat_sync(struct sink *sink)
{
	return sink_sync(container_of(sink, struct sink_flat, sink)->below);
}

static int flat_commit(struct sink *sink, uint64_t size)
{
	struct sink_flat *flat = container_of(sink, struct sink_flat, sink);
	int rc = 0;

	if (flat->end < size)
		rc = flat_write(sink, size - 1, "", 1);
	if (!rc)
		rc = record_header(flat, UINT64_MAX, UINT64_MAX);
	return rc ? rc : sink_commit(flat->below, flat->pos);
}

static int flat_keep(struct sink *sink, uint64_t size)
{
	struct sink_flat *flat = container_of(sink, struct sink_flat, sink);

	(void)size;
	return sink_keep(flat->below, flat->pos);
}

static void flat_close(struct sink *sink)
{
	(void)sink;
}

static const struct sink_ops flat_ops = {
	.name = "flattened",
	.caps = SINK_SEEK,
	.write = flat_write,
	.zero = flat_zero,
	.sync = flat_sync,
	.commit = flat_commit,
	.keep = flat_keep,
	.close = flat_close,
};

struct sink *sink_flat_init(struct sink_flat *flat, struct sink *below)
{
	memset(flat, 0, sizeof(*flat));
	sink_init(&flat->sink, &flat_ops);
	flat->below = below;
	return &flat->sink;
}
