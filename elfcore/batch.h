/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * About a megabyte of a dump on its way from memory into the file. The format says which pieces of memory it wants next
 * and what file they make (core_ops.next), a packer reads and packs them (core_ops.pack), and the format writes the result
 * (core_ops.put). Packers may be other processes: batch and buf then lie in shared memory, at the same address everywhere.
 */
#ifndef ELFCORE_BATCH_H
#define ELFCORE_BATCH_H

#include <stdbool.h>

#include "elfcore/codec.h"
#include "elfcore/mem_chain.h"
#include "elfcore/page_share.h"
#include "elfcore/sink.h"

#define BATCH_LEN (1U << 20)		/* a multiple of every page size */
#define BATCH_PIECES 512
#define BATCH_PAGES (BATCH_LEN / 4096)
#define BATCH_SEGS (BATCH_PIECES + BATCH_PAGES + 1)
#define BATCH_BUF_LEN (BATCH_LEN + (128U << 10))	/* incompressible data grows, and the last page needs its bound */

#define MADDR_ZEROS UINT64_MAX		/* the piece is nowhere: it is zeros */

struct batch_piece {
	maddr_t src;
	uint64_t len;
};

/* A page as a kdump-compressed file has it. */
struct batch_page {
	uint32_t size;			/* 0 = it is zeros */
	uint32_t flags;
	uint32_t back;			/* not 0: it is equal to the page so many before, and has no data of its own */
};

struct batch {
	/* what is wanted */
	uint64_t off;			/* ELF: in the file; kdump: the number of its first page descriptor */
	uint32_t len;			/* of all pieces, at most BATCH_LEN */
	unsigned int nr_pieces;
	struct batch_piece pieces[BATCH_PIECES];

	/* what became of it */
	struct holes holes;		/* of this batch alone */
	uint64_t nr_bytes[MEM_CHAIN_MAX];	/* that each source delivered to another process */
	uint64_t nr_zero_bytes;
	unsigned int nr_segs;
	struct sink_vec segs[BATCH_SEGS];	/* to be written one behind another; base NULL = zeros */
	struct batch_page pages[BATCH_PAGES];
	uint8_t *buf;			/* BATCH_BUF_LEN bytes */
};

/* What a process needs to read and pack. */
struct packer {
	struct mem_chain *chain;	/* borrowed */
	struct codec_ctx codec;
	uint8_t *in;			/* needs.in_len plain bytes, at a page boundary */
	void *in_room;
	struct page_share share;	/* what this process has packed; empty unless page_size was given */
};

/* What a format asks of its packers. */
struct packer_needs {
	enum codec codec;
	size_t in_len;			/* plain bytes that are held at a time beside a batch, 0 = none */
	size_t pack_len;		/* bytes that are compressed at a time */
	size_t page_size;		/* of the pages that may share data, 0 = none */
};

/* Gets all memory; share_len bytes of pages are kept to look for equal ones. -ENOMEM. */
int packer_init(struct packer *packer, struct mem_chain *chain, const struct packer_needs *needs, int level, size_t share_len);
void packer_deinit(struct packer *packer);

/* Empty, to be filled by batch_add(). */
void batch_start(struct batch *batch, uint64_t off);

/* Append; false = there is no room for another piece. The caller minds BATCH_LEN. */
bool batch_add(struct batch *batch, maddr_t src, uint64_t len);

/* How far a batch is read. */
struct batch_cursor {
	unsigned int piece;
	uint64_t done;			/* of that piece */
};

/* Read the next len bytes of the pieces, one behind another. The caller minds the end. */
void batch_read(struct batch *batch, struct mem_chain *chain, struct batch_cursor *cursor, uint8_t *dst, size_t len);

/* Append to segs; what continues the latest one is joined with it. */
void batch_add_seg(struct batch *batch, const void *base, size_t len);

#endif
