/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kdump-compressed format, version 6 (kdump_format.h), driven by page frames: each window of the page map is asked once
 * to count (plan) and once more to write its part of the bitmaps and its pages, so that nothing grows with the machine;
 * the first ones are remembered.
 * Pages of zeros share one copy, and so do other equal pages that are not far apart (page_share.h), of one file: a part of
 * a split dump stands for itself. A page that does not get smaller is stored as it is; page data begins at a multiple of
 * the page size, which plain pages keep. Notes are those of the crash and ours.
 *
 * While it is written, and when it ended early, the status says incomplete; descriptors that were not reached are zeros.
 * Those of pages whose data is written have their room before that: a full disk costs no page that is on it.
 */
#ifndef ELFCORE_CORE_KDUMP_H
#define ELFCORE_CORE_KDUMP_H

#include "elfcore/capture_note.h"
#include "elfcore/core.h"
#include "elfcore/kdump_format.h"
#include "elfcore/pagemap_kept.h"

#define KDUMP_DESCS_HELD 1024		/* descriptors that are written at a time */
#define KDUMP_PIECE (256U << 10)	/* bytes that are read and packed at a time, a multiple of every page size */

/* What is to be known beforehand. */
struct core_kdump_job {
	struct kernel *kernel;
	struct log *log;
	enum codec codec;
	unsigned int level;
	pfn_t start, end;		/* the part of a split dump, half open; end 0 = all */
};

struct core_kdump {
	struct core core;
	struct core_kdump_job job;
	struct plan *plan;
	struct pagemap pm;
	struct pagemap_kept kept;
	struct sink *sink;
	uint32_t codec_flag;
	uint64_t block_size;
	pfn_t start, end;
	uint64_t nr_pages;		/* to be stored */
	uint64_t notes_off, notes_len, bitmap_off, bitmap_len, desc_off, zero_off;

	/* handing out */
	pfn_t window;			/* the next one to be decided */
	pfn_t pfn, run_end;		/* what is left of the run at hand */
	uint64_t nr_handed;
	uint64_t nr_skipped;		/* behind nr_put, left out */

	/* writing */
	uint64_t nr_put, data_off;
	uint64_t nr_held;		/* descriptors in descs, before nr_put */
	uint64_t nr_reserved;		/* descriptors that have room on the target */
	uint8_t *descs;
	struct kdump_desc *latest;	/* of the PAGE_SHARE_DISTANCE pages before nr_put, by their number modulo that */
	uint64_t nr_zero_bytes;
	char desc[CAPTURE_NOTE_SIZE];	/* of our own note, while it is made */
};

/* -EOPNOTSUPP: the format knows no 32-bit machines here. plan() decides the rest; close() releases. */
int core_kdump_init(struct core_kdump *kd, const struct core_kdump_job *job, struct core **ret, struct error *err);

#endif
