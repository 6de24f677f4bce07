/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/net.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "initramfs/programs.h"
#include "initramfs/tool.h"
#include "src/netif.h"
#include "src/sender.h"

#define LINE_SIZE 256
#define PROBE_MS 5000

bool net_has_targets(const struct config *cfg)
{
	for (unsigned int i = 0; i < cfg->nr_targets; i++)
		if (cfg->targets[i].kind == TARGET_TCP)
			return true;
	return false;
}

/* A host by the name service of this machine. */
static int look_up(const char *host, char *address, size_t size, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int rc = getaddrinfo(host, NULL, &hints, &list);
	if (rc)
		return fail(err, -EHOSTUNREACH, "%s: %s", host, gai_strerror(rc));
	rc = getnameinfo(list->ai_addr, list->ai_addrlen, address, size, NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(list);
	return rc ? fail(err, -EHOSTUNREACH, "%s: %s", host, gai_strerror(rc)) : 0;
}

/* Our own address on the way to a host: a datagram socket is connected without sending anything. */
static int local_address(const char *numeric, struct net_addr *ret, struct error *err)
{
	struct net_addr addr;
	int rc = net_addr_parse(&addr, numeric, WIRE_PORT, err);
	if (rc)
		return rc;
	int fd = socket(addr.u.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ret->len = sizeof(ret->u);
	if (fd < 0 || connect(fd, &addr.u.any, addr.len) || getsockname(fd, &ret->u.any, &ret->len))
		rc = fail(err, -errno, "no route to %s: %s", numeric, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

static bool same_address(const struct sockaddr *a, const struct net_addr *b)
{
	if (!a || a->sa_family != b->u.any.sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr == b->u.in.sin_addr.s_addr;
	return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, &b->u.in6.sin6_addr, 16) == 0;
}

static unsigned int prefix_length(const struct sockaddr *mask)
{
	const uint8_t *p = mask->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)mask)->sin_addr :
							(const void *)&((const struct sockaddr_in6 *)mask)->sin6_addr;
	unsigned int n = 0;
	for (unsigned int i = 0; i < (mask->sa_family == AF_INET ? 4 : 16); i++)
		n += __builtin_popcount(p[i]);
	return n;
}

static int find_interface(const struct net_addr *local, char dev[IFNAMSIZ], unsigned int *prefix)
{
	struct ifaddrs *list;
	int rc = -ENODEV;
	if (getifaddrs(&list))
		return -errno;
	for (struct ifaddrs *ifa = list; ifa && rc; ifa = ifa->ifa_next) {
		if (!same_address(ifa->ifa_addr, local) || !ifa->ifa_netmask)
			continue;
		snprintf(dev, IFNAMSIZ, "%s", ifa->ifa_name);
		*prefix = prefix_length(ifa->ifa_netmask);
		rc = 0;
	}
	freeifaddrs(list);
	return rc;
}

/* What iproute2 knows about the address and the default route; without it, the safe guess is DHCP for IPv4. */
static void ask_ip(const char *dev, bool is_6, const char *numeric, bool *dynamic, char *gateway, size_t size)
{
	const char *addr[] = { "ip", "-o", is_6 ? "-6" : "-4", "addr", "show", "dev", dev, NULL };
	const char *route[] = { "ip", "-o", "route", "get", numeric, NULL };
	char *text, *via;
	struct error none;
	*dynamic = true;
	gateway[0] = '\0';
	if (tool_output(addr, &text, &none) == 0) {
		*dynamic = strstr(text, " dynamic ") != NULL;
		free(text);
	}
	if (tool_output(route, &text, &none))
		return;
	via = strstr(text, " via ");
	if (via)
		snprintf(gateway, size, "%.*s", (int)strcspn(via + 5, " \n"), via + 5);
	free(text);
}

/* A VLAN's name, number and the interface below it: "eth0.5  VID: 5 ... Device: eth0". */
static unsigned int vlan_below(const char *dev, char below[IFNAMSIZ])
{
	char path[64], *text, *line;
	unsigned int id = 0;
	struct error none;
	snprintf(below, IFNAMSIZ, "%s", dev);
	snprintf(path, sizeof(path), "/proc/net/vlan/%s", dev);
	if (file_read(path, &text, NULL, &none))
		return 0;
	if ((line = strstr(text, "VID: ")))
		id = strtoul(line + 5, NULL, 10);
	if ((line = strstr(text, "Device: ")))
		snprintf(below, IFNAMSIZ, "%.*s", (int)strcspn(line + 8, " \n"), line + 8);
	free(text);
	return id;
}

/* The line that sets the interface towards a host up again as it is now. */
static int describe_interface(const char *numeric, char line[LINE_SIZE], struct error *err)
{
	char dev[IFNAMSIZ], below[IFNAMSIZ], path[96], which[32], gateway[64], address[64];
	struct net_addr local;
	unsigned int prefix = 0, vlan;
	bool dynamic;
	int rc = local_address(numeric, &local, err);
	if (rc)
		return rc;
	rc = find_interface(&local, dev, &prefix);
	if (rc)
		return fail(err, rc, "the interface that leads to %s: %s", numeric, strerror(-rc));
	vlan = vlan_below(dev, below);
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", below);
	if (access(path, F_OK))
		return fail(err, -ENODEV, "the way to %s leads over %s, which is no plain interface: say in a \"net\" line which one "
			    "the capture kernel shall use", numeric, below);
	snprintf(path, sizeof(path), "/sys/class/net/%s/address", below);
	if (file_read_line(path, which, sizeof(which)) || !net_is_mac(which))
		snprintf(which, sizeof(which), "%s", below);
	bool is_6 = local.u.any.sa_family == AF_INET6;
	ask_ip(dev, is_6, numeric, &dynamic, gateway, sizeof(gateway));
	rc = getnameinfo(&local.u.any, local.len, address, sizeof(address), NULL, 0, NI_NUMERICHOST);
	if (rc)
		return fail(err, -EINVAL, "%s: %s", dev, gai_strerror(rc));
	int n = dynamic ? snprintf(line, LINE_SIZE, "%s %s", which, is_6 ? "slaac" : "dhcp") :
			  snprintf(line, LINE_SIZE, "%s %s/%u", which, address, prefix);
	if (!dynamic && gateway[0] && !strchr(gateway, '%'))
		n += snprintf(line + n, LINE_SIZE - n, " gateway %s", gateway);
	if (vlan)
		snprintf(line + n, LINE_SIZE - n, " vlan %u", vlan);
	return 0;
}

static int resolve_target(struct config *cfg, const struct target_config *target, FILE *out, struct error *err)
{
	char host[64], address[64], line[LINE_SIZE];
	uint16_t port;
	int rc = net_split(target->place, host, sizeof(host), WIRE_PORT, &port, err);
	if (rc)
		return rc;
	const char *numeric = config_host_address(cfg, host);
	if (!numeric) {
		rc = look_up(host, address, sizeof(address), err);
		if (rc)
			return rc;
		snprintf(line, sizeof(line), "%s %s", host, address);
		rc = config_set_host(cfg, "host", line, err);
		fprintf(out, "host %s\n", line);
		numeric = address;
	}
	if (rc || cfg->nr_nets)
		return rc;
	rc = describe_interface(numeric, line, err);
	if (!rc)
		rc = config_set_net(cfg, "net", line, err);
	if (!rc)
		fprintf(out, "net %s\n", line);
	return rc;
}

int net_resolve(struct config *cfg, char **ret, struct error *err)
{
	size_t size;
	FILE *out = open_memstream(ret, &size);
	int rc = out ? 0 : fail(err, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < cfg->nr_targets && !rc; i++)
		if (cfg->targets[i].kind == TARGET_TCP && resolve_target(cfg, &cfg->targets[i], out, err))
			rc = fail_prefix(err, "target tcp %.80s", cfg->targets[i].place);
	if (out && fclose(out) && !rc)
		rc = fail(err, -ENOMEM, "out of memory");
	if (rc) {
		free(*ret);
		*ret = NULL;
	}
	return rc;
}

static bool needs_ipconfig(const struct config *cfg)
{
	for (unsigned int i = 0; i < cfg->nr_nets; i++)
		if (cfg->nets[i].method == NET_DHCP || (cfg->nets[i].method == NET_STATIC && !strchr(cfg->nets[i].address, ':')))
			return true;
	return !cfg->nr_nets;
}

static int read_key(const struct config *cfg, char **text, size_t *len, struct error *err)
{
	struct wire_key key;
	if (!cfg->key[0])
		return fail(err, -EINVAL, "a tcp target needs a key: \"key FILE\", the same file as the receiver has");
	int rc = file_read(cfg->key, text, len, err);
	if (rc)
		return fail_prefix(err, "key");
	rc = wire_key_init(&key, *text, *len, err);
	if (!rc)
		return 0;
	free(*text);
	return fail_prefix(err, "%s", cfg->key);
}

int net_add_files(struct archive *ar, const struct config *cfg, struct error *err)
{
	char *text;
	size_t len;
	int rc;
	if (!net_has_targets(cfg))
		return 0;
	rc = read_key(cfg, &text, &len, err);
	if (rc)
		return rc;
	rc = archive_add_text(ar, "etc/kcapture.key", 0600, text, len, err);
	free(text);
	if (rc || !needs_ipconfig(cfg))
		return rc;
	return programs_add(ar, IPCONFIG, err) ? fail_prefix(err, "package klibc-utils") : 0;
}

static int probe(struct sender *sender, const struct config *cfg, const struct target_config *target, struct error *err)
{
	char host[64], address[64], *text;
	uint16_t port;
	size_t len;
	int rc = net_split(target->place, host, sizeof(host), WIRE_PORT, &port, err);
	if (rc)
		return rc;
	const char *numeric = config_host_address(cfg, host);
	if (!numeric && (rc = look_up(host, address, sizeof(address), err)))
		return rc;
	rc = net_addr_parse(&sender->addr, numeric ? numeric : address, port, err);
	if (!rc)
		rc = read_key(cfg, &text, &len, err);
	if (rc)
		return -EINVAL;
	wire_key_init(&sender->key, text, len, err);
	free(text);
	sender->purpose = WIRE_PROBE;
	rc = sender_open(sender, PROBE_MS, err);
	sender_close(sender);
	return rc;
}

/* Who has the key can write into the receiver's directory. */
static void check_key_mode(struct check_list *list, const char *key)
{
	struct stat st;
	if (key[0] && !stat(key, &st) && st.st_mode & 077)
		check_warn(list, "key %s is readable by others than its owner: chmod 600", key);
}

void net_check_target(struct check_list *list, const struct config *cfg, const struct target_config *target)
{
	struct sender *sender = calloc(1, sizeof(*sender));
	struct error err = { 0 };
	check_key_mode(list, cfg->key);
	int rc = sender ? probe(sender, cfg, target, &err) : fail(&err, -ENOMEM, "out of memory");
	/* A wrong key stays wrong. */
	if (rc == -EACCES || rc == -EINVAL || rc == -EPROTO || rc == -EPROTONOSUPPORT)
		check_failed(list, "target tcp %s: %s", target->place, err.text);
	else if (rc)
		check_warn(list, "target tcp %s: no receiver answers now: %s", target->place, err.text);
	free(sender);
}
