// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dump in the flattened form (elfcore/sink_flat.h), read at random: the records are indexed once. Nearly all come in
 * ascending order and make the base; the few that go back (headers written again at the end) are laid over it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/elf_codec.h"
#include "elfcore/sink_flat.h"
#include "src/mem_sources.h"
#include "src/sys.h"

static int add_record(struct flat_list *list, const struct flat_record *record)
{
	if (list->nr == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : 256;
		struct flat_record *records = realloc(list->records, cap * sizeof(*records));

		if (!records)
			return -ENOMEM;
		list->records = records;
		list->cap = cap;
	}
	list->records[list->nr++] = *record;
	return 0;
}

static uint64_t record_end(const struct flat_record *record)
{
	return record->off + record->len;
}

/* One record header at pos of the stream: 1 and *ret, 0 at the end record, -errno (-ENODATA = the stream ends early). */
static int read_header(int fd, uint64_t pos, struct flat_record *ret)
{
	uint8_t header[FLAT_RECORD_HEADER];
	int rc = read_all_at(fd, pos, header, sizeof(header));

	if (rc)
		return rc;
	ret->off = elf_get(ELFDATA2MSB, header, 8);
	ret->len = elf_get(ELFDATA2MSB, header + 8, 8);
	ret->pos = pos + sizeof(header);
	if (ret->off == UINT64_MAX && ret->len == UINT64_MAX)
		return 0;
	if (!ret->len || ret->len > INT64_MAX || ret->off > INT64_MAX - ret->len)
		return -EINVAL;
	return 1;
}

static int index_records(struct mem_flat *flat, struct log *log, struct error *err)
{
	uint64_t pos = FLAT_HEADER_SIZE;
	struct flat_record record;
	int rc;

	while ((rc = read_header(flat->fd, pos, &record)) > 0) {
		bool ascending = record.off >= flat->size;

		if (add_record(ascending ? &flat->base : &flat->overlay, &record))
			return fail(err, -ENOMEM, "no memory to index %zu records", flat->base.nr);
		flat->size = max_u64(flat->size, record_end(&record));
		pos = record.pos + record.len;
	}
	if (rc == -ENODATA && flat->base.nr) {
		log_warn(log, "the flattened stream ends early, at byte %llu", (unsigned long long)pos);
		rc = 0;
	}
	return rc ? fail(err, rc, "flattened record at byte %llu is broken (%s)", (unsigned long long)pos, strerror(-rc)) : 0;
}

/* The first record that ends behind off. */
static size_t find_base(const struct mem_flat *flat, uint64_t off)
{
	size_t low = 0, high = flat->base.nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (record_end(&flat->base.records[mid]) <= off)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The part of [addr, addr + len) that a record has. */
static int copy_part(const struct mem_flat *flat, const struct flat_record *record, maddr_t addr, uint8_t *buf, size_t len)
{
	uint64_t start = max_u64(addr, record->off), end = min_u64(addr + len, record_end(record));

	if (start >= end)
		return 0;
	return read_all_at(flat->fd, record->pos + (start - record->off), buf + (start - addr), end - start);
}

static int flat_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct mem_flat *flat = container_of(mem, struct mem_flat, mem);
	int rc = 0;

	if (addr > flat->size || len > flat->size - addr)
		return -ENODATA;
	memset(buf, 0, len);
	for (size_t i = find_base(flat, addr); i < flat->base.nr && flat->base.records[i].off < addr + len && !rc; i++)
		rc = copy_part(flat, &flat->base.records[i], addr, buf, len);
	for (size_t i = 0; i < flat->overlay.nr && !rc; i++)
		rc = copy_part(flat, &flat->overlay.records[i], addr, buf, len);
	return rc;
}

/* The descriptor is borrowed from the file that the stream lies in. */
static void flat_close(struct mem *mem)
{
	struct mem_flat *flat = container_of(mem, struct mem_flat, mem);

	free(flat->base.records);
	free(flat->overlay.records);
}

static const struct mem_ops flat_ops = {
	.name = "flattened file",
	.read = flat_read,
	.close = flat_close,
};

int mem_flat_open(struct mem_flat *flat, const struct mem_file *file, struct log *log, struct error *err)
{
	uint8_t header[32];
	int rc;

	if (read_all_at(file->fd, 0, header, sizeof(header)) || memcmp(header, FLAT_SIGNATURE, 16))
		return -ENODEV;
	if (elf_get(ELFDATA2MSB, header + 16, 8) != 1 || elf_get(ELFDATA2MSB, header + 24, 8) != 1)
		return fail(err, -EINVAL, "flattened type %llu version %llu is not 1, 1",
			    (unsigned long long)elf_get(ELFDATA2MSB, header + 16, 8),
			    (unsigned long long)elf_get(ELFDATA2MSB, header + 24, 8));
	memset(flat, 0, sizeof(*flat));
	flat->mem.ops = &flat_ops;
	flat->fd = file->fd;
	rc = index_records(flat, log, err);
	if (rc)
		flat_close(&flat->mem);
	return rc;
}
