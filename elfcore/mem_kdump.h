/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kdump-compressed dump as a source of memory: maddr_t is a physical address. One file, or all the pieces that
 * "makedumpfile --split" made of one dump.
 *
 * A page that was filtered out is not there and says so: read() is -ENODATA and present() false. One whose descriptor
 * or data lies beyond the end of a cut file is present and fails with -ENODATA, one that cannot be decoded with -EIO.
 */
#ifndef ELFCORE_MEM_KDUMP_H
#define ELFCORE_MEM_KDUMP_H

#include "elfcore/kdump_info.h"
#include "elfcore/log.h"
#include "elfcore/page_bitmap.h"

#define KDUMP_PIECES_MAX 64	/* of one dump: more are neither read nor written */

#define KDUMP_CODEC_FLAGS (KDUMP_ZLIB | KDUMP_LZO | KDUMP_SNAPPY | KDUMP_ZSTD)

struct kdump_piece {
	struct mem *mem;		/* borrowed */
	const char *name;		/* borrowed; of the file, for messages */
	uint64_t size;			/* of the file, 0 = unknown */
	struct kdump_info info;
	uint64_t rank;			/* of its first page in bitmap 2: that page's descriptor is number 0 */
};

/* A page descriptor and where it is. */
struct kdump_place {
	const struct kdump_piece *piece;
	uint64_t pos;
	struct kdump_desc desc;
};

struct kdump_cache;

struct mem_kdump {
	struct mem mem;
	struct log *log;
	struct kdump_piece pieces[KDUMP_PIECES_MAX];	/* ascending in start_pfn */
	unsigned int nr_pieces;
	uint32_t page_size;
	uint64_t max_pfn;
	struct page_bitmap exists, stored;
	struct kdump_cache *cache;	/* pages and descriptors lately used */
	uint64_t zero_off;		/* of data that is a page of zeros, in piece zero_piece; 0 = none known */
	const struct kdump_piece *zero_piece;
	unsigned int nr_said;		/* broken pages that the log has been told of */
};

/* A file of a dump, in any order. */
struct kdump_file {
	struct mem *mem;
	const char *name;
};

/*
 * -ENODEV: the first one is not a kdump-compressed file. -EINVAL: a header is broken, or the files are not pieces of the
 * same dump. Pieces that are missing are said in the log and their pages fail.
 */
int mem_kdump_open(struct mem_kdump *kdump, const struct kdump_file *files, unsigned int nr, struct log *log,
		   struct error *err);

/* Where a page is. -ENODATA: filtered out, or its descriptor cannot be read (err says which). */
int mem_kdump_find(struct mem_kdump *kdump, pfn_t pfn, struct kdump_place *ret, struct error *err);

/* Decode a page to buf (page_size bytes); the error names file, page frame and offset. */
int mem_kdump_page(struct mem_kdump *kdump, pfn_t pfn, void *buf, struct error *err);

#endif
