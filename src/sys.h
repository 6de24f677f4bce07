/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls with the usual traps taken out, the same for glibc and klibc: short transfers, EINTR, 64-bit offsets.
 */
#ifndef SRC_SYS_H
#define SRC_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "elfcore/sink.h"

/* Milliseconds of a clock that is good for differences: setting the time of day does not move it. */
uint64_t now_ms(void);

/*
 * mmap(2) with a 64-bit offset everywhere: klibc's own drops the upper half of it on 32-bit machines. NULL on error
 * with errno set.
 */
void *map_at(int fd, uint64_t off, size_t len, int prot, int flags);

/* All of it or -errno; an early end of file is -ENODATA. */
int read_all_at(int fd, uint64_t off, void *buf, size_t len);
int write_all_at(int fd, uint64_t off, const void *buf, size_t len);

/* The stretches one behind another at off. At most SINK_VECS_MAX. */
int write_vecs_at(int fd, uint64_t off, const struct sink_vec *vecs, unsigned int nr);
int write_all(int fd, const void *buf, size_t len);

/* Take [from, from + len) out of the page cache, as far as it is on the medium; len 0 = to the end. */
void drop_cached(int fd, uint64_t from, uint64_t len);

/* A small file (/proc, configuration) as a terminated string; the length or -errno, -EFBIG when it does not fit. */
ssize_t read_text(const char *path, char *buf, size_t size);

/* "a/b/c" and all directories above it, mode 0755 where they have to be made, the last one with mode. */
int make_dirs(const char *path, mode_t mode);

#endif
