// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/config_net.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/config.h"
#include "src/net_sock.h"

#define VLAN_MAX 4094
#define MTU_MIN 576
#define MTU_MAX 65535

bool net_is_mac(const char *text)
{
	if (strlen(text) != 17)
		return false;
	for (unsigned int i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return false;
	return true;
}

/* 4 or 6, 0 = it is no address. */
static int address_family(const char *text)
{
	struct net_addr addr;
	struct error none;

	if (strlen(text) >= sizeof(((struct net_config *)0)->address) || strchr(text, '%') || net_addr_parse(&addr, text, 1, &none))
		return 0;
	return addr.u.any.sa_family == AF_INET ? 4 : 6;
}

static int number(const char *text, unsigned int min, unsigned int max, unsigned int *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || text[0] == '-' || n < min || n > max)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int set_address(struct net_config *net, char *text, struct error *err)
{
	char *slash = strchr(text, '/');
	int family;

	if (!strcmp(text, "dhcp") || !strcmp(text, "slaac")) {
		net->method = text[0] == 'd' ? NET_DHCP : NET_SLAAC;
		return 0;
	}
	if (!slash)
		return fail(err, -EINVAL, "\"%s\" is none of dhcp, slaac, ADDRESS/PREFIX", text);
	*slash = 0;
	family = address_family(text);
	if (!family)
		return fail(err, -EINVAL, "\"%s\" is no IPv4 or IPv6 address", text);
	if (number(slash + 1, 1, family == 4 ? 32 : 128, &net->prefix))
		return fail(err, -EINVAL, "\"%s\" is no length of a prefix", slash + 1);
	net->method = NET_STATIC;
	strcpy(net->address, text);
	return 0;
}

static int set_option(struct net_config *net, const char *word, const char *value, struct error *err)
{
	if (!value)
		return fail(err, -EINVAL, "%s needs a value", word);
	if (!strcmp(word, "gateway")) {
		if (!address_family(value) || (net->method == NET_STATIC && address_family(value) != address_family(net->address)))
			return fail(err, -EINVAL, "gateway \"%s\" is no address of the same kind", value);
		strcpy(net->gateway, value);
		return 0;
	}
	if (!strcmp(word, "vlan"))
		return number(value, 1, VLAN_MAX, &net->vlan) ?
		       fail(err, -EINVAL, "vlan \"%s\" is not a number from 1 to %d", value, VLAN_MAX) : 0;
	if (!strcmp(word, "mtu"))
		return number(value, MTU_MIN, MTU_MAX, &net->mtu) ?
		       fail(err, -EINVAL, "mtu \"%s\" is not a number from %d to %d", value, MTU_MIN, MTU_MAX) : 0;
	return fail(err, -EINVAL, "\"%s\" is none of gateway, vlan, mtu", word);
}

int config_set_net(struct config *cfg, const char *word, const char *value, struct error *err)
{
	struct net_config net = { .prefix = 0 };
	char copy[256], *save, *which, *address;
	int rc;

	(void)word;
	if (strlen(value) >= sizeof(copy))
		return fail(err, -EINVAL, "longer than %zu bytes", sizeof(copy) - 1);
	strcpy(copy, value);
	/* Commas for the kernel command line, where blanks end the parameter. */
	which = strtok_r(copy, " ,", &save);
	address = which ? strtok_r(NULL, " ,", &save) : NULL;
	if (!address)
		return fail(err, -EINVAL, "an interface and dhcp, slaac or ADDRESS/PREFIX are needed");
	if (strlen(which) >= sizeof(net.which) || strchr(which, '/'))
		return fail(err, -EINVAL, "\"%s\" is neither a MAC address nor a name of an interface or of a device", which);
	strcpy(net.which, which);
	rc = set_address(&net, address, err);
	for (char *option = strtok_r(NULL, " ,", &save); option && !rc; option = strtok_r(NULL, " ,", &save))
		rc = set_option(&net, option, strtok_r(NULL, " ,", &save), err);
	if (rc)
		return rc;
	if (cfg->net_overriding)
		cfg->nr_nets = 0;
	cfg->net_overriding = false;
	if (cfg->nr_nets == CONFIG_MAX_NETS)
		return fail(err, -EINVAL, "more than %d interfaces", CONFIG_MAX_NETS);
	cfg->nets[cfg->nr_nets++] = net;
	return 0;
}

int config_set_key(struct config *cfg, const char *word, const char *value, struct error *err)
{
	(void)word;
	if (value[0] != '/' || strlen(value) >= sizeof(cfg->key))
		return fail(err, -EINVAL, "\"%.80s\" is not the absolute path of a file, up to %zu bytes", value, sizeof(cfg->key) - 1);
	memset(cfg->key, 0, sizeof(cfg->key));
	strcpy(cfg->key, value);
	return 0;
}

int config_set_host(struct config *cfg, const char *word, const char *value, struct error *err)
{
	struct host_config *host = &cfg->hosts[cfg->nr_hosts];
	const char *blank = value + strcspn(value, " ,");

	(void)word;
	if (!*blank || (size_t)(blank - value) >= sizeof(host->name) || !address_family(blank + 1))
		return fail(err, -EINVAL, "\"%.120s\" is not NAME ADDRESS", value);
	if (cfg->nr_hosts == CONFIG_MAX_HOSTS)
		return fail(err, -EINVAL, "more than %d hosts", CONFIG_MAX_HOSTS);
	memset(host, 0, sizeof(*host));
	memcpy(host->name, value, blank - value);
	strcpy(host->address, blank + 1);
	cfg->nr_hosts++;
	return 0;
}

const char *config_host_address(const struct config *cfg, const char *host)
{
	struct net_addr addr;
	struct error err;

	for (unsigned int i = 0; i < cfg->nr_hosts; i++)
		if (!strcmp(cfg->hosts[i].name, host))
			return cfg->hosts[i].address;
	/* One with a scope is an address, too, although the interface is not there yet. */
	return net_addr_parse(&addr, host, 1, &err) == -EINVAL ? NULL : host;
}
