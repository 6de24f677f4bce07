/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numeric addresses and TCP sockets on which nothing waits longer than it is told; the same for glibc and klibc, which
 * has no name service.
 */
#ifndef SRC_NET_SOCK_H
#define SRC_NET_SOCK_H

#include <stdint.h>
#include <sys/socket.h>
#include <netinet/in.h>
#ifdef __KLIBC__
#include <netinet/in6.h>
#endif

#include "elfcore/error.h"

#define NET_ADDR_TEXT 80	/* "[fe80::1%enp0s31f6]:65535" and room */

struct net_addr {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u;
	socklen_t len;
};

/*
 * "HOST", "HOST:PORT", "[HOST]:PORT", or an IPv6 address as it is, into host (without brackets) and port. -EINVAL when
 * it is none of these or does not fit.
 */
int net_split(const char *place, char *host, size_t size, uint16_t default_port, uint16_t *port, struct error *err);

/* A numeric host, an IPv6 one with "%INTERFACE" behind it if it is link-local. -EINVAL for anything else. */
int net_addr_parse(struct net_addr *addr, const char *host, uint16_t port, struct error *err);

/* "10.0.2.2:7227", "[fec0::2]:7227" */
void net_addr_text(const struct net_addr *addr, char ret[NET_ADDR_TEXT]);

/* A connected socket that does not block, or -errno. */
int net_connect(const struct net_addr *addr, uint64_t deadline_ms);

/* Wait for events (POLLIN, POLLOUT) until deadline_ms: 0, -ETIMEDOUT or another -errno. */
int net_wait(int fd, short events, uint64_t deadline_ms);

/* All len bytes or -errno; an end of the connection is -ECONNRESET. */
int net_send_all(int fd, const void *buf, size_t len, uint64_t deadline_ms);
int net_recv_all(int fd, void *buf, size_t len, uint64_t deadline_ms);

#endif
