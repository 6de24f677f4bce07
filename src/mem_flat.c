// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dump in the flattened form (elfcore/sink_flat.h), read at random: the records are indexed once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/elf_codec.h"
#include "elfcore/sink_flat.h"
#include "src/mem_sources.h"

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

/*
 * One record header at pos of the stream: 1 and *ret, 0 at the end record, -errno (-ENODATA = the stream ends early).
 */
static int read_header(struct mem *below, uint64_t pos, struct flat_record *ret)
{
	uint8_t header[FLAT_RECORD_HEADER];
	int rc = mem_read(below, pos, header, sizeof(header));

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

/* The first lane that the record continues; the last one takes all. */
static struct flat_list *find_lane(struct mem_flat *flat, const struct flat_record *record)
{
	struct flat_list *lane = flat->lanes;

	for (; lane < flat->lanes + FLAT_LANES - 1; lane++)
		if (!lane->nr || record_end(&lane->records[lane->nr - 1]) <= record->off)
			break;
	return lane;
}

static size_t count_records(const struct mem_flat *flat)
{
	size_t nr = 0;

	for (unsigned int i = 0; i < FLAT_LANES; i++)
		nr += flat->lanes[i].nr;
	return nr;
}

static int index_records(struct mem_flat *flat, struct log *log, struct error *err)
{
	uint64_t pos = FLAT_HEADER_SIZE;
	struct flat_record record;
	int rc;

	while ((rc = read_header(flat->below, pos, &record)) > 0) {
		if (add_record(find_lane(flat, &record), &record))
			return fail(err, -ENOMEM, "no memory to index %zu records", count_records(flat));
		flat->size = max_u64(flat->size, record_end(&record));
		pos = record.pos + record.len;
	}
	flat->cut = rc == -ENODATA;
	flat->stream_len = pos;
	if (flat->cut && flat->lanes[0].nr) {
		log_warn(log, "the flattened stream ends early, at byte %llu", (unsigned long long)pos);
		rc = 0;
	}
	return rc ? fail(err, rc, "flattened record at byte %llu is broken (%s)", (unsigned long long)pos, strerror(-rc)) : 0;
}

/* The first record of a lane that ends behind off. */
static size_t find_record(const struct flat_list *lane, uint64_t off)
{
	size_t low = 0, high = lane->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (record_end(&lane->records[mid]) <= off)
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
	return mem_read(flat->below, record->pos + (start - record->off), buf + (start - addr), end - start);
}

/*
 * Later records win: of what the lanes have next the earliest in the stream is taken. NULL = none of them has any more
 * below end.
 */
static const struct flat_record *next_record(const struct mem_flat *flat, size_t next[FLAT_LANES], uint64_t end)
{
	const struct flat_record *first = NULL;
	unsigned int from = 0;

	for (unsigned int i = 0; i < FLAT_LANES; i++) {
		const struct flat_list *lane = &flat->lanes[i];

		if (next[i] == lane->nr || (i < FLAT_LANES - 1 && lane->records[next[i]].off >= end) ||
		    (first && first->pos < lane->records[next[i]].pos))
			continue;
		first = &lane->records[next[i]];
		from = i;
	}
	if (first)
		next[from]++;
	return first;
}

static int flat_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct mem_flat *flat = container_of(mem, struct mem_flat, mem);
	const struct flat_record *record;
	size_t next[FLAT_LANES] = { 0 };
	int rc = 0;

	if (addr > flat->size || len > flat->size - addr)
		return -ENODATA;
	memset(buf, 0, len);
	for (unsigned int i = 0; i < FLAT_LANES - 1; i++)
		next[i] = find_record(&flat->lanes[i], addr);
	while (!rc && (record = next_record(flat, next, addr + len)))
		rc = copy_part(flat, record, addr, buf, len);
	return rc;
}

static void flat_close(struct mem *mem)
{
	struct mem_flat *flat = container_of(mem, struct mem_flat, mem);

	for (unsigned int i = 0; i < FLAT_LANES; i++)
		free(flat->lanes[i].records);
}

static uint64_t flat_size(struct mem *mem)
{
	return container_of(mem, struct mem_flat, mem)->size;
}

static void flat_facts(struct mem *mem, struct mem_facts *facts)
{
	const struct mem_flat *flat = container_of(mem, struct mem_flat, mem);

	mem_fact(facts, "flattened", "%llu bytes in %zu records", (unsigned long long)flat->size, count_records(flat));
}

static int flat_whole(struct mem *mem, struct error *err)
{
	const struct mem_flat *flat = container_of(mem, struct mem_flat, mem);

	return flat->cut ? fail(err, -ENODATA, "the flattened stream has no end record, it ends at byte %llu",
				(unsigned long long)flat->stream_len) : 0;
}

static const struct mem_ops flat_ops = {
	.name = "flattened file",
	.read = flat_read,
	.size = flat_size,
	.facts = flat_facts,
	.whole = flat_whole,
	.close = flat_close,
};

int mem_flat_open(struct mem_flat *flat, struct mem *below, struct log *log, struct error *err)
{
	uint8_t header[32];
	int rc;

	if (mem_read(below, 0, header, sizeof(header)) || memcmp(header, FLAT_SIGNATURE, 16))
		return -ENODEV;
	if (elf_get(ELFDATA2MSB, header + 16, 8) != 1 || elf_get(ELFDATA2MSB, header + 24, 8) != 1)
		return fail(err, -EINVAL, "flattened type %llu version %llu is not 1, 1",
			    (unsigned long long)elf_get(ELFDATA2MSB, header + 16, 8),
			    (unsigned long long)elf_get(ELFDATA2MSB, header + 24, 8));
	memset(flat, 0, sizeof(*flat));
	flat->mem.ops = &flat_ops;
	flat->below = below;
	rc = index_records(flat, log, err);
	if (rc)
		flat_close(&flat->mem);
	return rc;
}
