// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/memmap.h"

#include <errno.h>
#include <string.h>

/*
 * section_mem_map: the address of the section's first struct page minus the page frame it stands for, with flags in
 * the low bits (include/linux/mmzone.h). There have been two to six of them (SECTION_IS_VMEMMAP_PREINIT came in 6.15, for
 * hugetlb pages of the boot command line), and the kernel's build makes sure that they stay below PAGE_SHIFT.
 */
#define SECTION_PRESENT 1ULL
#define SECTION_FLAGS 0xfffULL

/* pglist_data is some 170 KiB large; more nodes than MAX_NUMNODES, or page frames beyond any memory, are garbage. */
#define OFFSET_MAX (1 << 20)
#define NODES_MAX 4096
#define PFN_MAX (1ULL << 52)

/* Section size where VMCOREINFO does not say (before 5.14), as include/asm/sparsemem.h has it. */
static unsigned int default_section_bits(uint16_t e_machine)
{
	switch (e_machine) {
	case EM_X86_64: return 27;
	case EM_AARCH64: return 30;
	case EM_PPC64: return 24;
	case EM_S390: return 28;
	default: return 0;
	}
}

static uint64_t get_word(const struct memmap *m, const uint8_t *p)
{
	return elf_get(m->kernel->crash->ehdr.form.data, p, 8);
}

static bool positive(const struct vmcoreinfo *info, const char *key, int64_t max, int64_t *ret)
{
	return vmcoreinfo_number(info, key, ret) && *ret > 0 && *ret <= max;
}

static int init_sparse(struct memmap *m, const struct vmcoreinfo *info, struct error *err)
{
	int64_t length, size, offset, bits, phys_bits;
	uint64_t nr_sections, per_page;

	if (!positive(info, "LENGTH(mem_section)", 1LL << 40, &length))
		return fail(err, -ENODATA, "VMCOREINFO has no valid LENGTH(mem_section)");
	if (!positive(info, "SIZE(mem_section)", 4096, &size))
		return fail(err, -ENODATA, "VMCOREINFO has no valid SIZE(mem_section)");
	if (!vmcoreinfo_number(info, "OFFSET(mem_section.section_mem_map)", &offset) || offset < 0 || offset + 8 > size)
		return fail(err, -ENODATA, "VMCOREINFO has no valid OFFSET(mem_section.section_mem_map)");
	if (!positive(info, "NUMBER(SECTION_SIZE_BITS)", 40, &bits))
		bits = default_section_bits(m->kernel->crash->ehdr.machine);
	if (bits < 20)
		return fail(err, -ENODATA, "VMCOREINFO has no valid NUMBER(SECTION_SIZE_BITS)");
	m->section_bits = bits;
	m->section_struct = size;
	m->section_map = offset;
	m->nr_roots = length;
	per_page = m->kernel->page_size / size;
	/* Extreme: a table of pointers to pages full of sections. Otherwise the sections themselves. */
	if (positive(info, "NUMBER(MAX_PHYSMEM_BITS)", 64, &phys_bits) && phys_bits > bits) {
		nr_sections = 1ULL << (phys_bits - bits);
		m->model = m->nr_roots == (nr_sections + per_page - 1) / per_page ? MODEL_SPARSE_EXTREME : MODEL_SPARSE;
	} else {
		m->model = MODEL_SPARSE_EXTREME;
	}
	m->per_root = m->model == MODEL_SPARSE_EXTREME ? per_page : 1;
	return 0;
}

static bool offset_of(const struct vmcoreinfo *info, const char *key, int *ret)
{
	int64_t value;

	if (!vmcoreinfo_number(info, key, &value) || value < 0 || value > OFFSET_MAX)
		return false;
	*ret = value;
	return true;
}

/* Kernels with SPARSEMEM do not export node_mem_map. */
static bool is_discontig(struct memmap *m, const struct vmcoreinfo *info)
{
	int64_t length;

	if (!vmcoreinfo_hex(info, "SYMBOL(node_data)", &m->root) || !positive(info, "LENGTH(node_data)", NODES_MAX, &length))
		return false;
	m->nr_nodes = length;
	return offset_of(info, "OFFSET(pglist_data.node_mem_map)", &m->node_map) &&
	       offset_of(info, "OFFSET(pglist_data.node_start_pfn)", &m->node_start) &&
	       offset_of(info, "OFFSET(pglist_data.node_spanned_pages)", &m->node_spanned);
}

int memmap_init(struct memmap *m, struct kernel *kernel, const struct vmcoreinfo *info, const struct page_layout *layout,
		struct error *err)
{
	uint8_t pointer[8];
	vaddr_t symbol;

	memset(m, 0, sizeof(*m));
	m->kernel = kernel;
	m->page_struct = layout->size;
	if (!kernel->can_translate || !kernel->page_size)
		return fail(err, -ENODATA, "no address translation");
	m->model = MODEL_DISCONTIG;
	if (is_discontig(m, info))
		return 0;
	if (vmcoreinfo_hex(info, "SYMBOL(mem_section)", &m->root)) {
		int rc = init_sparse(m, info, err);

		/* Not enough of it, but where all struct pages lie as if in one array is known besides. */
		if (!rc || !vmcoreinfo_hex(info, "SYMBOL(mem_map)", &symbol))
			return rc;
	} else if (!vmcoreinfo_hex(info, "SYMBOL(mem_map)", &symbol))
		return fail(err, -ENODATA, "VMCOREINFO has neither SYMBOL(mem_section) nor SYMBOL(mem_map)");
	if (kernel_read_vaddr(kernel, symbol, pointer, sizeof(pointer)))
		return fail(err, -EIO, "mem_map at 0x%llx is not readable", (unsigned long long)symbol);
	m->model = MODEL_FLAT;
	m->root = get_word(m, pointer);
	return 0;
}

/* The address of a section's struct mem_section, 0 = there is none. */
static vaddr_t section_address(struct memmap *m, uint64_t section)
{
	uint64_t root = section / m->per_root;
	uint8_t pointer[8];
	vaddr_t base = m->root;

	if (root >= m->nr_roots)
		return 0;
	if (m->model == MODEL_SPARSE)
		return base + section * m->section_struct;
	if (m->last_root != root + 1) {
		if (kernel_read_vaddr(m->kernel, base + 8 * root, pointer, sizeof(pointer)))
			return 0;
		m->last_root = root + 1;
		m->last_base = get_word(m, pointer);
	}
	base = m->last_base;
	return base ? base + section % m->per_root * m->section_struct : 0;
}

static bool read_word(struct memmap *m, vaddr_t addr, uint64_t *ret)
{
	uint8_t raw[8];

	if (kernel_read_vaddr(m->kernel, addr, raw, sizeof(raw)))
		return false;
	*ret = get_word(m, raw);
	return true;
}

/* The node that holds pfn, or the gap up to the next one. */
static void find_in_nodes(struct memmap *m, pfn_t pfn, struct memmap_span *ret)
{
	*ret = (struct memmap_span){ pfn, UINT64_MAX, 0, false };
	for (uint64_t i = 0; i < m->nr_nodes; i++) {
		uint64_t node, map, start, spanned;

		if (!read_word(m, m->root + 8 * i, &node) || !node || !read_word(m, node + m->node_map, &map) ||
		    !read_word(m, node + m->node_start, &start) || !read_word(m, node + m->node_spanned, &spanned) ||
		    !map || start > PFN_MAX || spanned > PFN_MAX)
			continue;
		if (pfn >= start && pfn - start < spanned) {
			*ret = (struct memmap_span){ start, start + spanned, map, true };
			return;
		}
		if (start > pfn)
			ret->end = min_u64(ret->end, start);
	}
}

void memmap_find(struct memmap *m, pfn_t pfn, struct memmap_span *ret)
{
	uint64_t per_section, section;
	uint8_t raw[8];
	vaddr_t addr;
	uint64_t map;

	if (m->model == MODEL_FLAT) {
		*ret = (struct memmap_span){ 0, UINT64_MAX, m->root, true };
		return;
	}
	if (m->model == MODEL_DISCONTIG) {
		find_in_nodes(m, pfn, ret);
		return;
	}
	per_section = (1ULL << m->section_bits) / m->kernel->page_size;
	section = pfn / per_section;
	*ret = (struct memmap_span){ section * per_section, (section + 1) * per_section, 0, false };
	addr = section_address(m, section);
	if (!addr || kernel_read_vaddr(m->kernel, addr + m->section_map, raw, sizeof(raw)))
		return;
	map = get_word(m, raw);
	if (!(map & SECTION_PRESENT))
		return;
	ret->vaddr = (map & ~SECTION_FLAGS) + ret->start * m->page_struct;
	ret->present = true;
}
