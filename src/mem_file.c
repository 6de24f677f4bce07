// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "src/mem_sources.h"
#include "src/sys.h"

static int file_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	return read_all_at(container_of(mem, struct mem_file, mem)->fd, addr, buf, len);
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
	mem_window_init(&file->window, fd);
	return 0;
}
