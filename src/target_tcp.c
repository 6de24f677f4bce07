// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A receiver across the network (wire.h). The interfaces are set up first; the dump's directory is the receiver's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/netif.h"
#include "src/sys.h"
#include "src/target.h"

#define KEY_FILE "/etc/kcapture.key"
#define RETRY_PAUSE_US 200000
#define CONNECT_MS 3000
#define TIME_LEN 20		/* of "-YYYY-MM-DD-HH:MM:SS", the end of a dump's name */

/* One at a time: each target has a process of its own. The memory is taken when there is such a target at all. */
static struct sender *sender;
static struct sink_tcp core, small, log_file;

static int read_key(struct error *err)
{
	char text[WIRE_KEY_MAX + 1];
	int fd = open(KEY_FILE, O_RDONLY | O_CLOEXEC), rc;
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	if (len < 0)
		return fail(err, -ENOENT, "the image has no key (directive key)");
	rc = wire_key_init(&sender->key, text, len, err);
	return rc ? fail_prefix(err, KEY_FILE) : 0;
}

static int find_address(struct target *target, struct error *err)
{
	char host[64];
	const char *numeric;
	uint16_t port;
	int rc = net_split(target->cfg->place, host, sizeof(host), WIRE_PORT, &port, err);

	if (rc)
		return rc;
	numeric = config_host_address(target->all, host);
	if (!numeric)
		return fail(err, -EINVAL, "%s: the image does not know its address (directive host)", host);
	return net_addr_parse(&sender->addr, numeric, port, err);
}

/* A receiver that is not there yet may come; one that refuses will do so again. */
static bool worth_waiting(int rc)
{
	return rc != -EACCES && rc != -EPROTONOSUPPORT && rc != -ENOSPC && rc != -EPROTO;
}

static int connect_to(uint64_t deadline_ms, struct log *log, struct error *err)
{
	bool said = false;

	for (;;) {
		uint64_t now = now_ms();
		int rc = sender_open(sender, deadline_ms > now ? min_u64(CONNECT_MS, deadline_ms - now) : 1, err);

		if (!rc || !worth_waiting(rc) || now_ms() >= deadline_ms)
			return rc;
		if (!said)
			log_info(log, "waiting for the receiver: %s", err->text);
		said = true;
		usleep(RETRY_PAUSE_US);
	}
}

static int tcp_open(struct target *target, struct error *err)
{
	uint64_t deadline_ms = now_ms() + 1000ULL * target->cfg->target_timeout;
	struct log *log = &target->ring->log;
	int rc;

	if (!sender)
		sender = calloc(1, sizeof(*sender));
	if (!sender)
		return fail(err, -ENOMEM, "no memory for %zu bytes on their way", sizeof(*sender));
	rc = read_key(err);
	sender->log = log;
	sender->moved = target->progress ? target->progress->moved : NULL;
	sender->purpose = WIRE_DUMP;
	sender->retry_ms = 1000 * target->cfg->target_timeout;
	if (!rc)
		rc = netif_up(target->all, deadline_ms, log, err);
	if (!rc)
		rc = find_address(target, err);
	return rc ? rc : connect_to(deadline_ms, log, err);
}

/* The receiver has a directory for each machine: the name without the time. */
static int tcp_make_dir(struct target *target, char *name, struct error *err)
{
	char host[WIRE_NAME_MAX], dump[WIRE_NAME_MAX];
	size_t len = strlen(name);
	int rc;

	snprintf(dump, sizeof(dump), "%s%s", name, target->anew ? "-again" : "");
	snprintf(host, sizeof(host), "%.*s", (int)(len > TIME_LEN ? len - TIME_LEN : len), name);
	rc = sender_begin(sender, host, dump, err);
	if (rc)
		return rc;
	snprintf(target->dir, sizeof(target->dir), "%s/%s", host, dump);
	snprintf(target->name, sizeof(target->name), "tcp:%s/%s/vmcore", sender->name, target->dir);
	return 0;
}

static int tcp_open_file(struct target *target, const char *name, struct sink **ret, struct error *err)
{
	struct sink_tcp *tcp = strcmp(name, "vmcore") ? &small : &core;

	(void)target;
	*ret = &tcp->sink;
	return sink_tcp_init(tcp, sender, name, err);
}

static uint64_t tcp_room(struct target *target)
{
	(void)target;
	return sender->room;
}

static void tcp_save_log(struct target *target, bool last)
{
	const char *piece[2];
	size_t len[2], total;
	struct error err;

	if (!target->dir[0] || sender->error || sink_tcp_init(&log_file, sender, "kcapture.log", &err))
		return;
	total = log_ring_text(target->ring, piece, len);
	sink_write(&log_file.sink, 0, piece[0], len[0]);
	sink_write(&log_file.sink, len[0], piece[1], len[1]);
	if (last)
		sink_commit(&log_file.sink, total);
}

static void tcp_close(struct target *target)
{
	(void)target;
	sender_close(sender);
}

const struct target_ops target_tcp = {
	.open = tcp_open,
	.make_dir = tcp_make_dir,
	.open_file = tcp_open_file,
	.room = tcp_room,
	.save_log = tcp_save_log,
	.close = tcp_close,
};
