// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#if !defined(__KLIBC__)
uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
#elif _BITSIZE == 64
/* klibc has no clock_gettime(2); times(2) counts hundredths of a second since boot (USER_HZ), and nobody can set it. */
uint64_t now_ms(void)
{
	struct tms unused;

	return (uint64_t)times(&unused) * 10;
}
#else
/* There times(2) wraps five minutes after boot (INITIAL_JIFFIES). */
uint64_t now_ms(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return (uint64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
}
#endif

#if defined(__KLIBC__) && _BITSIZE == 32
extern void *__mmap2(void *addr, size_t len, int prot, int flags, int fd, long pgoff);

/* mmap2(2) counts in units of 4096 bytes on every 32-bit architecture that klibc builds for. */
static void *mmap_call(size_t len, int prot, int flags, int fd, uint64_t off)
{
	return __mmap2(NULL, len, prot, flags, fd, (long)(off >> 12));
}
#else
static void *mmap_call(size_t len, int prot, int flags, int fd, uint64_t off)
{
	return mmap(NULL, len, prot, flags, fd, off);
}
#endif

void *map_at(int fd, uint64_t off, size_t len, int prot, int flags)
{
	void *p = mmap_call(len, prot, flags, fd, off);

	return p == MAP_FAILED ? NULL : p;
}

int read_all_at(int fd, uint64_t off, void *buf, size_t len)
{
	char *p = buf;

	while (len) {
		ssize_t n = pread(fd, p, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		p += n;
		off += n;
		len -= n;
	}
	return 0;
}

int write_all_at(int fd, uint64_t off, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = pwrite(fd, p, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		p += n;
		off += n;
		len -= n;
	}
	return 0;
}

#if !defined(__KLIBC__)
static ssize_t write_vecs(int fd, uint64_t off, const struct iovec *iov, unsigned int nr)
{
	return pwritev(fd, iov, nr, off);
}
#else
/* There is no pwritev(2) in klibc; nobody else moves the position. */
static ssize_t write_vecs(int fd, uint64_t off, const struct iovec *iov, unsigned int nr)
{
	return lseek(fd, off, SEEK_SET) < 0 ? -1 : writev(fd, iov, nr);
}
#endif

int write_vecs_at(int fd, uint64_t off, const struct sink_vec *vecs, unsigned int nr)
{
	struct iovec iov[SINK_VECS_MAX], *at = iov;

	for (unsigned int i = 0; i < nr; i++)
		iov[i] = (struct iovec){ (void *)vecs[i].base, vecs[i].len };
	while (nr) {
		ssize_t n = write_vecs(fd, off, at, nr);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		off += n;
		for (; nr && (size_t)n >= at->iov_len; at++, nr--)
			n -= at->iov_len;
		if (nr) {
			at->iov_base = (char *)at->iov_base + n;
			at->iov_len -= n;
		}
	}
	return 0;
}

int write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		p += n;
		len -= n;
	}
	return 0;
}

ssize_t read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (len < size) {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += n;
	}
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	if (len == size)
		return -EFBIG;
	buf[len] = 0;
	return len;
}

int make_dirs(const char *path, mode_t mode)
{
	char copy[PATH_MAX];

	if (!*path)
		return -ENOENT;
	if (strlen(path) >= sizeof(copy))
		return -ENAMETOOLONG;
	strcpy(copy, path);
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(copy, 0755) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(copy, mode) && errno != EEXIST ? -errno : 0;
}

#if !defined(__KLIBC__)
void drop_cached(int fd, uint64_t from, uint64_t len)
{
	posix_fadvise(fd, from, len, POSIX_FADV_DONTNEED);
}
#elif defined(__x86_64__)
#define SYS_FADVISE64 221
#define FADV_DONTNEED 4

/* klibc has no such call. */
void drop_cached(int fd, uint64_t from, uint64_t len)
{
	register long advice __asm__("r10") = FADV_DONTNEED;
	long rc;

	__asm__ volatile("syscall" : "=a"(rc) : "a"(SYS_FADVISE64), "D"((long)fd), "S"(from), "d"(len), "r"(advice) :
			 "rcx", "r11", "memory");
}
#else
void drop_cached(int fd, uint64_t from, uint64_t len)
{
	(void)fd, (void)from, (void)len;
}
#endif
