// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/sums.h"

#include <stdio.h>
#include <string.h>

void sums_add(struct sums *sums, const char *name, const uint8_t digest[DIGEST_LEN])
{
	unsigned int i = 0;

	while (i < sums->nr && strcmp(sums->list[i].name, name))
		i++;
	if (i == SUMS_MAX || strlen(name) >= sizeof(sums->list[i].name))
		return;
	strcpy(sums->list[i].name, name);
	digest_hex(digest, sums->list[i].hex);
	if (i == sums->nr)
		sums->nr++;
}

int sums_write(const struct sums *sums, struct sink *sink)
{
	uint64_t off = 0;
	char line[160];
	int len, rc = 0;

	for (unsigned int i = 0; i < sums->nr && !rc; i++) {
		len = snprintf(line, sizeof(line), "%s  %s\n", sums->list[i].hex, sums->list[i].name);
		rc = sink_write(sink, off, line, len);
		off += len;
	}
	return rc ? rc : sink_commit(sink, off);
}
