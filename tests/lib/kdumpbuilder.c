// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/kdumpbuilder.h"

#include <libdeflate.h>
#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define MAX_BLOCK 65536

static void need(bool condition)
{
	if (!condition)
		abort();
}

void kdump_image_init(struct kdump_image *image, uint64_t max_pfn)
{
	memset(image, 0, sizeof(*image));
	image->machine = "x86_64";
	image->data = ELFDATA2LSB;
	image->version = 6;
	image->block_size = 4096;
	image->max_pfn = max_pfn;
	image->dump_level = 31;
	image->vmcoreinfo = "OSRELEASE=6.1.0-test\nPAGESIZE=4096\n";
	image->nr_cpus = 2;
}

void kdump_image_page(struct kdump_image *image, uint64_t pfn, enum page_kind kind)
{
	need(image->nr_pages < ARRAY_SIZE(image->pages));
	image->pages[image->nr_pages].pfn = pfn;
	image->pages[image->nr_pages++].kind = kind;
}

void kdump_image_fill(uint64_t paddr, void *buf, size_t len)
{
	pattern_fill(buf, paddr, len / 2);
	memset((char *)buf + len / 2, 0x5a, len - len / 2);
}

/* Where fields are: 64 bit, i386, and 32 bit with aligned 8-byte integers. */
struct offsets {
	unsigned int stamp, stamp_len, status;
	unsigned int split, start, start_len, vmcoreinfo, note, erase, len_len, start64, sub_len;
};

static const struct offsets offsets_64 = { 408, 8, 424, 12, 16, 8, 32, 48, 64, 8, 80, 104 };
static const struct offsets offsets_i386 = { 404, 4, 412, 8, 12, 4, 20, 32, 44, 4, 56, 80 };
static const struct offsets offsets_arm = { 404, 4, 412, 8, 12, 4, 24, 40, 56, 4, 72, 96 };

static const struct offsets *offsets_of(const struct kdump_image *image)
{
	if (!strcmp(image->machine, "i686"))
		return &offsets_i386;
	return !strcmp(image->machine, "armv7l") || !strcmp(image->machine, "ppc") ? &offsets_arm : &offsets_64;
}

static void put(const struct kdump_image *image, struct bytes *bytes, size_t off, size_t size, uint64_t value)
{
	elf_put(image->data, bytes->p + off, size, value);
}

static void build_headers(struct kdump_image *image, struct bytes *ret, const struct bytes *notes)
{
	const struct offsets *o = offsets_of(image);
	uint32_t bs = image->block_size, bitmap = ((image->max_pfn + 7) / 8 + bs - 1) / bs;
	uint32_t sub_blocks = (o->sub_len + notes->len + bs - 1) / bs, blocks = image->one_bitmap ? bitmap : 2 * bitmap;
	size_t sub = bs, info = image->vmcoreinfo ? strlen(image->vmcoreinfo) : 0;

	bytes_add_zeros(ret, bs * (1 + sub_blocks + blocks));
	memcpy(ret->p, "KDUMP   ", 8);
	put(image, ret, 8, 4, image->version);
	memcpy(ret->p + 12, "Linux", 5);
	memcpy(ret->p + 12 + 65, "node-1", 6);
	memcpy(ret->p + 12 + 2 * 65, "6.1.0-test", 10);
	memcpy(ret->p + 12 + 4 * 65, image->machine, strlen(image->machine));
	put(image, ret, o->stamp, o->stamp_len, 1763691917);
	put(image, ret, o->status, 4, image->status);
	put(image, ret, o->status + 4, 4, bs);
	put(image, ret, o->status + 8, 4, sub_blocks);
	put(image, ret, o->status + 12, 4, blocks);
	put(image, ret, o->status + 16, 4, image->max_pfn);
	put(image, ret, o->status + 36, 4, image->nr_cpus);
	/* What a version does not have is rubbish: readers must not look at it. */
	memset(ret->p + sub, 0xee, o->sub_len);
	put(image, ret, sub, o->start_len, 0x4000);
	put(image, ret, sub + o->start_len, 4, image->dump_level);
	image->notes_off = sub + o->sub_len;
	memcpy(ret->p + image->notes_off, notes->p, notes->len);
	if (image->version >= 2) {
		put(image, ret, sub + o->split, 4, image->split);
		put(image, ret, sub + o->start, o->start_len, image->start_pfn);
		put(image, ret, sub + o->start + o->start_len, o->start_len, image->end_pfn);
	}
	if (image->version >= 3) {
		/* The last thing in the notes is VMCOREINFO, padded to 4. */
		put(image, ret, sub + o->vmcoreinfo, 8, info ? image->notes_off + notes->len - (info + 3) / 4 * 4 : 0);
		put(image, ret, sub + o->vmcoreinfo + 8, o->len_len, info);
	}
	if (image->version >= 4) {
		put(image, ret, sub + o->note, 8, image->notes_off);
		put(image, ret, sub + o->note + 8, o->len_len, notes->len);
	}
	if (image->version >= 5)
		memset(ret->p + sub + o->erase, 0, 8 + o->len_len);
	if (image->version >= 6) {
		put(image, ret, sub + o->start64, 8, image->start_pfn);
		put(image, ret, sub + o->start64 + 8, 8, image->end_pfn);
		put(image, ret, sub + o->start64 + 16, 8, image->max_pfn);
	}
	image->exists_off = bs * (1 + sub_blocks);
	image->stored_off = image->exists_off + (image->one_bitmap ? 0 : bs * bitmap);
	image->desc_off = ret->len;
}

static size_t compress_page(enum page_kind kind, const uint8_t *page, size_t len, uint8_t *out, size_t room)
{
	static uint8_t work[LZO1X_1_MEM_COMPRESS];
	struct libdeflate_compressor *deflate;
	lzo_uint lzo_len = room;
	size_t size = room;

	switch (kind) {
	case PAGE_ZLIB:
		deflate = libdeflate_alloc_compressor(1);
		size = libdeflate_zlib_compress(deflate, page, len, out, room);
		libdeflate_free_compressor(deflate);
		return size;
	case PAGE_LZO:
		need(lzo1x_1_compress(page, len, out, &lzo_len, work) == LZO_E_OK);
		return lzo_len;
	case PAGE_SNAPPY:
		need(snappy_compress((const char *)page, len, (char *)out, &size) == SNAPPY_OK);
		return size;
	case PAGE_ZSTD:
		return ZSTD_compress(out, room, page, len, 1);
	default:
		memcpy(out, page, len);
		return len;
	}
}

static uint32_t flag_of(enum page_kind kind)
{
	switch (kind) {
	case PAGE_ZLIB: return 1;
	case PAGE_LZO: return 2;
	case PAGE_SNAPPY: return 4;
	case PAGE_ZSTD: return 0x20;
	default: return 0;
	}
}

static bool has_desc(const struct kdump_image *image, unsigned int i)
{
	uint64_t pfn = image->pages[i].pfn;

	return image->pages[i].kind != PAGE_EXCLUDED && (!image->split || (pfn >= image->start_pfn && pfn < image->end_pfn));
}

static void build_pages(struct kdump_image *image, struct bytes *ret)
{
	static uint8_t page[MAX_BLOCK], out[2 * MAX_BLOCK];
	uint64_t desc = image->desc_off, zero_off = 0;

	need(image->block_size <= MAX_BLOCK);
	for (unsigned int i = 0; i < image->nr_pages; i++)
		bytes_add_zeros(ret, has_desc(image, i) ? 24 : 0);
	image->data_off = ret->len;
	for (unsigned int i = 0; i < image->nr_pages; i++) {
		enum page_kind kind = image->pages[i].kind;
		uint64_t off = ret->len;
		size_t size;

		if (!has_desc(image, i))
			continue;
		kdump_image_fill(image->pages[i].pfn * image->block_size, page, image->block_size);
		if (image->pages[i].content)
			memcpy(page, image->pages[i].content, image->block_size);
		if (kind == PAGE_ZERO)
			memset(page, 0, image->block_size);
		size = compress_page(kind, page, image->block_size, out, sizeof(out));
		if (kind == PAGE_ZERO && zero_off)
			off = zero_off;
		else if (kind != PAGE_UNWRITTEN)
			bytes_add(ret, out, size);
		if (kind == PAGE_ZERO)
			zero_off = off;
		put(image, ret, desc, 8, kind == PAGE_UNWRITTEN ? 0 : off);
		put(image, ret, desc + 8, 4, kind == PAGE_UNWRITTEN ? 0 : size);
		put(image, ret, desc + 12, 4, flag_of(kind));
		desc += 24;
	}
}

void kdump_image_build(struct kdump_image *image, struct bytes *ret)
{
	struct elf_form form = { offsets_of(image) == &offsets_64 ? ELFCLASS64 : ELFCLASS32, image->data };
	struct bytes notes = { NULL, 0, 0 };

	for (unsigned int i = 0; i < image->nr_cpus; i++)
		bytes_prstatus(&notes, form, 100 + i, 0xffffffff81000000 + i);
	if (image->vmcoreinfo)
		bytes_note(&notes, image->data, 4, "VMCOREINFO", 0, image->vmcoreinfo, strlen(image->vmcoreinfo));
	else
		bytes_add_zeros(&notes, 4);
	memset(ret, 0, sizeof(*ret));
	if (!image->split)
		image->end_pfn = 0;	/* makedumpfile leaves it 0, or what its memory held */
	build_headers(image, ret, &notes);
	bytes_free(&notes);
	for (unsigned int i = 0; i < image->nr_pages; i++) {
		uint64_t pfn = image->pages[i].pfn;

		ret->p[image->exists_off + pfn / 8] |= 1U << pfn % 8;
		if (image->pages[i].kind != PAGE_EXCLUDED)
			ret->p[image->stored_off + pfn / 8] |= 1U << pfn % 8;
	}
	build_pages(image, ret);
}
