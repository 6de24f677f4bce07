// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/log_ring.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/sys.h"

static void keep(struct log_ring *ring, const char *text, size_t len)
{
	while (len--)
		ring->buf[ring->nr_bytes++ % LOG_RING_SIZE] = *text++;
}

static void emit(struct log *log, enum log_level level, const char *line)
{
	struct log_ring *ring = container_of(log, struct log_ring, log);
	unsigned int ms = now_ms() - ring->start_ms;
	char text[400];
	int len;

	log_ring_console(ring, line);
	len = snprintf(text, sizeof(text), "[%5u.%03u] %s%s\n", ms / 1000, ms % 1000,
		       level == LOG_LEVEL_ERR ? "error: " : level == LOG_LEVEL_WARN ? "warning: " : "", line);
	keep(ring, text, min_u64(len, sizeof(text) - 1));
}

/* A console may be stopped by flow control: what it does not take within a second is lost to it, and nothing else is. */
static void write_patiently(int fd, const char *text, size_t len)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno == EAGAIN && poll(&poll_fd, 1, 1000) > 0)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= n;
	}
}

void log_ring_console(struct log_ring *ring, const char *line)
{
	char text[400];
	int len = snprintf(text, sizeof(text), "kcapture: %s\n", line);

	write_patiently(ring->console_fd, text, min_u64(len, sizeof(text) - 1));
}

void log_ring_init(struct log_ring *ring, int console_fd, uint64_t start_ms)
{
	memset(ring, 0, sizeof(*ring));
	ring->log.emit = emit;
	ring->console_fd = console_fd;
	ring->start_ms = start_ms;
}

size_t log_ring_text(const struct log_ring *ring, const char *piece[2], size_t len[2])
{
	size_t pos = ring->nr_bytes % LOG_RING_SIZE;
	bool full = ring->nr_bytes > LOG_RING_SIZE;

	piece[0] = full ? ring->buf + pos : ring->buf;
	len[0] = full ? LOG_RING_SIZE - pos : ring->nr_bytes;
	piece[1] = ring->buf;
	len[1] = full ? pos : 0;
	return len[0] + len[1];
}
