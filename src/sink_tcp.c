// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "src/sinks.h"

/* The words go to the log here: the callers of a sink have only the number. */
static int checked(struct sink_tcp *tcp, int rc)
{
	if (rc)
		log_warn(tcp->sender->log, "%s", tcp->sender->why.code == rc ? tcp->sender->why.text : strerror(-rc));
	return rc;
}

static int tcp_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct sink_tcp *tcp = container_of(sink, struct sink_tcp, sink);

	return checked(tcp, sender_write(tcp->sender, tcp->file, off, buf, len));
}

static int tcp_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	(void)sink, (void)off, (void)len;
	return 0;
}

static int tcp_sync(struct sink *sink)
{
	struct sink_tcp *tcp = container_of(sink, struct sink_tcp, sink);

	return checked(tcp, sender_sync(tcp->sender));
}

static int finish(struct sink *sink, uint64_t size, uint32_t flags)
{
	struct sink_tcp *tcp = container_of(sink, struct sink_tcp, sink);
	struct wire_commit commit = { .size = size, .flags = flags };

	if (tcp->has_sum && flags & WIRE_COMPLETE) {
		commit.flags |= WIRE_HAS_SHA256;
		memcpy(commit.sha256, tcp->sha256, sizeof(commit.sha256));
	}
	return checked(tcp, sender_commit(tcp->sender, tcp->file, &commit));
}

static void tcp_sum(struct sink *sink, const uint8_t sha256[32])
{
	struct sink_tcp *tcp = container_of(sink, struct sink_tcp, sink);

	memcpy(tcp->sha256, sha256, sizeof(tcp->sha256));
	tcp->has_sum = true;
}

static int tcp_commit(struct sink *sink, uint64_t size)
{
	return finish(sink, size, WIRE_COMPLETE);
}

static int tcp_keep(struct sink *sink, uint64_t size)
{
	return finish(sink, size, 0);
}

/* The connection is the target's. */
static void tcp_close(struct sink *sink)
{
	(void)sink;
}

static const struct sink_ops tcp_ops = {
	.name = "the receiver",
	.caps = SINK_SEEK,
	.write = tcp_write,
	.zero = tcp_zero,
	.sync = tcp_sync,
	.sum = tcp_sum,
	.commit = tcp_commit,
	.keep = tcp_keep,
	.close = tcp_close,
};

int sink_tcp_init(struct sink_tcp *tcp, struct sender *sender, const char *name, struct error *err)
{
	int file = wire_file_find(name);

	if (file < 0)
		return fail(err, -EINVAL, "a receiver takes no file called %s", name);
	sink_init(&tcp->sink, &tcp_ops);
	tcp->sender = sender;
	tcp->file = file;
	tcp->has_sum = false;
	return 0;
}
