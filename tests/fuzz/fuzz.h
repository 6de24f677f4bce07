/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets share: a failed invariant is a crash, and the input is a file in memory without room around it. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* A terminated copy of exactly that size. */
static inline char *copy_string(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);

	must(copy);
	memcpy(copy, data, size);
	copy[size] = 0;
	return copy;
}

/* An input as a source of memory. */
struct bytes_mem {
	struct mem mem;
	const uint8_t *data;
	size_t size;
};

static inline int bytes_mem_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct bytes_mem *bytes = container_of(mem, struct bytes_mem, mem);

	if (addr > bytes->size || len > bytes->size - addr)
		return -ENODATA;
	memcpy(buf, bytes->data + addr, len);
	return 0;
}

static inline void bytes_mem_close(struct mem *mem)
{
	(void)mem;
}

static inline uint64_t bytes_mem_size(struct mem *mem)
{
	return container_of(mem, struct bytes_mem, mem)->size;
}

static const struct mem_ops bytes_mem_ops = {
	.name = "bytes",
	.read = bytes_mem_read,
	.size = bytes_mem_size,
	.close = bytes_mem_close,
};

#endif
