// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/estimate.h"

#include <string.h>

#include "initramfs/check.h"
#include "elfcore/kdump_format.h"

#define MIB (1ULL << 20)

/* Bars that the tests hold /init to: 12 MiB with one worker, 4 MiB for each further one. */
#define CAPTURE_PEAK (12 * MIB)
#define WORKER_PEAK (4 * MIB)

/* Bytes per ms that are copied out of mapped memory and looked at for zeros, at the slowest (under emulation). */
#define READ_RATE (1000 * 1000)

/* value * num / den without overflow for any machine: one of the factors is a page count. */
static uint64_t scale(uint64_t value, uint64_t num, uint64_t den)
{
	return den ? (uint64_t)((unsigned __int128)value * num / den) : 0;
}

static void add_class(struct estimate_dump *ret, uint64_t ns[NR_CODECS], const struct page_sample *sample,
		      uint64_t nr_pages)
{
	for (unsigned int i = 0; i < NR_CODECS; i++) {
		ret->size[i] += scale(sample->nr_bytes[i], nr_pages, sample->nr_pages);
		ns[i] += scale(sample->ns[i], nr_pages, sample->nr_pages);
	}
}

void estimate_dump(struct estimate_dump *ret, const struct memory_use *use, unsigned int level, uint64_t rate,
		   unsigned int jobs)
{
	uint64_t ns[NR_CODECS] = { 0 }, overhead;
	bool sampled = use->sample[PAGE_KEEP].nr_pages;

	memset(ret, 0, sizeof(*ret));
	ret->level = level;
	for (unsigned int class = 0; class < NR_PAGE_CLASSES; class++) {
		if (page_class_excluded(class, level))
			continue;
		ret->nr_pages += use->nr_class[class];
		add_class(ret, ns, &use->sample[class], use->nr_class[class]);
	}
	if (!sampled)
		ret->size[CODEC_NONE] = ret->nr_pages * use->page_size;
	/* A descriptor for each page, and two bitmaps. */
	overhead = ret->nr_pages * KDUMP_DESC_SIZE + use->nr_pages / 4;
	for (unsigned int i = 0; i < NR_CODECS; i++) {
		uint64_t reading = ret->nr_pages * use->page_size / READ_RATE, compressing = ns[i] / 1000000, writing;

		if (!ret->size[i])
			continue;
		ret->size[i] += overhead;
		writing = ret->size[i] * 1000 / rate;
		/* The medium writes while the CPUs work. */
		ret->ms[i] = use->classify_ms + max_u64((reading + compressing) / max_u64(jobs, 1), writing);
	}
}

void estimate_reserve(struct estimate_reserve *r, uint64_t kernel, uint64_t image, unsigned int jobs)
{
	r->kernel = kernel;
	r->running = CHECK_RUN_MARGIN;
	r->image = image;
	r->capture = CAPTURE_PEAK + (jobs > 1 ? jobs - 1 : 0) * WORKER_PEAK;
	r->total = round_up(r->kernel + r->running + r->image + r->capture, 16 * MIB);
}
