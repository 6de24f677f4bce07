/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A text that grows piece by piece in a buffer of fixed size.
 */
#ifndef ELFCORE_TEXT_H
#define ELFCORE_TEXT_H

#include <stddef.h>

struct text {
	char *p;		/* always terminated once something was put */
	size_t len, size;
};

/* A piece that does not fit is left out as a whole, and later ones may still fit. */
void text_put(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
