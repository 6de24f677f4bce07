// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/net_sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/sys.h"

static int parse_port(const char *text, uint16_t *ret, const char *place, struct error *err)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || text[0] == '-' || !n || n > 65535)
		return fail(err, -EINVAL, "\"%s\": port \"%s\" is not a number from 1 to 65535", place, text);
	*ret = n;
	return 0;
}

int net_split(const char *place, char *host, size_t size, uint16_t default_port, uint16_t *port, struct error *err)
{
	const char *start = place, *end = place + strlen(place), *colon = strrchr(place, ':');

	*port = default_port;
	if (place[0] == '[') {
		start = place + 1;
		end = strchr(start, ']');
		if (!end || (end[1] && end[1] != ':'))
			return fail(err, -EINVAL, "\"%s\" is not [ADDRESS] or [ADDRESS]:PORT", place);
		colon = end[1] ? end + 1 : NULL;
	} else if (colon && strchr(place, ':') == colon) {
		end = colon;
	} else {
		colon = NULL;
	}
	if (end == start || (size_t)(end - start) >= size)
		return fail(err, -EINVAL, "\"%s\": no host, or one longer than %zu bytes", place, size - 1);
	memcpy(host, start, end - start);
	host[end - start] = 0;
	return colon ? parse_port(colon + 1, port, place, err) : 0;
}

/*
 * RFC 4291's text form without an embedded IPv4 address: inet_pton(3) of klibc 2.0.12 takes no IPv6 address at all.
 * Groups are collected from the left; what stands behind "::" moves to the end.
 */
static bool parse_in6(const char *text, uint8_t ret[16])
{
	int nr = 0, gap = -1;

	memset(ret, 0, 16);
	if (text[0] == ':' && text[1] != ':')
		return false;
	while (*text) {
		size_t len;
		unsigned long group;

		if (text[0] == ':' && text[1] == ':') {
			if (gap >= 0)
				return false;
			gap = nr;
			text += 2;
			continue;
		}
		if (*text == ':' && !*++text)
			return false;
		len = strspn(text, "0123456789abcdefABCDEF");
		if (!len || len > 4 || (text[len] && text[len] != ':') || nr == 8)
			return false;
		group = strtoul(text, NULL, 16);
		ret[2 * nr] = group >> 8;
		ret[2 * nr + 1] = group;
		nr++;
		text += len;
	}
	if (gap < 0 || nr == 8)
		return gap < 0 && nr == 8;
	memmove(ret + 16 - 2 * (nr - gap), ret + 2 * gap, 2 * (nr - gap));
	memset(ret + 2 * gap, 0, 16 - 2 * nr);
	return true;
}

static int interface_index(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), rc;
	struct ifreq ifr;

	if (fd < 0)
		return 0;
	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	rc = ioctl(fd, SIOCGIFINDEX, &ifr);
	close(fd);
	return rc ? 0 : ifr.ifr_ifindex;
}

int net_addr_parse(struct net_addr *addr, const char *host, uint16_t port, struct error *err)
{
	char copy[NET_ADDR_TEXT];
	char *scope;

	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, host, &addr->u.in.sin_addr) == 1) {
		addr->u.in.sin_family = AF_INET;
		addr->u.in.sin_port = htons(port);
		addr->len = sizeof(addr->u.in);
		return 0;
	}
	snprintf(copy, sizeof(copy), "%s", host);
	scope = strchr(copy, '%');
	if (scope)
		*scope++ = 0;
	if (strlen(host) >= sizeof(copy) || !parse_in6(copy, addr->u.in6.sin6_addr.s6_addr))
		return fail(err, -EINVAL, "\"%s\" is not a numeric address", host);
	addr->u.in6.sin6_family = AF_INET6;
	addr->u.in6.sin6_port = htons(port);
	addr->u.in6.sin6_scope_id = scope ? interface_index(scope) : 0;
	if (scope && !addr->u.in6.sin6_scope_id)
		return fail(err, -ENODEV, "\"%s\": no interface %s", host, scope);
	addr->len = sizeof(addr->u.in6);
	return 0;
}

void net_addr_text(const struct net_addr *addr, char ret[NET_ADDR_TEXT])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };	/* IPv4 on an IPv6 socket: ::ffff:0:0/96 */
	const uint8_t *in6 = addr->u.in6.sin6_addr.s6_addr;
	char host[NET_ADDR_TEXT - 8] = "?";
	bool is_4 = addr->u.any.sa_family == AF_INET;

	if (is_4 || !memcmp(in6, mapped, sizeof(mapped))) {
		inet_ntop(AF_INET, is_4 ? (const void *)&addr->u.in.sin_addr : in6 + sizeof(mapped), host, sizeof(host));
		snprintf(ret, NET_ADDR_TEXT, "%s:%u", host, ntohs(is_4 ? addr->u.in.sin_port : addr->u.in6.sin6_port));
		return;
	}
	inet_ntop(AF_INET6, &addr->u.in6.sin6_addr, host, sizeof(host));
	snprintf(ret, NET_ADDR_TEXT, "[%s]:%u", host, ntohs(addr->u.in6.sin6_port));
}

int net_wait(int fd, short events, uint64_t deadline_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now = now_ms();
		int n = poll(&pfd, 1, deadline_ms > now ? (int)(deadline_ms - now) : 0);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n && now_ms() >= deadline_ms)
			return -ETIMEDOUT;
	}
}

static int finish_connect(int fd, uint64_t deadline_ms)
{
	int error = 0, rc = net_wait(fd, POLLOUT, deadline_ms);
	socklen_t len = sizeof(error);

	if (rc)
		return rc;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) ? -errno : -error;
}

int net_connect(const struct net_addr *addr, uint64_t deadline_ms)
{
	int one = 1, rc = 0, fd = socket(addr->u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* What is sent is large already, and the last piece of it is waited for. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, &addr->u.any, addr->len))
		rc = errno == EINPROGRESS ? finish_connect(fd, deadline_ms) : -errno;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int net_send_all(int fd, const void *buf, size_t len, uint64_t deadline_ms)
{
	const char *p = buf;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		int rc = 0;

		if (n < 0 && errno == EAGAIN)
			rc = net_wait(fd, POLLOUT, deadline_ms);
		else if (n < 0 && errno != EINTR)
			rc = -errno;
		if (rc)
			return rc;
		p += n > 0 ? n : 0;
		len -= n > 0 ? n : 0;
	}
	return 0;
}

int net_recv_all(int fd, void *buf, size_t len, uint64_t deadline_ms)
{
	char *p = buf;

	while (len) {
		ssize_t n = recv(fd, p, len, MSG_DONTWAIT);
		int rc = 0;

		if (!n)
			return -ECONNRESET;
		/* Every wait looks at the clock, and so does who sends a byte at a time. */
		if (n < 0 && errno == EAGAIN)
			rc = net_wait(fd, POLLIN, deadline_ms);
		else if (n < 0 && errno != EINTR)
			rc = -errno;
		else if (now_ms() >= deadline_ms)
			rc = -ETIMEDOUT;
		if (rc)
			return rc;
		p += n > 0 ? n : 0;
		len -= n > 0 ? n : 0;
	}
	return 0;
}
