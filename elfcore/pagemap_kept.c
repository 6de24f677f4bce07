// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/pagemap_kept.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_BYTES (1U << 20)	/* 32 GiB of 4 KiB pages */

void pagemap_kept_init(struct pagemap_kept *kept, const struct pagemap *pm)
{
	kept->nr = 0;
	kept->max = KEPT_BYTES / (pm->nr_pages / 8);
	/* Touched as far as the machine is large. */
	kept->bits = malloc(KEPT_BYTES);
	kept->starts = malloc(kept->max * sizeof(*kept->starts));
	if (!kept->bits || !kept->starts)
		kept->max = 0;
}

void pagemap_kept_deinit(struct pagemap_kept *kept)
{
	free(kept->bits);
	free(kept->starts);
	memset(kept, 0, sizeof(*kept));
}

void pagemap_keep(struct pagemap_kept *kept, const struct pagemap *pm)
{
	size_t len = pm->nr_pages / 8;

	if (kept->nr == kept->max)
		return;
	memcpy(kept->bits + kept->nr * len, pm->wanted, len);
	kept->starts[kept->nr++] = pm->start;
}

static const uint8_t *find(const struct pagemap_kept *kept, const struct pagemap *pm, pfn_t start)
{
	for (unsigned int i = 0; i < kept->nr; i++)
		if (kept->starts[i] == start)
			return kept->bits + i * (pm->nr_pages / 8);
	return NULL;
}

void pagemap_window_again(struct pagemap_kept *kept, struct pagemap *pm, pfn_t start)
{
	const uint8_t *wanted = find(kept, pm, start);

	if (wanted)
		pagemap_window_known(pm, start, wanted);
	else
		pagemap_window(pm, start);
}
