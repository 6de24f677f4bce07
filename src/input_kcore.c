// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The running kernel through /proc/kcore (fs/proc/kcore.c): an ELF core whose PT_LOADs are the kernel's mappings, with
 * p_paddr since 4.11 and VMCOREINFO since 4.19. Its file offsets are virtual addresses, up to 2^57.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/input.h"

#define MAX_OFF (1ULL << 58)

/* The part of seg that is [from, to) of physical memory. */
static struct segment part(const struct segment *seg, paddr_t from, paddr_t to)
{
	struct segment ret = *seg;

	ret.vaddr += from - seg->paddr;
	ret.src += from - seg->paddr;
	ret.paddr = from;
	ret.filesz = ret.memsz = to - from;
	return ret;
}

/* Take [start, end) out of the memory. */
static int cut(struct crash *crash, paddr_t start, paddr_t end)
{
	for (unsigned int i = crash->nr_segs; i-- > 0;) {
		struct segment seg = crash->segs[i], rest;
		paddr_t seg_end = seg.paddr + seg.filesz;

		if (seg.paddr == PADDR_NONE || seg.paddr >= end || seg_end <= start)
			continue;
		crash->segs[i] = part(&seg, seg.paddr, max_u64(seg.paddr, start));
		rest = part(&seg, min_u64(end, seg_end), seg_end);
		if (rest.filesz && crash_add_segment(crash, &rest))
			return -ENOMEM;
	}
	return 0;
}

/* What crashkernel= has reserved is not in a dump. Lines of /proc/iomem: "  0b000000-14ffffff : Crash kernel". */
static int cut_crash_kernel(struct crash *crash)
{
	FILE *iomem = fopen("/proc/iomem", "re");
	char line[256];
	int rc = 0;

	while (iomem && !rc && fgets(line, sizeof(line), iomem)) {
		uint64_t start, end;

		if (strstr(line, ": Crash kernel") && sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2 && start < end)
			rc = cut(crash, start, end + 1);
	}
	if (iomem)
		fclose(iomem);
	return rc;
}

static int check(const struct crash *crash, const char *path, struct error *err)
{
	if (!crash->vmcoreinfo.len)
		return fail(err, -ENODATA, "%s has no VMCOREINFO, as kernels before 4.19", path);
	for (unsigned int i = 0; i < crash->nr_segs; i++)
		if (crash->segs[i].paddr && crash->segs[i].paddr != PADDR_NONE)
			return 0;
	return fail(err, -ENODATA, "%s has no physical addresses, as kernels before 4.11", path);
}

static int open_file(struct input *in, const char *path, struct error *err)
{
	struct input_file *file = calloc(1, sizeof(*file));
	int rc;

	if (!file)
		return fail(err, -ENOMEM, "no memory for %s", path);
	rc = mem_file_open(&file->file, path, err);
	if (rc) {
		free(file);
		return rc;
	}
	file->path = path;
	file->have_file = true;
	file->top = &file->file.mem;
	in->files = file;
	in->nr_files = 1;
	return 0;
}

int input_kcore_open(struct input *in, const char *path, struct log *log, struct error *err)
{
	struct crash_source source = { .max_off = MAX_OFF, .log = log };
	int rc;

	input_init(in);
	rc = open_file(in, path, err);
	if (rc)
		return rc;
	source.mem = in->files[0].top;
	rc = crash_read(&in->crash, &source, err);
	if (!rc)
		rc = check(&in->crash, path, err);
	if (!rc && cut_crash_kernel(&in->crash))
		rc = fail(err, -ENOMEM, "no memory for the segments of %s", path);
	if (!rc)
		rc = mem_chain_add(&in->chain, source.mem);
	if (rc)
		input_close(in);
	return rc;
}
