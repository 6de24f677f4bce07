// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/unit.h"

#include <string.h>

#include "src/digest.h"

static void expect_hex(const uint8_t digest[DIGEST_LEN], const char *wanted)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(digest, hex);
	assert_string_equal(hex, wanted);
}

/* FIPS 180-4's own example, and the same in pieces. */
static void test_sha256(void **state)
{
	static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	struct digest digest;
	uint8_t ret[DIGEST_LEN];

	(void)state;
	digest_init(&digest);
	digest_update(&digest, text, strlen(text));
	digest_final(&digest, ret);
	expect_hex(ret, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	digest_init(&digest);
	for (size_t i = 0; i < strlen(text); i++)
		digest_update(&digest, text + i, 1);
	digest_final(&digest, ret);
	expect_hex(ret, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* RFC 4231, test cases 2 and 6 (a key longer than a block). */
static void test_hmac(void **state)
{
	static const char a[] = "what do ya want ", b[] = "for nothing?";
	static const char large[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	uint8_t key[131], ret[DIGEST_LEN];

	(void)state;
	digest_hmac((const uint8_t *)"Jefe", 4, a, strlen(a), b, strlen(b), ret);
	expect_hex(ret, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	digest_hmac(key, sizeof(key), large, strlen(large), NULL, 0, ret);
	expect_hex(ret, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_equal(void **state)
{
	uint8_t a[DIGEST_LEN] = { 0 }, b[DIGEST_LEN] = { 0 };

	(void)state;
	assert_true(digest_equal(a, b, sizeof(a)));
	b[31] = 1;
	assert_false(digest_equal(a, b, sizeof(a)));
	assert_true(digest_equal(a, b, 31));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
