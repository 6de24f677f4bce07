// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/crosscheck.h"

#include <errno.h>
#include <string.h>

#define CHUNK (64U << 10)
#define PAGE 4096U
#define LIST_MAX 16

struct side {
	struct mem *mem;
	maddr_t addr;
};

static uint8_t buffers[2][CHUNK];

/* 1 equal, 0 different, -errno when one side cannot be read. */
static int compare_piece(const struct side *a, const struct side *b, uint64_t pos, size_t len)
{
	int rc = mem_read(a->mem, a->addr + pos, buffers[0], len);

	if (!rc)
		rc = mem_read(b->mem, b->addr + pos, buffers[1], len);
	return rc ? rc : !memcmp(buffers[0], buffers[1], len);
}

static void compare_pages(struct crosscheck *check, const struct side *a, const struct side *b, uint64_t pos, size_t len)
{
	for (uint64_t end = pos + len; pos < end; pos += PAGE) {
		int rc = compare_piece(a, b, pos, min_u64(PAGE, end - pos));

		if (rc < 0) {
			check->nr_refused++;
			continue;
		}
		check->nr_pages++;
		if (!rc && check->nr_differ++ < LIST_MAX)
			log_warn(check->log, "crosscheck: page at 0x%llx differs", (unsigned long long)(a->addr + pos));
	}
}

static void compare_range(struct crosscheck *check, const struct side *a, const struct side *b, uint64_t len)
{
	for (uint64_t pos = 0; pos < len;) {
		size_t piece = min_u64(len - pos, CHUNK);

		if (compare_piece(a, b, pos, piece) == 1)
			check->nr_pages += (piece + PAGE - 1) / PAGE;
		else
			compare_pages(check, a, b, pos, piece);
		progress_advance(check->progress, piece);
		pos += piece;
	}
}

int crosscheck_sources(struct crosscheck *check, struct input *in, const struct plan *plan, struct error *err)
{
	if (in->chain.nr_sources < 2)
		return fail(err, -ENODEV, "there is only one source");
	progress_begin(check->progress, "comparing sources", plan->data_len);
	for (unsigned int i = 0; i < plan->nr_ranges; i++) {
		struct side a = { in->chain.sources[0], plan->ranges[i].src }, b = { in->chain.sources[1], plan->ranges[i].src };

		compare_range(check, &a, &b, plan->ranges[i].len);
	}
	return 0;
}

static const struct segment *find_twin(const struct crash *crash, const struct segment *seg)
{
	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		const struct segment *twin = &crash->segs[i];

		if (twin->vaddr == seg->vaddr && twin->paddr == seg->paddr && twin->filesz == seg->filesz &&
		    twin->memsz == seg->memsz)
			return twin;
	}
	return NULL;
}

int crosscheck_cores(struct crosscheck *check, struct mem *expected_mem, const struct crash *expected,
		     struct mem *actual_mem, const struct crash *actual, struct error *err)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < expected->nr_segs; i++)
		total += expected->segs[i].filesz;
	progress_begin(check->progress, "comparing the core", total);
	for (unsigned int i = 0; i < expected->nr_segs; i++) {
		const struct segment *seg = &expected->segs[i], *twin = find_twin(actual, seg);
		struct side a = { expected_mem, seg->src }, b = { actual_mem, 0 };

		if (!twin)
			return fail(err, -EINVAL, "the PT_LOAD for 0x%llx is missing or altered", (unsigned long long)seg->paddr);
		b.addr = twin->src;
		compare_range(check, &a, &b, seg->filesz);
	}
	return 0;
}

int crosscheck_subset(struct crosscheck *check, struct mem *expected_mem, const struct crash *expected,
		      struct mem *actual_mem, const struct crash *actual, struct error *err)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < actual->nr_segs; i++)
		total += actual->segs[i].paddr == PADDR_NONE ? 0 : actual->segs[i].filesz;
	progress_begin(check->progress, "comparing the core", total);
	for (unsigned int i = 0; i < actual->nr_segs; i++) {
		const struct segment *seg = &actual->segs[i];
		struct side a = { expected_mem, 0 }, b = { actual_mem, seg->src };
		uint64_t len;

		if (seg->paddr == PADDR_NONE || !seg->filesz)
			continue;
		if (crash_find_paddr(expected, seg->paddr, &a.addr, &len) || len < seg->filesz)
			return fail(err, -EINVAL, "the PT_LOAD for 0x%llx is not in memory", (unsigned long long)seg->paddr);
		compare_range(check, &a, &b, seg->filesz);
	}
	return 0;
}
