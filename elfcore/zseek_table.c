// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/zseek_table.h"

#include <errno.h>

#include "elfcore/elf_codec.h"
#include "elfcore/zstd_frame.h"

#define CHECKSUM_FLAG 0x80

int zseek_table_find(struct zseek_table *table, struct mem *mem, uint64_t size)
{
	uint8_t footer[ZSEEK_FOOTER_SIZE], header[ZSEEK_SKIP_HEADER_SIZE];
	uint64_t len;

	if (size < sizeof(footer) + sizeof(header) || mem_read(mem, size - sizeof(footer), footer, sizeof(footer)) ||
	    elf_get(ELFDATA2LSB, footer + 5, 4) != ZSEEK_FOOTER_MAGIC)
		return -ENODEV;
	table->mem = mem;
	table->next = 0;
	table->nr = elf_get(ELFDATA2LSB, footer, 4);
	table->entry_size = ZSEEK_ENTRY_SIZE + (footer[4] & CHECKSUM_FLAG ? 4 : 0);
	len = table->nr * table->entry_size + sizeof(footer);
	if (len > size - sizeof(header))
		return -ENODEV;
	table->off = size - len - sizeof(header);
	if (mem_read(mem, table->off, header, sizeof(header)) || elf_get(ELFDATA2LSB, header, 4) != ZSEEK_TABLE_MAGIC ||
	    elf_get(ELFDATA2LSB, header + 4, 4) != len)
		return -ENODEV;
	return 0;
}

int zseek_table_next(struct zseek_table *table, uint64_t *len_ret, uint64_t *plain_len_ret)
{
	uint64_t i = table->next, left = table->nr - i;
	const uint8_t *entry = table->raw + i % ZSEEK_TABLE_BATCH * table->entry_size;

	if (!left)
		return -ENODATA;
	if (i % ZSEEK_TABLE_BATCH == 0 &&
	    mem_read(table->mem, table->off + ZSEEK_SKIP_HEADER_SIZE + i * table->entry_size, table->raw,
		     min_u64(ZSEEK_TABLE_BATCH, left) * table->entry_size))
		return -EIO;
	table->next++;
	*len_ret = elf_get(ELFDATA2LSB, entry, 4);
	*plain_len_ret = elf_get(ELFDATA2LSB, entry + 4, 4);
	return 0;
}

/* An entry stands for whole frames: those that begin in its bytes end with them. */
static int check_entry(struct zseek_table *table, uint64_t pos, uint64_t len, uint64_t plain_len, struct error *err)
{
	unsigned long long nr = table->next - 1;
	uint64_t end = pos + len, there = 0;
	struct zstd_frame frame;

	if (len > table->off - pos)
		return fail(err, -EINVAL, "entry %llu of the seek table says %llu bytes, there are %llu", nr, (unsigned long long)len,
			    (unsigned long long)(table->off - pos));
	while (pos < end) {
		int rc = zstd_frame_read(&frame, table->mem, pos, end, err);

		if (rc == -ENODATA)
			return fail(err, -EINVAL, "entry %llu of the seek table ends at 0x%llx, within the zstd frame at 0x%llx", nr,
				    (unsigned long long)end, (unsigned long long)pos);
		if (rc)
			return fail_prefix(err, "entry %llu of the seek table", nr);
		there += frame.plain_len;
		pos += frame.len;
	}
	if (there != plain_len)
		return fail(err, -EINVAL, "entry %llu of the seek table says %llu bytes of content, its frames hold %llu", nr,
			    (unsigned long long)plain_len, (unsigned long long)there);
	return 0;
}

int zseek_table_check(struct mem *mem, uint64_t size, struct error *err)
{
	uint64_t pos = 0, len, plain_len;
	struct zseek_table table;
	int rc;

	if (zseek_table_find(&table, mem, size))
		return 0;
	for (;; pos += len) {
		rc = zseek_table_next(&table, &len, &plain_len);
		if (rc)
			break;
		rc = check_entry(&table, pos, len, plain_len, err);
		if (rc)
			return rc;
	}
	if (rc != -ENODATA)
		return fail(err, rc, "entry %llu of the seek table is not readable", (unsigned long long)table.next);
	if (pos != table.off)
		return fail(err, -EINVAL, "the seek table ends at 0x%llx, the zstd frames at 0x%llx", (unsigned long long)pos,
			    (unsigned long long)table.off);
	return 0;
}
