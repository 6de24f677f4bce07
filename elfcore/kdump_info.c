// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/kdump_info.h"

#include <errno.h>
#include <string.h>

/* Physical addresses end at 52 bits, and no file is longer. */
#define ADDR_LIMIT (1ULL << 52)

/* What an ABI makes of the structures. */
struct layout {
	uint8_t class;
	uint8_t long_size;
	uint8_t align8;		/* of 8-byte integers */
	uint16_t status_off;	/* of the first field behind utsname and timestamp */
};

static const struct layout layout_64 = { ELFCLASS64, 8, 8, 424 };
static const struct layout layout_32 = { ELFCLASS32, 4, 8, 412 };
static const struct layout layout_i386 = { ELFCLASS32, 4, 4, 412 };

/* By the begin of utsname.machine, the longer of two that begin alike first. */
static const struct machine {
	const char *name;
	uint16_t e_machine;
	const struct layout *layout;
} machines[] = {
	{ "x86_64", EM_X86_64, &layout_64 },
	{ "i386", EM_386, &layout_i386 },
	{ "i486", EM_386, &layout_i386 },
	{ "i586", EM_386, &layout_i386 },
	{ "i686", EM_386, &layout_i386 },
	{ "aarch64", EM_AARCH64, &layout_64 },
	{ "arm", EM_ARM, &layout_32 },
	{ "ppc64", EM_PPC64, &layout_64 },
	{ "ppc", EM_PPC, &layout_32 },
	{ "s390x", EM_S390, &layout_64 },
	{ "riscv64", EM_RISCV, &layout_64 },
	{ "loongarch64", EM_LOONGARCH, &layout_64 },
	{ "mips64", EM_MIPS, &layout_64 },
	{ "mips", EM_MIPS, &layout_32 },
	{ "ia64", EM_IA_64, &layout_64 },
};

static const struct machine *find_machine(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (!strncmp(name, machines[i].name, strlen(machines[i].name)))
			return &machines[i];
	return NULL;
}

static bool valid_block_size(uint64_t size)
{
	return size >= 4096 && size <= 1 << 20 && !(size & (size - 1));
}

static uint64_t block_size_by(const uint8_t *buf, uint8_t data, const struct layout *layout)
{
	return elf_get(data, buf + layout->status_off + 4, 4);
}

/*
 * The machine's name says which; where that is unknown, or somebody wrote otherwise, the one by which block_size is a
 * size.
 */
static const struct layout *find_layout(const uint8_t *buf, uint8_t data, const struct machine *machine)
{
	static const struct layout *const all[] = { &layout_64, &layout_32 };

	if (machine && valid_block_size(block_size_by(buf, data, machine->layout)))
		return machine->layout;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (valid_block_size(block_size_by(buf, data, all[i])))
			return all[i];
	return NULL;
}

/* Fields are taken one after the other, each at its alignment, as the compiler laid them out. */
struct cursor {
	const uint8_t *p;
	size_t off;
	uint8_t data;
	const struct layout *layout;
};

static uint64_t take(struct cursor *c, size_t size)
{
	uint64_t value;

	c->off = round_up(c->off, size == 8 ? c->layout->align8 : size);
	value = elf_get(c->data, c->p + c->off, size);
	c->off += size;
	return value;
}

static uint64_t take_long(struct cursor *c)
{
	return take(c, c->layout->long_size);
}

static void read_utsname(struct kdump_info *ret, const uint8_t *p)
{
	memcpy(&ret->uts, p, sizeof(ret->uts));
	for (char *field = ret->uts.sysname; field < (char *)(&ret->uts + 1); field += KDUMP_UTSNAME_LEN)
		field[KDUMP_UTSNAME_LEN - 1] = 0;
}

/* Block numbers of the main header, which the offsets are made of. */
struct blocks {
	uint64_t sub, bitmap, max_mapnr;
};

static int read_main(struct kdump_info *ret, const uint8_t *buf, const struct layout *layout, struct blocks *blocks,
		     struct error *err)
{
	struct cursor c = { buf, layout->status_off, ret->form.data, layout };

	ret->form.class = layout->class;
	/* struct timeval: as wide as two longs in both classes. */
	ret->timestamp = elf_get(ret->form.data, buf + layout->status_off - 2 * layout->long_size, layout->long_size);
	ret->status = take(&c, 4);
	ret->block_size = take(&c, 4);
	blocks->sub = take(&c, 4);
	blocks->bitmap = take(&c, 4);
	blocks->max_mapnr = take(&c, 4);
	c.off += 4 * 4;		/* total_ram_blocks, device_blocks, written_blocks, current_cpu: makedumpfile leaves them 0 */
	ret->nr_cpus = take(&c, 4);
	if (blocks->sub > 1U << 20)
		return fail(err, -EINVAL, "sub_hdr_size %llu at 0x%x is out of range", (unsigned long long)blocks->sub,
			    layout->status_off + 8);
	return 0;
}

static int take_blob(struct kdump_blob *ret, struct cursor *c, const char *what, struct error *err)
{
	ret->off = take(c, 8);
	ret->len = take_long(c);
	if (!ret->off || !ret->len)
		*ret = (struct kdump_blob){ 0, 0 };
	if (ret->off > ADDR_LIMIT || ret->len > ADDR_LIMIT - ret->off)
		return fail(err, -EINVAL, "%s at 0x%llx with 0x%llx bytes is out of range", what,
			    (unsigned long long)ret->off, (unsigned long long)ret->len);
	return 0;
}

/* Fields that a version does not have are whatever was on the writer's stack: they are not looked at. */
static int read_sub(struct kdump_info *ret, const uint8_t *buf, const struct layout *layout, struct blocks *blocks,
		    struct error *err)
{
	struct cursor c = { buf, 0, ret->form.data, layout };
	uint64_t start, end, max;
	int rc = 0;

	ret->phys_base = layout->long_size == 8 ? (int64_t)take(&c, 8) : (int32_t)take(&c, 4);
	ret->dump_level = take(&c, 4);
	if (ret->version < 2)
		return 0;
	ret->split = take(&c, 4) != 0;
	ret->start_pfn = take_long(&c);
	ret->end_pfn = take_long(&c);
	if (ret->version >= 3)
		rc = take_blob(&ret->vmcoreinfo, &c, "VMCOREINFO", err);
	if (!rc && ret->version >= 4)
		rc = take_blob(&ret->notes, &c, "notes", err);
	if (!rc && ret->version >= 5)
		rc = take_blob(&ret->eraseinfo, &c, "eraseinfo", err);
	if (rc || ret->version < 6)
		return rc;
	start = take(&c, 8);
	end = take(&c, 8);
	max = take(&c, 8);
	if (ret->split) {
		ret->start_pfn = start;
		ret->end_pfn = end;
	}
	if (max)
		blocks->max_mapnr = max;
	return 0;
}

/* Offsets from block numbers; bitmaps are whole blocks each, and an old file has one that means both. */
static int locate(struct kdump_info *ret, const struct blocks *blocks, struct error *err)
{
	uint64_t bs = ret->block_size, bitmap, half = blocks->bitmap / 2 * bs;

	ret->max_pfn = blocks->max_mapnr;
	if (!ret->max_pfn || ret->max_pfn > ADDR_LIMIT / bs)
		return fail(err, -EINVAL, "max_mapnr %llu is out of range", (unsigned long long)ret->max_pfn);
	bitmap = (ret->max_pfn + 7) / 8;
	if (blocks->bitmap * bs < bitmap)
		return fail(err, -EINVAL, "bitmap_blocks %llu are too few for %llu page frames",
			    (unsigned long long)blocks->bitmap, (unsigned long long)ret->max_pfn);
	ret->exists_off = (1 + blocks->sub) * bs;
	ret->stored_off = ret->exists_off + (half >= bitmap ? half : 0);
	ret->desc_off = ret->exists_off + blocks->bitmap * bs;
	if (!ret->split) {
		ret->start_pfn = 0;
		ret->end_pfn = ret->max_pfn;
	}
	if (ret->start_pfn > ret->end_pfn || ret->end_pfn > ret->max_pfn)
		return fail(err, -EINVAL, "a piece of page frames %llu to %llu of %llu", (unsigned long long)ret->start_pfn,
			    (unsigned long long)ret->end_pfn, (unsigned long long)ret->max_pfn);
	return 0;
}

/* Byte order is that in which the version is small. */
static int read_version(struct kdump_info *ret, const uint8_t *buf, struct error *err)
{
	static const uint8_t orders[] = { ELFDATA2LSB, ELFDATA2MSB };

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		ret->form.data = orders[i];
		ret->version = elf_get(orders[i], buf + 8, 4);
		if (ret->version >= 1 && ret->version <= 6)
			return 0;
	}
	return fail(err, -EINVAL, "header_version %llu at 0x8 is not 1 to 6",
		    (unsigned long long)elf_get(ELFDATA2LSB, buf + 8, 4));
}

int kdump_info_read(struct kdump_info *ret, struct mem *mem, struct error *err)
{
	/* Room for any layout: those of 32-bit machines are shorter. */
	uint8_t buf[KDUMP_HEADER_SIZE], sub[KDUMP_SUB_HEADER_SIZE];
	const struct machine *machine;
	const struct layout *layout;
	struct blocks blocks;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (mem_read(mem, 0, buf, 8) || memcmp(buf, KDUMP_SIGNATURE, 8))
		return -ENODEV;
	rc = mem_read(mem, 0, buf, sizeof(buf));
	if (rc)
		return fail(err, rc, "the kdump header of %zu bytes is not readable", sizeof(buf));
	rc = read_version(ret, buf, err);
	if (rc)
		return rc;
	read_utsname(ret, buf + 12);
	machine = find_machine(ret->uts.machine);
	ret->e_machine = machine ? machine->e_machine : EM_NONE;
	layout = find_layout(buf, ret->form.data, machine);
	if (!layout)
		return fail(err, -EINVAL, "block_size %llu at 0x%x is no page size",
			    (unsigned long long)block_size_by(buf, ret->form.data, machine ? machine->layout : &layout_64),
			    (machine ? machine->layout : &layout_64)->status_off + 4);
	rc = read_main(ret, buf, layout, &blocks, err);
	if (!rc && blocks.sub) {
		rc = mem_read(mem, ret->block_size, sub, sizeof(sub));
		rc = rc ? fail(err, rc, "the kdump sub header at 0x%x is not readable", ret->block_size) :
			  read_sub(ret, sub, layout, &blocks, err);
	}
	return rc ? rc : locate(ret, &blocks, err);
}
