// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "src/sinks.h"

/* Errors are sticky in this stage already: the one below is called past its own. */

static int limit_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct sink_limit *limit = container_of(sink, struct sink_limit, sink);

	if (off > limit->max_size || len > limit->max_size - off)
		return -ENOSPC;
	return limit->below->ops->write(limit->below, off, buf, len);
}

static int limit_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	struct sink_limit *limit = container_of(sink, struct sink_limit, sink);

	if (off > limit->max_size || len > limit->max_size - off)
		return -ENOSPC;
	return limit->below->ops->zero(limit->below, off, len);
}

static int limit_reserve(struct sink *sink, uint64_t off, uint64_t len)
{
	struct sink_limit *limit = container_of(sink, struct sink_limit, sink);
	struct sink *below = limit->below;

	if (off > limit->max_size || len > limit->max_size - off)
		return -ENOSPC;
	return below->ops->reserve ? below->ops->reserve(below, off, len) : 0;
}

static int limit_sync(struct sink *sink)
{
	struct sink *below = container_of(sink, struct sink_limit, sink)->below;

	return below->ops->sync ? below->ops->sync(below) : 0;
}

static int limit_commit(struct sink *sink, uint64_t size)
{
	struct sink_limit *limit = container_of(sink, struct sink_limit, sink);

	return size > limit->max_size ? -ENOSPC : limit->below->ops->commit(limit->below, size);
}

static int limit_keep(struct sink *sink, uint64_t size)
{
	struct sink_limit *limit = container_of(sink, struct sink_limit, sink);

	return sink_keep(limit->below, min_u64(size, limit->max_size));
}

static void limit_close(struct sink *sink)
{
	sink_close(container_of(sink, struct sink_limit, sink)->below);
}

static const struct sink_ops limit_ops = {
	.name = "limited output",
	.caps = SINK_SEEK,
	.write = limit_write,
	.zero = limit_zero,
	.reserve = limit_reserve,
	.sync = limit_sync,
	.commit = limit_commit,
	.keep = limit_keep,
	.close = limit_close,
};

struct sink *sink_limit_init(struct sink_limit *limit, struct sink *below, uint64_t max_size)
{
	sink_init(&limit->sink, &limit_ops);
	limit->below = below;
	limit->max_size = max_size;
	return &limit->sink;
}
