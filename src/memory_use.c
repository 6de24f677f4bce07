// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/memory_use.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "elfcore/zero.h"
#include "src/sys.h"

/* Windows of page frames to sample at most: the others are taken to be like them. */
#define MAX_WINDOWS 32

#define READ_PAGES 64

/* Each level leaves out what the one before it does and one class more. */
static const struct {
	unsigned int level;
	enum page_class class;
} steps[] = {
	{ DUMP_LEVEL_CACHE, PAGE_CACHE },
	{ DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE, PAGE_CACHE_PRIVATE },
	{ DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE | DUMP_LEVEL_USER, PAGE_USER },
	{ DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE | DUMP_LEVEL_USER | DUMP_LEVEL_FREE, PAGE_FREE },
};
#define LEVEL_ALL steps[ARRAY_SIZE(steps) - 1].level

static int open_pagemap(struct pagemap *pm, struct kernel *kernel, struct log *log, struct error *err)
{
	int rc = pagemap_init(pm, kernel, LEVEL_ALL, log, err);

	if (rc || pm->classify)
		return rc;
	pagemap_deinit(pm);
	return fail(err, -ENODATA, "the kernel's page structures cannot be understood");
}

/* Zero pages among those that the window that was asked for last keeps. */
static uint64_t count_zeros(struct pagemap *pm, uint8_t *buf)
{
	pfn_t pfn = pm->start, end;
	uint64_t nr = 0;

	for (; pagemap_next_run(pm, &pfn, &end); pfn = end)
		while (pfn < end) {
			uint64_t n = min_u64(end - pfn, READ_PAGES);
			bool good = !kernel_read_paddr(pm->kernel, pfn * pm->page_size, buf, n * pm->page_size);

			for (uint64_t i = 0; i < n && good; i++)
				nr += mem_is_zero(buf + i * pm->page_size, pm->page_size);
			pfn += n;
		}
	return nr;
}

int memory_use_count(struct memory_use *use, struct kernel *kernel, bool zeros, struct log *log, struct error *err)
{
	uint64_t start_ms = now_ms(), others = 0;
	struct pagemap pm;
	uint8_t *buf;
	int rc = open_pagemap(&pm, kernel, log, err);

	if (rc)
		return rc;
	memset(use, 0, sizeof(*use));
	use->page_size = pm.page_size;
	buf = malloc(READ_PAGES * pm.page_size);
	for (pfn_t start = 0; buf && start < pm.max_pfn; start += pm.nr_pages) {
		if (!pagemap_window_exists(&pm, start))
			continue;
		pagemap_window(&pm, start);
		if (zeros)
			use->nr_zero += count_zeros(&pm, buf);
	}
	memcpy(use->nr_class, pm.nr_class, sizeof(use->nr_class));
	use->nr_pages = pm.nr_present;
	use->nr_poisoned = pm.nr_poisoned;
	/* Whatever is no page of a class that can be left out is kept, those that nobody knows as well. */
	for (unsigned int i = 0; i < NR_PAGE_CLASSES; i++)
		others += i == PAGE_KEEP ? 0 : use->nr_class[i];
	use->nr_class[PAGE_KEEP] = use->nr_pages - min_u64(others, use->nr_pages);
	use->classify_ms = now_ms() - start_ms;
	pagemap_deinit(&pm);
	free(buf);
	return buf ? 0 : fail(err, -ENOMEM, "no memory to count pages");
}

struct sampler {
	struct memory_use *use;
	struct pagemap pm;
	struct codec_ctx codecs[NR_CODECS];	/* ops NULL = not opened: plain, or it only reads */
	uint64_t stride[NR_PAGE_CLASSES];	/* pages of the class from one that is looked at to the next */
	uint64_t seen[NR_PAGE_CLASSES];
	uint8_t *before;			/* bitmap of the pages that the step before kept */
	uint8_t *page, *out;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void look_at(struct sampler *s, struct page_sample *sample, pfn_t pfn)
{
	size_t size = s->pm.page_size;

	if (kernel_read_paddr(s->pm.kernel, pfn * size, s->page, size))
		return;
	sample->nr_pages++;
	if (mem_is_zero(s->page, size)) {
		sample->nr_zero++;
		return;
	}
	sample->nr_bytes[CODEC_NONE] += size;
	for (unsigned int i = CODEC_NONE + 1; i < NR_CODECS; i++) {
		uint64_t start = now_ns();
		size_t len;

		if (!s->codecs[i].ops)
			continue;
		len = codec_compress(&s->codecs[i], s->page, size, s->out, codec_bound(size));

		sample->ns[i] += now_ns() - start;
		sample->nr_bytes[i] += len && len < size ? len : size;
	}
}

/* Pages whose bit is in one bitmap and not in the other (NULL = empty) are of the class. */
static void sample_class(struct sampler *s, enum page_class class, const uint8_t *in, const uint8_t *not_in)
{
	for (uint32_t bit = 0; bit < s->pm.nr_pages; bit++) {
		uint8_t byte = in[bit / 8] & ~(not_in ? not_in[bit / 8] : 0);

		if (bit % 8 == 0 && !byte)
			bit += 7;
		else if ((byte >> bit % 8 & 1) && s->seen[class]++ % s->stride[class] == 0)
			look_at(s, &s->use->sample[class], s->pm.start + bit);
	}
}

static void sample_window(struct sampler *s, pfn_t start)
{
	size_t len = s->pm.nr_pages / 8;

	s->pm.level = 0;
	pagemap_window(&s->pm, start);
	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
		memcpy(s->before, s->pm.wanted, len);
		s->pm.level = steps[i].level;
		pagemap_window(&s->pm, start);
		sample_class(s, steps[i].class, s->before, s->pm.wanted);
	}
	sample_class(s, PAGE_KEEP, s->pm.wanted, NULL);
}

static int open_sampler(struct sampler *s, struct kernel *kernel, uint64_t max, uint64_t nr_skipped, struct log *log,
			struct error *err)
{
	int rc = open_pagemap(&s->pm, kernel, log, err);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < NR_PAGE_CLASSES; i++)
		s->stride[i] = max_u64(s->use->nr_class[i] / (nr_skipped + 1) / max, 1);
	s->before = malloc(s->pm.nr_pages / 8);
	s->page = malloc(s->pm.page_size);
	s->out = malloc(codec_bound(s->pm.page_size));
	if (!s->before || !s->page || !s->out)
		return fail(err, -ENOMEM, "no memory to sample pages");
	for (unsigned int i = CODEC_NONE + 1; i < NR_CODECS; i++) {
		if (!codec_find(i)->compress)
			continue;
		rc = codec_open_compressor(&s->codecs[i], i, s->pm.page_size, 0);
		if (!rc)
			continue;
		s->codecs[i].ops = NULL;
		return fail(err, rc, "no memory for %s", codec_find(i)->name);
	}
	return 0;
}

static void close_sampler(struct sampler *s)
{
	for (unsigned int i = CODEC_NONE + 1; i < NR_CODECS; i++)
		if (s->codecs[i].ops)
			codec_close(&s->codecs[i]);
	free(s->out);
	free(s->page);
	free(s->before);
	pagemap_deinit(&s->pm);
}

int memory_use_sample(struct memory_use *use, struct kernel *kernel, uint64_t max, struct log *log, struct error *err)
{
	struct sampler s = { .use = use };
	uint64_t nr_windows = use->nr_pages * use->page_size / PAGEMAP_WINDOW_BYTES, skip = nr_windows / MAX_WINDOWS, nr = 0;
	int rc = open_sampler(&s, kernel, max, skip, log, err);

	if (rc == -ENODATA)
		return rc;
	memset(use->sample, 0, sizeof(use->sample));
	for (pfn_t start = 0; !rc && start < s.pm.max_pfn; start += s.pm.nr_pages)
		if (pagemap_window_exists(&s.pm, start) && nr++ % (skip + 1) == 0)
			sample_window(&s, start);
	close_sampler(&s);
	return rc;
}
