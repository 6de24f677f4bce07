/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kdump-compressed format, version 6, of 64-bit machines in either byte order (makedumpfile's diskdump_mod.h,
 * crash's diskdump.h). All blocks are as large as a page of the crashed kernel:
 *
 *   +----------------------+ 0
 *   | header (464 bytes)   |              1 block
 *   +----------------------+
 *   | sub header, notes    |              sub_hdr_size blocks; the notes follow the sub header's 104 bytes
 *   +----------------------+
 *   | bitmap 1: is RAM     |              bitmap_blocks / 2 each: a bit a page frame, lowest bit first
 *   | bitmap 2: is stored  |
 *   +----------------------+
 *   | page descriptors     |              24 bytes for each bit set in bitmap 2, in the order of page frames
 *   +----------------------+
 *   | page data            |              not aligned; descriptors may share it
 *   +----------------------+
 *
 * Offsets in the file are absolute. A part of a split dump has both bitmaps whole and the descriptors and data of its
 * own page frames [start_pfn, end_pfn).
 */
#ifndef ELFCORE_KDUMP_FORMAT_H
#define ELFCORE_KDUMP_FORMAT_H

#include "elfcore/types.h"

#define KDUMP_SIGNATURE "KDUMP   "	/* 8 bytes, no zero */
#define KDUMP_SIGNATURE_SIZE 8
#define KDUMP_VERSION 6

#define KDUMP_HEADER_SIZE 464
#define KDUMP_SUB_HEADER_SIZE 104
#define KDUMP_DESC_SIZE 24

/* Of a page descriptor; in the header's status they say what the pages may use. */
#define KDUMP_ZLIB 0x1
#define KDUMP_LZO 0x2
#define KDUMP_SNAPPY 0x4
#define KDUMP_ZSTD 0x20

/* Of the status alone. */
#define KDUMP_INCOMPLETE 0x8
#define KDUMP_EXCLUDED_VMEMMAP 0x10

#define KDUMP_UTSNAME_LEN 65

struct kdump_header {
	uint32_t version;
	char sysname[KDUMP_UTSNAME_LEN], nodename[KDUMP_UTSNAME_LEN], release[KDUMP_UTSNAME_LEN];
	char kernel_version[KDUMP_UTSNAME_LEN], machine[KDUMP_UTSNAME_LEN], domainname[KDUMP_UTSNAME_LEN];
	uint64_t crashtime;		/* s since 1970 UTC; microseconds are always written as 0: libkdumpfile may take
					   others for the block size of a 32-bit header */
	uint32_t status;
	uint32_t block_size;
	uint32_t sub_hdr_size;		/* blocks */
	uint32_t bitmap_blocks;		/* of both bitmaps */
	uint32_t max_mapnr;		/* of readers before version 6 */
	uint32_t nr_cpus;
};

struct kdump_sub_header {
	uint64_t phys_base;
	uint32_t dump_level;
	uint32_t split;			/* 1 = a part of a split dump */
	uint64_t off_vmcoreinfo, size_vmcoreinfo;
	uint64_t off_note, size_note;
	uint64_t off_eraseinfo, size_eraseinfo;
	uint64_t start_pfn, end_pfn;	/* of a part; version 6 has them twice, the 64-bit ones are meant */
	uint64_t max_mapnr;		/* one above the highest page frame */
};

struct kdump_desc {
	uint64_t off;			/* 0 = never written: the dump is incomplete */
	uint32_t size;			/* as large as a block = not compressed, flags 0 */
	uint32_t flags;
};

/* data is ELFDATA2LSB or ELFDATA2MSB; the buffers have the sizes above. Text is cut to its field and terminated. */
void kdump_header_encode(uint8_t data, const struct kdump_header *header, uint8_t buf[KDUMP_HEADER_SIZE]);
void kdump_sub_header_encode(uint8_t data, const struct kdump_sub_header *sub, uint8_t buf[KDUMP_SUB_HEADER_SIZE]);
void kdump_desc_encode(uint8_t data, const struct kdump_desc *desc, uint8_t buf[KDUMP_DESC_SIZE]);

/* Nothing is checked. Of headers before version 6 the fields that they lack hold whatever lies there. */
void kdump_header_decode(uint8_t data, const uint8_t buf[KDUMP_HEADER_SIZE], struct kdump_header *ret);
void kdump_sub_header_decode(uint8_t data, const uint8_t buf[KDUMP_SUB_HEADER_SIZE], struct kdump_sub_header *ret);
void kdump_desc_decode(uint8_t data, const uint8_t buf[KDUMP_DESC_SIZE], struct kdump_desc *ret);

#endif
