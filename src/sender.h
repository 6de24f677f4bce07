/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sending side of wire.h: one dump on its way to a receiver. What is not acknowledged yet is kept, and sent again on
 * a new connection when the old one breaks or falls silent; only when that does not succeed within retry_ms is it an
 * error, and then every later call returns it; -ESTALE: the receiver has lost what it had of the dump, or it is not what was
 * sent, and a new dump may succeed. In klibc and in glibc; the storage is the caller's.
 */
#ifndef SRC_SENDER_H
#define SRC_SENDER_H

#include "elfcore/log.h"
#include "src/net_sock.h"
#include "src/wire_auth.h"

/* What may be on its way: what a fast network holds (10 Gbit/s for 0.8 ms), and little beside a small kernel's memory. */
#define SENDER_RING (1U << 20)
#define SENDER_MAX_FRAMES 2048

struct sender_frame {
	uint32_t pos;			/* in the ring */
	uint32_t size;			/* with header and tag */
};

struct sender {
	/* set by the caller before sender_open() */
	struct net_addr addr;
	struct wire_key key;
	enum wire_purpose purpose;
	unsigned int retry_ms;
	struct log *log;
	volatile uint64_t *moved;	/* counts while the receiver is heard, NULL = nobody looks */

	uint64_t room;			/* what the receiver said, bytes */

	/* the rest is the sender's own */
	char name[NET_ADDR_TEXT];
	int fd;				/* -1 = no connection */
	int error;			/* sticky */
	struct error why;
	struct wire_keys link, dump;	/* of this connection, of the dump's first */
	uint64_t answer_seq;		/* expected next */
	uint64_t acked, sent, sealed;	/* frames below these are acknowledged, sent, ready to be sent */
	uint32_t sent_bytes;		/* of frame number sent */
	struct wire_frame open;		/* being filled; len 0 = none */
	uint32_t open_pos, open_max;
	uint32_t end;			/* where the next frame begins */
	unsigned int fruitless;		/* connections since the last acknowledgement */
	uint64_t heard_ms;		/* when the receiver last said something */
	int refused[NR_WIRE_FILES];	/* -errno that nobody has been told yet */
	uint64_t forgiven;		/* refusals of frames below this were told already */
	char refused_text[WIRE_ANSWER_MAX];
	size_t in_len;
	uint8_t in[WIRE_HEADER_SIZE + WIRE_ANSWER_MAX + WIRE_TAG_LEN];
	struct sender_frame frames[SENDER_MAX_FRAMES];	/* frame n at n % SENDER_MAX_FRAMES */
	uint8_t ring[SENDER_RING];
};

/*
 * Connect and prove to each other that both know the key, within timeout_ms. -EACCES: the keys differ. Tried once: who
 * waits for a receiver to appear calls again.
 */
int sender_open(struct sender *s, unsigned int timeout_ms, struct error *err);

/* Name the dump; before any of its files. */
int sender_begin(struct sender *s, const char *host, const char *name, struct error *err);

/* -ENOSPC is said once for a file, and what is written after that is tried again. Other errors stay. */
int sender_write(struct sender *s, enum wire_file file, uint64_t off, const void *buf, size_t len);

/* Returns when everything written so far is on the receiver's medium. */
int sender_sync(struct sender *s);

/* Returns when the file is there as described, or refused; its cause is in s->why. */
int sender_commit(struct sender *s, enum wire_file file, const struct wire_commit *commit);

/* Tell that the dump is over and hang up. */
void sender_close(struct sender *s);

/* For sender.c: connect again, or for the first time, and say hello (sender_link.c). */
int sender_connect(struct sender *s, uint64_t deadline_ms, struct error *err);

#endif
