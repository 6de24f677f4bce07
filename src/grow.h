/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes that grow. When memory runs out, failed remembers it and what is added is dropped. */
#ifndef SRC_GROW_H
#define SRC_GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct grow {
	uint8_t *p;		/* free() it in the end */
	size_t len, cap;
	bool failed;
};

void grow_add(struct grow *g, const void *p, size_t len);

/* With its end; returns where it begins. */
uint32_t grow_string(struct grow *g, const char *text);

#endif
