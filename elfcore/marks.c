// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void marks_deinit(struct marks *marks)
{
	free(marks->list);
	memset(marks, 0, sizeof(*marks));
}

static void thin_out(struct marks *marks)
{
	for (unsigned int i = 0; i < marks->nr / 2; i++)
		marks->list[i] = marks->list[2 * i];
	marks->nr /= 2;
	marks->stride *= 2;
}

int marks_add(struct marks *marks, uint64_t key, uint64_t pos)
{
	uint64_t item = marks->nr_items++;

	if (!marks->stride)
		marks->stride = 1;
	if (item % marks->stride)
		return 0;
	if (marks->nr == MARKS_MAX)
		thin_out(marks);
	if (item % marks->stride)
		return 0;
	if (marks->nr == marks->cap) {
		unsigned int cap = marks->cap ? 2 * marks->cap : 64;
		struct mark *list = realloc(marks->list, cap * sizeof(*list));

		if (!list)
			return -ENOMEM;
		marks->list = list;
		marks->cap = cap;
	}
	marks->list[marks->nr++] = (struct mark){ key, pos };
	return 0;
}

const struct mark *marks_find(const struct marks *marks, uint64_t key)
{
	unsigned int low = 0, high = marks->nr;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (marks->list[mid].key <= key)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &marks->list[low - 1] : NULL;
}
