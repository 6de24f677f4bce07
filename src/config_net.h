/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directives of the network; for the table in config.c.
 *
 *   net WHICH dhcp|slaac|ADDRESS/PREFIX [gateway ADDRESS] [vlan ID] [mtu BYTES]
 *   key FILE
 *   host NAME ADDRESS
 *
 * WHICH is a MAC address, a device of a bus (0000:00:03.0, the last part of /sys/class/net/NAME/device), or the kernel's
 * name, which may be another one in the capture kernel.
 */
#ifndef SRC_CONFIG_NET_H
#define SRC_CONFIG_NET_H

#include <stdbool.h>

#include "elfcore/error.h"

#define CONFIG_MAX_NETS 4
#define CONFIG_MAX_HOSTS 8

struct config;

enum net_method { NET_DHCP, NET_SLAAC, NET_STATIC };

struct net_config {
	char which[64];
	enum net_method method;
	char address[46];		/* NET_STATIC: IPv4 or IPv6 */
	unsigned int prefix;
	char gateway[46];		/* "" = none, or DHCP's */
	unsigned int vlan;		/* 0 = none */
	unsigned int mtu;		/* 0 = as it is */
};

struct host_config {
	char name[64];
	char address[46];
};

int config_set_net(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_key(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_host(struct config *cfg, const char *word, const char *value, struct error *err);

/* The numeric address of a host: itself, or what a host directive says; NULL. */
const char *config_host_address(const struct config *cfg, const char *host);

bool net_is_mac(const char *text);

#endif
