/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the memory of a kernel is used for, page class by page class, and how well each class compresses: counted over all
 * struct pages, sampled in the pages themselves. Of a running kernel it is a picture taken while things move.
 */
#ifndef SRC_MEMORY_USE_H
#define SRC_MEMORY_USE_H

#include "elfcore/codec.h"
#include "elfcore/pagemap.h"

/* Some pages of one class. */
struct page_sample {
	uint64_t nr_pages;		/* looked at */
	uint64_t nr_zero;		/* of them; not compressed */
	uint64_t nr_bytes[NR_CODECS];	/* that the others take; a page that does not shrink is stored as it is */
	uint64_t ns[NR_CODECS];		/* that compressing took */
};

struct memory_use {
	uint64_t page_size;
	uint64_t nr_pages;			/* there are */
	uint64_t nr_class[NR_PAGE_CLASSES];
	uint64_t nr_poisoned;			/* by a memory error, of whatever class */
	uint64_t nr_zero;			/* of PAGE_KEEP, by memory_use_count() */
	uint64_t classify_ms;
	struct page_sample sample[NR_PAGE_CLASSES];	/* by memory_use_sample() */
};

/* Count classes; with zeros each kept page is read. -ENODATA when struct pages cannot be understood. */
int memory_use_count(struct memory_use *use, struct kernel *kernel, bool zeros, struct log *log, struct error *err);

/* Then look at up to max pages of each class, spread over the memory, and compress them with every codec. */
int memory_use_sample(struct memory_use *use, struct kernel *kernel, uint64_t max, struct log *log, struct error *err);

/* Count classes by the flags that path (/proc/kpageflags) shows of the running kernel. */
int memory_use_from_flags(struct memory_use *use, const char *path, struct error *err);

#endif
