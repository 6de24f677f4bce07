// SPDX-License-Identifier: GPL-2.0-or-later
/* Every byte's place in the dump, before the first one is written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/plan.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

static struct crash crash;
static struct plan plan;
static struct error err;

static int setup(void **state)
{
	(void)state;
	memset(&crash, 0, sizeof(crash));
	crash.ehdr.form = FORMS[0];
	crash.ehdr.machine = EM_X86_64;
	crash.segs = calloc(70000, sizeof(*crash.segs));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	plan_deinit(&plan);
	free(crash.segs);
	return 0;
}

static void load(vaddr_t vaddr, paddr_t paddr, maddr_t src, uint64_t filesz, uint64_t memsz)
{
	crash.segs[crash.nr_segs] = (struct segment){ vaddr, paddr, src, filesz, memsz, 7, crash.nr_segs };
	crash.nr_segs++;
}

static void make(uint64_t page_size, uint64_t notes_len)
{
	assert_int_equal(plan_init(&plan, &crash, page_size, &err), 0);
	assert_int_equal(plan_layout(&plan, notes_len, &err), 0);
}

/* What every plan must hold, whatever it was made of. */
static void check_plan(void)
{
	uint64_t end = plan.notes_off + plan.notes_len, bytes = 0;

	assert_true(plan.data_off >= end);
	for (unsigned int i = 0; i < plan.nr_ranges; i++) {
		const struct plan_range *r = &plan.ranges[i];

		assert_true(r->len > 0 && r->off >= end);
		assert_int_equal(r->off % plan.page_size, r->src % plan.page_size);
		if (i)
			assert_true(r->src > r[-1].src + r[-1].len);
		end = r->off + r->len;
		bytes += r->len;
	}
	assert_true(plan.file_size == end || !plan.nr_ranges);
	assert_true(plan.data_len == bytes);
	for (unsigned int i = 0; i < plan.nr_loads; i++) {
		const struct plan_load *l = &plan.loads[i];
		const struct plan_range *r = plan_find(&plan, l->seg.src);

		if (!l->seg.filesz)
			continue;
		assert_non_null(r);
		assert_true(l->off - r->off == l->seg.src - r->src);
		assert_true(l->seg.src + l->seg.filesz <= r->src + r->len);
	}
}

static void test_simple(void **state)
{
	(void)state;
	load(0x80001000, 0x1000, 0x1000, 0x3000, 0x3000);
	make(4096, 100);
	check_plan();
	assert_int_equal(plan.notes_off, 64 + 2 * 56);
	assert_int_equal(plan.notes_len, 100);
	assert_int_equal(plan.data_off, 4096);
	assert_int_equal(plan.nr_ranges, 1);
	assert_int_equal(plan.ranges[0].off, 4096);
	assert_int_equal(plan.loads[0].off, 4096);
	assert_int_equal(plan.file_size, 4096 + 0x3000);
}

/* The kernel's text inside the direct map is stored once. */
static void test_overlap_stored_once(void **state)
{
	(void)state;
	load(0xffffffff81000000, 0x110000, 0x110000, 0x8000, 0x8000);
	load(0xffff888000100000, 0x100000, 0x100000, 0x40000, 0x40000);
	make(4096, 0);
	check_plan();
	assert_int_equal(plan.nr_ranges, 1);
	assert_int_equal(plan.data_len, 0x40000);
	assert_int_equal(plan.loads[1].off, plan.data_off);
	assert_int_equal(plan.loads[0].off, plan.data_off + 0x10000);
	assert_true(plan.loads[0].seg.vaddr == 0xffffffff81000000);
}

static void test_partial_overlap_and_neighbours(void **state)
{
	(void)state;
	load(0, 0x5000, 0x5000, 0x2000, 0x2000);
	load(0, 0x1000, 0x1000, 0x2000, 0x2000);
	load(0, 0x2000, 0x2000, 0x3000, 0x3000);	/* overlaps the one before, ends where the first begins */
	load(0, 0x9000, 0x9000, 0x1000, 0x1000);
	make(4096, 0);
	check_plan();
	assert_int_equal(plan.nr_ranges, 2);
	assert_int_equal(plan.ranges[0].src, 0x1000);
	assert_int_equal(plan.ranges[0].len, 0x6000);
	assert_int_equal(plan.ranges[1].src, 0x9000);
	assert_int_equal(plan.loads[0].off, plan.data_off + 0x4000);
	assert_int_equal(plan.loads[2].off, plan.data_off + 0x1000);
}

/* Data lies where p_offset says: the backup region's p_paddr is a label only. */
static void test_backup_region(void **state)
{
	(void)state;
	load(0xffff888000001000, 0x1000, 0x3ef61000, 0x9ec00, 0x9ec00);
	load(0xffff888000100000, 0x100000, 0x100000, 0x2000, 0x2000);
	make(4096, 0);
	check_plan();
	assert_int_equal(plan.nr_ranges, 2);
	assert_int_equal(plan.ranges[0].src, 0x100000);
	assert_int_equal(plan.ranges[1].src, 0x3ef61000);
	assert_int_equal(plan.ranges[1].len, 0x9ec00);
	assert_int_equal(plan.loads[0].off, plan.ranges[1].off);
	assert_int_equal(plan.loads[0].seg.paddr, 0x1000);
	assert_int_equal(plan.file_size, plan.data_off + 0x2000 + 0x9ec00);
}

static void test_congruence(void **state)
{
	static const uint64_t pages[] = { 4096, 16384, 65536, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		load(0x1234, 0x1234, 0x1234, 0x777, 0x777);
		load(0x12345, 0x12345, 0x12345, 0x10001, 0x10001);
		load(0xfffff, 0xfffff, 0xfffff, 1, 1);
		load(0x200000, 0x200000, 0x200000, 0x1000, 0x1000);
		make(pages[i], 33);
		check_plan();
		assert_int_equal(plan.nr_ranges, 4);
		assert_int_equal(plan.data_off % pages[i], 0);
		plan_deinit(&plan);
		crash.nr_segs = 0;
	}
}

static void test_filesz_below_memsz(void **state)
{
	(void)state;
	load(0x1000, 0x1000, 0x1000, 0x800, 0x5000);
	load(0x8000, 0x8000, 0x8000, 0, 0x1000);	/* nothing but zeros */
	make(4096, 0);
	check_plan();
	assert_int_equal(plan.nr_ranges, 1);
	assert_int_equal(plan.data_len, 0x800);
	assert_int_equal(plan.loads[0].seg.memsz, 0x5000);
	assert_int_equal(plan.loads[1].seg.filesz, 0);
	assert_int_equal(plan.loads[1].seg.memsz, 0x1000);
	assert_int_equal(plan.loads[1].off, plan.data_off);
}

static void test_only_empty(void **state)
{
	(void)state;
	load(0x8000, 0x8000, 0x8000, 0, 0x1000);
	make(4096, 10);
	check_plan();
	assert_int_equal(plan.nr_ranges, 0);
	assert_int_equal(plan.data_len, 0);
	assert_int_equal(plan.file_size, plan.data_off);
	assert_null(plan_find(&plan, 0x8000));
}

static void test_find(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		load(0, i << 16, i << 16, 0x1000, 0x1000);
	make(4096, 0);
	check_plan();
	for (uint64_t i = 0; i < 100; i++) {
		assert_ptr_equal(plan_find(&plan, i << 16), &plan.ranges[i]);
		assert_ptr_equal(plan_find(&plan, (i << 16) + 0xfff), &plan.ranges[i]);
		assert_null(plan_find(&plan, (i << 16) + 0x1000));
	}
	assert_null(plan_find(&plan, UINT64_MAX));
}

/* ELF32 stays ELF32 to the last byte of 4 GiB, and becomes ELF64 behind it. */
static void test_elf32_over_4g(void **state)
{
	(void)state;
	crash.ehdr.form = FORMS[3];
	load(0xc0000000, 0, 0, UINT32_MAX - 0x1fff, UINT32_MAX - 0x1fff);
	make(4096, 0);
	check_plan();
	assert_int_equal(plan.form.class, ELFCLASS32);
	assert_int_equal(plan.notes_off, 52 + 2 * 32);
	assert_true(plan.file_size == UINT32_MAX - 0xfff);
	plan_deinit(&plan);
	crash.nr_segs = 0;
	load(0xc0000000, 0, 0, UINT32_MAX - 0x1000, UINT32_MAX - 0x1000);
	make(4096, 0);
	check_plan();
	assert_true(plan.file_size == UINT32_MAX);
	assert_int_equal(plan.form.class, ELFCLASS32);
	plan_deinit(&plan);
	crash.nr_segs = 0;
	load(0xc0000000, 0, 0, UINT32_MAX - 0xfff, UINT32_MAX - 0xfff);
	make(4096, 0);
	check_plan();
	assert_int_equal(plan.form.class, ELFCLASS64);
	assert_int_equal(plan.form.data, ELFDATA2MSB);
	assert_int_equal(plan.notes_off, 64 + 2 * 56);
}

static void test_too_large(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		load(0, 0, i << 61, (1ULL << 61) - 4096, (1ULL << 61) - 4096);
	assert_int_equal(plan_init(&plan, &crash, 4096, &err), 0);
	assert_int_equal(plan_layout(&plan, 0, &err), -EOVERFLOW);
}

static void test_xnum_room(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 65533; i++)
		load(0, i << 13, i << 13, 0x1000, 0x1000);
	make(4096, 0);
	check_plan();
	assert_int_equal(plan.notes_off, 64 + 65534 * 56);
	plan_deinit(&plan);
	load(0, 65533 << 13, 65533 << 13, 0x1000, 0x1000);
	make(4096, 0);
	check_plan();
	/* One more, and there is a section header. */
	assert_int_equal(plan.notes_off, 64 + 65535 * 56 + 64);
}

/* Aliases of an earlier dump are dropped, data that has no physical address is not. */
static void test_unlabelled(void **state)
{
	(void)state;
	load(0xffff888000001000, 0x1000, 0x81000, 0x3000, 0x3000);
	load(0xffff888000010000, 0x10000, 0x10000, 0x8000, 0x8000);
	load(0xffffc90000000000, PADDR_NONE, 0x12000, 0x1000, 0x1000);
	load(0xffffc90000004000, PADDR_NONE, 0x200000, 0x1000, 0x1000);
	assert_int_equal(plan_init(&plan, &crash, 4096, &err), 0);
	assert_int_equal(plan_layout(&plan, 0, &err), 0);
	assert_int_equal(plan.nr_loads, 3);
	assert_true(plan.loads[2].seg.vaddr == 0xffffc90000004000);
	assert_int_equal(plan.data_len, 0xc000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_simple, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlap_stored_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partial_overlap_and_neighbours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backup_region, setup, teardown),
		cmocka_unit_test_setup_teardown(test_congruence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filesz_below_memsz, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_elf32_over_4g, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xnum_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlabelled, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
