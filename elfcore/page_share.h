/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds pages that are equal to one that came shortly before, so that a dump can store one copy for all of them. What is
 * called equal was compared byte for byte; hashes only say what is worth comparing.
 *
 * Most pages never come again and are not kept: the first sight of a page leaves a tag, only the second one the page
 * itself. The memory is bounded whatever the machine's size, so what is found depends on how far apart equal pages lie.
 */
#ifndef ELFCORE_PAGE_SHARE_H
#define ELFCORE_PAGE_SHARE_H

#include "elfcore/types.h"

/* How far back an equal page may lie, in pages. */
#define PAGE_SHARE_DISTANCE 16384

/* Bytes of pages to keep: for a packer that is alone, and for each of several, of which one more is to cost less than 4 MiB. */
#define PAGE_SHARE_ALONE (2U << 20)
#define PAGE_SHARE_EACH (3U << 19)

struct page_share {
	size_t page_size, nr_slots;
	struct page_share_slot *slots;
	uint8_t *pages;			/* of the slots */
	uint16_t *tags;
};

/* What equal pages have in common; size is a multiple of 64. */
uint64_t page_share_hash(const uint8_t *page, size_t size);

/* All memory at once; kept_len bytes of pages are kept, one page at least. -ENOMEM. */
int page_share_init(struct page_share *share, size_t page_size, size_t kept_len);
void page_share_deinit(struct page_share *share);

/*
 * How many pages before page number nr an equal one was looked for, 1..PAGE_SHARE_DISTANCE, or 0: none is known. Numbers
 * grow from call to call.
 */
uint32_t page_share_find(struct page_share *share, const uint8_t *page, uint64_t nr);

#endif
