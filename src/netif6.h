/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv6 addresses of an interface (see netif.h). */
#ifndef SRC_NETIF6_H
#define SRC_NETIF6_H

#include <stdint.h>

#include "elfcore/log.h"
#include "src/config_net.h"

/* Before the interface goes up: its addresses are usable at once, nobody else is asked (accept_dad). */
void netif6_prepare(const char *dev);

/* The static address and gateway of net, or wait until a router has given one. */
int netif6_address(const struct net_config *net, const char *dev, uint64_t deadline_ms, struct log *log, struct error *err);

#endif
