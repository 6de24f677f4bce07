// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/writeback.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define STEP (8U << 20)

#if !defined(__KLIBC__)
static void drop(int fd, uint64_t from, uint64_t len)
{
	posix_fadvise(fd, from, len, POSIX_FADV_DONTNEED);
}
#elif defined(__x86_64__)
#define SYS_FADVISE64 221
#define FADV_DONTNEED 4

/* klibc has no such call. */
static void drop(int fd, uint64_t from, uint64_t len)
{
	register long advice __asm__("r10") = FADV_DONTNEED;
	long rc;

	__asm__ volatile("syscall" : "=a"(rc) : "a"(SYS_FADVISE64), "D"((long)fd), "S"(from), "d"(len), "r"(advice) :
			 "rcx", "r11", "memory");
}
#else
static void drop(int fd, uint64_t from, uint64_t len)
{
	(void)fd, (void)from, (void)len;
}
#endif

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
		drop(fd, wb->dropped, wb->started - wb->dropped);
		wb->dropped = wb->started;
	}
	wb->started = end;
	return rc;
}
