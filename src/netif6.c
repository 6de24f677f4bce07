// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/netif6.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <linux/ipv6_route.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/net_sock.h"
#include "src/sys.h"

#define POLL_US 20000
#define TENTATIVE 0x40			/* IFA_F_TENTATIVE */
#define SCOPE_LINK 0x20
#define SCOPE_HOST 0x10

/* struct in6_ifreq of linux/ipv6.h, which does not go together with glibc's netinet/in.h. */
struct addr_request {
	struct in6_addr addr;
	uint32_t prefix;
	int index;
};

void netif6_prepare(const char *dev)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%.32s/accept_dad", dev);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	write_all(fd, "0", 1);
	close(fd);
}

/* One with a scope beyond the link that may be used: lines of /proc/net/if_inet6 are address, index, prefix, scope, flags, name. */
static bool has_address(const char *dev, char *text, size_t size)
{
	char list[4096], *save;

	if (read_text("/proc/net/if_inet6", list, sizeof(list)) <= 0)
		return false;
	for (char *line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned int index, prefix, scope, flags;
		char hex[33], name[33];

		if (sscanf(line, "%32s %x %x %x %x %32s", hex, &index, &prefix, &scope, &flags, name) != 6 || strcmp(name, dev) ||
		    scope == SCOPE_LINK || scope == SCOPE_HOST || flags & TENTATIVE)
			continue;
		for (size_t i = 0, pos = 0; i < 32 && pos + 2 < size; i++) {
			text[pos++] = hex[i];
			if (i % 4 == 3 && i < 31)
				text[pos++] = ':';
			text[pos] = 0;
		}
		return true;
	}
	return false;
}

static int set_static(int fd, const struct net_config *net, int index)
{
	struct addr_request request = { .prefix = net->prefix, .index = index };
	struct in6_rtmsg route = { .rtmsg_metric = 1024, .rtmsg_flags = RTF_UP | RTF_GATEWAY, .rtmsg_ifindex = index };

	struct net_addr addr;
	struct error none;

	if (net_addr_parse(&addr, net->address, 1, &none))
		return -EINVAL;
	request.addr = addr.u.in6.sin6_addr;
	if (ioctl(fd, SIOCSIFADDR, &request) && errno != EEXIST)
		return -errno;
	if (!net->gateway[0])
		return 0;
	if (net_addr_parse(&addr, net->gateway, 1, &none))
		return -EINVAL;
	route.rtmsg_gateway = addr.u.in6.sin6_addr;
	return ioctl(fd, SIOCADDRT, &route) && errno != EEXIST ? -errno : 0;
}

int netif6_address(const struct net_config *net, const char *dev, uint64_t deadline_ms, struct log *log, struct error *err)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	char text[48];
	int fd, rc = 0;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(err, -errno, "no IPv6 in this kernel: %s", strerror(errno));
	if (ioctl(fd, SIOCGIFINDEX, &ifr))
		rc = -errno;
	else if (net->method == NET_STATIC)
		rc = set_static(fd, net, ifr.ifr_ifindex);
	close(fd);
	if (rc)
		return fail(err, rc, "%s: %s/%u: %s", dev, net->address, net->prefix, strerror(-rc));
	while (!has_address(dev, text, sizeof(text))) {
		if (now_ms() >= deadline_ms)
			return fail(err, -ETIMEDOUT, "%s: no IPv6 address%s", dev, net->method == NET_SLAAC ? " by SLAAC" : "");
		usleep(POLL_US);
	}
	log_info(log, "%s has %s", dev, text);
	return 0;
}
