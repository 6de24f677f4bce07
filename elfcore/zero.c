// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/zero.h"

#include <stdint.h>
#include <string.h>

bool mem_is_zero(const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint64_t w[8];

	for (; len >= sizeof(w); p += sizeof(w), len -= sizeof(w)) {
		/* A copy of fixed size is how C spells an unaligned load. */
		__builtin_memcpy(w, p, sizeof(w));
		if (w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7])
			return false;
	}
	for (; len; p++, len--)
		if (*p)
			return false;
	return true;
}
