/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_classify() for little-endian 64-bit kernels, several times faster: every question about a flag is a mask that is
 * prepared once, and the pages that are most of a machine need three loads. It answers as page_classify() does, which
 * stays the place to read what the questions are. Inline, because the loop over struct pages is all that a large machine's
 * selection costs.
 */
#ifndef ELFCORE_PAGE_FAST_H
#define ELFCORE_PAGE_FAST_H

#include "elfcore/page.h"

struct page_fast {
	struct page_layout layout;
	/* masks, 0 where the kernel has no such flag */
	uint64_t lru, private_bit, swapcache;
	uint64_t swap;		/* all flags that a page of the swap cache has */
	uint64_t rare;		/* a page that has one of these is left to page_classify() */
	uint64_t telling;	/* all flags that matter */
};

/* False: the layout is of another kind, ask page_classify(). */
bool page_fast_init(struct page_fast *fast, const struct page_layout *layout);

/* A page with a type instead of a count of mappings. */
struct page_verdict page_fast_typed(const struct page_fast *fast, const uint8_t *page, const uint8_t *next);

/* page and next as for page_classify(). */
static inline struct page_verdict page_fast_classify(const struct page_fast *f, const uint8_t *page, const uint8_t *next)
{
	const struct page_layout *l = &f->layout;
	uint64_t flags = load_64(page + l->flags);

	if (flags & f->rare)
		return page_classify(l, page, next);
	if (load_64(page + l->compound_head) & 1)
		return (struct page_verdict){ PAGE_KEEP, 0, false };
	if (page_type_is_set(load_32(page + l->mapcount)))
		return page_fast_typed(f, page, next);
	if (load_64(page + l->mapping) & PAGE_MAPPING_ANON)
		return (struct page_verdict){ PAGE_USER, 0, false };
	if (flags & f->lru || (flags & f->swapcache && (flags & f->swap) == f->swap))
		return (struct page_verdict){ flags & f->private_bit ? PAGE_CACHE_PRIVATE : PAGE_CACHE, 0, false };
	return (struct page_verdict){ PAGE_KEEP, 0, false };
}

/*
 * Most pages are of the same class as the one before. page was judged: it stands for itself and is not poisoned. Returns the
 * first page behind it, before end, of which the same is not certain, or end.
 */
const uint8_t *page_fast_same(const struct page_fast *fast, const uint8_t *page, const uint8_t *end);

#endif
