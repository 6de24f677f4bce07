// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "src/net_sock.h"
#include "tests/lib/unit.h"

static void test_split(void **state)
{
	static const struct {
		const char *place, *host;
		uint16_t port;
	} good[] = {
		{ "10.0.2.2", "10.0.2.2", 7227 },	 { "10.0.2.2:80", "10.0.2.2", 80 },
		{ "crash.example:65535", "crash.example", 65535 },
		{ "fec0::2", "fec0::2", 7227 },		 { "[fec0::2]", "fec0::2", 7227 },
		{ "[fec0::2]:1", "fec0::2", 1 },	 { "[fe80::1%eth0]:9", "fe80::1%eth0", 9 },
	};
	static const char *const bad[] = { "", ":80", "a:", "a:0", "a:65536", "a:-1", "a:8x", "[::1", "[::1]x", "[]:5", "[::1]:" };
	char host[40];
	uint16_t port;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(net_split(good[i].place, host, sizeof(host), 7227, &port, &err), 0);
		assert_string_equal(host, good[i].host);
		assert_int_equal(port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(net_split(bad[i], host, sizeof(host), 7227, &port, &err), -EINVAL);
	assert_int_equal(net_split("a-name-that-is-too-long-for-the-place-it-has", host, sizeof(host), 1, &port, &err), -EINVAL);
}

/* Our own reader of IPv6 addresses against glibc's, on what people write and on what they should not. */
static void test_in6(void **state)
{
	static const char *const texts[] = {
		"::", "::1", "1::", "fec0::2", "2001:db8::ff00:42:8329", "1:2:3:4:5:6:7:8", "1:2:3::6:7:8", "::2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7::", "FE80::ABCD", "0:0:0:0:0:0:0:0", "", ":", ":::", "1", "1:2", ":1::2", "1::2::3", "1:", "::1:", "12345::",
		"g::", "1:2:3:4:5:6:7:8:9", "1::2:3:4:5:6:7:8", "::-1", ":: 1", "1:2:3:4:5:6:7:", "+1::", "0x1::",
	};
	struct in6_addr wanted;
	struct net_addr addr;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int good = inet_pton(AF_INET6, texts[i], &wanted) == 1, rc = net_addr_parse(&addr, texts[i], 1, &err);

		if (good != !rc || (good && memcmp(&wanted, &addr.u.in6.sin6_addr, 16)))
			fail_msg("\"%s\": %d instead of %d, or another address", texts[i], !rc, good);
	}
}

static void check_addr(const char *host, const char *wanted)
{
	struct net_addr addr;
	struct error err;
	char text[NET_ADDR_TEXT];

	assert_int_equal(net_addr_parse(&addr, host, 7227, &err), 0);
	net_addr_text(&addr, text);
	assert_string_equal(text, wanted);
}

static void test_addr(void **state)
{
	struct net_addr addr;
	struct error err;

	(void)state;
	check_addr("10.0.2.2", "10.0.2.2:7227");
	check_addr("fec0::2", "[fec0::2]:7227");
	check_addr("fe80::1%lo", "[fe80::1]:7227");
	check_addr("::ffff:a00:202", "10.0.2.2:7227");
	assert_int_equal(net_addr_parse(&addr, "crash.example", 1, &err), -EINVAL);
	assert_text(err.text, "crash.example");
	assert_int_equal(net_addr_parse(&addr, "fe80::1%nosuch0", 1, &err), -ENODEV);
	assert_text(err.text, "nosuch0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_in6),
		cmocka_unit_test(test_addr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
