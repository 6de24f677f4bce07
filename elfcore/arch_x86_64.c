// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * x86_64: 4- and 5-level page tables (Intel SDM vol. 3 ch. 4), KASLR, SME.
 *
 * Each level resolves 9 bits of the address; an entry is present by bit 0, and at the 1 GiB and 2 MiB levels bit 7 makes
 * it a page instead of a table. The kernel's own root is init_top_pgt (init_level4_pgt up to 4.12).
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/kernel.h"

#define KERNEL_MAP 0xffffffff80000000ULL	/* __START_KERNEL_map */
#define IMAGE_SIZE (512LL << 20)	/* KERNEL_IMAGE_SIZE without KASLR */
#define CPU_ENTRY_AREA 0xfffffe0000000000ULL
#define ESPFIX_BASE 0xffffff0000000000ULL
#define PAGE_SHIFT 12
#define TABLE_ENTRIES 512
#define ENTRY_PRESENT 1ULL
#define ENTRY_LARGE (1ULL << 7)
#define ENTRY_ADDR 0x000ffffffffff000ULL

/* Addresses asked for one after another mostly share a table of this level, a PMD: 1 GiB, the memmap of 64 GiB of memory. */
#define AREA_LEVEL 2

/* Corrupted tables may point in circles; this many cover 512 GiB that is mapped page by page. */
#define TABLES_LIMIT (1U << 18)

extern const struct arch_ops arch_x86_64;

static unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + 9 * (level - 1);
}

/*
 * The key is there since 4.10; before, a kdump-compressed dump says it in its header, and of an ELF core the
 * PT_LOAD of the kernel's image shows it.
 */
static bool find_phys_base(struct kernel *kernel)
{
	const struct crash *crash = kernel->crash;

	if (vmcoreinfo_number(&crash->vmcoreinfo, "NUMBER(phys_base)", &kernel->phys_base))
		return true;
	if (crash->phys_base_known) {
		kernel->phys_base = crash->phys_base;
		return true;
	}
	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		const struct segment *seg = &crash->segs[i];

		if (seg->vaddr < KERNEL_MAP || seg->paddr == PADDR_NONE)
			continue;
		kernel->phys_base = seg->paddr - (seg->vaddr - KERNEL_MAP);
		return true;
	}
	return false;
}

static int x86_64_vtop(struct kernel *kernel, vaddr_t vaddr, paddr_t *ret, uint64_t *len_ret);

/* Where the kernel does not say it: with the wrong number the tables do not lead to themselves. */
static unsigned int try_levels(struct kernel *kernel, vaddr_t root)
{
	paddr_t paddr;
	uint64_t len;

	kernel->levels = 5;
	return !x86_64_vtop(kernel, root, &paddr, &len) && paddr == kernel->pgd ? 5 : 4;
}

static int x86_64_init(struct kernel *kernel, struct error *err)
{
	const struct vmcoreinfo *info = &kernel->crash->vmcoreinfo;
	int64_t five_levels = 0, sme_mask = 0;
	vaddr_t root;

	if (!find_phys_base(kernel))
		return fail(err, -ENODATA, "VMCOREINFO has no NUMBER(phys_base)");
	if (!vmcoreinfo_hex(info, "SYMBOL(init_top_pgt)", &root) && !vmcoreinfo_hex(info, "SYMBOL(init_level4_pgt)", &root) &&
	    !vmcoreinfo_hex(info, "SYMBOL(swapper_pg_dir)", &root))
		return fail(err, -ENODATA, "VMCOREINFO has no SYMBOL(swapper_pg_dir)");
	vmcoreinfo_number(info, "NUMBER(sme_mask)", &sme_mask);
	kernel->pgd = root - KERNEL_MAP + kernel->phys_base;
	kernel->addr_mask = ENTRY_ADDR & ~(uint64_t)sme_mask;
	if (vmcoreinfo_number(info, "NUMBER(pgtable_l5_enabled)", &five_levels))
		kernel->levels = five_levels ? 5 : 4;
	else
		kernel->levels = try_levels(kernel, root);
	return 0;
}

static bool entry_is_page(unsigned int level, uint64_t entry)
{
	return level == 1 || (level <= 3 && entry & ENTRY_LARGE);
}

/* Large pages keep PAT in bit 12: the address starts above the page's own offset bits. */
static paddr_t entry_page(const struct kernel *kernel, unsigned int level, uint64_t entry)
{
	return entry & kernel->addr_mask & ~((1ULL << level_shift(level)) - 1);
}

static int x86_64_vtop(struct kernel *kernel, vaddr_t vaddr, paddr_t *ret, uint64_t *len_ret)
{
	bool near = kernel->last_table && kernel->last_table_area == vaddr >> level_shift(AREA_LEVEL + 1);
	paddr_t table = near ? kernel->last_table : kernel->pgd;

	for (unsigned int level = near ? AREA_LEVEL : kernel->levels; level; level--) {
		unsigned int shift = level_shift(level);
		uint8_t raw[8];
		uint64_t entry;
		int rc = kernel_read_paddr(kernel, table + 8 * (vaddr >> shift & (TABLE_ENTRIES - 1)), raw, sizeof(raw));

		if (rc)
			return rc;
		entry = elf_get(ELFDATA2LSB, raw, sizeof(raw));
		if (!(entry & ENTRY_PRESENT))
			return -ENODATA;
		if (entry_is_page(level, entry)) {
			uint64_t size = 1ULL << shift, in_page = vaddr & (size - 1);

			*ret = entry_page(kernel, level, entry) + in_page;
			*len_ret = size - in_page;
			return 0;
		}
		table = entry & kernel->addr_mask;
		if (level == AREA_LEVEL + 1) {
			kernel->last_table_area = vaddr >> shift;
			kernel->last_table = table;
		}
	}
	return -ENODATA;
}

/* Bits that say how a page may be used (arch/x86/include/asm/pgtable_types.h). */
static void flags_text(unsigned int level, uint64_t entry, char *ret)
{
	static const struct { unsigned int bit; const char *name; } flags[] = {
		{ 0, "PRESENT" }, { 1, "RW" }, { 2, "USER" }, { 3, "PWT" }, { 4, "PCD" }, { 5, "ACCESSED" }, { 6, "DIRTY" },
		{ 8, "GLOBAL" }, { 63, "NX" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (entry >> flags[i].bit & 1)
			strcat(strcat(ret, ret[0] ? " " : ""), flags[i].name);
	if (level > 1 && entry_is_page(level, entry))
		strcat(ret, level == 2 ? " 2M" : " 1G");
}

static unsigned int x86_64_explain(struct kernel *kernel, vaddr_t vaddr, struct table_step ret[ARCH_LEVELS_MAX])
{
	static const char *const names[] = { "", "PTE", "PMD", "PUD", "P4D", "PGD" };
	paddr_t table = kernel->pgd;
	unsigned int nr = 0;

	for (unsigned int level = kernel->levels; level; level--) {
		struct table_step *step = &ret[nr++];
		uint8_t raw[8];

		memset(step, 0, sizeof(*step));
		step->table = names[level == kernel->levels ? 5 : level];
		step->addr = table + 8 * (vaddr >> level_shift(level) & (TABLE_ENTRIES - 1));
		step->readable = !kernel_read_paddr(kernel, step->addr, raw, sizeof(raw));
		if (!step->readable)
			break;
		step->entry = elf_get(ELFDATA2LSB, raw, sizeof(raw));
		if (!(step->entry & ENTRY_PRESENT))
			break;
		flags_text(level, step->entry, step->flags);
		if (entry_is_page(level, step->entry))
			break;
		table = step->entry & kernel->addr_mask;
	}
	return nr;
}

/* The walk's state: one table buffer a level instead of recursion. */
struct walk {
	struct kernel *kernel;
	vaddr_t start, last;
	unsigned int budget;	/* tables that may still be read, or tried to be */
	struct mapping pending;	/* grows as long as pages follow each other */
	mapping_fn *fn;
	void *arg;
	struct {
		uint8_t entries[TABLE_ENTRIES * 8];
		vaddr_t base;		/* of the addresses this table resolves */
		unsigned int next;
	} tables[6];
};

static int emit_page(struct walk *walk, vaddr_t vaddr, paddr_t paddr, uint64_t len)
{
	struct mapping *last = &walk->pending;
	int rc;

	if (last->len && last->vaddr + last->len == vaddr && last->paddr + last->len == paddr) {
		last->len += len;
		return 0;
	}
	rc = last->len ? walk->fn(walk->arg, last) : 0;
	*last = (struct mapping){ vaddr, paddr, len };
	return rc;
}

/* Bits above the translated ones repeat the topmost translated bit. */
static vaddr_t canonical(const struct kernel *kernel, vaddr_t vaddr)
{
	unsigned int bits = level_shift(kernel->levels + 1);

	return vaddr >> (bits - 1) & 1 ? vaddr | ~0ULL << bits : vaddr;
}

static bool load_table(struct walk *walk, unsigned int level, paddr_t table, vaddr_t base)
{
	walk->tables[level].base = base;
	walk->tables[level].next = 0;
	return !kernel_read_paddr(walk->kernel, table, walk->tables[level].entries, sizeof(walk->tables[level].entries));
}

/* Take the next entry of the table at level; returns the level to go on with. *rc is the callback's result. */
static unsigned int step(struct walk *walk, unsigned int level, int *rc)
{
	unsigned int i = walk->tables[level].next++;
	uint64_t size = 1ULL << level_shift(level);
	vaddr_t vaddr;
	uint64_t entry;

	if (i == TABLE_ENTRIES)
		return level + 1;
	vaddr = canonical(walk->kernel, walk->tables[level].base + i * size);
	entry = elf_get(ELFDATA2LSB, walk->tables[level].entries + 8 * i, 8);
	if (!(entry & ENTRY_PRESENT) || vaddr + (size - 1) < walk->start || vaddr > walk->last)
		return level;
	if (!entry_is_page(level, entry)) {
		if (!walk->budget--) {
			*rc = -E2BIG;
			return level;
		}
		return load_table(walk, level - 1, entry & walk->kernel->addr_mask, vaddr) ? level - 1 : level;
	}
	*rc = emit_page(walk, vaddr, entry_page(walk->kernel, level, entry), size);
	return level;
}

static int x86_64_each_mapping(struct kernel *kernel, vaddr_t start, vaddr_t last, mapping_fn *fn, void *arg)
{
	unsigned int level = kernel->levels;
	struct walk *walk = malloc(sizeof(*walk));
	int rc = 0;

	if (!walk)
		return -ENOMEM;
	walk->kernel = kernel;
	walk->start = start;
	walk->last = last;
	walk->budget = TABLES_LIMIT;
	walk->pending.len = 0;
	walk->fn = fn;
	walk->arg = arg;
	if (!load_table(walk, level, kernel->pgd, 0))
		rc = -EIO;
	while (!rc && level <= kernel->levels)
		level = step(walk, level, &rc);
	if (!rc && walk->pending.len)
		rc = fn(arg, &walk->pending);
	free(walk);
	return rc;
}

/* Half of the kernel's addresses, with 4 levels; with 5 it is lower. */
static vaddr_t kernel_half(const struct kernel *kernel)
{
	return ~0ULL << (level_shift(kernel->levels + 1) - 1);
}

/*
 * The direct map is the lowest mapping of the kernel's half that maps memory in one piece: its base is a multiple of
 * 1 GiB, with KASLR too (arch/x86/mm/kaslr.c), and it uses large pages wherever it can.
 */
static int find_direct(void *arg, const struct mapping *mapping)
{
	vaddr_t base = mapping->vaddr - mapping->paddr;

	if (base % (1ULL << 30) || mapping->len < 2ULL << 20)
		return 0;
	*(vaddr_t *)arg = base;
	return 1;
}

struct image_walk {
	struct kernel *kernel;
	struct mapping image;
};

/* The image is what lies phys_base above its link address; of its middle, init memory is unmapped after boot. */
static int find_image(void *arg, const struct mapping *mapping)
{
	struct image_walk *walk = arg;

	if (mapping->paddr != mapping->vaddr - KERNEL_MAP + walk->kernel->phys_base)
		return 0;
	if (!walk->image.len)
		walk->image = *mapping;
	walk->image.len = mapping->vaddr + mapping->len - walk->image.vaddr;
	return 0;
}

static int x86_64_find_loads(struct kernel *kernel, vaddr_t *direct_ret, struct mapping *image_ret)
{
	struct image_walk walk = { .kernel = kernel };
	int64_t image_size;
	int rc = x86_64_each_mapping(kernel, kernel_half(kernel), KERNEL_MAP - 1, find_direct, direct_ret);

	if (rc != 1)
		return rc < 0 ? rc : -ENODATA;
	if (!vmcoreinfo_number(&kernel->crash->vmcoreinfo, "NUMBER(KERNEL_IMAGE_SIZE)", &image_size) || image_size <= 0 ||
	    image_size > 4 * IMAGE_SIZE)
		image_size = IMAGE_SIZE;
	x86_64_each_mapping(kernel, KERNEL_MAP, KERNEL_MAP + (uint64_t)image_size - 1, find_image, &walk);
	*image_ret = walk.image;
	return 0;
}

/* The end of the direct map as far as PT_LOADs show it, and of the kernel image. */
static void loads_end(const struct crash *crash, vaddr_t *direct_end, vaddr_t *image_end)
{
	*direct_end = *image_end = 0;
	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		vaddr_t end = crash->segs[i].vaddr + crash->segs[i].memsz;

		if (crash->segs[i].paddr == PADDR_NONE)
			continue;
		if (crash->segs[i].vaddr >= KERNEL_MAP)
			*image_end = max_u64(*image_end, end);
		else
			*direct_end = max_u64(*direct_end, end);
	}
}

/*
 * Modules lie above the image; between the direct map and ESPFIX_BASE, where a few pages are mapped thousands of times,
 * vmalloc space with the stacks, vmemmap, and since 4.15 the CPU entry areas with the exception stacks
 * (Documentation/arch/x86/x86_64/mm.rst).
 */
static unsigned int x86_64_areas(const struct kernel *kernel, struct area ret[ARCH_AREAS_MAX])
{
	vaddr_t direct_end, image_end;
	unsigned int nr = 0;

	loads_end(kernel->crash, &direct_end, &image_end);
	if (image_end && image_end <= 0 - kernel->page_size)
		ret[nr++] = (struct area){ round_up(image_end, kernel->page_size), UINT64_MAX, false };
	if (!direct_end || direct_end > CPU_ENTRY_AREA - kernel->page_size)
		return nr;
	ret[nr++] = (struct area){ CPU_ENTRY_AREA, ESPFIX_BASE - 1, false };
	ret[nr++] = (struct area){ round_up(direct_end, kernel->page_size), CPU_ENTRY_AREA - 1, true };
	return nr;
}

const struct arch_ops arch_x86_64 = {
	.name = "x86_64",
	.e_machine = EM_X86_64,
	.prstatus_size = 336,
	.pid_off = 32,
	.ip_off = 112 + 16 * 8,		/* pr_reg[16], struct user_regs_struct */
	.sp_off = 112 + 19 * 8,
	.init = x86_64_init,
	.vtop = x86_64_vtop,
	.each_mapping = x86_64_each_mapping,
	.explain = x86_64_explain,
	.find_loads = x86_64_find_loads,
	.areas = x86_64_areas,
};
