// SPDX-License-Identifier: GPL-2.0-or-later
/* Where struct pages are, in every memory model, and where there are none. */
#include <errno.h>
#include <string.h>

#include "elfcore/memmap.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

#define DIRECT 0xffff888000000000ULL
#define VMEMMAP 0xffffea0000000000ULL
#define RAM 0x10000

static struct fake_mem mem;
static struct segment segs[1];
static struct crash crash;
static struct kernel kernel;
static struct memmap memmap;
static struct memmap_span span;
static struct error err;

static int setup(void **state)
{
	static const uint8_t ram[RAM];

	(void)state;
	fake_mem_init(&mem);
	fake_mem_add(&mem, 0, ram, RAM);
	segs[0] = (struct segment){ .vaddr = DIRECT, .filesz = RAM, .memsz = RAM };
	memset(&crash, 0, sizeof(crash));
	crash.ehdr.form = FORMS[0];
	crash.ehdr.machine = EM_X86_64;
	crash.segs = segs;
	crash.nr_segs = 1;
	memset(&kernel, 0, sizeof(kernel));
	kernel.crash = &crash;
	kernel.mem = &mem.mem;
	kernel.page_size = 4096;
	kernel.arch = arch_find(EM_X86_64);
	kernel.can_translate = true;
	kernel.levels = 4;
	kernel.pgd = RAM;		/* no page tables: what is not in the direct map is unreadable */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_mem_free(&mem);
	return 0;
}

static void put(paddr_t at, uint64_t value)
{
	elf_put(ELFDATA2LSB, fake_mem_at(&mem, at), 8, value);
}

static int init(const char *text)
{
	struct vmcoreinfo info = { text, strlen(text) };
	struct page_layout layout = { .size = 64 };

	return memmap_init(&memmap, &kernel, &info, &layout, &err);
}

static void expect_span(pfn_t pfn, pfn_t start, pfn_t end, vaddr_t vaddr)
{
	memmap_find(&memmap, pfn, &span);
	assert_int_equal(span.start, start);
	assert_int_equal(span.end, end);
	assert_int_equal(span.present, vaddr != 0);
	assert_int_equal(span.vaddr, vaddr);
}

#define SPARSE "SYMBOL(mem_section)=ffff888000001000\nSIZE(mem_section)=16\nOFFSET(mem_section.section_mem_map)=0\n"

/* A table of pointers; all flags that kernels have put into the low bits are taken away. */
static void test_extreme(void **state)
{
	(void)state;
	assert_int_equal(init(SPARSE "LENGTH(mem_section)=2048\nNUMBER(SECTION_SIZE_BITS)=27\nNUMBER(MAX_PHYSMEM_BITS)=46\n"), 0);
	assert_int_equal(memmap.model, MODEL_SPARSE_EXTREME);
	put(0x1000, DIRECT + 0x2000);
	put(0x1008, 0x123);			/* leads nowhere */
	put(0x2000, VMEMMAP | 0x3f);
	put(0x2010, VMEMMAP | 0x3e);		/* not present */
	put(0x2020, (VMEMMAP - 0x5000) | 0x7);
	expect_span(5, 0, 32768, VMEMMAP);
	expect_span(32768, 32768, 65536, 0);
	expect_span(65537, 65536, 98304, VMEMMAP - 0x5000 + 65536 * 64);
	expect_span(256 * 32768ULL, 256 * 32768ULL, 257 * 32768ULL, 0);
	expect_span(1ULL << 40, 1ULL << 40, (1ULL << 40) + 32768, 0);
}

static void test_static_sections(void **state)
{
	(void)state;
	assert_int_equal(init(SPARSE "LENGTH(mem_section)=512\nNUMBER(SECTION_SIZE_BITS)=27\nNUMBER(MAX_PHYSMEM_BITS)=36\n"), 0);
	assert_int_equal(memmap.model, MODEL_SPARSE);
	put(0x1010, VMEMMAP | 3);
	expect_span(0, 0, 32768, 0);
	expect_span(40000, 32768, 65536, VMEMMAP + 32768 * 64);
	expect_span(512 * 32768ULL, 512 * 32768ULL, 513 * 32768ULL, 0);
}

/* Without the keys of 5.14 and 5.10: the architecture's section size, and sections in pages. */
static void test_old_sparse(void **state)
{
	(void)state;
	assert_int_equal(init(SPARSE "LENGTH(mem_section)=2048\n"), 0);
	assert_int_equal(memmap.model, MODEL_SPARSE_EXTREME);
	assert_int_equal(memmap.section_bits, 27);
}

/* Not enough of the sections is known: where all struct pages lie is, besides. */
static void test_no_sections(void **state)
{
	(void)state;
	put(0x3000, VMEMMAP);
	assert_int_equal(init(SPARSE "SYMBOL(mem_map)=ffff888000003000\n"), 0);
	assert_int_equal(memmap.model, MODEL_FLAT);
	expect_span(77, 0, UINT64_MAX, VMEMMAP);
	assert_int_equal(init(SPARSE "LENGTH(mem_section)=2048\nSYMBOL(mem_map)=ffff888000003000\n"), 0);
	assert_int_equal(memmap.model, MODEL_SPARSE_EXTREME);
}

#define NODES "SYMBOL(node_data)=ffff888000001000\nLENGTH(node_data)=4\nOFFSET(pglist_data.node_mem_map)=8\n" \
	"OFFSET(pglist_data.node_start_pfn)=16\nOFFSET(pglist_data.node_spanned_pages)=24\n"

/* Nodes in any order with a gap between them, one that does not exist, one whose pointer is garbage. */
static void test_discontig(void **state)
{
	(void)state;
	assert_int_equal(init(NODES "SYMBOL(mem_map)=ffff888000000000\n"), 0);
	assert_int_equal(memmap.model, MODEL_DISCONTIG);
	put(0x1000, DIRECT + 0x3000);
	put(0x1010, 0xdead000000000100ULL);
	put(0x1018, DIRECT + 0x2000);
	put(0x2008, DIRECT + 0x100000);
	put(0x2010, 16);
	put(0x2018, 1000);
	put(0x3008, DIRECT + 0x200000);
	put(0x3010, 2000);
	put(0x3018, 500);
	expect_span(3, 3, 16, 0);
	expect_span(16, 16, 1016, DIRECT + 0x100000);
	expect_span(1015, 16, 1016, DIRECT + 0x100000);
	expect_span(1016, 1016, 2000, 0);
	expect_span(2499, 2000, 2500, DIRECT + 0x200000);
	expect_span(2500, 2500, UINT64_MAX, 0);
}

static void test_missing(void **state)
{
	(void)state;
	assert_int_equal(init("SIZE(mem_section)=16\n"), -ENODATA);
	assert_text(err.text, "neither SYMBOL(mem_section) nor SYMBOL(mem_map)");
	assert_int_equal(init("SYMBOL(mem_section)=ffff888000001000\nLENGTH(mem_section)=-1\n"), -ENODATA);
	assert_text(err.text, "LENGTH(mem_section)");
	assert_int_equal(init("SYMBOL(mem_map)=ffffc90000000000\n"), -EIO);
	kernel.can_translate = false;
	assert_int_equal(init(SPARSE), -ENODATA);
	assert_text(err.text, "no address translation");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_extreme, setup, teardown),
		cmocka_unit_test_setup_teardown(test_static_sections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_sparse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_sections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_discontig, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
