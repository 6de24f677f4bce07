/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seek table at the end of a file of zstd frames (elfcore/zseek_format.h), read entry by entry.
 */
#ifndef ELFCORE_ZSEEK_TABLE_H
#define ELFCORE_ZSEEK_TABLE_H

#include "elfcore/error.h"
#include "elfcore/mem.h"
#include "elfcore/zseek_format.h"

/* Entries are read so many at a time. */
#define ZSEEK_TABLE_BATCH 256

struct zseek_table {
	struct mem *mem;	/* borrowed */
	uint64_t off;		/* of the skippable frame that it is in */
	uint64_t nr;
	unsigned int entry_size;
	uint64_t next;		/* the entry that comes next */
	uint8_t raw[ZSEEK_TABLE_BATCH * (ZSEEK_ENTRY_SIZE + 4)];
};

/* What lies before the end of size bytes of mem. -ENODEV: no table. */
int zseek_table_find(struct zseek_table *table, struct mem *mem, uint64_t size);

/* The next entry: bytes in the file and bytes of plain content. -ENODATA: that was the last one; -EIO: not readable. */
int zseek_table_next(struct zseek_table *table, uint64_t *len_ret, uint64_t *plain_len_ret);

/*
 * Does each entry say of the frames that it stands for what they say of themselves? Reads the outsides of all frames.
 * -EINVAL when not, with the first entry that lies; 0 also of a file without a table.
 */
int zseek_table_check(struct mem *mem, uint64_t size, struct error *err);

#endif
