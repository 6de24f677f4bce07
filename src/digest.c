// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/digest.h"

#include <bearssl.h>

/* libcrypto's headers expect glibc's; these are the few calls that are used. */
int SHA256_Init(void *c);
int SHA256_Update(void *c, const void *data, size_t len);
int SHA256_Final(unsigned char *md, void *c);
void OPENSSL_cpuid_setup(void);

void digest_init(struct digest *digest)
{
#if defined(__KLIBC__) && (defined(__x86_64__) || defined(__i386__))
	/* klibc runs no .init section, in which libcrypto looks what the processor can do. It looks only once. */
	OPENSSL_cpuid_setup();
#endif
	SHA256_Init(digest->state);
}

void digest_update(struct digest *digest, const void *data, size_t len)
{
	SHA256_Update(digest->state, data, len);
}

void digest_final(struct digest *digest, uint8_t ret[DIGEST_LEN])
{
	SHA256_Final(ret, digest->state);
}

void digest_hex(const uint8_t digest[DIGEST_LEN], char ret[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_LEN; i++) {
		ret[2 * i] = digits[digest[i] >> 4];
		ret[2 * i + 1] = digits[digest[i] & 15];
	}
	ret[2 * DIGEST_LEN] = 0;
}

void digest_hmac(const uint8_t *key, size_t key_len, const void *a, size_t a_len, const void *b, size_t b_len,
		 uint8_t ret[DIGEST_LEN])
{
	br_hmac_key_context kc;
	br_hmac_context hc;

	br_hmac_key_init(&kc, &br_sha256_vtable, key, key_len);
	br_hmac_init(&hc, &kc, 0);
	br_hmac_update(&hc, a, a_len);
	if (b_len)
		br_hmac_update(&hc, b, b_len);
	br_hmac_out(&hc, ret);
}

bool digest_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint8_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}
