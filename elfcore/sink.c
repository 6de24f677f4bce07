// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/sink.h"

void sink_init(struct sink *sink, const struct sink_ops *ops)
{
	sink->ops = ops;
	sink->name = NULL;
	sink->error = 0;
	sink->nr_written = 0;
}

const char *sink_name(const struct sink *sink)
{
	return sink->name && sink->name[0] ? sink->name : sink->ops->name;
}

int sink_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	if (sink->error || !len)
		return sink->error;
	sink->error = sink->ops->write(sink, off, buf, len);
	if (!sink->error)
		sink->nr_written += len;
	return sink->error;
}

int sink_writev(struct sink *sink, uint64_t off, const struct sink_vec *vecs, unsigned int nr)
{
	uint64_t len = 0;

	if (!sink->ops->writev) {
		for (unsigned int i = 0; i < nr && !sink->error; i++) {
			sink_write(sink, off, vecs[i].base, vecs[i].len);
			off += vecs[i].len;
		}
		return sink->error;
	}
	for (unsigned int i = 0; i < nr; i++)
		len += vecs[i].len;
	if (sink->error || !len)
		return sink->error;
	sink->error = sink->ops->writev(sink, off, vecs, nr);
	if (!sink->error)
		sink->nr_written += len;
	return sink->error;
}

int sink_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	if (!sink->error && len)
		sink->error = sink->ops->zero(sink, off, len);
	return sink->error;
}

int sink_reserve(struct sink *sink, uint64_t off, uint64_t len)
{
	if (!sink->error && len && sink->ops->reserve)
		sink->error = sink->ops->reserve(sink, off, len);
	return sink->error;
}

int sink_sync(struct sink *sink)
{
	if (!sink->error && sink->ops->sync)
		sink->error = sink->ops->sync(sink);
	return sink->error;
}

int sink_commit(struct sink *sink, uint64_t size)
{
	if (!sink->error)
		sink->error = sink->ops->commit(sink, size);
	return sink->error;
}

void sink_expect(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	if (sink->ops->expect)
		sink->ops->expect(sink, off, buf, len);
}

void sink_retry(struct sink *sink)
{
	sink->error = 0;
}

int sink_keep(struct sink *sink, uint64_t size)
{
	return sink->ops->keep(sink, size);
}

void sink_close(struct sink *sink)
{
	if (sink)
		sink->ops->close(sink);
}
