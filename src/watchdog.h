/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hardware's watchdog, for what PID 1 cannot end by itself: a capture kernel that hangs. It may run already, started by
 * the crashed system; opening it takes it over. It is fed by PID 1 only, and only as long as its own deadlines are kept.
 */
#ifndef SRC_WATCHDOG_H
#define SRC_WATCHDOG_H

#include <stdint.h>

#include "elfcore/log.h"

/* Seconds until it bites. Long enough for a kernel that is busy, short enough for who waits. */
#define WATCHDOG_TIMEOUT 30

struct watchdog {
	const char *device;		/* "" = none */
	int fd;				/* -1 = not there, or not yet */
	uint64_t fed_ms;
};

void watchdog_init(struct watchdog *dog, const char *device);

/* Open it as soon as its driver is there, and feed it, both not more often than needed. */
void watchdog_feed(struct watchdog *dog, struct log *log);

/* Stop it, for an end after which the machine shall stay as it is. */
void watchdog_stop(struct watchdog *dog);

#endif
