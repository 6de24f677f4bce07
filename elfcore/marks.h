/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An index of bounded size over a list that lies in a file and can be walked from any of its items: the positions of
 * some of them. As the list grows every second mark is dropped and from then on only every second item is marked, so
 * that the walk from the mark before gets longer and the memory never does.
 */
#ifndef ELFCORE_MARKS_H
#define ELFCORE_MARKS_H

#include "elfcore/types.h"

#define MARKS_MAX (1U << 17)

struct mark {
	uint64_t key;		/* what is searched by; ascending */
	uint64_t pos;		/* where the item is */
};

struct marks {
	struct mark *list;
	unsigned int nr, cap;
	uint64_t stride;	/* items to a mark */
	uint64_t nr_items;
};

/* Begins empty: all zero. */
void marks_deinit(struct marks *marks);

/* The next item of the list. -ENOMEM. */
int marks_add(struct marks *marks, uint64_t key, uint64_t pos);

/* The last mark whose key is not above key; NULL = there is none. */
const struct mark *marks_find(const struct marks *marks, uint64_t key);

#endif
