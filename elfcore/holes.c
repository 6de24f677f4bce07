// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/holes.h"

void holes_add(struct holes *holes, maddr_t start, uint64_t len, int error)
{
	struct hole *last = holes->nr ? &holes->list[holes->nr - 1] : NULL;

	holes->nr_bytes += len;
	if (last && holes->nr_ranges == holes->nr && last->end == start && last->error == error) {
		last->end += len;
		return;
	}
	holes->nr_ranges++;
	if (holes->nr < HOLES_MAX)
		holes->list[holes->nr++] = (struct hole){ start, start + len, error };
}
