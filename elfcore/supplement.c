// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/supplement.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/btf.h"
#include "elfcore/symbols.h"

#define ADDED_MAX 4096		/* bytes */

enum fact { SIZE, OFFSET, LENGTH, ENUM, MASK, PAGE_TYPE, SYMBOL };

/*
 * Key, and where its value is. Page types are known to BTF since they are an enum (6.12); a mask is one of an enumerated
 * bit. vmemmap_base is the variable of x86_64 where all struct pages lie as if mem_map were one array.
 */
static const struct {
	const char *key;
	enum fact fact;
	const char *type, *name;
} facts[] = {
	{ "SIZE(page)", SIZE, "page", NULL },
	{ "OFFSET(page.flags)", OFFSET, "page", "flags" },
	{ "OFFSET(page.mapping)", OFFSET, "page", "mapping" },
	{ "OFFSET(page._mapcount)", OFFSET, "page", "_mapcount" },
	{ "OFFSET(page.private)", OFFSET, "page", "private" },
	{ "OFFSET(page.compound_head)", OFFSET, "page", "compound_head" },
	{ "OFFSET(page.compound_info)", OFFSET, "page", "compound_info" },
	{ "OFFSET(page.compound_dtor)", OFFSET, "page", "compound_dtor" },
	{ "OFFSET(page.compound_order)", OFFSET, "page", "compound_order" },
	{ "OFFSET(folio._folio_dtor)", OFFSET, "folio", "_folio_dtor" },
	{ "OFFSET(folio._folio_order)", OFFSET, "folio", "_folio_order" },
	{ "LENGTH(zone.free_area)", LENGTH, "zone", "free_area" },
	{ "NUMBER(PG_lru)", ENUM, "pageflags", "PG_lru" },
	{ "NUMBER(PG_private)", ENUM, "pageflags", "PG_private" },
	{ "NUMBER(PG_swapcache)", ENUM, "pageflags", "PG_swapcache" },
	{ "NUMBER(PG_swapbacked)", ENUM, "pageflags", "PG_swapbacked" },
	{ "NUMBER(PG_slab)", ENUM, "pageflags", "PG_slab" },
	{ "NUMBER(PG_hwpoison)", ENUM, "pageflags", "PG_hwpoison" },
	{ "NUMBER(PG_hugetlb)", ENUM, "pageflags", "PG_hugetlb" },
	{ "NUMBER(PG_head_mask)", MASK, "pageflags", "PG_head" },
	{ "NUMBER(HUGETLB_PAGE_DTOR)", ENUM, "compound_dtor_id", "HUGETLB_PAGE_DTOR" },
	{ "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", PAGE_TYPE, "pagetype", "PGTY_buddy" },
	{ "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", PAGE_TYPE, "pagetype", "PGTY_offline" },
	{ "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)", PAGE_TYPE, "pagetype", "PGTY_hugetlb" },
	{ "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)", PAGE_TYPE, "pagetype", "PGTY_slab" },
	{ "NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)", PAGE_TYPE, "pagetype", "PGTY_unaccepted" },
	{ "SIZE(mem_section)", SIZE, "mem_section", NULL },
	{ "OFFSET(mem_section.section_mem_map)", OFFSET, "mem_section", "section_mem_map" },
	{ "SYMBOL(mem_map)", SYMBOL, NULL, "vmemmap_base" },
};

struct search {
	struct btf btf;
	vaddr_t symbols[ARRAY_SIZE(facts)];	/* those of SYMBOL; 0 = there is no such one */
};

static bool array_length(const struct btf *btf, const char *type, const char *name, int64_t *ret)
{
	struct btf_field field;
	struct btf_type array;

	if (btf_member(btf, type, name, &field))
		return false;
	btf_type(btf, btf_resolve(btf, field.type), &array);
	*ret = array.nr_elems;
	return array.kind == BTF_ARRAY;
}

static bool find_fact(const struct search *s, unsigned int i, int64_t *ret)
{
	const char *type = facts[i].type, *name = facts[i].name;
	const struct btf *btf = &s->btf;

	switch (facts[i].fact) {
	case SIZE:
		*ret = btf_size(btf, type);
		return *ret > 0;
	case OFFSET:
		*ret = btf_offset(btf, type, name);
		return *ret >= 0;
	case LENGTH:
		return array_length(btf, type, name, ret);
	case ENUM:
		return !btf_enum_value(btf, type, name, ret);
	case MASK:
		if (btf_enum_value(btf, type, name, ret) || *ret < 0 || *ret > 62)
			return false;
		*ret = 1LL << *ret;
		return true;
	case PAGE_TYPE:
		if (btf_enum_value(btf, type, name, ret) || *ret < 0 || *ret > 255)
			return false;
		*ret = (int32_t)((uint32_t)*ret << 24);
		return true;
	default:
		*ret = s->symbols[i];
		return *ret;
	}
}

static void add_facts(struct supplement *sup, const struct search *s, const struct vmcoreinfo *info)
{
	size_t end = info->len + ADDED_MAX;

	memcpy(sup->text, info->text, info->len);
	sup->info.len = info->len;
	if (info->len && info->text[info->len - 1] != '\n')
		sup->text[sup->info.len++] = '\n';
	for (unsigned int i = 0; i < ARRAY_SIZE(facts); i++) {
		const char *old;
		int64_t value;
		int len;

		if (vmcoreinfo_get(info, facts[i].key, &old) >= 0 || !find_fact(s, i, &value))
			continue;
		len = snprintf(sup->text + sup->info.len, end - sup->info.len, facts[i].fact == SYMBOL ? "%s=%llx\n" : "%s=%lld\n",
			       facts[i].key, (long long)value);
		if (len < 0 || (size_t)len >= end - sup->info.len)
			return;
		sup->info.len += len;
		sup->nr_added++;
	}
}

/* Types and symbols are never in memory together: a capture kernel has little. */
static int load(struct search *s, struct symbols *syms, struct error *err)
{
	vaddr_t start;
	uint64_t len;
	int rc = symbols_find_btf(syms, &start, &len, err);

	if (rc)
		return rc;
	for (unsigned int i = 0; i < ARRAY_SIZE(facts); i++)
		if (facts[i].fact != SYMBOL || symbols_find(syms, facts[i].name, &s->symbols[i]))
			s->symbols[i] = 0;
	symbols_deinit(syms);
	rc = btf_load(&s->btf, NULL, syms->kernel, start, len, err);
	return rc ? fail_prefix(err, "types of the crashed kernel") : 0;
}

int supplement_init(struct supplement *sup, struct kernel *kernel, struct error *err)
{
	struct symbols *syms = calloc(1, sizeof(*syms));
	struct search search;
	int rc;

	memset(sup, 0, sizeof(*sup));
	sup->text = malloc(kernel->crash->vmcoreinfo.len + ADDED_MAX + 1);
	if (!syms || !sup->text) {
		rc = fail(err, -ENOMEM, "no memory for the crashed kernel's types");
	} else if (!(rc = symbols_init(syms, kernel, err))) {
		rc = load(&search, syms, err);
		if (!rc) {
			add_facts(sup, &search, &kernel->crash->vmcoreinfo);
			btf_deinit(&search.btf);
		}
		symbols_deinit(syms);
	}
	free(syms);
	sup->info.text = sup->text;
	if (rc)
		supplement_deinit(sup);
	return rc;
}

void supplement_deinit(struct supplement *sup)
{
	free(sup->text);
	memset(sup, 0, sizeof(*sup));
}
