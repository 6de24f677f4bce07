/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces of the capture kernel: found, set up, given an address. IPv4 addresses are set by klibc's ipconfig (as a
 * program, IPCONFIG in the image), IPv6 ones by the kernel itself (SLAAC) or here.
 */
#ifndef SRC_NETIF_H
#define SRC_NETIF_H

#include "elfcore/log.h"
#include "src/config.h"

#define IPCONFIG "/usr/lib/klibc/bin/ipconfig"	/* where Debian has it, and the image too */

/*
 * All interfaces of the configuration or, when it names none, what "ip=" on the kernel command line says. Ready to send
 * when this returns 0; -ETIMEDOUT, -ENETDOWN (no carrier), ... with the interface named when the first of them is not by
 * deadline_ms.
 */
int netif_up(const struct config *cfg, uint64_t deadline_ms, struct log *log, struct error *err);

#endif
