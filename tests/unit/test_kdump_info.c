// SPDX-License-Identifier: GPL-2.0-or-later
/* Every version and layout of the kdump-compressed headers, and what lies in them that cannot be. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/kdump_info.h"
#include "tests/lib/kdumpbuilder.h"

#include "tests/lib/unit.h"

static const struct {
	const char *machine;
	uint8_t class, data;
	uint16_t e_machine;
} layouts[] = {
	{ "x86_64", ELFCLASS64, ELFDATA2LSB, EM_X86_64 },
	{ "aarch64", ELFCLASS64, ELFDATA2LSB, EM_AARCH64 },
	{ "ppc64le", ELFCLASS64, ELFDATA2LSB, EM_PPC64 },
	{ "s390x", ELFCLASS64, ELFDATA2MSB, EM_S390 },
	{ "i686", ELFCLASS32, ELFDATA2LSB, EM_386 },
	{ "armv7l", ELFCLASS32, ELFDATA2LSB, EM_ARM },
	{ "ppc", ELFCLASS32, ELFDATA2MSB, EM_PPC },
	{ "vax", ELFCLASS64, ELFDATA2LSB, EM_NONE },
};

static struct kdump_image image;
static struct bytes bytes;
static struct fake_mem mem;
static struct kdump_info info;
static struct error err;

static int teardown(void **state)
{
	(void)state;
	bytes_free(&bytes);
	fake_mem_free(&mem);
	return 0;
}

static int read_header(void)
{
	fake_mem_free(&mem);
	fake_mem_init(&mem);
	fake_mem_add(&mem, 0, bytes.p, bytes.len);
	return kdump_info_read(&info, &mem.mem, &err);
}

static void build(uint64_t max_pfn)
{
	kdump_image_init(&image, max_pfn);
	kdump_image_build(&image, &bytes);
}

static void check_version(unsigned int version, size_t i)
{
	kdump_image_init(&image, 1000);
	image.machine = layouts[i].machine;
	image.data = layouts[i].data;
	image.version = version;
	image.split = version >= 2;
	image.start_pfn = 100;
	image.end_pfn = 900;
	kdump_image_build(&image, &bytes);
	assert_int_equal(read_header(), 0);
	assert_int_equal(info.form.class, layouts[i].class);
	assert_int_equal(info.form.data, layouts[i].data);
	assert_int_equal(info.e_machine, layouts[i].e_machine);
	assert_int_equal(info.version, version);
	assert_int_equal(info.timestamp, 1763691917);
	assert_int_equal(info.block_size, 4096);
	assert_int_equal(info.max_pfn, 1000);
	assert_int_equal(info.phys_base, 0x4000);
	assert_int_equal(info.dump_level, 31);
	assert_int_equal(info.nr_cpus, 2);
	assert_int_equal(info.exists_off, image.exists_off);
	assert_int_equal(info.stored_off, image.stored_off);
	assert_int_equal(info.desc_off, image.desc_off);
	assert_int_equal(info.split, version >= 2);
	assert_int_equal(info.start_pfn, version >= 2 ? 100 : 0);
	assert_int_equal(info.end_pfn, version >= 2 ? 900 : 1000);
	assert_int_equal(info.notes.off, version >= 4 ? image.notes_off : 0);
	assert_int_equal(info.vmcoreinfo.len, version >= 3 ? strlen(image.vmcoreinfo) : 0);
	if (version >= 3)
		assert_memory_equal(bytes.p + info.vmcoreinfo.off, "OSRELEASE=", 10);
	assert_int_equal(info.eraseinfo.len, 0);
	assert_string_equal(info.uts.release, "6.1.0-test");
	teardown(NULL);
}

static void test_versions_and_layouts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		for (unsigned int version = 1; version <= 6; version++)
			check_version(version, i);
}

static void test_not_ours(void **state)
{
	(void)state;
	build(100);
	bytes.p[5] = 'X';
	assert_int_equal(read_header(), -ENODEV);
	bytes.len = 4;
	assert_int_equal(read_header(), -ENODEV);
}

static void test_large_page_frames(void **state)
{
	(void)state;
	build(100);
	/* Version 6 has the real number; the old field is cut to 32 bits. */
	elf_put(ELFDATA2LSB, bytes.p + 440, 4, 0xffffffff);
	elf_put(ELFDATA2LSB, bytes.p + 436, 4, 2 * 0x20000);
	elf_put(ELFDATA2LSB, bytes.p + 4096 + 96, 8, 0x280000000);
	assert_int_equal(read_header(), -EINVAL);
	assert_text(err.text, "bitmap_blocks 262144");
	elf_put(ELFDATA2LSB, bytes.p + 4096 + 96, 8, 0x100000000);
	assert_int_equal(read_header(), 0);
	assert_true(info.max_pfn == 0x100000000);
}

static void test_one_bitmap(void **state)
{
	(void)state;
	kdump_image_init(&image, 40000);
	image.version = 1;
	image.one_bitmap = true;
	kdump_image_build(&image, &bytes);
	assert_int_equal(read_header(), 0);
	assert_int_equal(info.exists_off, info.stored_off);
	assert_int_equal(info.desc_off, info.exists_off + 2 * 4096);
}

/* Values poked into a good header: the error says which field and what it held. */
static const struct {
	size_t off, size;
	uint64_t value;
	const char *wanted;
} lies[] = {
	{ 8, 4, 0, "header_version 0" },
	{ 8, 4, 7, "header_version 7" },
	{ 428, 4, 4095, "block_size 4095" },
	{ 428, 4, 0x80000000, "block_size 2147483648" },
	{ 428, 4, 0, "block_size 0" },
	{ 432, 4, 0xffffffff, "sub_hdr_size 4294967295" },
	{ 436, 4, 0, "bitmap_blocks 0" },
	{ 4096 + 96, 8, 1ULL << 50, "max_mapnr 1125899906842624" },
	{ 4096 + 12, 4, 1, "page frames 61166 to" },	/* what the fields of the builder's rubbish say */
	{ 4096 + 32, 8, 1ULL << 60, "VMCOREINFO at 0x1000000000000000" },
	{ 4096 + 56, 8, UINT64_MAX, "notes at" },
};

static void test_lies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		build(100);
		if (lies[i].off == 4096 + 12)
			elf_put(ELFDATA2LSB, bytes.p + 4096 + 80, 8, 61166);
		elf_put(ELFDATA2LSB, bytes.p + lies[i].off, lies[i].size, lies[i].value);
		assert_int_equal(read_header(), -EINVAL);
		assert_text(err.text, lies[i].wanted);
		teardown(NULL);
	}
}

static void test_cut(void **state)
{
	(void)state;
	build(100);
	bytes.len = 463;
	assert_int_equal(read_header(), -ENODATA);
	assert_text(err.text, "464 bytes");
	bytes.len = 4096 + 50;
	assert_int_equal(read_header(), -ENODATA);
	assert_text(err.text, "sub header at 0x1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_versions_and_layouts, teardown),
		cmocka_unit_test_teardown(test_not_ours, teardown),
		cmocka_unit_test_teardown(test_large_page_frames, teardown),
		cmocka_unit_test_teardown(test_one_bitmap, teardown),
		cmocka_unit_test_teardown(test_lies, teardown),
		cmocka_unit_test_teardown(test_cut, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
