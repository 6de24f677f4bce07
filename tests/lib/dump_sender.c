// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Send a made-up dump by the code that /init uses, for tests of the receiver:
 *
 *   dump_sender HOST:PORT KEYFILE NAME MIB [PAUSE_MS [GATE]]
 *
 * vmcore-dmesg.txt first, then a vmcore of MIB megabytes of which every fourth is a hole, its first block written again
 * at the end; a pause after each megabyte, and in the middle one until there is a file called GATE. Exit code 0 = all of it is acknowledged.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "src/sinks.h"

#define MIB (1U << 20)

static struct sender sender;
static uint8_t block[MIB];

static void emit(struct log *log, enum log_level level, const char *line)
{
	(void)log, (void)level;
	fprintf(stderr, "dump_sender: %s\n", line);
}

static int open_sender(const char *place, const char *key_file, struct error *err)
{
	char host[64], text[WIRE_KEY_MAX + 1];
	int fd = open(key_file, O_RDONLY);
	ssize_t len = read(fd, text, sizeof(text));
	uint16_t port;
	int rc = len < 0 ? fail(err, -errno, "%s: %s", key_file, strerror(errno)) : 0;

	close(fd);
	if (!rc)
		rc = net_split(place, host, sizeof(host), WIRE_PORT, &port, err);
	if (!rc)
		rc = net_addr_parse(&sender.addr, host, port, err);
	if (!rc)
		rc = wire_key_init(&sender.key, text, len, err);
	if (!rc)
		rc = sender_open(&sender, 5000, err);
	return rc;
}

static int send_dmesg(struct error *err)
{
	static const char text[] = "Kernel panic - not syncing: a test\n";
	struct sink_tcp dmesg;
	int rc = sink_tcp_init(&dmesg, &sender, "vmcore-dmesg.txt", err);

	if (rc)
		return rc;
	sink_write(&dmesg.sink, 0, text, strlen(text));
	rc = sink_commit(&dmesg.sink, strlen(text));
	return rc ? fail(err, rc, "vmcore-dmesg.txt: %s", strerror(-rc)) : 0;
}

/* The bytes are a function of the place, so that whoever reads them can tell. */
static void make_block(unsigned int number)
{
	uint64_t x = number + 1;

	for (size_t i = 0; i < MIB; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(block + i, &x, 8);
	}
}

static int send_core(unsigned int mib, unsigned int pause_ms, const char *gate, struct error *err)
{
	struct sink_tcp core;
	int rc = sink_tcp_init(&core, &sender, "vmcore", err);

	for (unsigned int i = 0; i < mib && !rc; i++) {
		make_block(i);
		if (!i)
			memset(block, 'x', 64);
		rc = i % 4 == 3 ? sink_zero(&core.sink, (uint64_t)i * MIB, MIB) : sink_write(&core.sink, (uint64_t)i * MIB, block, MIB);
		usleep(pause_ms * 1000);
		while (gate && i == mib / 2 && access(gate, F_OK))
			usleep(20000);
	}
	make_block(0);
	if (!rc)
		rc = sink_write(&core.sink, 0, block, 64);
	if (!rc)
		rc = sink_commit(&core.sink, (uint64_t)mib * MIB);
	if (!rc)
		return 0;
	sink_retry(&core.sink);
	sink_write(&core.sink, 0, "incomplete", 10);
	sink_keep(&core.sink, (uint64_t)mib * MIB);
	return fail(err, rc, "vmcore: %s", strerror(-rc));
}

int main(int argc, char **argv)
{
	struct log log = { .emit = emit };
	struct error err = { 0 };
	int rc;

	if (argc < 5)
		return 2;
	sender.log = &log;
	sender.purpose = WIRE_DUMP;
	sender.retry_ms = 30000;
	rc = open_sender(argv[1], argv[2], &err);
	if (!rc)
		rc = sender_begin(&sender, argv[3], argv[3], &err);
	if (!rc)
		rc = send_dmesg(&err);
	if (!rc)
		rc = send_core(atoi(argv[4]), argc > 5 ? atoi(argv[5]) : 0, argc > 6 ? argv[6] : NULL, &err);
	sender_close(&sender);
	if (rc)
		fprintf(stderr, "dump_sender: %s\n", err.text);
	return rc ? 1 : 0;
}
