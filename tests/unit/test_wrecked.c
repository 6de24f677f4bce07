// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A small x86_64 machine, whole: page tables, mem_section, struct pages of every kind, VMCOREINFO. Then random bytes of
 * these are changed, thousands of times anew, and each time there must be a dump: no crash, no hang, no error.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/page.h"
#include "src/capture.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

#define CASES 10000
#define CASE_SECONDS 10		/* nothing hangs */
#define EACH_PACKED 20		/* every so many of them are compressed, */
#define EACH_SHARED 400		/* or that by two processes */

#define DIRECT 0xffff888000000000ULL
#define VMEMMAP 0xffffea0000000000ULL
#define VMALLOC 0xffffc90000000000ULL
#define KERNEL_MAP 0xffffffff80000000ULL
#define RAM 0x200000ULL		/* 2 MiB of memory, which is a large page at the same time */
#define RAM_LEN 0x200000ULL
#define FIRST_PFN (RAM / 4096)
#define NR_PAGES (RAM_LEN / 4096)
#define STRUCTS (RAM + FIRST_PFN * 64)	/* where the large page at VMEMMAP has the struct page of the first frame */
#define PGD 0x220000ULL
#define PUD 0x221000ULL
#define PMD 0x222000ULL
#define PTE 0x223000ULL
#define ROOTS 0x230000ULL	/* 2048 pointers */
#define SECTIONS 0x238000ULL
#define NOTES_MAX 65536

static const char info[] =
	"OSRELEASE=6.12.0-test\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=ffff888000300000\nSYMBOL(swapper_pg_dir)=ffffffff80220000\n"
	"NUMBER(phys_base)=0\nNUMBER(pgtable_l5_enabled)=0\nSYMBOL(mem_section)=ffff888000230000\nLENGTH(mem_section)=2048\n"
	"SIZE(mem_section)=16\nOFFSET(mem_section.section_mem_map)=0\nNUMBER(SECTION_SIZE_BITS)=27\n"
	"NUMBER(MAX_PHYSMEM_BITS)=46\nSIZE(page)=64\nOFFSET(page.flags)=0\nOFFSET(page.mapping)=24\n"
	"OFFSET(page._mapcount)=48\nOFFSET(page.private)=40\nOFFSET(page.compound_head)=8\nLENGTH(zone.free_area)=11\n"
	"NUMBER(PG_lru)=5\nNUMBER(PG_private)=14\nNUMBER(PG_swapcache)=10\nNUMBER(PG_swapbacked)=17\nNUMBER(PG_head_mask)=64\n"
	"NUMBER(PG_hwpoison)=21\nNUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\n"
	"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\nNUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n"
	"SYMBOL(prb)=ffff888000300800\nSYMBOL(kallsyms_names)=ffff888000301000\nCRASHTIME=1700000000\n";

struct machine {
	struct mem mem;
	uint8_t *ram, *pristine;
};

static struct machine machine;
static struct bytes notes;
static uint64_t seed;

static uint64_t any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static int machine_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct machine *m = container_of(mem, struct machine, mem);

	if (addr < RAM || addr - RAM > RAM_LEN || len > RAM_LEN - (addr - RAM))
		return -ENODATA;
	memcpy(buf, m->ram + (addr - RAM), len);
	return 0;
}

static const struct mem_ops machine_ops = { .name = "machine", .read = machine_read };

static void put(paddr_t at, size_t size, uint64_t value)
{
	elf_put(ELFDATA2LSB, machine.pristine + (at - RAM), size, value);
}

static void put_page(pfn_t pfn, uint64_t flags, uint64_t link, uint64_t mapping, uint64_t private, uint32_t type)
{
	paddr_t at = STRUCTS + 64 * (pfn - FIRST_PFN);

	put(at, 8, flags);
	put(at + 8, 8, link);
	put(at + 24, 8, mapping);
	put(at + 40, 8, private);
	put(at + 48, 4, type);
}

/* Free blocks, compound pages, single pages of processes and of the page cache, slab, hugetlb, offline, poisoned. */
static void make_structs(void)
{
	const uint64_t lru = 1 << 5, head = 1 << 6, private = 1 << 14;

	for (pfn_t pfn = FIRST_PFN; pfn < FIRST_PFN + NR_PAGES; pfn++)
		put_page(pfn, 0, 0, 0, 0, 0xffffffff);
	put_page(FIRST_PFN + 256, 0, 0, 0, 7, 0xf0000000);
	put_page(FIRST_PFN + 384, lru | head, 0, DIRECT + 1, 0, 0);
	put_page(FIRST_PFN + 448, head, 0, 0, 0, 0xf4000000);
	for (pfn_t pfn = 1; pfn < 32; pfn++) {
		put_page(FIRST_PFN + 384 + pfn, pfn == 1 ? 5 : 0, VMEMMAP + 1, 0, 0, 0xffffffff);
		put_page(FIRST_PFN + 448 + pfn, pfn == 1 ? 5 : 0, VMEMMAP + 1, 0, 0, 0xffffffff);
	}
	for (pfn_t pfn = FIRST_PFN + 420; pfn < FIRST_PFN + 440; pfn++)
		put_page(pfn, pfn % 2 ? lru : lru | private, 0, pfn % 3 ? DIRECT : DIRECT + 1, 0, 0);
	put_page(FIRST_PFN + 500, 0, 0, 0, 0, 0xf5000000);
	put_page(FIRST_PFN + 501, 0, 0, 0, 0, 0xf1000000);
	put_page(FIRST_PFN + 502, 1 << 21, 0, 0, 0, 0xffffffff);
}

static void make_machine(void)
{
	machine.mem.ops = &machine_ops;
	machine.ram = malloc(RAM_LEN);
	machine.pristine = malloc(RAM_LEN);
	pattern_fill(machine.pristine, RAM, RAM_LEN);
	memset(machine.pristine + (PGD - RAM), 0, SECTIONS + 4096 - PGD);
	put(PGD + 8 * (DIRECT >> 39 & 511), 8, PUD | 0x67);
	put(PGD + 8 * (VMEMMAP >> 39 & 511), 8, PUD | 0x67);
	put(PGD + 8 * (VMALLOC >> 39 & 511), 8, PUD | 0x67);
	put(PUD + 8 * (VMALLOC >> 30 & 511), 8, PMD | 0x67);
	put(PMD, 8, RAM | 0xe3);	/* VMEMMAP, DIRECT and VMALLOC alike begin with all of the memory */
	put(PMD + 8, 8, PTE | 0x67);
	for (unsigned int i = 0; i < 16; i++)
		put(PTE + 16 * i, 8, (RAM + 0x100000 + 4096 * i) | 0x63);
	put(ROOTS, 8, DIRECT + SECTIONS);
	put(SECTIONS, 8, VMEMMAP | 7);
	make_structs();
	bytes_prstatus(&notes, FORMS[0], 1, KERNEL_MAP);
	/* The CPU was on one of the pages in vmalloc space, which it had entered from another. */
	elf_put(ELFDATA2LSB, notes.p + 20 + arch_find(EM_X86_64)->sp_off, 8, VMALLOC + 0x204800);
	put(RAM + 0x103000 - 16, 8, VMALLOC + 0x20a800);
	bytes_note(&notes, ELFDATA2LSB, 4, "VMCOREINFO", 0, info, sizeof(info) - 1);
}

/* The header is as it should be: with a broken one there may be nothing to dump. */
static void open_input(struct input *in)
{
	input_init(in);
	notes_init(&in->crash.notes, ELFDATA2LSB);
	assert_int_equal(notes_append(&in->crash.notes, notes.p, notes.len, 4, 0, NULL), 0);
	in->crash.vmcoreinfo.text = (char *)in->crash.notes.buf + in->crash.notes.vmcoreinfo_off;
	in->crash.vmcoreinfo.len = in->crash.notes.vmcoreinfo_len;
	in->crash.ehdr = (struct elf_ehdr){ .form = FORMS[0], .type = ET_CORE, .machine = EM_X86_64 };
	in->crash.segs = calloc(2, sizeof(struct segment));
	in->crash.segs[0] = (struct segment){ KERNEL_MAP + RAM, RAM, RAM, 0x40000, 0x40000, PF_R, 0 };
	in->crash.segs[1] = (struct segment){ DIRECT + RAM, RAM, RAM, RAM_LEN, RAM_LEN, PF_R, 1 };
	in->crash.nr_segs = in->crash.cap_segs = 2;
	mem_chain_add(&in->chain, &machine.mem);
}

static void flip(uint8_t *p, size_t len)
{
	p[any(len)] ^= 1U << any(8);
	if (!any(4))
		p[any(len)] = any(256);
}

/* A few bytes, or many. */
static void wreck_it(struct input *in)
{
	for (uint64_t n = 1 + any(any(8) ? 8 : 400); n; n--)
		switch (any(5)) {
		case 0: flip(machine.ram + (STRUCTS - RAM), 64 * NR_PAGES); break;
		case 1: flip(machine.ram + (ROOTS - RAM), 16); break;
		case 2: flip(machine.ram + (SECTIONS - RAM), any(2) ? 8 : 4096); break;
		case 3: flip(machine.ram + (PGD - RAM) + 4096 * any(4), any(2) ? 16 : 4096); break;
		default: flip((uint8_t *)in->crash.vmcoreinfo.text, in->crash.vmcoreinfo.len); break;
		}
}

/* Takes everything, keeps nothing. */
struct count_sink {
	struct output out;
	struct sink sink;
	uint64_t nr_bytes;
	bool committed;
};

static int count_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	(void)off, (void)buf;
	container_of(sink, struct count_sink, sink)->nr_bytes += len;
	return 0;
}

static int count_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	(void)off;
	container_of(sink, struct count_sink, sink)->nr_bytes += len;
	return 0;
}

static int count_commit(struct sink *sink, uint64_t size)
{
	container_of(sink, struct count_sink, sink)->committed = true;
	return size ? 0 : -EINVAL;
}

static int count_keep(struct sink *sink, uint64_t size)
{
	(void)sink, (void)size;
	return 0;
}

static void count_end(struct sink *sink)
{
	(void)sink;
}

static const struct sink_ops count_ops = {
	.name = "count", .caps = SINK_SEEK, .write = count_write, .zero = count_zero, .commit = count_commit, .keep = count_keep,
	.close = count_end,
};

static int count_open(struct output *out, const struct kernel *kernel, const struct plan *plan, struct sink **ret,
		      struct error *e)
{
	struct count_sink *count = container_of(out, struct count_sink, out);

	(void)kernel, (void)plan, (void)e;
	sink_init(&count->sink, &count_ops);
	*ret = &count->sink;
	return 0;
}

static void count_close(struct output *out)
{
	(void)out;
}

/* How it is written. */
struct way {
	enum dump_format format;
	enum codec codec;
	unsigned int jobs;
};

/* Returns how many pages were kept. */
static uint64_t dump(struct input *in, unsigned int level, struct way way)
{
	static struct capture c;
	struct count_sink count = { .out = { .open = count_open, .close = count_close } };
	struct progress progress = { 0 };
	struct error err = { 0 };
	uint64_t len;

	c = (struct capture){
		.in = in, .out = &count.out, .progress = &progress, .max_aliases = CAPTURE_MAX_ALIASES, .format = way.format,
		.codec = way.codec, .jobs = way.jobs, .levels = { level }, .nr_levels = 1,
	};
	if (capture(&c, &err))
		fail_msg("level %u, format %u, codec %u, %u jobs: %s", level, way.format, way.codec, way.jobs, err.text);
	assert_true(count.committed && count.nr_bytes > 0);
	len = c.plan.data_len;
	capture_deinit(&c);
	return len / 4096;
}

/* What is going to be wrecked works at first, or nothing is proved. */
static void test_whole(void **state)
{
	static const struct { unsigned int level, left_out; } table[] = {
		{ DUMP_LEVEL_FREE, 128 }, { DUMP_LEVEL_USER, 71 }, { DUMP_LEVEL_CACHE, 6 }, { DUMP_LEVEL_CACHE_PRIVATE, 13 },
	};
	struct input in;

	(void)state;
	memcpy(machine.ram, machine.pristine, RAM_LEN);
	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		open_input(&in);
		assert_int_equal(dump(&in, table[i].level, (struct way){ .format = FORMAT_ELF }), NR_PAGES - 2 - table[i].left_out);
		input_close(&in);
	}
}

/* Most of them uncompressed, because that is fast: what is wrecked decides which pages are stored, and little of how. */
static struct way any_way(unsigned int i)
{
	static const enum codec codecs[] = { CODEC_ZLIB, CODEC_LZO, CODEC_ZSTD };
	struct way way = { .format = any(4) ? FORMAT_ELF : FORMAT_KDUMP, .codec = CODEC_NONE };

	if (i % EACH_PACKED)
		return way;
	way.codec = way.format == FORMAT_KDUMP ? codecs[any(ARRAY_SIZE(codecs))] : CODEC_ZSTD;
	way.jobs = i % EACH_SHARED ? 0 : 2;
	return way;
}

static void test_wrecked(void **state)
{
	struct input in;

	(void)state;
	for (unsigned int i = 1; i <= CASES; i++) {
		seed = i * 0x9e3779b97f4a7c15ULL;
		memcpy(machine.ram, machine.pristine, RAM_LEN);
		open_input(&in);
		wreck_it(&in);
		alarm(CASE_SECONDS);
		dump(&in, any(2) ? DUMP_LEVEL_MAX : any(DUMP_LEVEL_MAX + 1), any_way(i));
		alarm(0);
		input_close(&in);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_wrecked),
	};
	int rc;

	make_machine();
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	free(machine.ram);
	free(machine.pristine);
	bytes_free(&notes);
	return rc;
}
