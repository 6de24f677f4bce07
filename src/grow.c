// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/grow.h"

#include <stdlib.h>
#include <string.h>

void grow_add(struct grow *g, const void *p, size_t len)
{
	if (g->cap - g->len < len) {
		size_t cap = g->cap + g->cap / 2 + len + 65536;
		uint8_t *grown = realloc(g->p, cap);

		if (!grown) {
			g->failed = true;
			return;
		}
		g->p = grown;
		g->cap = cap;
	}
	if (len)
		memcpy(g->p + g->len, p, len);
	g->len += len;
}

uint32_t grow_string(struct grow *g, const char *text)
{
	uint32_t off = g->len;

	grow_add(g, text, strlen(text) + 1);
	return off;
}
