// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/writeback.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "src/sys.h"

#define STEP (8U << 20)

/* Errors of the medium; that a filesystem does not know the call is none. */
static int flush(int fd, uint64_t from, uint64_t len, unsigned int flags)
{
	if (!sync_file_range(fd, from, len, flags))
		return 0;
	return errno == EIO || errno == ENOSPC || errno == EDQUOT ? -errno : 0;
}

int writeback_advance(struct writeback *wb, int fd, uint64_t end)
{
	int rc;

	if (end < wb->started + STEP)
		return 0;
	rc = flush(fd, wb->started, end - wb->started, SYNC_FILE_RANGE_WRITE);
	if (!rc && wb->started > wb->dropped) {
		rc = flush(fd, wb->dropped, wb->started - wb->dropped,
			   SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
		drop_cached(fd, wb->dropped, wb->started - wb->dropped);
		wb->dropped = wb->started;
	}
	wb->started = end;
	return rc;
}
