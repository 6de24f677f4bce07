// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/guard.h"
#include "src/mem_sources.h"
#include "src/sys.h"

void mem_window_init(struct mem_window *window, int fd)
{
	window->fd = fd;
	window->page_size = getpagesize();
	window->ptr = NULL;
	window->base = window->len = 0;
}

void mem_window_deinit(struct mem_window *window)
{
	if (window->ptr)
		munmap(window->ptr, window->len);
	window->ptr = NULL;
	window->len = 0;
}

static int move(struct mem_window *window, uint64_t addr, size_t len)
{
	uint64_t base = round_down(addr, window->page_size);
	size_t map_len = round_up(addr + len, window->page_size) - base;

	mem_window_deinit(window);
	window->ptr = map_at(window->fd, base, map_len, PROT_READ, MAP_SHARED);
	if (!window->ptr)
		return -errno;
	window->base = base;
	window->len = map_len;
	return 0;
}

static bool covers(const struct mem_window *window, uint64_t addr, size_t len)
{
	return window->ptr && addr >= window->base && addr + len <= window->base + window->len;
}

int mem_window_read(struct mem_window *window, uint64_t addr, void *buf, size_t len)
{
	int rc = covers(window, addr, len) ? 0 : move(window, addr, len);

	return rc ? rc : guard_copy(buf, (const char *)window->ptr + (addr - window->base), len);
}

int mem_window_look(struct mem_window *window, uint64_t addr, size_t len, mem_look_fn *fn, void *arg)
{
	int rc = covers(window, addr, len) ? 0 : move(window, addr, len);

	return rc ? rc : guard_look(fn, arg, (const uint8_t *)window->ptr + (addr - window->base));
}
