// SPDX-License-Identifier: GPL-2.0-or-later
/* Headers of a crash: good ones in every form, with all that a kernel may put into them. */
#include <errno.h>
#include <string.h>

#include "tests/lib/crash_scene.h"

#include "tests/lib/unit.h"

static void check_segments(const struct crash *crash)
{
	static const struct segment expected[4] = {
		{ WRECK_TEXT_VADDR, WRECK_TEXT, WRECK_TEXT, WRECK_TEXT_SIZE, WRECK_TEXT_SIZE, 7, 0 },
		{ WRECK_DIRECT + WRECK_LOW, WRECK_LOW, WRECK_BACKUP, WRECK_LOW_SIZE, WRECK_LOW_SIZE, 7, 1 },
		{ WRECK_DIRECT + WRECK_RAM, WRECK_RAM, WRECK_RAM, WRECK_RAM_SIZE, WRECK_RAM_SIZE, 7, 2 },
		{ WRECK_DIRECT + WRECK_HIGH, WRECK_HIGH, WRECK_HIGH, WRECK_HIGH_SIZE, WRECK_HIGH_SIZE, 7, 3 },
	};

	assert_int_equal(crash->nr_segs, 4);
	assert_memory_equal(crash->segs, expected, sizeof(expected));
}

/* The result is the same whatever the class and the byte order. */
static void test_four_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		struct wreck wreck;
		struct crash crash;

		wreck_init(&wreck, FORMS[i], EM_X86_64);
		wreck_crash(&wreck, &crash);
		assert_memory_equal(&crash.ehdr.form, &FORMS[i], sizeof(FORMS[i]));
		assert_int_equal(crash.ehdr.machine, EM_X86_64);
		assert_int_equal(crash.nr_phdrs, 8);
		assert_int_equal(crash.nr_rejected, 0);
		check_segments(&crash);
		assert_int_equal(crash.notes.nr_cpus, 2);
		assert_int_equal(crash.notes.nr_empty, 1);
		assert_int_equal(crash.notes.cpus[0].cpu, 0);
		assert_int_equal(crash.notes.cpus[1].cpu, 2);
		assert_int_equal(crash.vmcoreinfo.len, strlen(WRECK_VMCOREINFO));
		assert_memory_equal(crash.vmcoreinfo.text, WRECK_VMCOREINFO, crash.vmcoreinfo.len);
		crash_deinit(&crash);
		wreck_free(&wreck);
	}
}

static void test_find(void **state)
{
	struct wreck wreck;
	struct crash crash;
	uint64_t len;
	maddr_t src;

	(void)state;
	wreck_init(&wreck, FORMS[0], EM_X86_64);
	wreck_crash(&wreck, &crash);
	assert_int_equal(crash_find_paddr(&crash, WRECK_LOW + 5, &src, &len), 0);
	assert_int_equal(src, WRECK_BACKUP + 5);
	assert_int_equal(len, WRECK_LOW_SIZE - 5);
	assert_int_equal(crash_find_paddr(&crash, WRECK_LOW + WRECK_LOW_SIZE - 1, &src, &len), 0);
	assert_int_equal(len, 1);
	assert_int_equal(crash_find_paddr(&crash, WRECK_LOW + WRECK_LOW_SIZE, &src, &len), -ENODATA);
	assert_int_equal(crash_find_paddr(&crash, WRECK_LOW - 1, &src, &len), -ENODATA);
	assert_int_equal(crash_find_paddr(&crash, PADDR_NONE, &src, &len), -ENODATA);
	assert_int_equal(crash_find_vaddr(&crash, WRECK_TEXT_VADDR + 0x10, &src, &len), 0);
	assert_int_equal(src, WRECK_TEXT + 0x10);
	assert_int_equal(len, WRECK_TEXT_SIZE - 0x10);
	assert_int_equal(crash_find_vaddr(&crash, WRECK_DIRECT + WRECK_HIGH, &src, &len), 0);
	assert_int_equal(src, WRECK_HIGH);
	assert_int_equal(crash_find_vaddr(&crash, WRECK_DIRECT, &src, &len), -ENODATA);
	crash_deinit(&crash);
	wreck_free(&wreck);
}

/* What ends exactly at the limit is not absurd, nor is a virtual address of all ones (i386 highmem). */
static void test_loads_at_the_limit(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	header_load(&s.header, UINT64_MAX, (1ULL << 52) - 0x1000, (1ULL << 52) - 0x1000, 0x1000, 0x1000);
	header_load(&s.header, 0xffffc90000000000, PADDR_NONE, 0x1000, 0x1000, 0x1000);
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.nr_segs, 2);
	assert_int_equal(s.crash.nr_rejected, 0);
	assert_true(s.crash.segs[1].paddr == PADDR_NONE);
	scene_free(&s);
}

/* /proc/kcore: offsets are virtual addresses of 57 bits. */
static void test_offsets_of_kcore(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	s.max_off = 1ULL << 58;
	header_load(&s.header, 0xff37df1800001000, 0x1000, 0x37df1800005000, 0x9e000, 0x9e000);
	header_load(&s.header, 0xffdb78e0c0000000, PADDR_NONE, 0x5b78e0c0004000, 0x31ffffffffffff, 0x31ffffffffffff);
	header_load(&s.header, 0, PADDR_NONE, (1ULL << 58) - 0xfff, 0x1000, 0x1000);
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.nr_segs, 2);
	assert_text(s.log.text, "PT_LOAD 2 rejected");
	scene_free(&s);
}

static void test_other_types(void **state)
{
	struct elf_phdr null = { .type = PT_NULL }, dynamic = { .type = 2, .filesz = 1 };
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	header_phdr(&s.header, &null);
	header_phdr(&s.header, &dynamic);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x2000);
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.nr_segs, 1);
	assert_int_equal(s.crash.segs[0].filesz, 0x1000);
	assert_int_equal(s.crash.segs[0].memsz, 0x2000);
	assert_string_equal(s.log.text, "program header 1 of type 0x2 passed over\n");
	scene_free(&s);
}

static void test_xnum(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		struct scene s;

		scene_init(&s, FORMS[i]);
		for (uint64_t n = 0; n < 70000; n++)
			header_load(&s.header, n << 12, n << 12, n << 12, 0x800, 0x800);
		s.header.xnum = true;
		assert_int_equal(scene_read(&s), 0);
		assert_int_equal(s.crash.nr_phdrs, 70000);
		assert_int_equal(s.crash.nr_segs, 70000);
		assert_int_equal(s.crash.segs[69999].ordinal, 69999);
		assert_true(s.crash.segs[69999].src == 69999ULL << 12);
		scene_free(&s);
	}
}

/* /proc/vmcore stores the kernel's image twice; in a core with VMCOREINFO both PT_LOADs shall read one copy. */
static void test_share_by_paddr(void **state)
{
	struct bytes notes = { 0 };

	(void)state;
	bytes_note(&notes, ELFDATA2LSB, 4, "VMCOREINFO", 0, "A=1\n", 4);
	for (int with_vmcoreinfo = 0; with_vmcoreinfo < 2; with_vmcoreinfo++) {
		struct scene s;

		scene_init(&s, FORMS[0]);
		if (with_vmcoreinfo)
			scene_notes(&s, 0x800000, &notes);
		header_load(&s.header, 0xffffffff81000000, 0x110000, 0x2000, 0x8000, 0x8000);	/* text, its own copy */
		header_load(&s.header, 0xffff888000001000, 0x1000, 0xa000, 0x9000, 0x9000);
		header_load(&s.header, 0xffff888000100000, 0x100000, 0x20000, 0x40000, 0x40000);
		header_load(&s.header, 0xffffc90000000000, PADDR_NONE, 0x21000, 0x1000, 0x1000);	/* an alias */
		header_load(&s.header, 0xffff88800013f000, 0x13f000, 0x90000, 0x2000, 0x2000);	/* reaches beyond */
		assert_int_equal(scene_read(&s), 0);
		assert_int_equal(s.crash.segs[0].src, with_vmcoreinfo ? 0x30000 : 0x2000);
		assert_int_equal(s.crash.segs[1].src, 0xa000);
		assert_int_equal(s.crash.segs[2].src, 0x20000);
		assert_int_equal(s.crash.segs[3].src, 0x21000);
		assert_int_equal(s.crash.segs[4].src, 0x90000);
		scene_free(&s);
	}
	bytes_free(&notes);
}

/* Every read may fail: the result is an error or a crash with fewer pieces, never a leak or a fault. */
static void test_nth_read_fails(void **state)
{
	struct crash_source source = { .addr = WRECK_HEADER };
	unsigned int nr_good = 0;

	(void)state;
	for (unsigned int n = 1; n <= 20; n++) {
		struct wreck wreck;
		struct crash crash;
		struct error err;

		wreck_init(&wreck, FORMS[1], EM_X86_64);
		source.mem = &wreck.mem.mem;
		wreck.mem.fail_at = n;
		wreck.mem.fail_error = -EIO;
		if (crash_read(&crash, &source, &err)) {
			assert_in_range(n, 1, 10);
		} else {
			nr_good++;
			assert_in_range(crash.nr_segs, 1, 4);
			crash_deinit(&crash);
		}
		if (n > 13)
			assert_int_equal(wreck.mem.nr_requests, 13);
		wreck_free(&wreck);
	}
	assert_true(nr_good >= 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_four_forms),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_loads_at_the_limit),
		cmocka_unit_test(test_offsets_of_kcore),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_xnum),
		cmocka_unit_test(test_share_by_paddr),
		cmocka_unit_test(test_nth_read_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
