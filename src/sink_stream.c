// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "src/sinks.h"
#include "src/sys.h"

static int stream_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct sink_stream *stream = container_of(sink, struct sink_stream, sink);
	int rc;

	if (off != stream->pos)
		return -ESPIPE;
	rc = write_all(stream->fd, buf, len);
	stream->pos += len;
	return rc;
}

static int stream_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	return sink_write_zeros(sink, off, len);
}

static int stream_finish(struct sink *sink, uint64_t size)
{
	(void)sink, (void)size;
	return 0;
}

static void stream_close(struct sink *sink)
{
	(void)sink;
}

static const struct sink_ops stream_ops = {
	.name = "stream",
	.write = stream_write,
	.zero = stream_zero,
	.commit = stream_finish,
	.keep = stream_finish,
	.close = stream_close,
};

void sink_stream_init(struct sink_stream *stream, int fd)
{
	sink_init(&stream->sink, &stream_ops);
	stream->fd = fd;
	stream->pos = 0;
}
