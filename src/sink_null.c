// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/sinks.h"

static int null_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	(void)sink, (void)off, (void)buf, (void)len;
	return 0;
}

static int null_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	(void)sink, (void)off, (void)len;
	return 0;
}

static int null_finish(struct sink *sink, uint64_t size)
{
	container_of(sink, struct sink_null, sink)->size = size;
	return 0;
}

static void null_close(struct sink *sink)
{
	(void)sink;
}

static const struct sink_ops null_ops = {
	.name = "nowhere",
	.caps = SINK_SEEK,
	.write = null_write,
	.zero = null_zero,
	.commit = null_finish,
	.keep = null_finish,
	.close = null_close,
};

void sink_null_init(struct sink_null *null)
{
	sink_init(&null->sink, &null_ops);
	null->size = 0;
}
