// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/sinks.h"

int sink_write_zeros(struct sink *sink, uint64_t off, uint64_t len)
{
	static uint8_t zeros[65536];	/* not const: a constant would lie in the file */
	int rc = 0;

	while (len && !rc) {
		size_t piece = min_u64(len, sizeof(zeros));

		rc = sink->ops->write(sink, off, zeros, piece);
		off += piece;
		len -= piece;
	}
	return rc;
}
