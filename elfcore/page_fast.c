// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/page_fast.h"

#include <string.h>

#include "elfcore/elf_codec.h"

static uint64_t mask_of(int bit)
{
	return bit == BIT_NONE ? 0 : 1ULL << bit;
}

/* Types have the sign bit set, and none of them is what a page without one has. */
static bool types_are_negative(const struct page_layout *l)
{
	const struct page_type types[] = { l->buddy, l->offline, l->hugetlb, l->slab, l->unaccepted };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].mask && (!(types[i].mask & types[i].value & 0x80000000) || !(~types[i].value & types[i].mask)))
			return false;
	return true;
}

bool page_fast_init(struct page_fast *f, const struct page_layout *l)
{
	memset(f, 0, sizeof(*f));
	f->layout = *l;
	f->lru = mask_of(l->lru);
	f->private_bit = mask_of(l->private_bit);
	f->swapcache = mask_of(l->swapcache);
	f->swap = f->swapcache | mask_of(l->swapbacked);
	f->rare = mask_of(l->hwpoison) | l->head_mask | mask_of(l->slab_bit);
	f->telling = f->rare | f->lru | f->private_bit | f->swap;
	return ELFDATA_HOST == ELFDATA2LSB && l->data == ELFDATA_HOST && l->word == 8 && l->compound_head != OFF_NONE &&
	       l->private_bit != BIT_NONE && types_are_negative(l);
}

struct page_verdict page_fast_typed(const struct page_fast *f, const uint8_t *page, const uint8_t *next)
{
	const struct page_layout *l = &f->layout;
	uint64_t order = load_64(page + l->private);
	uint32_t type = load_32(page + l->mapcount);

	if (page_has_type(type, l->buddy) && order < l->nr_orders)
		return (struct page_verdict){ PAGE_FREE, order, false };
	if (page_has_type(type, l->unaccepted) || page_has_type(type, l->hugetlb))
		return page_classify(l, page, next);
	return (struct page_verdict){ page_has_type(type, l->offline) && !page_has_type(type, l->slab) ? PAGE_OFFLINE : PAGE_KEEP, 0, false };
}

/* With a type: alike in all that page_classify() asks of pages that are not rare. */
static const uint8_t *same_typed(const struct page_fast *f, const uint8_t *page, const uint8_t *end)
{
	const struct page_layout *l = &f->layout;
	uint64_t flags = load_64(page + l->flags), head = load_64(page + l->compound_head);
	uint64_t mapping = load_64(page + l->mapping), private = load_64(page + l->private);
	uint32_t type = load_32(page + l->mapcount);
	uint64_t order_mask = page_has_type(type, l->buddy) ? UINT64_MAX : 0;

	for (page += l->size; page < end; page += l->size)
		if (((load_64(page + l->flags) ^ flags) & f->telling) | ((load_64(page + l->compound_head) ^ head) & 1) |
		    ((load_64(page + l->mapping) ^ mapping) & PAGE_MAPPING_ANON) |
		    ((load_64(page + l->private) ^ private) & order_mask) | (load_32(page + l->mapcount) ^ type))
			break;
	return page;
}

/* Without a type, whatever their counts of mappings are: from -1 on. */
static const uint8_t *same_untyped(const struct page_fast *f, const uint8_t *page, const uint8_t *end)
{
	const struct page_layout *l = &f->layout;
	const int flags_off = l->flags, head_off = l->compound_head, mapping_off = l->mapping, mapcount_off = l->mapcount;
	const uint64_t telling = f->telling, size = l->size;
	uint64_t flags = load_64(page + flags_off), head = load_64(page + head_off);
	uint64_t mapping = load_64(page + mapping_off);

	for (page += size; page < end; page += size)
		if (((load_64(page + flags_off) ^ flags) & telling) |
		    (((load_64(page + head_off) ^ head) | (load_64(page + mapping_off) ^ mapping)) & 1) |
		    ((load_32(page + mapcount_off) + 1) & 0x80000000))
			break;
	return page;
}

const uint8_t *page_fast_same(const struct page_fast *f, const uint8_t *page, const uint8_t *end)
{
	if (load_64(page + f->layout.flags) & f->rare)
		return page + f->layout.size;
	return page_type_is_set(load_32(page + f->layout.mapcount)) ? same_typed(f, page, end) : same_untyped(f, page, end);
}
