// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/wire_auth.h"

#include <bearssl.h>
#include <errno.h>
#include <string.h>

#include "elfcore/elf_codec.h"

int wire_key_init(struct wire_key *key, const void *text, size_t len, struct error *err)
{
	struct digest digest;

	if (len < WIRE_KEY_MIN || len > WIRE_KEY_MAX)
		return fail(err, -EINVAL, "a key of %zu bytes: %d to %d are wanted", len, WIRE_KEY_MIN, WIRE_KEY_MAX);
	digest_init(&digest);
	digest_update(&digest, text, len);
	digest_final(&digest, key->bytes);
	return 0;
}

/* HKDF-Expand of one block: HMAC(PRK, info | 1). */
static void expand(const uint8_t prk[DIGEST_LEN], const char *info, uint8_t ret[DIGEST_LEN])
{
	static const uint8_t one = 1;

	digest_hmac(prk, DIGEST_LEN, info, strlen(info), &one, 1, ret);
}

void wire_keys_derive(struct wire_keys *keys, const struct wire_key *key, const uint8_t sender_nonce[WIRE_NONCE_LEN],
		      const uint8_t receiver_nonce[WIRE_NONCE_LEN])
{
	uint8_t salt[2 * WIRE_NONCE_LEN], prk[DIGEST_LEN];

	memcpy(salt, sender_nonce, WIRE_NONCE_LEN);
	memcpy(salt + WIRE_NONCE_LEN, receiver_nonce, WIRE_NONCE_LEN);
	digest_hmac(salt, sizeof(salt), key->bytes, sizeof(key->bytes), NULL, 0, prk);
	expand(prk, "kcapture 1 sender proof", keys->sender_proof);
	expand(prk, "kcapture 1 receiver proof", keys->receiver_proof);
	expand(prk, "kcapture 1 frames", keys->frames);
	expand(prk, "kcapture 1 answers", keys->answers);
	expand(prk, "kcapture 1 dump", keys->dump_id);
}

void wire_proof_mac(const uint8_t proof_key[DIGEST_LEN], const uint8_t *greetings, size_t nr, uint8_t ret[WIRE_MAC_LEN])
{
	static const uint8_t zeros[WIRE_MAC_LEN];

	digest_hmac(proof_key, DIGEST_LEN, greetings, nr * WIRE_GREETING_SIZE - WIRE_MAC_LEN, zeros, sizeof(zeros), ret);
}

void wire_seal(const uint8_t key[DIGEST_LEN], uint64_t seq, const void *frame, size_t len, uint8_t ret[WIRE_TAG_LEN])
{
	br_poly1305_run run = br_poly1305_ctmulq_get();
	uint8_t nonce[12] = { 0 };

	elf_put(ELFDATA2MSB, nonce + 4, 8, seq);
	if (!run)
		run = br_poly1305_ctmul_run;
	run(key, nonce, NULL, 0, frame, len, ret, br_chacha20_ct_run, 1);
}

bool wire_seal_matches(const uint8_t key[DIGEST_LEN], uint64_t seq, const void *frame, size_t len,
		       const uint8_t tag[WIRE_TAG_LEN])
{
	uint8_t wanted[WIRE_TAG_LEN];

	wire_seal(key, seq, frame, len, wanted);
	return digest_equal(wanted, tag, sizeof(wanted));
}
