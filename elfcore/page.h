/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct page of the dead kernel: where its fields are, and what a page is by them (include/linux/mm_types.h,
 * include/linux/page-flags.h). Layouts come from VMCOREINFO; what it does not export makes its class unknown, and a page
 * of an unknown class is kept.
 */
#ifndef ELFCORE_PAGE_H
#define ELFCORE_PAGE_H

#include <stdbool.h>

#include "elfcore/error.h"
#include "elfcore/vmcoreinfo.h"

/* makedumpfile's dump level: what is left out. */
enum {
	DUMP_LEVEL_ZERO = 1,
	DUMP_LEVEL_CACHE = 2,		/* page cache without private data */
	DUMP_LEVEL_CACHE_PRIVATE = 4,	/* with it, and without as well */
	DUMP_LEVEL_USER = 8,		/* anonymous and hugetlb */
	DUMP_LEVEL_FREE = 16,
	DUMP_LEVEL_MAX = 31,
};

enum page_class {
	PAGE_KEEP,		/* kernel memory, or nobody knows */
	PAGE_CACHE,
	PAGE_CACHE_PRIVATE,
	PAGE_USER,
	PAGE_FREE,
	PAGE_OFFLINE,		/* logically offline: balloon, virtio-mem, Hyper-V */
	NR_PAGE_CLASSES,
};

#define PAGE_MAPPING_ANON 1	/* bit of page.mapping, KSM pages have it too */

#define OFF_NONE (-1)
#define BIT_NONE (-1)

/* A page type in the word that _mapcount shares: value is compared under mask. mask 0 = this kernel has no such type. */
struct page_type {
	uint32_t value, mask;
};

static inline bool page_has_type(uint32_t word, struct page_type type)
{
	return type.mask && !((word ^ type.value) & type.mask);
}

/* Counts of mappings begin at -1, types are below; of user memory hugetlb alone has one. */
static inline bool page_type_is_set(uint32_t word)
{
	return (int32_t)word < -1;
}

struct page_layout {
	uint8_t data;			/* byte order */
	uint8_t word;			/* bytes of an unsigned long */
	uint32_t size;			/* of struct page */
	int flags, mapping, mapcount, private, compound_head;	/* offsets */

	/* order of a compound page: in the first tail page; low byte of a word where it shares one */
	int order_off;			/* from the start of that page; OFF_NONE = unknown, every page stands for itself */
	int order_size;
	/* mark of a hugetlb page: an id beside the order, a flag of the first tail page, or a page type */
	int dtor_off, dtor_size;
	uint32_t dtor_hugetlb;
	int hugetlb_bit;

	int lru, private_bit, swapcache, swapbacked, slab_bit, hwpoison;	/* bit numbers, BIT_NONE = unknown */
	uint64_t head_mask;
	struct page_type buddy, offline, hugetlb, slab, unaccepted;
	unsigned int nr_orders;		/* of the buddy allocator */

	const char *lacks;		/* a key without which some kinds of pages are kept, of those that kernels have; or NULL */
};

/* -ENODATA with the missing key named: nothing can be told apart. */
int page_layout_init(struct page_layout *layout, const struct vmcoreinfo *info, uint8_t data, uint8_t word, struct error *err);

/* The bits of a dump level that the layout is enough for; of the others *missing_ret names what is missing, if not NULL. */
unsigned int page_levels_known(const struct page_layout *layout, const char **missing_ret);

struct page_verdict {
	enum page_class class;
	unsigned int order;	/* 2^order pages from this one on are of the class */
	bool poisoned;		/* by a memory error: reading it may be a machine check */
};

/*
 * What is the page whose struct page is at page? next is the one behind it, or NULL when that is not readable. Pure.
 */
struct page_verdict page_classify(const struct page_layout *layout, const uint8_t *page, const uint8_t *next);

/* Does a dump level leave pages of this class out? */
bool page_class_excluded(enum page_class class, unsigned int level);

/* How many pages from this one on does a dump level leave out? Poisoned and offline ones are wanted at no level. */
uint64_t page_nr_excluded(const struct page_verdict *verdict, unsigned int level);

const char *page_class_name(enum page_class class);

#endif
