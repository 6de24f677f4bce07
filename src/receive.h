/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `kcapture receive`, the other end of wire.h. One process listens, each connection has a process of its own (memory
 * stays flat, nobody waits for another's disk), and what they share is one struct in shared memory.
 *
 *   DIR/HOST/DUMP/vmcore-incomplete ...   what arrives, renamed when it is whole
 *   DIR/.kcapture/ID                      how far the dump ID is, for the connection that goes on with it
 */
#ifndef SRC_RECEIVE_H
#define SRC_RECEIVE_H

#include <stdbool.h>
#include <sys/types.h>

#include "src/sinks.h"
#include "src/wire_auth.h"

#define RECEIVE_MAX_CONNECTIONS 256
#define RECEIVE_MAX_STRANGERS 64	/* of them such as have not proved that they know the key */
#define RECEIVE_MAX_MACHINES 1024

/* Set aside for a dump when it begins: its last words (headers, log, marks) find room when memory does not. */
#define RECEIVE_RESERVE (1U << 20)

#define RECEIVE_BOOT_ID 40		/* a UUID as text, and a newline */

enum slot_state { SLOT_FREE, SLOT_STRANGER, SLOT_SENDER };

struct receive_slot {
	volatile pid_t pid;
	volatile enum slot_state state;
	uint64_t start_ms;
	uint8_t dump_id[WIRE_DUMP_ID_LEN];
};

struct receive_machine {
	char name[WIRE_NAME_MAX];	/* "" = free */
	int64_t used;			/* bytes */
};

struct receive_shared {
	struct receive_slot slots[RECEIVE_MAX_CONNECTIONS];
	int64_t used;			/* bytes in DIR, changed atomically */
	struct receive_machine machines[RECEIVE_MAX_MACHINES];
};

/* What the command line said, const in all processes. */
struct receive {
	const char *dir;
	int dir_fd;
	struct wire_key key;
	uint64_t quota, machine_quota;	/* bytes, 0 = none */
	unsigned int keep;		/* complete dumps of a machine, 0 = all */
	unsigned int idle_ms;		/* for a sender that says nothing */
	struct receive_shared *shared;
};

/* --- receive_quota.c: nobody writes past the quota, whoever else is writing */

/* Count what is there. Also when nobody writes, to forget what processes that were killed had reserved. */
void quota_count(const struct receive *r);

/* NULL when there are too many machines. */
struct receive_machine *quota_machine(const struct receive *r, const char *name);

/* Take bytes, or give them back (negative: never refused); false = there is no room. machine may be NULL. */
bool quota_take(const struct receive *r, struct receive_machine *machine, int64_t bytes);

/* Bytes that may still be written, the free space of the filesystem among the limits. */
uint64_t quota_room(const struct receive *r, const struct receive_machine *machine);

/* --- receive_store.c: the files of one dump */

/* The record in .kcapture, as it is written. */
struct store_state {
	char magic[8];
	uint8_t sender_nonce[WIRE_NONCE_LEN], receiver_nonce[WIRE_NONCE_LEN];
	char host[WIRE_NAME_MAX], name[WIRE_NAME_MAX + 8];
	uint64_t next_seq;
	uint64_t nr_bytes;		/* of payload */
	uint32_t committed;		/* bit n: file n has its name */
	uint32_t refused;		/* 1: something was left out for want of room */
	uint64_t extent[NR_WIRE_FILES];	/* so long at least is the unfinished file */
	char boot_id[RECEIVE_BOOT_ID];	/* of the receiver's kernel, whose page cache has what is not synced */
};

struct store {
	const struct receive *r;
	struct receive_machine *machine;
	struct store_state state;
	int state_fd, host_fd, dump_fd;
	int fds[NR_WIRE_FILES];
	uint64_t flushed[NR_WIRE_FILES];
	uint32_t summed;		/* bit n: sums[n] is known */
	uint8_t sums[NR_WIRE_FILES][DIGEST_LEN];
	int64_t reserve;		/* left of RECEIVE_RESERVE */
	char id[2 * WIRE_DUMP_ID_LEN + 1];

	/* Called from time to time while something takes long. */
	void (*alive)(struct store *store);
};

void store_init(struct store *store, const struct receive *r, const uint8_t dump_id[WIRE_DUMP_ID_LEN]);

/* Make the directories; host and name are whatever a sender said. -ENOSPC, or another -errno. */
int store_begin(struct store *store, const char *host, const char *name, struct error *err);

int store_write(struct store *store, enum wire_file file, uint64_t off, const void *buf, size_t len, struct error *err);
int store_sync(struct store *store, struct error *err);

/* -EBADMSG: the file has another SHA-256 than the sender says. */
int store_commit(struct store *store, enum wire_file file, const struct wire_commit *commit, struct error *err);

/* The dump is over: forget its state; make SHA256SUMS; apply `keep`. */
void store_end(struct store *store);
void store_deinit(struct store *store);

/* --- receive_state.c: how far a dump is */

/*
 * The state of a dump that began earlier, locked: -EBUSY when another process has it, -ENOENT when there is none or its
 * files may not hold what was acknowledged: after the receiver's machine went down, or when they are shorter than they were.
 */
int store_resume(struct store *store, struct error *err);

/* A new dump is on record, in its directory. */
int store_begin_state(struct store *store, struct error *err);

/* next_seq is on record when this returns. */
int store_record(struct store *store, struct error *err);

/* Nobody will go on with it. */
void store_forget(const struct store *store);

/* Forget states that are so old that nobody will go on with them. */
void store_expire(const struct receive *r);

/* A directory that is no link: its descriptor or -errno; and made when it is not there, the new name on the medium. */
int store_open_dir(int parent_fd, const char *name);
int store_make_dir(int parent_fd, const char *name);

/* The name of a file until it is committed. */
void store_unfinished_name(enum wire_file file, char ret[FILE_NAME_LEN + 1]);

/* --- receive_session.c: one connection, in a process of its own */

enum session_end { SESSION_SAVED, SESSION_NOTHING, SESSION_INCOMPLETE, SESSION_BROKEN };

/* slot is this process's own. Logs what happened; closes fd. */
enum session_end session_run(const struct receive *r, struct receive_slot *slot, int fd, const char *peer);

/* A line on stderr. */
void receive_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
