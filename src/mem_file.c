// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "src/mem_sources.h"
#include "src/sys.h"

#ifndef SEEK_DATA	/* klibc */
#define SEEK_DATA 3
#endif

/* Smaller reads are not worth a question. */
#define ASK_MIN (64U << 10)
#define DROP_STEP (8U << 20)

/*
 * Pages of zeros are holes in the cores that we write, and in many that others write: they need not go through the page
 * cache. Where a filesystem knows nothing of holes it says that all is data.
 */
static bool in_hole(struct mem_file *file, maddr_t addr, size_t len)
{
	off_t data;

	if (addr >= file->hole_start && addr + len <= file->hole_end)
		return true;
	if (len < ASK_MIN)
		return false;
	data = lseek(file->fd, addr, SEEK_DATA);
	if (data < 0)	/* nothing but a hole follows, or the end has been passed */
		data = errno == ENXIO ? lseek(file->fd, 0, SEEK_END) : -1;
	if (data < 0 || (uint64_t)data < addr + len)
		return false;
	file->hole_start = addr;
	file->hole_end = data;
	return true;
}

static int file_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct mem_file *file = container_of(mem, struct mem_file, mem);
	int rc;

	if (in_hole(file, addr, len)) {
		memset(buf, 0, len);
		return 0;
	}
	rc = read_all_at(file->fd, addr, buf, len);
	if (file->uncached && (file->nr_cached += len) >= DROP_STEP) {
		drop_cached(file->fd, 0, 0);
		file->nr_cached = 0;
	}
	return rc;
}

static int file_look(struct mem *mem, maddr_t addr, size_t len, mem_look_fn *fn, void *arg)
{
	return mem_window_look(&container_of(mem, struct mem_file, mem)->window, addr, len, fn, arg);
}

/* Of a device too. */
static uint64_t file_size(struct mem *mem)
{
	off_t size = lseek(container_of(mem, struct mem_file, mem)->fd, 0, SEEK_END);

	return size > 0 ? size : 0;
}

static void file_close(struct mem *mem)
{
	struct mem_file *file = container_of(mem, struct mem_file, mem);

	mem_window_deinit(&file->window);
	close(file->fd);
}

static const struct mem_ops file_ops = {
	.name = "file",
	.read = file_read,
	.look = file_look,
	.size = file_size,
	.close = file_close,
};

int mem_file_open(struct mem_file *file, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, -errno, "%s: %s", path, strerror(errno));
	file->mem.ops = &file_ops;
	file->fd = fd;
	file->hole_start = file->hole_end = 0;
	file->uncached = false;
	file->nr_cached = 0;
	mem_window_init(&file->window, fd);
	return 0;
}
