// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/page_share.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NR_TAGS 8192

struct page_share_slot {
	uint64_t hash;
	uint64_t nr;			/* the latest page number that had it; meaningless while hash is 0 */
};

int page_share_init(struct page_share *share, size_t page_size, size_t kept_len)
{
	share->page_size = page_size;
	share->nr_slots = max_u64(kept_len / page_size, 1);
	share->slots = calloc(share->nr_slots, sizeof(*share->slots));
	share->pages = malloc(share->nr_slots * page_size);
	share->tags = calloc(NR_TAGS, sizeof(*share->tags));
	if (share->slots && share->pages && share->tags)
		return 0;
	page_share_deinit(share);
	return -ENOMEM;
}

void page_share_deinit(struct page_share *share)
{
	free(share->slots);
	free(share->pages);
	free(share->tags);
	memset(share, 0, sizeof(*share));
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash ^= word;
	hash *= 0x9e3779b97f4a7c15;
	return hash ^ hash >> 32;
}

/* Two words that are added side by side where the machine can. */
typedef uint64_t pair __attribute__((vector_size(16)));

struct sums {
	pair plain, weighted;
};

static inline void add(struct sums *sums, const uint8_t *p)
{
	pair words;

	__builtin_memcpy(&words, p, sizeof(words));
	sums->plain += words;
	sums->weighted += sums->plain;
}

static uint64_t fold(uint64_t hash, const struct sums *sums)
{
	return mix(mix(mix(mix(hash, sums->plain[0]), sums->plain[1]), sums->weighted[0]), sums->weighted[1]);
}

/*
 * Fletcher's sums, of words, in eight lanes: two additions a word. They are easily fooled, and meant to be no more than
 * a hint: multiplications would cost a plain dump a tenth of its time. Never 0.
 */
uint64_t page_share_hash(const uint8_t *page, size_t size)
{
	struct sums a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

	for (const uint8_t *end = page + size; page < end; page += 64) {
		add(&a, page);
		add(&b, page + 16);
		add(&c, page + 32);
		add(&d, page + 48);
	}
	return fold(fold(fold(fold(0, &a), &b), &c), &d) | 1;
}

uint32_t page_share_find(struct page_share *share, const uint8_t *page, uint64_t nr)
{
	uint64_t hash = page_share_hash(page, share->page_size), back;
	size_t i = (hash >> 1) % share->nr_slots;
	struct page_share_slot *slot = &share->slots[i];
	uint8_t *kept = share->pages + i * share->page_size;
	uint16_t *tag = &share->tags[(hash >> 16) % NR_TAGS];

	if (slot->hash == hash) {
		if (memcmp(kept, page, share->page_size))
			return 0;
		back = nr - slot->nr;
		slot->nr = nr;
		return back <= PAGE_SHARE_DISTANCE ? back : 0;
	}
	if (*tag != hash >> 48) {
		*tag = hash >> 48;
		return 0;
	}
	memcpy(kept, page, share->page_size);
	slot->hash = hash;
	slot->nr = nr;
	return 0;
}
