// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/page.h"

#include <errno.h>
#include <string.h>

#include "elfcore/elf_codec.h"

#define ORDER_LIMIT 32
#define TYPE_TOP_BYTE 0xff000000U
#define CACHE_LEVELS (DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE)

static int offset_of(const struct vmcoreinfo *info, const char *key)
{
	int64_t value;

	return vmcoreinfo_number(info, key, &value) && value >= 0 && value < 4096 ? (int)value : OFF_NONE;
}

static int bit_of(const struct vmcoreinfo *info, const char *key)
{
	int64_t value;

	return vmcoreinfo_number(info, key, &value) && value >= 0 && value < 64 ? (int)value : BIT_NONE;
}

/*
 * Up to 6.11 a type is the whole word with one bit cleared; from 6.12 on (commit 4ffca5a96678) it is the top byte, and
 * the value that is exported has nothing below it.
 */
static struct page_type type_of(const struct vmcoreinfo *info, const char *key)
{
	int64_t number;

	if (!vmcoreinfo_number(info, key, &number))
		return (struct page_type){ 0, 0 };
	return (struct page_type){ (uint32_t)number, (uint32_t)number & 0xffffff ? UINT32_MAX : TYPE_TOP_BYTE };
}

/* What does not lie inside one struct page is not read. */
static int inside(const struct page_layout *l, int off, int size)
{
	return off < 0 || off + size > (int)l->size ? OFF_NONE : off;
}

/* Where the order of a compound page and the mark of hugetlb are: the keys that exist tell the kernel's generation. */
static void compound_layout(struct page_layout *l, const struct vmcoreinfo *info)
{
	int64_t dtor;
	bool has_dtor = vmcoreinfo_number(info, "NUMBER(HUGETLB_PAGE_DTOR)", &dtor);

	l->order_off = l->dtor_off = OFF_NONE;
	l->hugetlb_bit = BIT_NONE;
	if (offset_of(info, "OFFSET(page.compound_order)") != OFF_NONE) {
		/* 4.4 to 6.2: two bytes each, then (4.16) one each; what lies next to it tells how wide it is. */
		l->order_off = offset_of(info, "OFFSET(page.compound_order)");
		l->dtor_off = offset_of(info, "OFFSET(page.compound_dtor)");
		l->order_size = l->order_off - l->dtor_off == 1 ? 1 : 2;
	} else if (offset_of(info, "OFFSET(folio._folio_order)") != OFF_NONE) {
		/* 6.3 to 6.5: members of struct folio, whose second page is the first tail page. */
		l->order_off = offset_of(info, "OFFSET(folio._folio_order)") - (int)l->size;
		l->dtor_off = offset_of(info, "OFFSET(folio._folio_dtor)") - (int)l->size;
		l->order_size = 1;
	} else if (l->flags == 0 && !has_dtor) {
		/* 6.6 and later: the low byte of the first tail page's flags. */
		l->order_off = l->data == ELFDATA2LSB ? l->flags : l->flags + l->word - 1;
		l->order_size = 1;
		l->hugetlb_bit = bit_of(info, "NUMBER(PG_hugetlb)");
	}
	l->dtor_size = l->order_size;
	l->order_off = inside(l, l->order_off, l->order_size);
	l->dtor_off = has_dtor ? inside(l, l->dtor_off, l->dtor_size) : OFF_NONE;
	l->dtor_hugetlb = has_dtor ? (uint32_t)dtor : 0;
}

static int required_offsets(struct page_layout *l, const struct vmcoreinfo *info, struct error *err)
{
	const struct {
		const char *key;
		int *ret;
	} keys[] = {
		{ "OFFSET(page.flags)", &l->flags },
		{ "OFFSET(page.mapping)", &l->mapping },
		{ "OFFSET(page._mapcount)", &l->mapcount },
		{ "OFFSET(page.private)", &l->private },
	};
	int64_t size;

	if (!vmcoreinfo_number(info, "SIZE(page)", &size) || size < 32 || size > 512)
		return fail(err, -ENODATA, "VMCOREINFO has no valid SIZE(page)");
	l->size = size;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		*keys[i].ret = offset_of(info, keys[i].key);
		if (*keys[i].ret == OFF_NONE || *keys[i].ret + l->word > (int)l->size)
			return fail(err, -ENODATA, "VMCOREINFO has no valid %s", keys[i].key);
	}
	l->compound_head = offset_of(info, "OFFSET(page.compound_head)");
	if (l->compound_head == OFF_NONE)
		l->compound_head = offset_of(info, "OFFSET(page.compound_info)");	/* its name from 7.1 on */
	if (l->compound_head + l->word > (int)l->size)
		l->compound_head = OFF_NONE;
	return 0;
}

/* A type in the top byte is one of a kernel where slab is such a type as well: no page with a type is user memory. */
static bool knows_slab(const struct page_layout *l)
{
	return l->slab_bit != BIT_NONE || l->slab.mask || l->buddy.mask == TYPE_TOP_BYTE;
}

/* Not hwpoison, not unaccepted: many kernels are built without them. */
static const char *find_lacking(const struct page_layout *l)
{
	if (l->compound_head == OFF_NONE)
		return "OFFSET(page.compound_head)";
	if (!l->head_mask)
		return "NUMBER(PG_head_mask)";
	if (l->order_off == OFF_NONE)
		return "OFFSET(page.compound_order)";
	if (l->dtor_hugetlb && l->dtor_off == OFF_NONE)
		return "OFFSET(page.compound_dtor)";
	if (!l->dtor_hugetlb && l->hugetlb_bit == BIT_NONE && !l->hugetlb.mask)
		return "NUMBER(HUGETLB_PAGE_DTOR)";
	if (l->private_bit == BIT_NONE)
		return "NUMBER(PG_private)";
	if (l->swapcache != BIT_NONE && l->swapbacked == BIT_NONE)
		return "NUMBER(PG_swapbacked)";
	if (!knows_slab(l))
		return "NUMBER(PG_slab)";
	if (!l->offline.mask)
		return "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)";
	return NULL;
}

int page_layout_init(struct page_layout *l, const struct vmcoreinfo *info, uint8_t data, uint8_t word, struct error *err)
{
	int64_t number;
	int rc;

	memset(l, 0, sizeof(*l));
	l->data = data;
	l->word = word;
	rc = required_offsets(l, info, err);
	if (rc)
		return rc;
	l->lru = bit_of(info, "NUMBER(PG_lru)");
	l->private_bit = bit_of(info, "NUMBER(PG_private)");
	l->swapcache = bit_of(info, "NUMBER(PG_swapcache)");
	l->swapbacked = bit_of(info, "NUMBER(PG_swapbacked)");
	l->slab_bit = bit_of(info, "NUMBER(PG_slab)");
	l->hwpoison = bit_of(info, "NUMBER(PG_hwpoison)");
	l->head_mask = vmcoreinfo_number(info, "NUMBER(PG_head_mask)", &number) ? (uint64_t)number : 0;
	l->buddy = type_of(info, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)");
	l->offline = type_of(info, "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)");
	l->hugetlb = type_of(info, "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)");
	l->slab = type_of(info, "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)");
	l->unaccepted = type_of(info, "NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)");
	l->nr_orders = vmcoreinfo_number(info, "LENGTH(zone.free_area)", &number) && number > 0 && number < ORDER_LIMIT ?
		       (unsigned int)number : 0;
	compound_layout(l, info);
	l->lacks = find_lacking(l);
	return 0;
}

unsigned int page_levels_known(const struct page_layout *l, const char **missing_ret)
{
	/* Other members lie over mapping and flags in tail pages, and over mapping in slabs. */
	const struct {
		bool known;
		unsigned int levels;
		const char *key;
	} needs[] = {
		{ l->lru != BIT_NONE, CACHE_LEVELS, "NUMBER(PG_lru)" },
		{ l->buddy.mask, DUMP_LEVEL_FREE, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)" },
		{ l->nr_orders, DUMP_LEVEL_FREE, "LENGTH(zone.free_area)" },
		{ knows_slab(l), DUMP_LEVEL_USER, "NUMBER(PG_slab)" },
		{ l->compound_head != OFF_NONE, CACHE_LEVELS | DUMP_LEVEL_USER, "OFFSET(page.compound_head)" },
	};
	unsigned int known = DUMP_LEVEL_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		if (needs[i].known)
			continue;
		known &= ~needs[i].levels;
		if (missing_ret)
			*missing_ret = needs[i].key;
	}
	return known;
}

static uint64_t get_word(const struct page_layout *l, const uint8_t *page, int off)
{
	return elf_get(l->data, page + off, l->word);
}

static bool has_bit(uint64_t flags, int bit)
{
	return bit != BIT_NONE && flags >> bit & 1;
}

/* The order of the compound page that page heads; 0 when it heads none, or when nothing sensible is found. */
static unsigned int compound_order(const struct page_layout *l, uint64_t flags, const uint8_t *next)
{
	unsigned int order;

	if (!(flags & l->head_mask) || !next || l->order_off == OFF_NONE)
		return 0;
	order = elf_get(l->data, next + l->order_off, l->order_size);
	return order < ORDER_LIMIT ? order : 0;
}

static bool is_hugetlb(const struct page_layout *l, uint64_t flags, uint32_t type, const uint8_t *next)
{
	if (!(flags & l->head_mask))
		return false;
	if (page_has_type(type, l->hugetlb))
		return true;
	if (!next)
		return false;
	if (l->hugetlb_bit != BIT_NONE)
		return has_bit(get_word(l, next, l->flags), l->hugetlb_bit);
	return l->dtor_off != OFF_NONE && elf_get(l->data, next + l->dtor_off, l->dtor_size) == l->dtor_hugetlb;
}

/* PG_swapcache shares its bit with something else unless PG_swapbacked is set, too (since 4.10). */
static bool is_cache(const struct page_layout *l, uint64_t flags)
{
	return has_bit(flags, l->lru) ||
	       (has_bit(flags, l->swapcache) && (l->swapbacked == BIT_NONE || has_bit(flags, l->swapbacked)));
}

struct page_verdict page_classify(const struct page_layout *l, const uint8_t *page, const uint8_t *next)
{
	uint64_t flags = get_word(l, page, l->flags);
	uint32_t type = elf_get(l->data, page + l->mapcount, 4);
	bool slab = has_bit(flags, l->slab_bit) || page_has_type(type, l->slab), kernel, anon;
	struct page_verdict v = { PAGE_KEEP, 0, has_bit(flags, l->hwpoison) };

	/* A tail page was decided with its head, but may be poisoned by itself. */
	if (l->compound_head != OFF_NONE && get_word(l, page, l->compound_head) & 1)
		return (struct page_verdict){ PAGE_KEEP, 0, v.poisoned };
	if (page_has_type(type, l->buddy) && !slab) {
		uint64_t order = get_word(l, page, l->private);

		if (order < l->nr_orders) {
			v.class = PAGE_FREE;
			v.order = order;
		}
		return v;
	}
	if (page_has_type(type, l->unaccepted) && l->nr_orders) {
		v.class = PAGE_FREE;
		v.order = l->nr_orders - 1;
		return v;
	}
	v.order = compound_order(l, flags, next);
	kernel = slab || (page_type_is_set(type) && !page_has_type(type, l->hugetlb));
	anon = get_word(l, page, l->mapping) & PAGE_MAPPING_ANON && !kernel;
	if (is_cache(l, flags) && !anon && !kernel)
		v.class = l->private_bit == BIT_NONE || has_bit(flags, l->private_bit) ? PAGE_CACHE_PRIVATE : PAGE_CACHE;
	else if (anon || is_hugetlb(l, flags, type, next))
		v.class = PAGE_USER;
	else if (page_has_type(type, l->offline) && !slab)
		v.class = PAGE_OFFLINE;
	return v;
}

bool page_class_excluded(enum page_class class, unsigned int level)
{
	switch (class) {
	case PAGE_CACHE: return level & (DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE);
	case PAGE_CACHE_PRIVATE: return level & DUMP_LEVEL_CACHE_PRIVATE;
	case PAGE_USER: return level & DUMP_LEVEL_USER;
	case PAGE_FREE: return level & DUMP_LEVEL_FREE;
	case PAGE_OFFLINE: return true;
	default: return false;
	}
}

uint64_t page_nr_excluded(const struct page_verdict *v, unsigned int level)
{
	if (page_class_excluded(v->class, level))
		return 1ULL << v->order;
	if (v->poisoned)
		return v->class == PAGE_FREE ? 1 : 1ULL << v->order;
	return 0;
}

const char *page_class_name(enum page_class class)
{
	static const char *const names[NR_PAGE_CLASSES] = {
		"kernel", "cache", "cache with private data", "user", "free", "offline",
	};

	return names[class];
}
