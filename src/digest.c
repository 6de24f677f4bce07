// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/digest.h"

#include <bearssl.h>
#include <string.h>
#include <sys/time.h>

#include "elfcore/types.h"

/* libcrypto's headers expect glibc's; these are the few calls that are used. */
int SHA256_Init(void *c);
int SHA256_Update(void *c, const void *data, size_t len);
int SHA256_Final(unsigned char *md, void *c);
void OPENSSL_cpuid_setup(void);

#if defined(__KLIBC__) && (defined(__x86_64__) || defined(__i386__))
/* What libcrypto knows of the processor; it chooses its code by it in every call, the widest instructions first. */
extern unsigned int OPENSSL_ia32cap_P[4];

static uint64_t microseconds(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return (uint64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

static uint64_t time_sample(void)
{
	static uint8_t sample[32768];	/* not const: a constant would lie in the file */
	struct digest digest;
	uint8_t ret[DIGEST_LEN];
	uint64_t start = microseconds();

	SHA256_Init(digest.state);
	SHA256_Update(digest.state, sample, sizeof(sample));
	SHA256_Final(ret, digest.state);
	return microseconds() - start;
}

/*
 * That the processor has wide instructions does not say that they are fast: where they are emulated, plain ones are two or
 * three times as fast. So both are tried, as the kernel does for RAID; whoever is faster in the better of a few runs, by so
 * much that it is no accident, is used from there on.
 */
static void choose_code(void)
{
	static const unsigned int plain[4];
	uint64_t wide_us = UINT64_MAX, plain_us = UINT64_MAX;
	unsigned int wide[4];

	/* klibc runs no .init section, in which libcrypto looks what the processor can do. */
	OPENSSL_cpuid_setup();
	memcpy(wide, OPENSSL_ia32cap_P, sizeof(wide));
	for (unsigned int i = 0; i < 3; i++) {
		memcpy(OPENSSL_ia32cap_P, plain, sizeof(plain));
		plain_us = min_u64(plain_us, time_sample());
		memcpy(OPENSSL_ia32cap_P, wide, sizeof(wide));
		wide_us = min_u64(wide_us, time_sample());
	}
	if (plain_us < wide_us - wide_us / 4)
		memcpy(OPENSSL_ia32cap_P, plain, sizeof(plain));
}
#else
static void choose_code(void)
{
}
#endif

void digest_init(struct digest *digest)
{
	static bool chosen;

	if (!chosen)
		choose_code();
	chosen = true;
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
