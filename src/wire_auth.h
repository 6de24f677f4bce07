/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys and proofs of wire.h. The shared key is a file of 16 to 4096 bytes of which all count.
 */
#ifndef SRC_WIRE_AUTH_H
#define SRC_WIRE_AUTH_H

#include "src/digest.h"
#include "src/wire.h"

#define WIRE_KEY_MIN 16
#define WIRE_KEY_MAX 4096

struct wire_key {
	uint8_t bytes[DIGEST_LEN];	/* SHA-256 of the file: HKDF's input keying material */
};

/* Of one connection; a dump keeps those of its first. */
struct wire_keys {
	uint8_t sender_proof[DIGEST_LEN];
	uint8_t receiver_proof[DIGEST_LEN];
	uint8_t frames[DIGEST_LEN];	/* sealed by the sender */
	uint8_t answers[DIGEST_LEN];	/* sealed by the receiver */
	uint8_t dump_id[DIGEST_LEN];	/* the first WIRE_DUMP_ID_LEN bytes name the dump */
};

/* Length limits are checked (-EINVAL). A newline at the end is a part of the key. */
int wire_key_init(struct wire_key *key, const void *text, size_t len, struct error *err);

void wire_keys_derive(struct wire_keys *keys, const struct wire_key *key, const uint8_t sender_nonce[WIRE_NONCE_LEN],
		      const uint8_t receiver_nonce[WIRE_NONCE_LEN]);

/* HMAC over what was said so far: greetings one after the other, the MAC in the last one taken for zeros. */
void wire_proof_mac(const uint8_t proof_key[DIGEST_LEN], const uint8_t *greetings, size_t nr, uint8_t ret[WIRE_MAC_LEN]);

/* The tag of a frame whose header and payload lie one behind the other. */
void wire_seal(const uint8_t key[DIGEST_LEN], uint64_t seq, const void *frame, size_t len, uint8_t ret[WIRE_TAG_LEN]);

bool wire_seal_matches(const uint8_t key[DIGEST_LEN], uint64_t seq, const void *frame, size_t len,
		       const uint8_t tag[WIRE_TAG_LEN]);

#endif
