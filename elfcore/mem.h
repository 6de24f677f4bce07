/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source of memory: the dead kernel's RAM behind /dev/mem, /proc/vmcore, or a dump file. Addresses are maddr_t, the
 * space that the p_offset fields of its ELF header speak of.
 *
 * A source never faults: whoever implements one guards its own touches of foreign memory.
 */
#ifndef ELFCORE_MEM_H
#define ELFCORE_MEM_H

#include "elfcore/types.h"

struct mem;

struct mem_ops {
	const char *name;

	/*
	 * Copy [addr, addr + len) to buf, all or nothing: -ENODATA absent (hole, end of file), -EPERM refused,
	 * -EIO unreadable. After an error the contents of buf are undefined.
	 */
	int (*read)(struct mem *mem, maddr_t addr, void *buf, size_t len);

	void (*close)(struct mem *mem);
};

struct mem {
	const struct mem_ops *ops;
};

static inline int mem_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	return mem->ops->read(mem, addr, buf, len);
}

/* NULL is allowed. */
static inline void mem_close(struct mem *mem)
{
	if (mem)
		mem->ops->close(mem);
}

#endif
