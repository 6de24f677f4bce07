/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 and HMAC-SHA-256 (RFC 2104) from libraries. Plain SHA-256 runs over every byte of a dump and is libcrypto's:
 * with the processor's own instructions it is some twenty times as fast as BearSSL's, and it links without the rest of
 * its library. HMAC is BearSSL's, keys and nonces are all that goes through it.
 */
#ifndef SRC_DIGEST_H
#define SRC_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_LEN 32
#define DIGEST_HEX_SIZE (2 * DIGEST_LEN + 1)

struct digest {
	uint64_t state[16];		/* libcrypto's SHA256_CTX: 112 bytes on every architecture */
};

void digest_init(struct digest *digest);
void digest_update(struct digest *digest, const void *data, size_t len);

/* The context is used up then. */
void digest_final(struct digest *digest, uint8_t ret[DIGEST_LEN]);

/* As sha256sum(1) writes it. */
void digest_hex(const uint8_t digest[DIGEST_LEN], char ret[DIGEST_HEX_SIZE]);

/* HMAC over the two pieces of data one after the other; b may be NULL with b_len 0. */
void digest_hmac(const uint8_t *key, size_t key_len, const void *a, size_t a_len, const void *b, size_t b_len,
		 uint8_t ret[DIGEST_LEN]);

/* Takes the same time wherever the difference is. */
bool digest_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif
