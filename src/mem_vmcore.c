// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/vmcore by mmap(2), which is fifteen times faster than its read(2), and by read(2) where it refuses mmap.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/mem_sources.h"
#include "src/sys.h"

/* 0 with the file offset of [addr, addr + len), which must not leave its range. */
static int translate(const struct mem_vmcore *vmcore, maddr_t addr, size_t len, uint64_t *ret)
{
	for (unsigned int i = 0; i < vmcore->nr_ranges; i++) {
		const struct vmcore_range *r = &vmcore->ranges[i];

		if (addr < r->src || addr - r->src >= r->len || len > r->len - (addr - r->src))
			continue;
		*ret = r->off + (addr - r->src);
		return 0;
	}
	return -ENODATA;
}

static int vmcore_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct mem_vmcore *vmcore = container_of(mem, struct mem_vmcore, mem);
	uint64_t off = addr;
	int rc = vmcore->ranges ? translate(vmcore, addr, len, &off) : 0;

	if (rc)
		return rc;
	if (!vmcore->no_mmap) {
		rc = mem_window_read(&vmcore->window, off, buf, len);
		if (!rc || rc == -EIO)
			return rc;
		if (rc == -ENODEV || rc == -ENOSYS)
			vmcore->no_mmap = true;
	}
	return read_all_at(vmcore->window.fd, off, buf, len);
}

static void vmcore_close(struct mem *mem)
{
	struct mem_vmcore *vmcore = container_of(mem, struct mem_vmcore, mem);

	mem_window_deinit(&vmcore->window);
	close(vmcore->window.fd);
	free(vmcore->ranges);
	vmcore->ranges = NULL;
}

static const struct mem_ops vmcore_ops = {
	.name = "/proc/vmcore",
	.read = vmcore_read,
	.close = vmcore_close,
};

int mem_vmcore_open(struct mem_vmcore *vmcore, struct error *err)
{
	int fd = open("/proc/vmcore", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, -errno, "/proc/vmcore: %s", strerror(errno));
	memset(vmcore, 0, sizeof(*vmcore));
	vmcore->mem.ops = &vmcore_ops;
	mem_window_init(&vmcore->window, fd);
	return 0;
}

static const struct segment *find_ordinal(const struct crash *crash, uint32_t ordinal)
{
	for (unsigned int i = 0; i < crash->nr_segs; i++)
		if (crash->segs[i].ordinal == ordinal)
			return &crash->segs[i];
	return NULL;
}

int mem_vmcore_translate(struct mem_vmcore *vmcore, const struct crash *physical, const struct crash *own, struct error *err)
{
	struct vmcore_range *ranges = calloc(physical->nr_segs, sizeof(*ranges));
	unsigned int nr = 0;

	if (!ranges)
		return fail(err, -ENOMEM, "no memory for %u ranges of /proc/vmcore", physical->nr_segs);
	for (unsigned int i = 0; i < physical->nr_segs; i++) {
		const struct segment *seg = &physical->segs[i], *other = find_ordinal(own, seg->ordinal);

		if (other && other->vaddr == seg->vaddr && other->paddr == seg->paddr && other->filesz == seg->filesz)
			ranges[nr++] = (struct vmcore_range){ seg->src, seg->filesz, other->src };
	}
	if (!nr) {
		free(ranges);
		return fail(err, -ENODATA, "the headers at elfcorehdr and in /proc/vmcore have no PT_LOAD in common");
	}
	vmcore->ranges = ranges;
	vmcore->nr_ranges = nr;
	return 0;
}
