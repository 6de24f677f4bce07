/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dumps that lie in a directory, by the names that identity.h gives them: how often it has crashed lately, and which
 * of them may go.
 */
#ifndef SRC_DUMPS_H
#define SRC_DUMPS_H

#include <stdint.h>

#include "elfcore/error.h"
#include "elfcore/log.h"

/* How many of the directories in base but the one called self are of crashes within the hour before when. */
unsigned int dumps_lately(const char *base, const char *self, int64_t when);

struct dumps_limits {
	unsigned int keep;		/* complete dumps that may stay, the new one counted; 0 = all */
	uint64_t keep_bytes;		/* that all complete dumps may take; 0 = all */
};

/*
 * Delete the oldest complete dumps in base until the limits are kept. The one called self is new and verified: it stays
 * whatever the limits say. What is not complete, or is no dump of ours, is nobody's business here.
 */
void dumps_prune(const char *base, const char *self, const struct dumps_limits *limits, struct log *log);

#endif
