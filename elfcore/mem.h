/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source of memory: the dead kernel's RAM behind /dev/mem, /proc/vmcore, or a dump file. Addresses are maddr_t, the
 * space that the p_offset fields of its ELF header speak of.
 *
 * A source never faults: whoever implements one guards its own touches of foreign memory.
 */
#ifndef ELFCORE_MEM_H
#define ELFCORE_MEM_H

#include <errno.h>
#include <stdbool.h>

#include "elfcore/error.h"
#include "elfcore/types.h"

struct mem;

/* Looks at bytes in place. It may never return: what it was about to change must bear to be done again. */
typedef void mem_look_fn(void *arg, const uint8_t *p);

/* Takes what a source says of itself: lines of a key and a text. */
struct mem_facts {
	void (*row)(struct mem_facts *facts, const char *key, const char *text);
};

struct mem_ops {
	const char *name;

	/*
	 * Copy [addr, addr + len) to buf, all or nothing: -ENODATA absent (hole, end of file), -EPERM refused,
	 * -EIO unreadable. After an error the contents of buf are undefined.
	 */
	int (*read)(struct mem *mem, maddr_t addr, void *buf, size_t len);

	/*
	 * Have fn look at [addr, addr + len) in place, without a copy; it must not read from this source meanwhile. An error
	 * says nothing about the bytes but that read() has to be asked: -EIO when fn faulted on them, wherever it was then.
	 * NULL = no.
	 */
	int (*look)(struct mem *mem, maddr_t addr, size_t len, mem_look_fn *fn, void *arg);

	/*
	 * Is addr held at all, and for how much of len does the same go? A filtered dump knows pages that it left out:
	 * nothing is wrong with them, and they are no zeros either. NULL = all is held.
	 */
	bool (*present)(struct mem *mem, maddr_t addr, uint64_t len, uint64_t *run_ret);

	/* Bytes from address 0 to the end; 0 = unknown, or no such thing. NULL = unknown. */
	uint64_t (*size)(struct mem *mem);

	/* What is to be known about the file that it is: version, codec, counts. NULL = nothing. */
	void (*facts)(struct mem *mem, struct mem_facts *facts);

	/* Does all that it promises lie in the file? -ENODATA and what is missing in err when not. NULL = it does. */
	int (*whole)(struct mem *mem, struct error *err);

	/*
	 * Does what it is read by say the same in all its parts? For who wants to trust it: takes its time. -EINVAL and the
	 * first contradiction in err when not. NULL = there is nothing to compare.
	 */
	int (*check)(struct mem *mem, struct error *err);

	void (*close)(struct mem *mem);
};

struct mem {
	const struct mem_ops *ops;
};

static inline int mem_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	return mem->ops->read(mem, addr, buf, len);
}

static inline int mem_look(struct mem *mem, maddr_t addr, size_t len, mem_look_fn *fn, void *arg)
{
	return mem->ops->look ? mem->ops->look(mem, addr, len, fn, arg) : -EOPNOTSUPP;
}

static inline bool mem_present(struct mem *mem, maddr_t addr, uint64_t len, uint64_t *run_ret)
{
	if (mem->ops->present)
		return mem->ops->present(mem, addr, len, run_ret);
	*run_ret = len;
	return true;
}

static inline uint64_t mem_size(struct mem *mem)
{
	return mem->ops->size ? mem->ops->size(mem) : 0;
}

void mem_get_facts(struct mem *mem, struct mem_facts *facts);
int mem_check_whole(struct mem *mem, struct error *err);
int mem_check(struct mem *mem, struct error *err);

/* For facts(): one line of it. */
void mem_fact(struct mem_facts *facts, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* NULL is allowed. */
static inline void mem_close(struct mem *mem)
{
	if (mem)
		mem->ops->close(mem);
}

#endif
