/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kdump-compressed files made in memory: any version, any layout, any codec, in pieces, incomplete; lies are poked into
 * the bytes afterwards. Shares no code with the reader but what puts an integer in a byte order.
 */
#ifndef TESTS_LIB_KDUMPBUILDER_H
#define TESTS_LIB_KDUMPBUILDER_H

#include "tests/lib/corebuilder.h"

enum page_kind { PAGE_EXCLUDED, PAGE_RAW, PAGE_ZERO, PAGE_ZLIB, PAGE_LZO, PAGE_SNAPPY, PAGE_ZSTD, PAGE_UNWRITTEN };

struct kdump_image {
	const char *machine;		/* utsname.machine, by which the layout goes */
	uint8_t data;			/* ELFDATA2LSB or ELFDATA2MSB */
	uint32_t version;
	uint32_t block_size;
	uint64_t max_pfn;
	uint32_t status;
	uint32_t dump_level;
	bool split;
	uint64_t start_pfn, end_pfn;
	bool one_bitmap;		/* as very old files have */
	const char *vmcoreinfo;		/* NULL = none */
	unsigned int nr_cpus;
	struct {			/* ascending; the rest of max_pfn is no memory */
		uint64_t pfn;
		enum page_kind kind;
		const void *content;	/* NULL = kdump_image_fill() */
	} pages[128];
	unsigned int nr_pages;
	/* out */
	uint64_t exists_off, stored_off, desc_off, data_off, notes_off;
};

/* x86_64, version 6, 4 KiB, little endian, two CPUs; no pages. */
void kdump_image_init(struct kdump_image *image, uint64_t max_pfn);
void kdump_image_page(struct kdump_image *image, uint64_t pfn, enum page_kind kind);

/* What a page holds: pattern_fill() of its physical address, and a run of bytes to compress. */
void kdump_image_fill(uint64_t paddr, void *buf, size_t len);
void kdump_image_build(struct kdump_image *image, struct bytes *ret);

#endif
