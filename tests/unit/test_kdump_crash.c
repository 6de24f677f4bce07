// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A crash out of a kdump-compressed file: segments from its bitmap, notes of every version, addresses from page tables.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/kdump_crash.h"
#include "elfcore/kernel.h"
#include "tests/lib/kdumpbuilder.h"

#include "tests/lib/unit.h"

#define PAGE 4096ULL
#define DIRECT 0xffff888040000000ULL
#define KERNEL_MAP 0xffffffff80000000ULL
#define PHYS_BASE 0x4000ULL
#define ROOT 0x10000ULL			/* its tables follow */

static struct kdump_image image;
static struct fake_mem file;
static struct mem_kdump kdump;
static struct crash crash;
static struct fake_log log_;
static struct error err;
static uint8_t tables[5][PAGE];
static char info[256];

static int setup(void **state)
{
	(void)state;
	kdump_image_init(&image, 0x200);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	crash_deinit(&crash);
	mem_close(&kdump.mem);
	fake_mem_free(&file);
	return 0;
}

static int read_crash(void)
{
	struct bytes bytes;
	struct kdump_file one = { &file.mem, "dump" };

	kdump_image_build(&image, &bytes);
	fake_mem_init(&file);
	fake_mem_add(&file, 0, bytes.p, bytes.len);
	bytes_free(&bytes);
	assert_int_equal(mem_kdump_open(&kdump, &one, 1, fake_log_init(&log_), &err), 0);
	return kdump_crash(&crash, &kdump, &log_.log, &err);
}

static void add_pages(uint64_t start, uint64_t end, enum page_kind kind)
{
	for (uint64_t pfn = start; pfn < end; pfn++)
		kdump_image_page(&image, pfn, kind);
}

static void entry(unsigned int table, unsigned int i, uint64_t value)
{
	elf_put(ELFDATA2LSB, tables[table] + 8 * i, 8, value | 0x63);
}

/* A direct map in one page of 1 GiB, and an image of six pages of which the third is unmapped; tables at ROOT. */
static void add_kernel(void)
{
	memset(tables, 0, sizeof(tables));
	entry(0, 0x111, ROOT + PAGE);
	entry(1, 1, 1ULL << 7);
	entry(0, 511, ROOT + 2 * PAGE);
	entry(2, 510, ROOT + 3 * PAGE);
	entry(3, 0, ROOT + 4 * PAGE);
	for (unsigned int i = 16; i < 22; i++)
		if (i != 18)
			entry(4, i, i * PAGE + PHYS_BASE);
	entry(4, 100, 0x7000);	/* a module, not at its place */
	add_pages(0x8, 0x10, PAGE_LZO);
	for (unsigned int i = 0; i < 5; i++) {
		kdump_image_page(&image, ROOT / PAGE + i, PAGE_RAW);
		image.pages[image.nr_pages - 1].content = tables[i];
	}
	snprintf(info, sizeof(info), "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nNUMBER(phys_base)=%llu\nSYMBOL(init_top_pgt)=%llx\n",
		 PHYS_BASE, KERNEL_MAP + ROOT - PHYS_BASE);
	image.vmcoreinfo = info;
}

static void expect_segment(unsigned int i, vaddr_t vaddr, paddr_t paddr, uint64_t len)
{
	const struct segment *seg = &crash.segs[i];

	assert_true(seg->vaddr == vaddr && seg->paddr == paddr && seg->src == paddr && seg->memsz == len && seg->filesz == len);
	assert_int_equal(seg->ordinal, i);
}

static void test_segments(void **state)
{
	(void)state;
	add_pages(1, 3, PAGE_RAW);
	add_pages(3, 5, PAGE_EXCLUDED);		/* memory all the same */
	add_pages(0x1fe, 0x200, PAGE_ZERO);
	image.status = 8 | 2;
	assert_int_equal(read_crash(), 0);
	assert_int_equal(crash.nr_segs, 2);
	expect_segment(0, 1 * PAGE, 1 * PAGE, 4 * PAGE);
	expect_segment(1, 0x1fe * PAGE, 0x1fe * PAGE, 2 * PAGE);
	assert_true(crash.partial);
	assert_int_equal(crash.dump_level, 31);
	assert_int_equal(crash.ehdr.machine, EM_X86_64);
	assert_int_equal(crash.ehdr.flags, EF_DUMP_INCOMPLETE);
	assert_int_equal(crash.notes.nr_cpus, 2);
	assert_int_equal(crash.notes.cpus[0].cpu, CPU_UNKNOWN);
}

/* Kernels before 4.10 do not say phys_base in VMCOREINFO, but makedumpfile did in the header. */
static void test_phys_base_of_the_header(void **state)
{
	(void)state;
	add_kernel();
	snprintf(info, sizeof(info), "OSRELEASE=3.10.0-test\nPAGESIZE=4096\nSYMBOL(init_level4_pgt)=%llx\n",
		 KERNEL_MAP + ROOT - PHYS_BASE);
	assert_int_equal(read_crash(), 0);
	assert_true(crash.segs[crash.nr_segs - 1].vaddr == DIRECT + crash.segs[crash.nr_segs - 1].paddr);
}

static void test_addresses(void **state)
{
	struct kernel kernel;
	uint8_t buf[16], wanted[PAGE];

	(void)state;
	add_kernel();
	add_pages(0x15, 0x20, PAGE_LZO);
	assert_int_equal(read_crash(), 0);
	assert_int_equal(crash.nr_segs, 2);
	expect_segment(0, KERNEL_MAP + 16 * PAGE, 16 * PAGE + PHYS_BASE, 6 * PAGE);
	expect_segment(1, DIRECT + 8 * PAGE, 8 * PAGE, 24 * PAGE);
	kernel_init(&kernel, &crash, &kdump.mem, NULL);
	kdump_image_fill(0x1c * PAGE, wanted, PAGE);
	assert_int_equal(kernel_read_vaddr(&kernel, DIRECT + 0x1c * PAGE, buf, 16), 0);
	assert_memory_equal(buf, wanted, 16);
	kdump_image_fill(0x15 * PAGE, wanted, PAGE);
	assert_int_equal(kernel_read_vaddr(&kernel, KERNEL_MAP + 17 * PAGE, buf, 16), 0);
	assert_memory_equal(buf, wanted, 16);
}

/* An image of which a part is no memory is no PT_LOAD. */
static void test_image_without_memory(void **state)
{
	(void)state;
	add_kernel();
	add_pages(0x15, 0x18, PAGE_LZO);
	assert_int_equal(read_crash(), 0);
	assert_int_equal(crash.nr_segs, 1);
	expect_segment(0, DIRECT + 8 * PAGE, 8 * PAGE, 16 * PAGE);
}

static void test_no_page_tables(void **state)
{
	(void)state;
	add_kernel();
	for (unsigned int i = 0; i < image.nr_pages; i++)
		if (image.pages[i].content)
			image.pages[i].kind = PAGE_EXCLUDED;
	assert_int_equal(read_crash(), 0);
	expect_segment(0, 8 * PAGE, 8 * PAGE, 13 * PAGE);
	assert_text(log_.text, "where the kernel mapped its memory is not known");
}

static void test_notes_by_version(void **state)
{
	(void)state;
	for (unsigned int version = 1; version <= 6; version++) {
		setup(NULL);
		image.version = version;
		add_pages(1, 2, PAGE_RAW);
		assert_int_equal(read_crash(), 0);
		assert_int_equal(crash.notes.nr_cpus, version >= 4 ? 2 : 0);
		assert_int_equal(crash.vmcoreinfo.len, version >= 3 ? strlen(image.vmcoreinfo) : 0);
		assert_memory_equal(crash.vmcoreinfo.text, image.vmcoreinfo, crash.vmcoreinfo.len);
		teardown(NULL);
	}
	setup(NULL);
	add_pages(1, 2, PAGE_RAW);
	read_crash();
}

static void test_unreadable_notes(void **state)
{
	(void)state;
	add_pages(1, 2, PAGE_RAW);
	assert_int_equal(read_crash(), 0);
	crash_deinit(&crash);
	fake_mem_refuse(&file, image.notes_off, image.notes_off + 1, -EIO);
	assert_int_equal(kdump_crash(&crash, &kdump, &log_.log, &err), 0);
	assert_int_equal(crash.notes.nr_cpus, 0);
	/* VMCOREINFO has a place of its own in the header. */
	assert_int_equal(crash.vmcoreinfo.len, strlen(image.vmcoreinfo));
	assert_text(log_.text, "dump: the notes of");
}

static void test_no_memory(void **state)
{
	(void)state;
	assert_int_equal(read_crash(), -EINVAL);
	assert_text(err.text, "no page frame of 512 was memory");
}

static void test_too_many_runs(void **state)
{
	uint64_t run;
	size_t len;

	(void)state;
	image.max_pfn = 16 * KDUMP_CRASH_MAX_SEGS;
	add_pages(8, 9, PAGE_RAW);
	read_crash();
	crash_deinit(&crash);
	/* Every fourth page, and one run far away: the short gaps go, the long one stays. */
	len = image.max_pfn / 8;
	memset(fake_mem_at(&file, image.exists_off), 0x11, len / 2);
	memset(fake_mem_at(&file, image.exists_off + len / 2), 0, len / 2);
	memset(fake_mem_at(&file, image.exists_off + len - 8), 0xff, 8);
	for (unsigned int i = 0; i < PAGE_BITMAP_CACHE; i++)
		kdump.exists.cache[i].nr = UINT64_MAX;
	assert_int_equal(kdump_crash(&crash, &kdump, &log_.log, &err), 0);
	assert_true(crash.nr_segs > 1 && crash.nr_segs <= KDUMP_CRASH_MAX_SEGS);
	expect_segment(crash.nr_segs - 1, (image.max_pfn - 64) * PAGE, (image.max_pfn - 64) * PAGE, 64 * PAGE);
	assert_text(log_.text, "memory lies in more than 16384 runs");
	assert_false(mem_present(&kdump.mem, 5 * PAGE, PAGE, &run));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_segments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_phys_base_of_the_header, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_image_without_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_page_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notes_by_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable_notes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_runs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
