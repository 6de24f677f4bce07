// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /dev/mem, by mmap(2) only: read(2) ends at the capture kernel's own high_memory and returns invented zeros below
 * 1 MiB (drivers/char/mem.c). O_SYNC is not used, it would make the mapping uncached. One refused page refuses a whole
 * mapping (range_is_allowed()), so exactly what is asked for is mapped and the chain above does the bisecting.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "src/mem_sources.h"
#include "src/sys.h"

static int devmem_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct mem_devmem *dev = container_of(mem, struct mem_devmem, mem);

	return mem_window_read(&dev->window, addr, buf, len);
}

static void devmem_close(struct mem *mem)
{
	struct mem_devmem *dev = container_of(mem, struct mem_devmem, mem);

	mem_window_deinit(&dev->window);
	close(dev->window.fd);
}

static const struct mem_ops devmem_ops = {
	.name = "/dev/mem",
	.read = devmem_read,
	.close = devmem_close,
};

int mem_devmem_open(struct mem_devmem *dev, struct error *err)
{
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, -errno, "/dev/mem: %s", strerror(errno));
	dev->mem.ops = &devmem_ops;
	mem_window_init(&dev->window, fd);
	return 0;
}
