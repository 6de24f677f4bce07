// SPDX-License-Identifier: GPL-2.0-or-later
/* What a page is by its struct page, for the layouts of several kernels; and which levels leave it out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "elfcore/elf_codec.h"
#include "elfcore/page.h"

#include "tests/lib/unit.h"

/* The keys that all of them have, from a 6.1 kernel; the layout of the first 32 bytes has not changed since. */
#define COMMON \
	"SIZE(page)=64\nOFFSET(page.flags)=0\nOFFSET(page.mapping)=24\nOFFSET(page._mapcount)=48\n" \
	"OFFSET(page.private)=40\nOFFSET(page.compound_head)=8\nLENGTH(zone.free_area)=11\nNUMBER(PG_lru)=4\n" \
	"NUMBER(PG_private)=13\nNUMBER(PG_swapcache)=10\nNUMBER(PG_swapbacked)=19\nNUMBER(PG_head_mask)=65536\n" \
	"NUMBER(PG_hwpoison)=23\n"

static const char linux_6_1[] = COMMON "NUMBER(PG_slab)=9\nOFFSET(page.compound_dtor)=16\nOFFSET(page.compound_order)=17\n"
	"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\nNUMBER(HUGETLB_PAGE_DTOR)=2\n";

static const char linux_6_12[] = COMMON "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\n"
	"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\nNUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\n"
	"NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n";

#define LRU (1U << 4)
#define SLAB (1U << 9)
#define SWAPCACHE (1U << 10)
#define PRIVATE (1U << 13)
#define HEAD (1U << 16)
#define SWAPBACKED (1U << 19)
#define POISON (1U << 23)
#define NO_TYPE 0xffffffff

static struct page_layout layout;
static uint8_t page[64], next[64];

static void use(const char *text)
{
	struct vmcoreinfo info = { text, strlen(text) };
	struct error err;

	assert_int_equal(page_layout_init(&layout, &info, ELFDATA2LSB, 8, &err), 0);
}

static void put(uint8_t *p, size_t off, size_t size, uint64_t value)
{
	elf_put(ELFDATA2LSB, p + off, size, value);
}

static struct page_verdict judge(uint64_t flags, uint64_t mapping, uint32_t type, uint64_t private)
{
	memset(page, 0, sizeof(page));
	put(page, 0, 8, flags);
	put(page, 24, 8, mapping);
	put(page, 48, 4, type);
	put(page, 40, 8, private);
	return page_classify(&layout, page, next);
}

static int setup(void **state)
{
	(void)state;
	memset(next, 0, sizeof(next));
	use(linux_6_1);
	return 0;
}

static void test_classes(void **state)
{
	(void)state;
	assert_int_equal(judge(0, 0, NO_TYPE, 0).class, PAGE_KEEP);
	assert_int_equal(judge(LRU, 0x1000, NO_TYPE, 0).class, PAGE_CACHE);
	assert_int_equal(judge(LRU | PRIVATE, 0x1000, NO_TYPE, 0).class, PAGE_CACHE_PRIVATE);
	assert_int_equal(judge(LRU | PRIVATE, 0x1001, NO_TYPE, 0).class, PAGE_USER);
	assert_int_equal(judge(0, 0x1003, NO_TYPE, 0).class, PAGE_USER);		/* KSM */
	assert_int_equal(judge(0, 0x1002, NO_TYPE, 0).class, PAGE_KEEP);		/* movable, not on a list */
	assert_int_equal(judge(SWAPCACHE | SWAPBACKED, 0x1000, NO_TYPE, 0).class, PAGE_CACHE);
	assert_int_equal(judge(SWAPCACHE, 0x1000, NO_TYPE, 0).class, PAGE_KEEP);	/* the bit means something else then */
	assert_int_equal(judge(SLAB, 0x1001, NO_TYPE, 0).class, PAGE_KEEP);
	assert_int_equal(judge(0, 0, -257, 0).class, PAGE_OFFLINE);
}

static void test_free_pages(void **state)
{
	struct page_verdict v = judge(0, 0, -129, 10);

	(void)state;
	assert_int_equal(v.class, PAGE_FREE);
	assert_int_equal(v.order, 10);
	assert_int_equal(judge(0, 0, -129, 11).class, PAGE_KEEP);		/* no such order */
	assert_int_equal(judge(0, 0, -129, 1ULL << 40).class, PAGE_KEEP);
	assert_int_equal(judge(SLAB, 0, -129, 3).class, PAGE_KEEP);
	assert_int_equal(judge(0, 0, -128, 3).class, PAGE_KEEP);
}

static void test_tail_is_kept(void **state)
{
	(void)state;
	judge(LRU, 0x1001, NO_TYPE, 0);
	put(page, 8, 8, 0xffffea0000000001);
	assert_int_equal(page_classify(&layout, page, next).class, PAGE_KEEP);
}

static void test_compound(void **state)
{
	struct page_verdict v;

	(void)state;
	next[16] = 1;
	next[17] = 9;
	v = judge(LRU | HEAD, 0x1001, NO_TYPE, 0);
	assert_int_equal(v.class, PAGE_USER);
	assert_int_equal(v.order, 9);
	assert_int_equal(judge(LRU, 0x1001, NO_TYPE, 0).order, 0);		/* not a head */
	assert_int_equal(judge(HEAD, 0, NO_TYPE, 0).class, PAGE_KEEP);		/* another destructor */
	next[16] = 2;
	v = judge(HEAD, 0, NO_TYPE, 0);
	assert_int_equal(v.class, PAGE_USER);					/* hugetlb */
	assert_int_equal(v.order, 9);
	next[17] = 200;
	assert_int_equal(judge(LRU | HEAD, 0x1001, NO_TYPE, 0).order, 0);	/* nonsense */
	judge(LRU | HEAD, 0x1001, NO_TYPE, 0);
	assert_int_equal(page_classify(&layout, page, NULL).order, 0);
}

/* 6.12: types are a top byte, slab and hugetlb among them; the order is in the flags of the next page. */
static void test_types_of_6_12(void **state)
{
	struct page_verdict v;

	(void)state;
	use(linux_6_12);
	put(next, 0, 8, 0x0000000012345609);
	v = judge(HEAD, 0, 0xf4000000, 0);
	assert_int_equal(v.class, PAGE_USER);
	assert_int_equal(v.order, 9);
	assert_int_equal(judge(HEAD, 0, 0xf4000007, 0).class, PAGE_USER);	/* the low bytes are in use */
	assert_int_equal(judge(0, 0x1001, 0xf5000000, 0).class, PAGE_KEEP);	/* slab */
	assert_int_equal(judge(0, 0, 0xf0000000, 4).class, PAGE_FREE);
	assert_int_equal(judge(0, 0, 0xf1000000, 0).class, PAGE_OFFLINE);
	assert_int_equal(judge(0, 0, 0xf3000000, 0).class, PAGE_KEEP);		/* guard */
}

/* A type that nobody has heard of yet is kernel memory, whatever lies where others have their mapping and flags. */
static void test_new_types(void **state)
{
	(void)state;
	use(linux_6_12);
	assert_int_equal(judge(0, 0x1001, 0xf8000000, 0).class, PAGE_KEEP);
	assert_int_equal(judge(LRU, 0x1000, 0xe0000000, 0).class, PAGE_KEEP);
	assert_int_equal(judge(0, 0x1001, 0x0000ffff, 0).class, PAGE_USER);
	use(linux_6_1);
	assert_int_equal(judge(0, 0x1001, (uint32_t)-1025, 0).class, PAGE_KEEP);	/* page table */
}

/* Where pages that only look like cache or user memory cannot be told from it, neither is left out. */
static void test_levels_known(void **state)
{
	static const struct { const char *text, *key; unsigned int lost; } table[] = {
		{ linux_6_1, "OFFSET(page.compound_head)", DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE | DUMP_LEVEL_USER },
		{ linux_6_1, "NUMBER(PG_slab)", DUMP_LEVEL_USER },
		{ linux_6_1, "NUMBER(PG_lru)", DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE },
		{ linux_6_1, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", DUMP_LEVEL_FREE },
		{ linux_6_1, "LENGTH(zone.free_area)", DUMP_LEVEL_FREE },
		{ linux_6_1, "NUMBER(PG_head_mask)", 0 },
		{ linux_6_12, "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)", 0 },	/* every type is told from user memory */
	};
	char text[sizeof(linux_6_1) + sizeof(linux_6_12)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *missing = NULL;

		strcpy(text, table[i].text);
		*strstr(text, table[i].key) = '-';
		use(text);
		assert_int_equal(page_levels_known(&layout, &missing), DUMP_LEVEL_MAX & ~table[i].lost);
		if (table[i].lost)
			assert_string_equal(missing, table[i].key);
	}
}

/* Nobody knows which pages of the cache have private data: only who wants none of them leaves them out. */
static void test_private_unknown(void **state)
{
	char text[sizeof(linux_6_1)];

	(void)state;
	strcpy(text, linux_6_1);
	*strstr(text, "NUMBER(PG_private)") = '-';
	use(text);
	assert_int_equal(judge(LRU, 0x1000, NO_TYPE, 0).class, PAGE_CACHE_PRIVATE);
}

/* A kernel that does not say what is free, or hugetlb: such pages are kept. */
static void test_unknown_is_kept(void **state)
{
	(void)state;
	use(COMMON);
	put(next, 0, 8, 9);
	assert_int_equal(judge(0, 0, -129, 3).class, PAGE_KEEP);
	assert_int_equal(judge(HEAD, 0, 0xf4000000, 0).class, PAGE_KEEP);
	assert_int_equal(judge(LRU, 0x1000, NO_TYPE, 0).class, PAGE_CACHE);
}

static void test_missing_keys(void **state)
{
	static const char *const texts[] = {
		"", "SIZE(page)=8\n", "SIZE(page)=64\nOFFSET(page.flags)=60\nOFFSET(page.mapping)=24\n",
		"SIZE(page)=64\nOFFSET(page.flags)=0\nOFFSET(page.mapping)=24\nOFFSET(page._mapcount)=48\n",
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct vmcoreinfo info = { texts[i], strlen(texts[i]) };

		assert_int_equal(page_layout_init(&layout, &info, ELFDATA2LSB, 8, &err), -ENODATA);
	}
	assert_text(err.text, "OFFSET(page.private)");
}

/* Keys that make less be left out when they are missing are named, one by one; not those of other generations. */
static void test_lacks(void **state)
{
	static const char *const keys[] = {
		"OFFSET(page.compound_head)", "NUMBER(PG_head_mask)", "OFFSET(page.compound_order)", "OFFSET(page.compound_dtor)",
		"NUMBER(HUGETLB_PAGE_DTOR)", "NUMBER(PG_private)", "NUMBER(PG_swapbacked)", "NUMBER(PG_slab)", "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)",
	};
	char text[sizeof(linux_6_1)];

	(void)state;
	assert_null(layout.lacks);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		strcpy(text, linux_6_1);
		*strstr(text, keys[i]) = '-';
		use(text);
		assert_non_null(layout.lacks);
		assert_string_equal(layout.lacks, keys[i]);
	}
	use(linux_6_12);
	assert_null(layout.lacks);
}

/* An offset beyond the struct page would be read behind the buffer of struct pages. */
static void test_offsets_outside(void **state)
{
	(void)state;
	use(COMMON "OFFSET(page.compound_dtor)=63\nOFFSET(page.compound_order)=64\nNUMBER(HUGETLB_PAGE_DTOR)=2\n");
	assert_int_equal(layout.order_off, OFF_NONE);
	assert_int_equal(layout.dtor_off, 63);
	use(COMMON "OFFSET(page.compound_dtor)=63\nOFFSET(page.compound_order)=62\nNUMBER(HUGETLB_PAGE_DTOR)=2\n");
	assert_int_equal(layout.order_off, 62);
	assert_int_equal(layout.dtor_off, OFF_NONE);
	use(COMMON "OFFSET(folio._folio_dtor)=16\nOFFSET(folio._folio_order)=4000\nNUMBER(HUGETLB_PAGE_DTOR)=2\n");
	assert_int_equal(layout.order_off, OFF_NONE);
	assert_int_equal(layout.dtor_off, OFF_NONE);
}

static void test_levels(void **state)
{
	static const struct { enum page_class class; unsigned int levels; } table[] = {
		{ PAGE_CACHE, DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE },
		{ PAGE_CACHE_PRIVATE, DUMP_LEVEL_CACHE_PRIVATE },
		{ PAGE_USER, DUMP_LEVEL_USER },
		{ PAGE_FREE, DUMP_LEVEL_FREE },
		{ PAGE_KEEP, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (unsigned int level = 0; level <= DUMP_LEVEL_MAX; level++) {
			struct page_verdict v = { table[i].class, 3, false };

			assert_int_equal(page_nr_excluded(&v, level), level & table[i].levels ? 8 : 0);
		}
}

/* Poison is left out at every level: of a free block only the page itself, of a compound page all of it. */
static void test_poison(void **state)
{
	struct page_verdict v;

	(void)state;
	next[17] = 4;
	v = judge(LRU | HEAD | POISON, 0x1001, NO_TYPE, 0);
	assert_true(v.poisoned);
	assert_int_equal(page_nr_excluded(&v, 0), 16);
	v = judge(POISON, 0, -129, 5);
	assert_int_equal(page_nr_excluded(&v, 0), 1);
	assert_int_equal(page_nr_excluded(&v, DUMP_LEVEL_FREE), 32);
	v = judge(POISON, 0, NO_TYPE, 0);
	assert_int_equal(page_nr_excluded(&v, 0), 1);
	v = judge(0, 0, -257, 0);
	assert_int_equal(page_nr_excluded(&v, 0), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_classes, setup),
		cmocka_unit_test_setup(test_free_pages, setup),
		cmocka_unit_test_setup(test_tail_is_kept, setup),
		cmocka_unit_test_setup(test_compound, setup),
		cmocka_unit_test_setup(test_types_of_6_12, setup),
		cmocka_unit_test_setup(test_new_types, setup),
		cmocka_unit_test_setup(test_levels_known, setup),
		cmocka_unit_test_setup(test_private_unknown, setup),
		cmocka_unit_test_setup(test_unknown_is_kept, setup),
		cmocka_unit_test_setup(test_missing_keys, setup),
		cmocka_unit_test_setup(test_lacks, setup),
		cmocka_unit_test_setup(test_offsets_outside, setup),
		cmocka_unit_test_setup(test_levels, setup),
		cmocka_unit_test_setup(test_poison, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
