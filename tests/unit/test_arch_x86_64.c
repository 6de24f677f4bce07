// SPDX-License-Identifier: GPL-2.0-or-later
/* x86_64 page tables made by hand: 4 and 5 levels, all page sizes, PAT, SME, and tables that lead in circles. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/kernel.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

#define P 1ULL			/* present */
#define PS (1ULL << 7)		/* a large page */
#define RW_AD 0x63ULL		/* present, writable, accessed, dirty */
#define NX (1ULL << 63)
#define PAT4K (1ULL << 7)
#define PAT (1ULL << 12)	/* of a large page */
#define KERNEL_MAP 0xffffffff80000000ULL

#define RAM_SIZE (1U << 20)
#define ROOT 0x10000ULL
#define PHYS_BASE 0x4000

static struct fake_mem ram;
static struct crash crash;
static struct kernel kernel;
static uint64_t next_table;
static char info[512];

static void entry(paddr_t table, unsigned int i, uint64_t value)
{
	elf_put(ELFDATA2LSB, fake_mem_at(&ram, table + 8 * i), 8, value);
}

static uint64_t get_entry(paddr_t table, unsigned int i)
{
	return elf_get(ELFDATA2LSB, fake_mem_at(&ram, table + 8 * i), 8);
}

static void build(const char *more)
{
	static struct segment seg;
	uint8_t *zeros = calloc(1, RAM_SIZE);
	struct error err;
	int rc;

	fake_mem_init(&ram);
	fake_mem_add(&ram, 0, zeros, RAM_SIZE);
	free(zeros);
	next_table = ROOT + 0x1000;
	seg = (struct segment){ 0xffff888000000000, 0, 0, RAM_SIZE, RAM_SIZE, 7, 0 };
	memset(&crash, 0, sizeof(crash));
	crash.ehdr.machine = EM_X86_64;
	crash.segs = &seg;
	crash.nr_segs = 1;
	snprintf(info, sizeof(info), "NUMBER(phys_base)=%d\nSYMBOL(init_top_pgt)=%llx\n%s", PHYS_BASE,
		 KERNEL_MAP + ROOT - PHYS_BASE, more);
	crash.vmcoreinfo = (struct vmcoreinfo){ info, strlen(info) };
	kernel = (struct kernel){ .crash = &crash, .mem = &ram.mem, .arch = arch_find(EM_X86_64), .page_size = 4096 };
	rc = kernel.arch->init(&kernel, &err);
	assert_int_equal(rc, 0);
	kernel.can_translate = true;
}

static int teardown(void **state)
{
	(void)state;
	fake_mem_free(&ram);
	return 0;
}

/* Map one page of 1 << (12 + 9 * (level - 1)) bytes. */
static void map(vaddr_t vaddr, unsigned int level, uint64_t value)
{
	paddr_t table = ROOT;

	for (unsigned int l = kernel.levels; l > level; l--) {
		unsigned int i = vaddr >> (12 + 9 * (l - 1)) & 511;

		if (!get_entry(table, i)) {
			entry(table, i, next_table | RW_AD);
			next_table += 0x1000;
		}
		table = get_entry(table, i) & 0x000ffffffffff000;
	}
	entry(table, vaddr >> (12 + 9 * (level - 1)) & 511, value);
}

static uint64_t vtop(vaddr_t vaddr)
{
	paddr_t paddr = 0x7777;
	uint64_t len;
	int rc = kernel.arch->vtop(&kernel, vaddr, &paddr, &len);

	return rc ? (uint64_t)rc : paddr;
}

/* How much of its page follows an address. */
static uint64_t room(vaddr_t vaddr)
{
	paddr_t paddr;
	uint64_t len = 0;

	return kernel.arch->vtop(&kernel, vaddr, &paddr, &len) ? 0 : len;
}

static void test_init(void **state)
{
	(void)state;
	build("");
	assert_int_equal(kernel.levels, 4);
	assert_int_equal(kernel.pgd, ROOT);
	assert_true(kernel.phys_base == PHYS_BASE);
	teardown(NULL);
	build("NUMBER(pgtable_l5_enabled)=1\nNUMBER(sme_mask)=140737488355328\n");
	assert_int_equal(kernel.levels, 5);
	assert_true(kernel.addr_mask == (0x000ffffffffff000 & ~(1ULL << 47)));
}

static void test_init_names_what_is_missing(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "SYMBOL(init_top_pgt)=ffffffff82a10000\n", "VMCOREINFO has no NUMBER(phys_base)" },
		{ "NUMBER(phys_base)=0\n", "VMCOREINFO has no SYMBOL(swapper_pg_dir)" },
	};
	struct error err;

	(void)state;
	build("");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		crash.vmcoreinfo = (struct vmcoreinfo){ cases[i].text, strlen(cases[i].text) };
		assert_int_equal(kernel.arch->init(&kernel, &err), -ENODATA);
		assert_string_equal(err.text, cases[i].error);
	}
	crash.vmcoreinfo.text = "NUMBER(phys_base)=-4096\nSYMBOL(swapper_pg_dir)=ffffffff80012000\n";
	crash.vmcoreinfo.len = strlen(crash.vmcoreinfo.text);
	assert_int_equal(kernel.arch->init(&kernel, &err), 0);
	assert_int_equal(kernel.pgd, 0x11000);
}

static void test_vtop(void **state)
{
	static const char *const modes[] = { "", "NUMBER(pgtable_l5_enabled)=1\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		build(modes[i]);
		map(0xffffc90000001000, 1, 0x123456789000 | RW_AD | NX);
		map(0xffffc90000002000, 1, 0x5000 | RW_AD | PAT4K);
		map(0xffffc90000400000, 2, 0x40000000 | RW_AD | PS | NX);
		map(0xffffc90000600000, 2, 0x40200000 | RW_AD | PS | PAT);
		map(0xffffc98040000000, 3, 0x8000000000 | RW_AD | PS | PAT);
		assert_true(vtop(0xffffc90000001000) == 0x123456789000);
		assert_true(vtop(0xffffc90000001abc) == 0x123456789abc);
		/* Bit 7 of a 4 KiB page is PAT, not its size. */
		assert_true(vtop(0xffffc90000002fff) == 0x5fff);
		assert_true(vtop(0xffffc90000400000) == 0x40000000);
		assert_true(vtop(0xffffc900005fffff) == 0x401fffff);
		/* Bit 12 of a large page is PAT, not its address. */
		assert_true(vtop(0xffffc90000601234) == 0x40201234);
		assert_true(vtop(0xffffc98040000000) == 0x8000000000);
		assert_true(vtop(0xffffc9807fffffff) == 0x803fffffff);
		assert_int_equal(room(0xffffc90000001abc), 0x544);
		assert_int_equal(room(0xffffc90000400000), 0x200000);
		assert_int_equal(room(0xffffc900005fffff), 1);
		assert_int_equal(room(0xffffc98040000001), 0x3fffffff);
		assert_true(vtop(0xffffc90000000000) == (uint64_t)-ENODATA);
		assert_true(vtop(0xffffc90000003000) == (uint64_t)-ENODATA);
		assert_true(vtop(0xffffc98000000000) == (uint64_t)-ENODATA);
		assert_true(vtop(0) == (uint64_t)-ENODATA);
		teardown(NULL);
	}
	build("");
}

/* Without the key the tables tell how many they are: they lead to themselves. */
static void test_levels_not_said(void **state)
{
	static const char *const modes[] = { "", "NUMBER(pgtable_l5_enabled)=1\n" };
	struct error err;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++) {
		build(modes[i]);
		assert_int_equal(kernel.levels, 4 + i);
		map(KERNEL_MAP + ROOT - PHYS_BASE, 1, ROOT | RW_AD);
		crash.vmcoreinfo.len -= strlen(modes[i]);
		assert_int_equal(kernel.arch->init(&kernel, &err), 0);
		assert_int_equal(kernel.levels, 4 + i);
		teardown(NULL);
	}
	build("");
}

/* A fifth level is a table, whatever bit 7 says; and so is the fourth. */
static void test_no_large_pages_above_1g(void **state)
{
	(void)state;
	build("");
	map(0xffffc90000001000, 1, 0x9000 | RW_AD);
	for (unsigned int i = 0; i < 512; i++)
		if (get_entry(ROOT, i))
			entry(ROOT, i, get_entry(ROOT, i) | PS);
	assert_true(vtop(0xffffc90000001000) == 0x9000);
}

static void test_sme(void **state)
{
	const uint64_t c_bit = 1ULL << 47;

	(void)state;
	build("NUMBER(sme_mask)=140737488355328\n");
	map(0xffffc90000001000, 1, 0x5000 | RW_AD | c_bit);
	for (paddr_t table = ROOT; table < next_table; table += 0x1000)
		for (unsigned int i = 0; i < 512; i++)
			if (get_entry(table, i))
				entry(table, i, get_entry(table, i) | c_bit);
	assert_true(vtop(0xffffc90000001008) == 0x5008);
}

static void test_unreadable_table(void **state)
{
	(void)state;
	build("");
	map(0xffffc90000001000, 1, 0x5000 | RW_AD);
	fake_mem_refuse(&ram, ROOT + 0x3000, ROOT + 0x4000, -EIO);
	assert_true(vtop(0xffffc90000001000) == (uint64_t)-EIO);
	/* A table outside of RAM. */
	map(0xffffd00000000000, 4, 0x7000000000 | RW_AD);
	assert_true(vtop(0xffffd00000000000) == (uint64_t)-ENODATA);
}

/* --- enumeration ------------------------------------------------------------------------------------------------------ */

struct list {
	struct mapping m[16];
	unsigned int nr, stop_at;
};

static int collect(void *arg, const struct mapping *mapping)
{
	struct list *list = arg;

	if (list->nr < ARRAY_SIZE(list->m))
		list->m[list->nr] = *mapping;
	list->nr++;
	return list->nr == list->stop_at ? -ECANCELED : 0;
}

static int each(vaddr_t start, vaddr_t last, struct list *list)
{
	*list = (struct list){ .stop_at = list->stop_at };
	return kernel.arch->each_mapping(&kernel, start, last, collect, list);
}

static void expect(const struct list *list, unsigned int i, vaddr_t vaddr, paddr_t paddr, uint64_t len)
{
	const struct mapping *m = &list->m[i];

	if (i >= list->nr || m->vaddr != vaddr || m->paddr != paddr || m->len != len)
		fail_msg("mapping %u of %u: %#jx -> %#jx, %#jx", i, list->nr, (uintmax_t)m->vaddr, (uintmax_t)m->paddr,
			 (uintmax_t)m->len);
}

static void make_mappings(void)
{
	map(0x00007f0000000000, 1, 0x2000 | RW_AD);
	map(0xffffc90000001000, 1, 0x5000 | RW_AD);
	map(0xffffc90000002000, 1, 0x6000 | RW_AD);		/* continues */
	map(0xffffc90000003000, 1, 0x9000 | RW_AD);		/* does not */
	map(0xffffc90000005000, 1, 0xa000 | RW_AD);		/* neither */
	map(0xffffc900001ff000, 1, 0x3ff000 | RW_AD);
	map(0xffffc90000200000, 2, 0x400000 | RW_AD | PS);	/* continues across levels */
	map(0xffffc90000400000, 2, 0x600000 | RW_AD | PS);
	map(0xffffc90040000000, 3, 0x40000000 | RW_AD | PS);
	map(0xfffffffffffff000, 1, 0x1000 | RW_AD);		/* the very last page */
}

static void test_each(void **state)
{
	static const char *const modes[] = { "", "NUMBER(pgtable_l5_enabled)=1\n" };
	struct list list = { .nr = 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		build(modes[i]);
		make_mappings();
		assert_int_equal(each(0, UINT64_MAX, &list), 0);
		assert_int_equal(list.nr, 7);
		expect(&list, 0, 0x00007f0000000000, 0x2000, 0x1000);
		expect(&list, 1, 0xffffc90000001000, 0x5000, 0x2000);
		expect(&list, 2, 0xffffc90000003000, 0x9000, 0x1000);
		expect(&list, 3, 0xffffc90000005000, 0xa000, 0x1000);
		expect(&list, 4, 0xffffc900001ff000, 0x3ff000, 0x401000);
		expect(&list, 5, 0xffffc90040000000, 0x40000000, 0x40000000);
		expect(&list, 6, 0xfffffffffffff000, 0x1000, 0x1000);
		teardown(NULL);
	}
	build("");
}

static void test_each_in_range(void **state)
{
	struct list list = { .nr = 0 };

	(void)state;
	build("");
	make_mappings();
	assert_int_equal(each(0xffffc90000002000, 0xffffc90000003fff, &list), 0);
	assert_int_equal(list.nr, 2);
	expect(&list, 0, 0xffffc90000002000, 0x6000, 0x1000);
	expect(&list, 1, 0xffffc90000003000, 0x9000, 0x1000);
	assert_int_equal(each(0xffffc90000006000, 0xffffc900001fefff, &list), 0);
	assert_int_equal(list.nr, 0);
	assert_int_equal(each(UINT64_MAX, UINT64_MAX, &list), 0);
	assert_int_equal(list.nr, 1);
}

static void test_each_stops(void **state)
{
	struct list list = { .stop_at = 2 };

	(void)state;
	build("");
	make_mappings();
	assert_int_equal(each(0, UINT64_MAX, &list), -ECANCELED);
	assert_int_equal(list.nr, 2);
}

/* A table that cannot be read is passed over, the others are not. */
static void test_each_unreadable(void **state)
{
	struct list list = { .nr = 0 };

	(void)state;
	build("");
	map(0xffffc90000001000, 1, 0x5000 | RW_AD);
	map(0xffffd00000001000, 1, 0x6000 | RW_AD);
	fake_mem_refuse(&ram, ROOT + 0x1000, ROOT + 0x1001, -EIO);
	assert_int_equal(each(0, UINT64_MAX, &list), 0);
	assert_int_equal(list.nr, 1);
	expect(&list, 0, 0xffffd00000001000, 0x6000, 0x1000);
	fake_mem_refuse(&ram, ROOT, ROOT + 1, -EIO);
	assert_int_equal(each(0, UINT64_MAX, &list), -EIO);
}

/* One entry that points back at the root, as some kernels have: finite, and found at the right addresses. */
static void test_self_reference(void **state)
{
	struct list list = { .nr = 0 };

	(void)state;
	build("");
	entry(ROOT, 510, ROOT | RW_AD);
	assert_int_equal(each(0, UINT64_MAX, &list), 0);
	assert_int_equal(list.nr, 1);
	expect(&list, 0, 0xffffff7fbfdfe000, ROOT, 0x1000);
}

/* Nothing but pointers in circles: the walk gives up. */
static void test_circles(void **state)
{
	struct list list = { .nr = 0 };

	(void)state;
	build("");
	for (unsigned int i = 0; i < 512; i++) {
		entry(ROOT, i, (ROOT + 0x1000) | RW_AD);
		entry(ROOT + 0x1000, i, (ROOT + 0x2000) | RW_AD);
		entry(ROOT + 0x2000, i, (ROOT + 0x3000) | RW_AD);
	}
	assert_int_equal(each(0, UINT64_MAX, &list), -E2BIG);
	assert_int_equal(list.nr, 0);
}

/* The same with tables that are not there: what cannot be read counts as well. */
static void test_circles_to_nowhere(void **state)
{
	struct list list = { .nr = 0 };

	(void)state;
	build("");
	for (unsigned int i = 0; i < 512; i++) {
		if (i < 8)
			entry(ROOT, i, (ROOT + 0x1000) | RW_AD);
		entry(ROOT + 0x1000, i, (ROOT + 0x2000) | RW_AD);
		entry(ROOT + 0x2000, i, (ROOT + 0x3000) | RW_AD);
	}
	fake_mem_refuse(&ram, ROOT + 0x3000, ROOT + 0x4000, -EIO);
	assert_int_equal(each(0, UINT64_MAX, &list), -E2BIG);
}

/* Modules lie behind the image, vmalloc space and the CPU entry areas between direct map and image. */
static void test_areas(void **state)
{
	struct segment segs[] = {
		{ 0xffffffff81000000, 0x1000000, 0, 0x2345678, 0x2345678, 7, 0 },
		{ 0xffff888000001000, 0x1000, 0, 0x9000, 0x9000, 7, 1 },
		{ 0xffff888100000000, 0x100000000, 0, 0x40000000, 0x40000000, 7, 2 },
		{ 0xffffc90000000000, PADDR_NONE, 0, 0x1000, 0x1000, 7, 3 },
	};
	struct area areas[ARCH_AREAS_MAX];

	(void)state;
	build("");
	crash.segs = segs;
	crash.nr_segs = ARRAY_SIZE(segs);
	assert_int_equal(kernel.arch->areas(&kernel, areas), 3);
	assert_true(areas[0].start == 0xffffffff83346000 && areas[0].last == UINT64_MAX && !areas[0].mixed);
	assert_true(areas[1].start == 0xfffffe0000000000 && areas[1].last == 0xfffffeffffffffff && !areas[1].mixed);
	assert_true(areas[2].start == 0xffff888140000000 && areas[2].last == 0xfffffdffffffffff && areas[2].mixed);
	/* Without a direct map nothing says where all that begins; a segment at the very top leaves no room for modules. */
	crash.nr_segs = 1;
	assert_int_equal(kernel.arch->areas(&kernel, areas), 1);
	segs[0].memsz = -segs[0].vaddr - 1;
	assert_int_equal(kernel.arch->areas(&kernel, areas), 0);
	crash.segs = segs + 3;
	assert_int_equal(kernel.arch->areas(&kernel, areas), 0);
}

/* Where the key is missing, the PT_LOAD of the image shows phys_base; one without a physical address shows nothing. */
static void test_phys_base_of_the_image(void **state)
{
	static struct segment segs[2];
	struct error err;

	(void)state;
	build("");
	segs[0] = (struct segment){ KERNEL_MAP + 0x1000, PADDR_NONE, 0, 0x1000, 0x1000, 7, 0 };
	segs[1] = (struct segment){ KERNEL_MAP + 0x1000000, 0x3000000, 0, 0x1000, 0x1000, 7, 1 };
	crash.segs = segs;
	crash.nr_segs = 2;
	crash.vmcoreinfo.text = "SYMBOL(init_top_pgt)=ffffffff81001000\n";
	crash.vmcoreinfo.len = strlen(crash.vmcoreinfo.text);
	assert_int_equal(kernel.arch->init(&kernel, &err), 0);
	assert_int_equal(kernel.phys_base, 0x2000000);
	assert_int_equal(kernel.pgd, 0x3001000);
}

static void test_registry(void **state)
{
	(void)state;
	assert_string_equal(arch_find(EM_X86_64)->name, "x86_64");
	assert_null(arch_find(EM_AARCH64));
	assert_string_equal(arch_machine_name(EM_AARCH64), "aarch64");
	assert_string_equal(arch_machine_name(12345), "an unknown machine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_init, teardown),
		cmocka_unit_test_teardown(test_init_names_what_is_missing, teardown),
		cmocka_unit_test_teardown(test_vtop, teardown),
		cmocka_unit_test_teardown(test_levels_not_said, teardown),
		cmocka_unit_test_teardown(test_no_large_pages_above_1g, teardown),
		cmocka_unit_test_teardown(test_sme, teardown),
		cmocka_unit_test_teardown(test_unreadable_table, teardown),
		cmocka_unit_test_teardown(test_each, teardown),
		cmocka_unit_test_teardown(test_each_in_range, teardown),
		cmocka_unit_test_teardown(test_each_stops, teardown),
		cmocka_unit_test_teardown(test_each_unreadable, teardown),
		cmocka_unit_test_teardown(test_self_reference, teardown),
		cmocka_unit_test_teardown(test_circles, teardown),
		cmocka_unit_test_teardown(test_circles_to_nowhere, teardown),
		cmocka_unit_test_teardown(test_areas, teardown),
		cmocka_unit_test_teardown(test_phys_base_of_the_image, teardown),
		cmocka_unit_test(test_registry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
