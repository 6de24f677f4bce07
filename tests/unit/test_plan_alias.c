// SPDX-License-Identifier: GPL-2.0-or-later
/* Which addresses get alias segments, and which get them first: an architecture maps what the test says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/plan_alias.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

#define MODULES 0xffffffffc0000000ULL
#define ENTRY 0xfffffe0000000000ULL
#define VMALLOC 0xffffc90000000000ULL
#define DIRECT 0xffff888000000000ULL
#define PAGES (1U << 12)		/* of memory, from physical 0x100000 on */
#define RAM 0x100000ULL
#define SRC 0x5000000ULL

static struct crash crash;
static struct plan plan;
static struct kernel kernel;
static struct error err;
static struct fake_log log_;
static struct fake_mem mem;
static struct bytes notes;

static struct mapping mappings[4096];
static unsigned int nr_mappings;
static pfn_t next_page;
static unsigned int nr_walks[3];
static int walk_result;

static const struct area AREAS[] = {
	{ MODULES, UINT64_MAX, false }, { ENTRY, ENTRY + 0xffffffffff, false }, { VMALLOC, ENTRY - 1, true },
};

static int compare_mappings(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

static int fake_each_mapping(struct kernel *k, vaddr_t start, vaddr_t last, mapping_fn *fn, void *arg)
{
	int rc = 0;

	(void)k;
	qsort(mappings, nr_mappings, sizeof(*mappings), compare_mappings);
	for (size_t i = 0; i < ARRAY_SIZE(AREAS); i++)
		nr_walks[i] += start == AREAS[i].start && last == AREAS[i].last;
	for (const struct mapping *m = mappings; m < mappings + nr_mappings && !rc; m++)
		if (m->vaddr + (m->len - 1) >= start && m->vaddr <= last)
			rc = fn(arg, m);
	return rc ? rc : walk_result;
}

static int fake_vtop(struct kernel *k, vaddr_t vaddr, paddr_t *ret, uint64_t *len_ret)
{
	(void)k;
	for (const struct mapping *m = mappings; m < mappings + nr_mappings; m++)
		if (vaddr - m->vaddr < m->len) {
			*ret = m->paddr + (vaddr - m->vaddr);
			*len_ret = m->len - (vaddr - m->vaddr);
			return 0;
		}
	return -ENODATA;
}

static unsigned int fake_areas(const struct kernel *k, struct area ret[ARCH_AREAS_MAX])
{
	(void)k;
	memcpy(ret, AREAS, sizeof(AREAS));
	return ARRAY_SIZE(AREAS);
}

static const struct arch_ops fake_arch = {
	.name = "fake", .each_mapping = fake_each_mapping, .vtop = fake_vtop, .areas = fake_areas, .sp_off = 112 + 19 * 8,
};

static int setup(void **state)
{
	static struct segment segs[70000];

	(void)state;
	memset(&crash, 0, sizeof(crash));
	crash.ehdr.form = FORMS[0];
	crash.ehdr.machine = EM_X86_64;
	crash.segs = segs;
	fake_mem_init(&mem);
	notes_init(&crash.notes, ELFDATA2LSB);
	kernel = (struct kernel){
		.crash = &crash, .mem = &mem.mem, .arch = &fake_arch, .can_translate = true, .page_size = 4096,
	};
	nr_mappings = walk_result = 0;
	next_page = RAM / 4096;
	memset(nr_walks, 0, sizeof(nr_walks));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	plan_deinit(&plan);
	fake_mem_free(&mem);
	notes_deinit(&crash.notes);
	bytes_free(&notes);
	return 0;
}

static void load(vaddr_t vaddr, paddr_t paddr, maddr_t src, uint64_t filesz)
{
	crash.segs[crash.nr_segs] = (struct segment){ vaddr, paddr, src, filesz, filesz, 7, crash.nr_segs };
	crash.nr_segs++;
}

/* All the memory that the tests' mappings need. */
static void load_ram(void)
{
	uint8_t *zeros = calloc(PAGES, 4096);

	load(DIRECT + RAM, RAM, SRC, PAGES * 4096ULL);
	fake_mem_add(&mem, SRC, zeros, PAGES * 4096ULL);
	free(zeros);
}

static void map(vaddr_t vaddr, paddr_t paddr, uint64_t len)
{
	mappings[nr_mappings++] = (struct mapping){ vaddr, paddr, len };
}

/* Virtually contiguous pages, none of which follows another in memory. */
static void map_scattered(vaddr_t vaddr, unsigned int nr_pages)
{
	for (unsigned int i = 0; i < nr_pages; i++, next_page += 2)
		map(vaddr + i * 4096ULL, next_page * 4096, 4096);
}

static void add_aliases(unsigned int max)
{
	assert_int_equal(plan_init(&plan, &crash, 4096, &err), 0);
	plan_add_aliases(&plan, &kernel, max, fake_log_init(&log_));
	assert_int_equal(plan_layout(&plan, 0, &err), 0);
	assert_true(plan.nr_aliases <= max);
	for (unsigned int i = 0; i < plan.nr_loads; i++)
		assert_int_equal(plan.loads[i].seg.paddr == PADDR_NONE, i >= plan.nr_loads - plan.nr_aliases);
}

static void assert_aliased(unsigned int i, vaddr_t vaddr)
{
	const struct plan_load *l = &plan.loads[plan.nr_loads - plan.nr_aliases + i];

	if (i >= plan.nr_aliases || l->seg.vaddr != vaddr)
		fail_msg("alias %u of %u is of %#jx, not %#jx", i, plan.nr_aliases, (uintmax_t)l->seg.vaddr, (uintmax_t)vaddr);
}

/* Scattered pages from i on, of two aliases each; returns where the next ones begin. */
static unsigned int assert_pages(unsigned int i, vaddr_t vaddr, unsigned int nr_pages)
{
	for (unsigned int page = 0; page < nr_pages; page++, i += 2)
		assert_aliased(i, vaddr + page * 4096ULL);
	return i;
}

/*
 * Two loads behind each other, which together are the alias. The first ends one byte into its last page: p_paddr +
 * p_filesz, with p_paddr all ones, is then the begin of a page, and makedumpfile drops no page for it.
 */
static void assert_alias(unsigned int i, vaddr_t vaddr, uint64_t len, uint64_t off)
{
	const struct plan_load *head = &plan.loads[i], *tail = &plan.loads[i + 1];

	assert_true(head->seg.vaddr == vaddr);
	assert_int_equal(head->off, off);
	assert_true(head->seg.filesz == len - 4095 && head->seg.memsz == len - 4095);
	assert_int_equal((PADDR_NONE + head->seg.filesz) % 4096, 0);
	assert_true(tail->seg.vaddr == vaddr + head->seg.filesz);
	assert_int_equal(tail->off, off + head->seg.filesz);
	assert_true(tail->seg.filesz == 4095 && tail->seg.memsz == 4095);
}

/* The image lies in the direct map; low memory is a copy, in a backup region. */
static void load_small(void)
{
	load(0xffffffff81000000, 0x14000, 0x14000, 0x2000);
	load(DIRECT + 0x1000, 0x1000, 0x81000, 0x3000);
	load(DIRECT + 0x10000, 0x10000, 0x10000, 0x8000);
}

static void test_aliases(void **state)
{
	(void)state;
	load_small();
	map(VMALLOC, 0x12000, 0x4000);
	map(VMALLOC + 0x10000, 0x2000, 0x1000);		/* backup region */
	map(VMALLOC + 0x20000, 0x3000, 0x2000);		/* leaves RAM */
	map(VMALLOC + 0x30000, 0xfe000000, 0x1000);	/* a device */
	map(VMALLOC + 0x40000, 0xf000, 0x2000);		/* enters RAM */
	add_aliases(100);
	assert_int_equal(plan.nr_aliases, 8);
	assert_int_equal(plan.nr_loads, 11);
	assert_alias(3, VMALLOC, 0x4000, plan.loads[2].off + 0x2000);
	assert_alias(5, VMALLOC + 0x10000, 0x1000, plan.loads[1].off + 0x1000);
	assert_alias(7, VMALLOC + 0x20000, 0x1000, plan.loads[1].off + 0x2000);
	assert_alias(9, VMALLOC + 0x41000, 0x1000, plan.loads[2].off);
	/* No byte is stored for them. */
	assert_int_equal(plan.data_len, 0xb000);
	assert_string_equal(log_.text, "");
}

/* Pages that were filtered out are in no alias. */
static void test_only_what_is_stored(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 60000; i++)
		load(DIRECT + i * 0x2000, i * 0x2000, SRC + i * 0x1000ULL, 0x1000);
	map(VMALLOC, 0x3000, 0x4000);
	add_aliases(100);
	assert_int_equal(plan.nr_aliases, 4);
	assert_alias(60000, VMALLOC + 0x1000, 0x1000, plan.loads[2].off);
	assert_alias(60002, VMALLOC + 0x3000, 0x1000, plan.loads[3].off);
}

static void test_limit(void **state)
{
	(void)state;
	load_small();
	for (unsigned int i = 0; i < 5; i++)
		map(VMALLOC + i * 0x2000, 0x10000 + i * 0x1000, 0x1000);
	add_aliases(5);
	assert_int_equal(plan.nr_aliases, 4);
	assert_string_equal(log_.text, "alias segments end after 4 (no room for more)\n");
	assert_true(nr_walks[0] == 1 && nr_walks[1] == 1 && nr_walks[2] == 1);
	for (unsigned int max = 0; max < 5; max++) {
		plan_deinit(&plan);
		add_aliases(max);
		assert_int_equal(plan.nr_aliases, max & ~1U);
	}
}

/* What cannot be walked costs what it would have given, no more. */
static void test_walk_fails(void **state)
{
	(void)state;
	load_small();
	map(MODULES, 0x12000, 0x1000);
	walk_result = -EIO;
	add_aliases(8);
	assert_int_equal(plan.nr_aliases, 2);
	assert_text(log_.text, "page tables not readable");
}

static void test_no_translation(void **state)
{
	(void)state;
	load_small();
	map(MODULES, 0x12000, 0x1000);
	kernel.can_translate = false;
	add_aliases(3);
	assert_int_equal(plan.nr_aliases, 0);
	assert_int_equal(nr_walks[0], 0);
}

/* Broken tables map the whole address space to where no RAM is: that must not be searched page by page. */
static void test_huge_nothing(void **state)
{
	(void)state;
	load_small();
	map(VMALLOC, 0x100000, 1ULL << 44);
	map(VMALLOC + (2ULL << 44), 0, 1ULL << 44);
	add_aliases(100);
	assert_int_equal(plan.nr_aliases, 4);
	assert_alias(3, VMALLOC + (2ULL << 44) + 0x1000, 0x3000, plan.loads[1].off);
	assert_alias(5, VMALLOC + (2ULL << 44) + 0x10000, 0x8000, plan.loads[2].off);
}

/* --- order ------------------------------------------------------------------------------------------------------------ */

/* Whatever else lies before them in vmalloc space: when there is room for the stacks only, those are there. */
static void test_stacks_first(void **state)
{
	static const unsigned int sizes[] = { 4, 8, 16 };
	const vaddr_t stacks = VMALLOC + 0x10000000;
	unsigned int i = 0;

	(void)state;
	load_ram();
	for (unsigned int n = 0; n < 100; n++)
		map_scattered(VMALLOC + n * 0x20000, n % 3 ? 1 + n % 3 : 17);
	for (unsigned int n = 0; n < 3; n++)
		map_scattered(stacks + n * 0x20000, sizes[n]);
	add_aliases(2 * (4 + 8 + 16));
	for (unsigned int n = 0; n < 3; n++)
		i = assert_pages(i, stacks + n * 0x20000, sizes[n]);
	assert_int_equal(i, plan.nr_aliases);
	assert_text(log_.text, "no room for more");
	/* With more room the rest follows, in the order of addresses, nothing twice. */
	plan_deinit(&plan);
	add_aliases(8000);
	for (unsigned int n = 0; n < 100; n++)
		i = assert_pages(i, VMALLOC + n * 0x20000, n % 3 ? 1 + n % 3 : 17);
	assert_int_equal(i, plan.nr_aliases);
	assert_string_equal(log_.text, "");
}

/* Stacks without a gap between them are none, nor is what has the size of several. */
static void test_not_stacks(void **state)
{
	unsigned int i;

	(void)state;
	load_ram();
	map_scattered(VMALLOC, 12);
	map(VMALLOC + 0x100000, RAM + 0x800000, 0x20000);
	map(VMALLOC + 0x200000, RAM + 0x400000, 0x8000);
	map(VMALLOC + 0x208000, RAM + 0x600000, 0x4000);
	map_scattered(VMALLOC + 0x300000, 16 + 16);
	map_scattered(VMALLOC + 0x400000, 4);
	add_aliases(1000);
	i = assert_pages(0, VMALLOC + 0x400000, 4);
	i = assert_pages(i, VMALLOC, 12);
	assert_aliased(i, VMALLOC + 0x100000);
	assert_aliased(i + 2, VMALLOC + 0x200000);
	assert_aliased(i + 4, VMALLOC + 0x208000);
	i = assert_pages(i + 6, VMALLOC + 0x300000, 32);
	assert_int_equal(i, plan.nr_aliases);
}

/* Modules and exception stacks take half of what is left each, and what the stacks leave over. */
static void test_shares(void **state)
{
	unsigned int i;

	(void)state;
	load_ram();
	map_scattered(MODULES, 100);
	map_scattered(ENTRY, 100);
	map_scattered(VMALLOC, 1);
	for (unsigned int n = 1; n <= 4; n++)
		map_scattered(VMALLOC + n * 0x20000, 4);
	add_aliases(120);
	i = assert_pages(0, MODULES, 30);
	i = assert_pages(i, ENTRY, 15);
	for (unsigned int n = 1; n <= 3; n++)
		i = assert_pages(i, VMALLOC + n * 0x20000, 4);
	assert_pages(i, VMALLOC + 4 * 0x20000, 3);
	plan_deinit(&plan);
	add_aliases(140);
	i = assert_pages(0, MODULES, 35);
	i = assert_pages(i, ENTRY, 17);
	for (unsigned int n = 1; n <= 4; n++)
		i = assert_pages(i, VMALLOC + n * 0x20000, 4);
	i = assert_pages(i, MODULES + 35 * 4096, 2);
	assert_int_equal(i, plan.nr_aliases);
}

/* --- stacks of CPUs --------------------------------------------------------------------------------------------------- */

static void cpu(vaddr_t sp)
{
	uint32_t nr = crash.notes.nr_cpus;

	notes.len = 0;
	bytes_prstatus(&notes, FORMS[0], nr + 1, 0xffffffff81000000);
	assert_int_equal(notes_append(&crash.notes, notes.p, notes.len, 4, nr, NULL), 0);
	elf_put(ELFDATA2LSB, crash.notes.buf + crash.notes.cpus[nr].desc_off + fake_arch.sp_off, 8, sp);
}

static void poke(vaddr_t vaddr, uint64_t value)
{
	paddr_t paddr;
	uint64_t len;

	assert_int_equal(fake_vtop(NULL, vaddr, &paddr, &len), 0);
	elf_put(ELFDATA2LSB, fake_mem_at(&mem, SRC + (paddr - RAM)), 8, value);
}

static vaddr_t stack(unsigned int n)
{
	return VMALLOC + n * 0x5000ULL;
}

static void map_stacks(unsigned int nr)
{
	load_ram();
	map_scattered(MODULES, 100);
	for (unsigned int n = 0; n < nr; n++)
		map_scattered(stack(n), 4);
}

/* Of 100 stacks, those that two CPUs were on when they died come before everything, and once. */
static void test_stacks_in_use(void **state)
{
	unsigned int i;

	(void)state;
	map_stacks(100);
	cpu(stack(77) + 0x3e48);
	cpu(0x00007ffc12345678);	/* in user space */
	cpu(stack(33) + 0x10);
	cpu(stack(33) + 0x20);
	add_aliases(2 * 4 * 4);
	i = assert_pages(0, stack(77), 4);
	i = assert_pages(i, stack(33), 4);
	i = assert_pages(i, MODULES, 4);
	assert_pages(i, stack(0), 4);
	plan_deinit(&plan);
	add_aliases(5000);
	assert_int_equal(plan.nr_aliases, 2 * (100 + 400));
}

/* An interrupt's stack names that of the task, an exception's the interrupt's, in frames on their tops. */
static void test_links(void **state)
{
	unsigned int i;

	(void)state;
	map_stacks(100);
	map_scattered(ENTRY + 0x1000, 2);
	poke(stack(60) + 0x4000 - 8, stack(90) + 0x1234);
	poke(ENTRY + 0x3000 - 16, stack(60) + 0x3f00);
	poke(stack(90) + 0x4000 - 16, 0x7ffc00001000);
	cpu(ENTRY + 0x2f00);
	add_aliases(60);
	i = assert_pages(0, ENTRY + 0x1000, 2);
	i = assert_pages(i, stack(60), 4);
	i = assert_pages(i, stack(90), 4);
	assert_pages(i, MODULES, 10);
}

/* A stack that ran over has its pointer in the gap below. */
static void test_overflow(void **state)
{
	unsigned int i;

	(void)state;
	map_stacks(100);
	map_scattered(ENTRY + 0x1000, 2);
	poke(ENTRY + 0x3000 - 16, stack(50) - 8);
	cpu(ENTRY + 0x2f00);
	add_aliases(40);
	i = assert_pages(0, ENTRY + 0x1000, 2);
	i = assert_pages(i, stack(50), 4);
	assert_pages(i, MODULES, 3);
}

/* No CPU's stack takes more than there is for all of them, and no pointer leads astray. */
static void test_wrecked_pointers(void **state)
{
	static const vaddr_t wild[] = {
		0, 8, VMALLOC - 1, VMALLOC, VMALLOC + 0x20000000, ENTRY - 1, ENTRY + 0xffffffffff, MODULES - 1, UINT64_MAX, 1ULL << 63,
	};
	unsigned int i;

	(void)state;
	map_stacks(100);
	map(VMALLOC + 0x20000000, RAM + 0x900000, 0x800000);
	map_scattered(UINT64_MAX - 0xfff, 1);
	for (i = 0; i < ARRAY_SIZE(wild); i++)
		cpu(wild[i]);
	for (i = 0; i < 100; i++) {
		poke(stack(i) + 0x3ff8, stack(i) + 0x3ff0);
		poke(stack(i) + 0x3ff0, stack((i + 1) % 100));
		poke(stack(i) + 0x3fe8, stack((i * 7) % 100));
	}
	for (i = 0; i < 100; i += 3)
		cpu(stack(i) + 0x3000);
	add_aliases(100);
	i = assert_pages(0, stack(0), 4);	/* the begin of vmalloc space */
	for (unsigned int n = 3; n < 18; n += 3)
		i = assert_pages(i, stack(n), 4);
	assert_pages(i, MODULES, 13);
	plan_deinit(&plan);
	add_aliases(5000);
	assert_int_equal(plan.nr_aliases, 2 * (100 + 400 + 1 + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_aliases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_what_is_stored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_translation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_huge_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stacks_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_stacks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shares, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stacks_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrecked_pointers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
