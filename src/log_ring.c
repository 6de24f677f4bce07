// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/log_ring.h"

#include <stdio.h>
#include <string.h>

#include "src/sys.h"

static void keep(struct log_ring *ring, const char *text, size_t len)
{
	while (len--)
		ring->buf[ring->nr_bytes++ % LOG_RING_SIZE] = *text++;
}

/* At the level of debugging: the consoles have it already. */
static void tell_kmsg(struct log_ring *ring, const char *line)
{
	char text[400];
	int len = snprintf(text, sizeof(text), "<7>kcapture: %s\n", line);

	if (ring->kmsg_fd >= 0)
		write_all(ring->kmsg_fd, text, min_u64(len, sizeof(text) - 1));
}

static void emit(struct log *log, enum log_level level, const char *line)
{
	struct log_ring *ring = container_of(log, struct log_ring, log);
	unsigned int ms = now_ms() - ring->start_ms;
	char text[400];
	int len;

	log_ring_console(ring, line);
	tell_kmsg(ring, line);
	len = snprintf(text, sizeof(text), "[%5u.%03u] %s%s\n", ms / 1000, ms % 1000,
		       level == LOG_LEVEL_ERR ? "error: " : level == LOG_LEVEL_WARN ? "warning: " : "", line);
	keep(ring, text, min_u64(len, sizeof(text) - 1));
}

void log_ring_console(struct log_ring *ring, const char *line)
{
	console_line(&ring->console, line);
}

void log_ring_init(struct log_ring *ring, uint64_t start_ms)
{
	memset(ring, 0, sizeof(*ring));
	ring->log.emit = emit;
	console_init(&ring->console);
	ring->kmsg_fd = -1;
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
