// SPDX-License-Identifier: GPL-2.0-or-later
/* Page selection from struct pages to PT_LOADs, on a machine of 1024 page frames with a flat mem_map. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/pagemap_kept.h"
#include "elfcore/plan_filter.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

#define DIRECT 0xffff888000000000ULL
#define NR_PAGES 1024
#define RAM (NR_PAGES * 4096)
#define MAP_POINTER 0x10	/* mem_map, the variable */
#define MAP 0x4000		/* what it points at: 1024 * 64 bytes, page frames 4 to 19 */
#define NO_TYPE 0xffffffff
#define BUDDY 0xffffff7f
#define OFFLINE 0xfffffeff
#define ANON 0x1001

static const char info[] =
	"PAGESIZE=4096\nSYMBOL(mem_map)=ffff888000000010\nSIZE(page)=64\nOFFSET(page.flags)=0\nOFFSET(page.mapping)=24\n"
	"OFFSET(page._mapcount)=48\nOFFSET(page.private)=40\nOFFSET(page.compound_head)=8\nLENGTH(zone.free_area)=11\n"
	"NUMBER(PG_hwpoison)=23\nNUMBER(PG_lru)=4\nNUMBER(PG_private)=13\nNUMBER(PG_head_mask)=65536\nNUMBER(PG_slab)=9\n"
	"OFFSET(page.compound_dtor)=16\nOFFSET(page.compound_order)=17\nNUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n"
	"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n";

static struct fake_mem mem;
static struct segment segs[3];
static struct crash crash;
static struct kernel kernel;
static struct pagemap pm;
static struct error err;

static void put(size_t off, size_t size, uint64_t value)
{
	elf_put(ELFDATA2LSB, fake_mem_at(&mem, off), size, value);
}

static void set_page(pfn_t pfn, uint64_t mapping, uint32_t type, uint64_t private)
{
	put(MAP + 64 * pfn + 24, 8, mapping);
	put(MAP + 64 * pfn + 48, 4, type);
	put(MAP + 64 * pfn + 40, 8, private);
}

static int setup(void **state)
{
	uint8_t *ram = calloc(1, RAM);

	(void)state;
	fake_mem_init(&mem);
	fake_mem_add(&mem, 0, ram, RAM);
	free(ram);
	put(MAP_POINTER, 8, DIRECT + MAP);
	for (pfn_t pfn = 0; pfn < NR_PAGES; pfn++)
		set_page(pfn, 0, NO_TYPE, 0);
	memset(&crash, 0, sizeof(crash));
	segs[0] = (struct segment){ .vaddr = DIRECT, .filesz = RAM, .memsz = RAM };
	crash.ehdr.form = FORMS[0];
	crash.ehdr.machine = EM_X86_64;
	crash.segs = segs;
	crash.nr_segs = 1;
	crash.vmcoreinfo = (struct vmcoreinfo){ info, sizeof(info) - 1 };
	memset(&kernel, 0, sizeof(kernel));
	kernel.crash = &crash;
	kernel.mem = &mem.mem;
	kernel.page_size = 4096;
	kernel.can_translate = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pagemap_deinit(&pm);
	fake_mem_free(&mem);
	return 0;
}

static void judge(unsigned int level)
{
	assert_int_equal(pagemap_init(&pm, &kernel, level, NULL, &err), 0);
	assert_true(pm.classify);
	pagemap_window(&pm, 0);
}

static void assert_runs(const pfn_t *runs, unsigned int nr)
{
	pfn_t pfn = 0, end;
	unsigned int i;

	for (i = 0; pagemap_next_run(&pm, &pfn, &end); pfn = end, i++) {
		assert_true(i < nr);
		assert_int_equal(pfn, runs[2 * i]);
		assert_int_equal(end, runs[2 * i + 1]);
	}
	assert_int_equal(i, nr);
}

static void test_runs(void **state)
{
	static const pfn_t wanted[] = { 0, 17, 18, 32, 48, 1023 };

	(void)state;
	set_page(17, ANON, NO_TYPE, 0);
	set_page(32, 0, BUDDY, 4);
	set_page(40, ANON, NO_TYPE, 0);		/* inside the free block: not looked at */
	set_page(1023, ANON, NO_TYPE, 0);
	judge(DUMP_LEVEL_USER | DUMP_LEVEL_FREE);
	assert_runs(wanted, 3);
	assert_int_equal(pm.nr_present, NR_PAGES);
	assert_int_equal(pm.nr_wanted, NR_PAGES - 18);
	assert_int_equal(pm.nr_class[PAGE_FREE], 16);
	assert_int_equal(pm.nr_class[PAGE_USER], 2);
	assert_int_equal(pm.max_pfn, NR_PAGES);
}

static void test_level_0_keeps_all(void **state)
{
	static const pfn_t wanted[] = { 0, NR_PAGES };

	(void)state;
	set_page(17, ANON, NO_TYPE, 0);
	set_page(32, 0, BUDDY, 4);
	judge(DUMP_LEVEL_ZERO);
	assert_runs(wanted, 1);
}

/* A block that says it is larger than the window, or begins where it cannot, excludes no page that is not there. */
static void test_nonsense_order(void **state)
{
	static const pfn_t wanted[] = { 0, 33, 34, NR_PAGES };

	(void)state;
	put(MAP + 64 * 33, 8, 1 << 16 | 1 << 4);		/* a compound page of order 9 at an odd place */
	put(MAP + 64 * 34 + 17, 1, 9);
	set_page(33, ANON, NO_TYPE, 0);
	judge(DUMP_LEVEL_USER);
	assert_runs(wanted, 2);
}

/* struct pages that cannot be read: theirs are kept, and only theirs. */
static void test_unreadable_structs(void **state)
{
	static const pfn_t wanted[] = { 0, 100, 101, NR_PAGES };

	(void)state;
	set_page(17, ANON, NO_TYPE, 0);
	set_page(100, ANON, NO_TYPE, 0);
	fake_mem_refuse(&mem, MAP, MAP + 4096, -EIO);
	judge(DUMP_LEVEL_USER);
	assert_runs(wanted, 2);
	assert_int_equal(pm.nr_unknown, 64);
}

static void put_kinds(void)
{
	set_page(17, ANON, NO_TYPE, 0);
	set_page(32, 0, BUDDY, 4);
	for (pfn_t pfn = 600; pfn < 700; pfn++)
		set_page(pfn, ANON, NO_TYPE, 0);
	set_page(1000, 0, OFFLINE, 0);
	set_page(1023, ANON, NO_TYPE, 0);
}

/* Looked at in place, without a single read beside that of mem_map, the answer is the same. */
static void test_in_place(void **state)
{
	static const pfn_t wanted[] = { 0, 17, 18, 32, 48, 600, 700, 1000, 1001, 1023 };

	(void)state;
	put_kinds();
	mem.in_place = true;
	judge(DUMP_LEVEL_USER | DUMP_LEVEL_FREE);
	assert_runs(wanted, 5);
	assert_int_equal(mem.nr_looks, 1);
	assert_int_equal(mem.nr_requests, 1);
	assert_int_equal(pm.nr_class[PAGE_USER], 102);
	assert_int_equal(pm.nr_class[PAGE_FREE], 16);
	assert_int_equal(pm.nr_unknown, 0);
}

/* A fault there decides and counts nothing: what can be read is judged from copies, and looking is not tried again for each. */
static void test_in_place_faults(void **state)
{
	static const pfn_t wanted[] = { 0, 17, 18, 32, 48, 600, 640, 1000, 1001, 1023 };

	(void)state;
	put_kinds();
	for (pfn_t pfn = 640; pfn < 700; pfn++)
		set_page(pfn, 0, NO_TYPE, 0);
	fake_mem_refuse(&mem, MAP + 64 * 704, MAP + 64 * 768, -EIO);
	mem.in_place = true;
	judge(DUMP_LEVEL_USER | DUMP_LEVEL_FREE);
	assert_runs(wanted, 5);
	assert_int_equal(mem.nr_looks, 1);
	assert_int_equal(pm.nr_class[PAGE_USER], 42);
	assert_int_equal(pm.nr_class[PAGE_FREE], 16);
	assert_int_equal(pm.nr_unknown, 64);
}

/* Between segments there is nothing, whatever the struct pages say; half a page is a page. */
static void test_holes_between_segments(void **state)
{
	static const pfn_t wanted[] = { 0, 64, 128, 130 };

	(void)state;
	segs[0].filesz = segs[0].memsz = 64 * 4096;
	segs[1] = (struct segment){ .vaddr = DIRECT + 128 * 4096, .paddr = 128 * 4096, .src = 128 * 4096,
				    .filesz = 5000, .memsz = 5000 };
	crash.nr_segs = 2;
	judge(DUMP_LEVEL_USER);
	assert_runs(wanted, 2);
	assert_int_equal(pm.nr_present, 66);
}

static void test_without_layout(void **state)
{
	struct fake_log log;

	(void)state;
	crash.vmcoreinfo.len = 20;
	assert_int_equal(pagemap_init(&pm, &kernel, 31, fake_log_init(&log), &err), 0);
	assert_false(pm.classify);
	assert_text(log.text, "pages cannot be told apart, all are kept: VMCOREINFO has no valid SIZE(page)");
	pagemap_window(&pm, 0);
	assert_int_equal(pm.nr_wanted, NR_PAGES);
}

/* --- cutting PT_LOADs -------------------------------------------------------------------------------------------------- */

static struct plan plan;

static int filter(unsigned int level, unsigned int max)
{
	assert_int_equal(plan_init(&plan, &crash, 4096, &err), 0);
	assert_int_equal(pagemap_init(&pm, &kernel, level, NULL, &err), 0);
	return plan_filter(&plan, &pm, max, &err);
}

static void assert_load(unsigned int i, vaddr_t vaddr, paddr_t paddr, uint64_t len)
{
	assert_true(plan.loads[i].seg.vaddr == vaddr);
	assert_int_equal(plan.loads[i].seg.paddr, paddr);
	assert_int_equal(plan.loads[i].seg.src, paddr);
	assert_int_equal(plan.loads[i].seg.filesz, len);
	assert_int_equal(plan.loads[i].seg.memsz, len);
}

/* Both views of the image lose the same pages and share what is left. */
static void test_cut(void **state)
{
	(void)state;
	segs[0].filesz = segs[0].memsz = 256 * 4096;
	segs[1] = segs[0];
	segs[0] = (struct segment){ .vaddr = 0xffffffff81000000, .paddr = 0x10000, .src = 0x10000, .filesz = 0x8000,
				    .memsz = 0x8000 };
	crash.nr_segs = 2;
	set_page(0x12, ANON, NO_TYPE, 0);
	set_page(0x80, 0, BUDDY, 7);
	assert_int_equal(filter(31, 100), 0);
	assert_int_equal(plan.gap, 1);
	assert_int_equal(plan.nr_loads, 4);
	assert_load(0, 0xffffffff81000000, 0x10000, 0x2000);
	assert_load(1, 0xffffffff81003000, 0x13000, 0x5000);
	assert_load(2, DIRECT, 0, 0x12000);
	assert_load(3, DIRECT + 0x13000, 0x13000, 0x80000 - 0x13000);
	assert_int_equal(plan.nr_ranges, 2);
	assert_int_equal(plan_layout(&plan, 0, &err), 0);
	assert_int_equal(plan.data_len, 0x7f000);
	assert_int_equal(plan.loads[1].off, plan.loads[3].off);
	plan_deinit(&plan);
}

/* Too many runs: short gaps are kept as well. One with an offline page is kept later. */
static void test_too_many_runs(void **state)
{
	(void)state;
	segs[0].filesz = segs[0].memsz = 256 * 4096;
	for (pfn_t pfn = 16; pfn < 64; pfn += 2)
		set_page(pfn, ANON, NO_TYPE, 0);
	set_page(100, 0, OFFLINE, 0);
	set_page(128, 0, BUDDY, 6);
	assert_int_equal(filter(31, 4), 0);
	assert_int_equal(plan.gap, 2);
	assert_int_equal(plan.nr_loads, 3);
	assert_load(0, DIRECT, 0, 100 * 4096);
	assert_load(1, DIRECT + 101 * 4096, 101 * 4096, 27 * 4096);
	assert_load(2, DIRECT + 192 * 4096, 192 * 4096, 64 * 4096);
	plan_deinit(&plan);
}

/* A gap of one offline page counts as one of 64 pages: it is kept where a shorter one would not be enough. */
static void test_offline_gaps_last(void **state)
{
	(void)state;
	segs[0].filesz = segs[0].memsz = 256 * 4096;
	for (pfn_t pfn = 16; pfn < 48; pfn += 2)
		set_page(pfn, 0, OFFLINE, 0);
	set_page(48, 0, BUDDY, 4);
	set_page(128, 0, BUDDY, 7);
	assert_int_equal(filter(31, 4), 0);
	assert_int_equal(plan.gap, 128);
	assert_int_equal(plan.nr_loads, 1);
	assert_load(0, DIRECT, 0, 128 * 4096);
	plan_deinit(&plan);
}

/* What may be a machine check is kept when nothing else is left. */
static void test_poisoned_gaps_last_of_all(void **state)
{
	(void)state;
	segs[0].filesz = segs[0].memsz = 256 * 4096;
	for (pfn_t pfn = 16; pfn < 48; pfn += 2)
		set_page(pfn, 0, OFFLINE, 0);
	put(MAP + 64 * 100, 8, 1 << 23);
	assert_int_equal(filter(31, 2), 0);
	assert_int_equal(plan.gap, 128);
	assert_int_equal(plan.nr_loads, 2);
	assert_load(0, DIRECT, 0, 100 * 4096);
	assert_load(1, DIRECT + 101 * 4096, 101 * 4096, 155 * 4096);
	plan_deinit(&plan);
	pagemap_deinit(&pm);

	assert_int_equal(filter(31, 1), 0);
	assert_int_equal(plan.gap, 1 << 21);
	assert_load(0, DIRECT, 0, 256 * 4096);
	plan_deinit(&plan);
}

/* Page frames 510 to 513 lie in two windows when pages have 2 MiB: what is between them counts as it does within one. */
static void test_gap_over_a_window(void **state)
{
	const uint64_t page_size = 2 << 20;

	(void)state;
	kernel.page_size = page_size;
	segs[0].filesz = segs[0].memsz = NR_PAGES * page_size;
	for (pfn_t pfn = 510; pfn < 514; pfn++)
		set_page(pfn, ANON, NO_TYPE, 0);
	for (pfn_t pfn = 600; pfn < 608; pfn++)
		set_page(pfn, ANON, NO_TYPE, 0);
	assert_int_equal(filter(31, 2), 0);
	assert_int_equal(plan.gap, 8);
	assert_load(0, DIRECT, 0, 600 * page_size);
	assert_load(1, DIRECT + 608 * page_size, 608 * page_size, 416 * page_size);
	plan_deinit(&plan);
	pagemap_deinit(&pm);

	set_page(511, 0, OFFLINE, 0);
	assert_int_equal(filter(31, 2), 0);
	assert_int_equal(plan.gap, 16);
	assert_load(0, DIRECT, 0, 510 * page_size);
	assert_load(1, DIRECT + 514 * page_size, 514 * page_size, 510 * page_size);
	plan_deinit(&plan);
	pagemap_deinit(&pm);

	assert_int_equal(filter(31, 1), 0);
	assert_int_equal(plan.gap, 512);
	assert_load(0, DIRECT, 0, NR_PAGES * page_size);
	plan_deinit(&plan);
}

/* A window that is known is not read again; one that is not known is. */
static void test_kept(void **state)
{
	static const pfn_t known[] = { 0, 17, 18, NR_PAGES }, unread[] = { 0, NR_PAGES };
	struct pagemap_kept kept;

	(void)state;
	set_page(17, ANON, NO_TYPE, 0);
	judge(DUMP_LEVEL_USER);
	pagemap_kept_init(&kept, &pm);
	pagemap_keep(&kept, &pm);
	fake_mem_refuse(&mem, MAP, MAP + 64 * NR_PAGES, -EIO);
	memset(pm.present, 0, pm.nr_pages / 8);
	memset(pm.wanted, 0, pm.nr_pages / 8);
	pagemap_window_again(&kept, &pm, 0);
	assert_runs(known, 2);
	assert_memory_equal(pm.present, "\xff\xff\xff\xff", 4);
	kept.nr = 0;
	pagemap_window_again(&kept, &pm, 0);
	assert_runs(unread, 1);
	for (unsigned int i = 0; i <= kept.max; i++)
		pagemap_keep(&kept, &pm);
	assert_int_equal(kept.nr, kept.max);
	pagemap_kept_deinit(&kept);
}

/* A part of a split dump may begin 2^32 pages behind a window: nothing of that one is in it. */
static void test_far_start(void **state)
{
	pfn_t pfn = 3 + (1ULL << 32), end;

	(void)state;
	pagemap_init(&pm, &kernel, 0, NULL, &err);
	pagemap_window(&pm, 0);
	assert_false(pagemap_next_run(&pm, &pfn, &end));
	pfn = NR_PAGES - 1;
	assert_true(pagemap_next_run(&pm, &pfn, &end));
	assert_int_equal(end, NR_PAGES);
}

/* A selection without the key that tells tail pages leaves no user page out, nor does it count them as left out. */
static void test_tails_unknown(void **state)
{
	char *text = strdup(info);
	pfn_t pfn = 0, end;

	(void)state;
	*strstr(text, "OFFSET(page.compound_head)") = '-';
	crash.vmcoreinfo = (struct vmcoreinfo){ text, sizeof(info) - 1 };
	set_page(100, ANON, NO_TYPE, 0);
	set_page(200, 0, BUDDY, 0);
	pagemap_init(&pm, &kernel, DUMP_LEVEL_MAX, NULL, &err);
	assert_int_equal(pm.level_done, DUMP_LEVEL_ZERO | DUMP_LEVEL_FREE);
	assert_text(pm.why.text, "OFFSET(page.compound_head)");
	pagemap_window(&pm, 0);
	assert_true(pagemap_next_run(&pm, &pfn, &end));
	assert_int_equal(end, 200);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_level_0_keeps_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable_structs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_place_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_holes_between_segments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_layout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_offline_gaps_last, setup, teardown),
		cmocka_unit_test_setup_teardown(test_poisoned_gaps_last_of_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gap_over_a_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_far_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tails_unknown, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
