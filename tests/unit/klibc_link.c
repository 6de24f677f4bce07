// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A klibc program that links and runs the distribution's static libz, libdeflate and libzstd by way of klibc/ssp.c:
 * each compresses and restores the same megabyte. And what is left of libcrypto makes SHA-256, by whichever of its code is
 * chosen and by its plainest. Exit code 0, or the step that failed on stderr.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "klibc/ssp.h"
#include "src/digest.h"

/* The libraries' headers expect glibc's; these are the few calls that are used. */
int compress2(unsigned char *dst, unsigned long *dst_len, const unsigned char *src, unsigned long len, int level);
int uncompress(unsigned char *dst, unsigned long *dst_len, const unsigned char *src, unsigned long len);
const char *zlibVersion(void);
size_t ZSTD_compress(void *dst, size_t cap, const void *src, size_t len, int level);
size_t ZSTD_decompress(void *dst, size_t cap, const void *src, size_t len);
void *libdeflate_alloc_compressor(int level);
void *libdeflate_alloc_decompressor(void);
size_t libdeflate_zlib_compress(void *c, const void *src, size_t len, void *dst, size_t cap);
int libdeflate_zlib_decompress(void *d, const void *src, size_t len, void *dst, size_t cap, size_t *actual);

#define LEN (1U << 20)

static unsigned char plain[LEN], packed[2 * LEN], again[LEN];

static int check(const char *what, int ok)
{
	if (!ok || memcmp(plain, again, LEN)) {
		fprintf(stderr, "%s: not restored\n", what);
		exit(1);
	}
	memset(again, 0, LEN);
	printf("%s ok\n", what);
	return 0;
}

#if defined(__x86_64__) || defined(__i386__)
extern unsigned int OPENSSL_ia32cap_P[4];
#endif

/* The million letters of FIPS 180-2. */
static void check_digest(const char *what)
{
	static const char wanted[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
	struct digest digest;
	unsigned char ret[DIGEST_LEN];
	char hex[DIGEST_HEX_SIZE];

	memset(again, 'a', LEN);
	digest_init(&digest);
	digest_update(&digest, again, 999000);
	digest_update(&digest, again, 1000);
	digest_final(&digest, ret);
	digest_hex(ret, hex);
	if (strcmp(hex, wanted)) {
		fprintf(stderr, "%s: SHA-256 is %s\n", what, hex);
		exit(1);
	}
	printf("%s ok\n", what);
}

int main(void)
{
	unsigned long len = sizeof(packed), out = LEN;
	size_t n, actual = 0;

	if (ssp_init(42))
		return 2;
	for (size_t i = 0; i < LEN; i++)
		plain[i] = i * i >> 7;
	if (strcmp(zlibVersion(), "1.2.11") < 0) {
		fprintf(stderr, "libz %s is klibc's own\n", zlibVersion());
		return 1;
	}
	check("libz", !compress2(packed, &len, plain, LEN, 1) && !uncompress(again, &out, packed, len));
	n = ZSTD_compress(packed, sizeof(packed), plain, LEN, 1);
	check("libzstd", ZSTD_decompress(again, LEN, packed, n) == LEN);
	n = libdeflate_zlib_compress(libdeflate_alloc_compressor(1), plain, LEN, packed, sizeof(packed));
	check("libdeflate", !libdeflate_zlib_decompress(libdeflate_alloc_decompressor(), packed, n, again, LEN, &actual));
	check_digest("libcrypto");
#if defined(__x86_64__) || defined(__i386__)
	memset(OPENSSL_ia32cap_P, 0, sizeof(OPENSSL_ia32cap_P));
	check_digest("libcrypto, plain");
#endif
	exit(0);
}
