// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/flat_together.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/elf_codec.h"
#include "elfcore/sink_flat.h"
#include "elfcore/zero.h"

#define CHUNK (1U << 20)

static uint8_t buffer[CHUNK];

struct stream {
	int fd;
	uint64_t pos;
	struct sink *sink;
	uint64_t end;		/* highest offset written */
};

/* All of len bytes, or -ENODATA at the end of the stream. */
static int take(struct stream *s, void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len) {
		ssize_t n = read(s->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		p += n;
		len -= n;
		s->pos += n;
	}
	return 0;
}

/* What lies behind everything written so far may stay a hole when it is zeros. */
static int put(struct stream *s, uint64_t off, size_t len)
{
	int rc = off > s->end ? sink_zero(s->sink, s->end, off - s->end) : 0;

	if (rc)
		return rc;
	if (off >= s->end && mem_is_zero(buffer, len))
		rc = sink_zero(s->sink, off, len);
	else
		rc = sink_write(s->sink, off, buffer, len);
	s->end = max_u64(s->end, off + len);
	return rc;
}

static int copy_record(struct stream *s, uint64_t off, uint64_t len, struct error *err)
{
	while (len) {
		size_t piece = min_u64(len, CHUNK);
		int rc = take(s, buffer, piece);

		if (rc)
			return fail(err, rc, "the stream ends at byte %llu, %llu bytes before the end of a record",
				    (unsigned long long)s->pos, (unsigned long long)len);
		rc = put(s, off, piece);
		if (rc)
			return fail(err, rc, "writing %zu bytes at 0x%llx to %s failed: %s", piece, (unsigned long long)off,
				    s->sink->ops->name, strerror(-rc));
		off += piece;
		len -= piece;
	}
	return 0;
}

/* 1 = there may be more, 0 = that was the end record. */
static int next_record(struct stream *s, struct error *err)
{
	uint8_t header[FLAT_RECORD_HEADER];
	uint64_t start = s->pos, off, len;
	int rc = take(s, header, sizeof(header));

	if (rc)
		return fail(err, rc, "the stream ends at byte %llu without an end record", (unsigned long long)s->pos);
	off = elf_get(ELFDATA2MSB, header, 8);
	len = elf_get(ELFDATA2MSB, header + 8, 8);
	if (off == UINT64_MAX && len == UINT64_MAX)
		return 0;
	if (!len || len > INT64_MAX || off > INT64_MAX - len)
		return fail(err, -EINVAL, "the record at byte %llu of the stream is broken: offset 0x%llx size 0x%llx",
			    (unsigned long long)start, (unsigned long long)off, (unsigned long long)len);
	rc = copy_record(s, off, len, err);
	return rc ? rc : 1;
}

int flat_take_header(int fd, struct error *err)
{
	struct stream s = { .fd = fd };
	int rc = take(&s, buffer, FLAT_HEADER_SIZE);

	if (rc && rc != -ENODATA)
		return fail(err, rc, "%s", strerror(-rc));
	if (rc || memcmp(buffer, FLAT_SIGNATURE, 16))
		return fail(err, -EINVAL, "it is not in the flattened form");
	return 0;
}

int flat_together(int fd, struct sink *sink, uint64_t *size_ret, struct error *err)
{
	struct stream s = { .fd = fd, .pos = FLAT_HEADER_SIZE, .sink = sink };
	int rc;

	do
		rc = next_record(&s, err);
	while (rc > 0);
	*size_ret = s.end;
	return rc;
}
