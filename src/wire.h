/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol between a capture kernel and `kcapture receive`, version 1, over one TCP connection at a time. All numbers
 * are big endian, all reserved bytes zero, all lengths bounded. Nothing here does I/O.
 *
 *   sender                      receiver
 *   HELLO      64 bytes   ->                 version, nonce, which dump goes on (zeros: a new one)
 *                         <-    CHALLENGE    version, nonce
 *   PROOF      64 bytes   ->                 purpose, HMAC of HELLO, CHALLENGE and itself
 *                         <-    WELCOME      status, next sequence number, room, HMAC of all four
 *   frames                ->
 *                         <-    frames       acknowledgements and refusals
 *
 * Both sides know a shared key. From it and both nonces come, by HKDF-SHA-256 (RFC 5869), one key for each purpose and
 * direction. A dump is one numbered sequence of frames, however many connections it takes: the frames are sealed with a
 * key that comes from the nonces of its first connection, and each is sent until it is acknowledged. So a dump goes on
 * after a broken link or a restarted receiver with the first frame that was not acknowledged, no frame can be left out,
 * repeated, exchanged or made up by anybody without the key, and a COMMIT proves that all before it has arrived.
 *
 *   frame:   0     4    5    6        8        16        24            24 + len   40 + len
 *            | len |type|file| zero   | seq    | off     | payload     | tag      |
 *
 * The tag is that of AEAD_CHACHA20_POLY1305 (RFC 8439) with header and payload as additional data, no plaintext, and seq
 * as the nonce. Encryption, when it comes, makes the payload the plaintext of the same call and a flag in HELLO.
 *
 *   BEGIN      payload: host name, zero byte, name of the dump, zero byte; must be the first frame
 *   DATA       payload: bytes of the file at off. Frames may overlap and come in any order of off
 *   COMMIT     payload: size u64, flags u32, zero u32, SHA-256 of the file or zeros. What was never written is zeros.
 *              Acknowledged when the file is synced and has its name
 *   SYNC       acknowledged when everything is on the medium
 *   END        the dump is over, whole or not
 *   ACK        (receiver) off: all frames below this seq were dealt with
 *   REFUSE     (receiver) off: seq of the frame; payload: code u32, then text. The dump goes on if the code is
 *              WIRE_FULL, with what was refused left out; else the connection ends
 */
#ifndef SRC_WIRE_H
#define SRC_WIRE_H

#include <stdbool.h>

#include "elfcore/error.h"
#include "elfcore/types.h"

#define WIRE_VERSION 1
#define WIRE_PORT 7227

#define WIRE_GREETING_SIZE 64		/* of each of the four */
#define WIRE_NONCE_LEN 32
#define WIRE_DUMP_ID_LEN 16
#define WIRE_MAC_LEN 32

#define WIRE_HEADER_SIZE 24
#define WIRE_TAG_LEN 16
#define WIRE_PAYLOAD_MAX (256U << 10)
#define WIRE_ANSWER_MAX 256		/* payload of the receiver's frames */
#define WIRE_FRAME_MAX (WIRE_HEADER_SIZE + WIRE_PAYLOAD_MAX + WIRE_TAG_LEN)
#define WIRE_OFFSET_MAX (1ULL << 56)	/* no file ends beyond it */
#define WIRE_NAME_MAX 128		/* with the terminating zero */
#define WIRE_COMMIT_SIZE 48

enum wire_type { WIRE_BEGIN = 1, WIRE_DATA, WIRE_COMMIT, WIRE_SYNC, WIRE_END, WIRE_ACK = 64, WIRE_REFUSE };

/* The files of a dump; nobody can name another. */
enum wire_file { WIRE_VMCORE, WIRE_DMESG, WIRE_NOTES, WIRE_JSON, WIRE_LOG, WIRE_SUMS, NR_WIRE_FILES };

enum wire_purpose { WIRE_DUMP = 1, WIRE_PROBE };

enum wire_status {
	WIRE_OK,
	WIRE_BAD_VERSION,
	WIRE_DENIED,			/* the keys differ */
	WIRE_UNKNOWN_DUMP,		/* what was to go on is not here */
	WIRE_FULL,
	WIRE_BUSY,
	WIRE_FAILED,			/* an error of the receiver's storage */
	WIRE_MISMATCH,			/* the SHA-256 of the file is another */
	WIRE_PROTOCOL,
	NR_WIRE_STATUS,
};

#define WIRE_COMPLETE 1			/* flags of COMMIT */
#define WIRE_HAS_SHA256 2

struct wire_hello {
	uint16_t version;
	uint8_t nonce[WIRE_NONCE_LEN];
	uint8_t dump_id[WIRE_DUMP_ID_LEN];
};

struct wire_challenge {
	uint16_t version;
	uint32_t status;
	uint8_t nonce[WIRE_NONCE_LEN];
};

struct wire_proof {
	uint32_t purpose;
	uint8_t mac[WIRE_MAC_LEN];
};

struct wire_welcome {
	uint32_t status;
	uint64_t next_seq;
	uint64_t room;			/* bytes that may be sent, about */
	uint8_t mac[WIRE_MAC_LEN];
};

struct wire_frame {
	uint32_t len;			/* of the payload */
	uint8_t type;
	uint8_t file;
	uint64_t seq;
	uint64_t off;
};

struct wire_commit {
	uint64_t size;
	uint32_t flags;
	uint8_t sha256[32];
};

/* Decoders check everything that can be checked without a key and return 0 or -EPROTO with what is wrong. */
void wire_hello_encode(const struct wire_hello *hello, uint8_t buf[WIRE_GREETING_SIZE]);
int wire_hello_decode(const uint8_t buf[WIRE_GREETING_SIZE], struct wire_hello *ret, struct error *err);
void wire_challenge_encode(const struct wire_challenge *challenge, uint8_t buf[WIRE_GREETING_SIZE]);
int wire_challenge_decode(const uint8_t buf[WIRE_GREETING_SIZE], struct wire_challenge *ret, struct error *err);
void wire_proof_encode(const struct wire_proof *proof, uint8_t buf[WIRE_GREETING_SIZE]);
int wire_proof_decode(const uint8_t buf[WIRE_GREETING_SIZE], struct wire_proof *ret, struct error *err);
void wire_welcome_encode(const struct wire_welcome *welcome, uint8_t buf[WIRE_GREETING_SIZE]);
int wire_welcome_decode(const uint8_t buf[WIRE_GREETING_SIZE], struct wire_welcome *ret, struct error *err);

void wire_frame_encode(const struct wire_frame *frame, uint8_t buf[WIRE_HEADER_SIZE]);
int wire_frame_decode(const uint8_t buf[WIRE_HEADER_SIZE], struct wire_frame *ret, struct error *err);

void wire_commit_encode(const struct wire_commit *commit, uint8_t buf[WIRE_COMMIT_SIZE]);
int wire_commit_decode(const uint8_t *payload, size_t len, struct wire_commit *ret, struct error *err);

/* BEGIN: the length of the payload, and the two names out of one. They point into payload. */
size_t wire_begin_encode(const char *host, const char *name, uint8_t *buf, size_t size);
int wire_begin_decode(const uint8_t *payload, size_t len, const char **host, const char **name, struct error *err);

/* REFUSE: text is cut to what fits and what can be printed. */
size_t wire_refuse_encode(enum wire_status code, const char *text, uint8_t buf[WIRE_ANSWER_MAX]);
int wire_refuse_decode(const uint8_t *payload, size_t len, uint32_t *code, char *text, size_t size, struct error *err);

const char *wire_file_name(enum wire_file file);
int wire_file_find(const char *name);	/* or -1 */
const char *wire_status_text(uint32_t status);

#endif
