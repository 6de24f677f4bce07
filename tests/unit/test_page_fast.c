// SPDX-License-Identifier: GPL-2.0-or-later
/* The fast judgement of a struct page is the readable one's, for the layouts of several kernels with any keys missing. */
#include <stdio.h>
#include <string.h>

#include "elfcore/elf_codec.h"
#include "elfcore/page_fast.h"

#include "tests/lib/unit.h"

#define ROUNDS 400000

/* Those that every kernel has come first. */
static const char *const keys[] = {
	"SIZE(page)=64", "OFFSET(page.flags)=0", "OFFSET(page.mapping)=24", "OFFSET(page._mapcount)=48", "OFFSET(page.private)=40",
	"OFFSET(page.compound_head)=8", "LENGTH(zone.free_area)=11", "NUMBER(PG_lru)=4", "NUMBER(PG_private)=13",
	"NUMBER(PG_swapcache)=10", "NUMBER(PG_swapbacked)=19", "NUMBER(PG_head_mask)=65536", "NUMBER(PG_hwpoison)=23",
	"NUMBER(PG_slab)=9",
};
#define NR_REQUIRED 5

static const char *const generations[] = {
	"OFFSET(page.compound_dtor)=16\nOFFSET(page.compound_order)=17\nNUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n"
	"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\nNUMBER(HUGETLB_PAGE_DTOR)=2\n",
	"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\n"
	"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\nNUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n"
	"NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)=-150994944\n",
	"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\nNUMBER(PG_hugetlb)=8\n",
	"",
};

static const uint32_t types[] = {
	0xffffffff, -129, -257, 0xf0000000, 0xf1000000, 0xf4000000, 0xf5000000, 0xf7000000, 0xf5001234, 0, 1,
};

static uint64_t seed = 88172645463325252ULL;

static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Few of the bits that mean something, all of them in turn. */
static uint64_t any_flags(void)
{
	static const unsigned int bits[] = { 4, 9, 10, 13, 16, 19, 23, 8, 30 };
	uint64_t flags = 0, chosen = any() & any();

	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++)
		flags |= (chosen >> i & 1) << bits[i];
	return any() % 64 ? flags : any();
}

static void any_page(uint8_t *page)
{
	for (size_t i = 0; i < 64; i += 8)
		elf_put(ELFDATA2LSB, page + i, 8, any() % 4 ? 0 : any());
	elf_put(ELFDATA2LSB, page, 8, any_flags());
	elf_put(ELFDATA2LSB, page + 8, 8, any() % 4 ? any() & ~1ULL : any());
	elf_put(ELFDATA2LSB, page + 24, 8, any() % 2 ? any() % 4 : any());
	elf_put(ELFDATA2LSB, page + 40, 8, any() % 8 ? any() % 16 : any());
	elf_put(ELFDATA2LSB, page + 48, 4, types[any() % ARRAY_SIZE(types)]);
}

static bool any_layout(struct page_layout *layout)
{
	char text[2048];
	size_t len = 0;
	uint64_t without = any() & any() & any();
	struct vmcoreinfo info = { .text = text };
	struct error err;

	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		if (i < NR_REQUIRED || !(without >> i & 1))
			len += snprintf(text + len, sizeof(text) - len, "%s\n", keys[i]);
	len += snprintf(text + len, sizeof(text) - len, "%s", generations[any() % ARRAY_SIZE(generations)]);
	info.len = len;
	return !page_layout_init(layout, &info, ELFDATA2LSB, 8, &err);
}

static void test_equal(void **state)
{
	unsigned int seen[NR_PAGE_CLASSES] = { 0 };
	struct page_layout layout;
	struct page_fast fast;
	uint8_t pages[128];

	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct page_verdict a, b;
		const uint8_t *next = any() % 8 ? pages + 64 : NULL;

		if (i % 64 == 0)
			assert_true(any_layout(&layout));
		if (!page_fast_init(&fast, &layout))
			continue;
		any_page(pages);
		any_page(pages + 64);
		a = page_classify(&layout, pages, next);
		b = page_fast_classify(&fast, pages, next);
		assert_int_equal(a.class, b.class);
		assert_int_equal(a.order, b.order);
		assert_int_equal(a.poisoned, b.poisoned);
		seen[a.class]++;
	}
	for (unsigned int i = 0; i < NR_PAGE_CLASSES; i++)
		assert_true(seen[i] > ROUNDS / 500);
}

/* Pages that are taken for alike are of one class, stand for themselves too, and none is passed over. */
static void test_same(void **state)
{
	uint8_t pages[4 * 64];
	struct page_layout layout;
	struct page_fast fast;
	unsigned int nr = 0, nr_typed = 0;

	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		unsigned int nr_same;
		struct page_verdict a;

		if (i % 64 == 0)
			assert_true(any_layout(&layout));
		if (!page_fast_init(&fast, &layout))
			continue;
		any_page(pages);
		a = page_classify(&layout, pages, NULL);
		if (a.order || a.poisoned)
			continue;
		for (unsigned int j = 1; j < 4; j++) {
			memcpy(pages + 64 * j, pages, 64);
			if (any() % 2)
				elf_put(ELFDATA2LSB, pages + 64 * j + 8 * (any() % 8), 8, any());
			if (any() % 4 == 0)
				elf_put(ELFDATA2LSB, pages + 64 * j + 48, 4, types[any() % ARRAY_SIZE(types)]);
			if (any() % 8 == 0)
				any_page(pages + 64 * j);
		}
		nr_same = (page_fast_same(&fast, pages, pages + sizeof(pages)) - pages) / 64;
		assert_in_range(nr_same, 1, 4);
		for (unsigned int j = 1; j < nr_same; j++) {
			struct page_verdict b = page_classify(&layout, pages + 64 * j, j < 3 ? pages + 64 * (j + 1) : NULL);

			assert_true(a.class == b.class && !b.order && !b.poisoned);
			nr++;
			nr_typed += elf_get(ELFDATA2LSB, pages + 64 * j + 48, 4) >> 31 && a.class != PAGE_KEEP;
		}
	}
	assert_true(nr > ROUNDS / 8);
	assert_true(nr_typed > ROUNDS / 200);
}

static void test_other_kinds(void **state)
{
	struct page_layout layout = { .data = ELFDATA2MSB, .word = 8, .compound_head = 8 };
	struct page_fast fast;

	(void)state;
	assert_false(page_fast_init(&fast, &layout));
	layout.data = ELFDATA2LSB;
	assert_true(page_fast_init(&fast, &layout));
	layout.word = 4;
	assert_false(page_fast_init(&fast, &layout));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_other_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
