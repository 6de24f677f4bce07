// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/notes_console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/capture_note.h"
#include "elfcore/codec.h"
#include "src/notes_file.h"

#define HEADERS_MAX 4096

/* A file in memory. */
struct sink_memory {
	struct sink sink;
	uint8_t *buf;
	size_t size, end;
};

static int memory_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct sink_memory *memory = container_of(sink, struct sink_memory, sink);

	if (off > memory->size || len > memory->size - off)
		return -ENOSPC;
	memcpy(memory->buf + off, buf, len);
	memory->end = max_u64(memory->end, off + len);
	return 0;
}

static int memory_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	(void)sink, (void)off, (void)len;
	return 0;
}

static int memory_commit(struct sink *sink, uint64_t size)
{
	struct sink_memory *memory = container_of(sink, struct sink_memory, sink);

	memory->end = min_u64(size, memory->size);
	return 0;
}

static const struct sink_ops memory_ops = {
	.name = "memory",
	.caps = SINK_SEEK,
	.write = memory_write,
	.zero = memory_zero,
	.commit = memory_commit,
};

void notes_line(const uint8_t *bytes, size_t len, char ret[NOTES_LINE_MAX])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *p = ret;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = bytes[i] << 16 | (left > 1 ? bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);

		*p++ = letters[bits >> 18];
		*p++ = letters[bits >> 12 & 63];
		*p++ = left > 1 ? letters[bits >> 6 & 63] : '=';
		*p++ = left > 2 ? letters[bits & 63] : '=';
	}
	*p = 0;
}

static void tell_packed(struct console *console, const uint8_t *packed, size_t len)
{
	static const char prefix[] = "notes: ";
	char line[sizeof(prefix) + NOTES_LINE_MAX];

	memcpy(line, prefix, sizeof(prefix));
	for (size_t i = 0; i < len; i += NOTES_LINE_BYTES) {
		notes_line(packed + i, min_u64(len - i, NOTES_LINE_BYTES), line + sizeof(prefix) - 1);
		console_plain(console, line);
	}
}

static int pack_and_tell(struct console *console, const struct sink_memory *file, struct error *err)
{
	size_t cap = codec_bound(file->end), len;
	struct codec_ctx codec;
	uint8_t *packed;

	if (codec_open_compressor(&codec, CODEC_ZSTD, file->end, 0))
		return fail(err, -ENOMEM, "no memory to compress them");
	packed = malloc(cap);
	len = packed ? codec_compress(&codec, file->buf, file->end, packed, cap) : 0;
	if (len)
		tell_packed(console, packed, len);
	free(packed);
	codec_close(&codec);
	return len ? 0 : fail(err, -ENOMEM, "no memory for them");
}

int notes_console_write(struct console *console, const struct crash *crash, struct error *err)
{
	struct sink_memory file = { .size = crash->notes.len + CAPTURE_NOTE_LEN + HEADERS_MAX };
	int rc;

	sink_init(&file.sink, &memory_ops);
	file.buf = calloc(1, file.size);
	if (!file.buf)
		return fail(err, -ENOMEM, "no memory for %zu bytes of them", file.size);
	rc = notes_file_write(&file.sink, crash, err);
	if (!rc)
		rc = pack_and_tell(console, &file, err);
	free(file.buf);
	return rc;
}
