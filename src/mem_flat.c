// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dump in the flattened form (elfcore/sink_flat.h), read at random: some of the records are indexed, once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/elf_codec.h"
#include "elfcore/sink_flat.h"
#include "src/mem_sources.h"

/* 2.5 MiB; a dump of 1 TiB in records of 64 KiB has one for 512 of them. */
#ifndef FLAT_MARKS_MAX
#define FLAT_MARKS_MAX (1U << 15)
#endif

/* More than headers that were written again. */
#define STRAY_MANY 1000

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

/* The next record, which is of the first lane that it continues: what read_header() says, and *at is behind it. */
static int step(const struct mem_flat *flat, struct flat_place *at, struct flat_record *ret)
{
	int rc = read_header(flat->below, at->pos, ret);

	if (rc <= 0)
		return rc;
	for (ret->lane = 0; ret->lane < FLAT_LANES; ret->lane++)
		if (at->ends[ret->lane] <= ret->off)
			break;
	if (ret->lane < FLAT_LANES)
		at->ends[ret->lane] = record_end(ret);
	at->pos = ret->pos + ret->len;
	return 1;
}

/* --- the index ------------------------------------------------------------------------------------------------------- */

static void thin_out(struct mem_flat *flat)
{
	for (size_t i = 0; i < flat->nr_marks / 2; i++) {
		const struct flat_mark *dropped = &flat->marks[2 * i + 1];
		struct flat_mark *mark = &flat->marks[i];

		*mark = flat->marks[2 * i];
		mark->low = min_u64(mark->low, dropped->low);
		mark->high = max_u64(mark->high, dropped->high);
	}
	flat->nr_marks /= 2;
	flat->stride *= 2;
}

static int add_mark(struct mem_flat *flat, const struct flat_place *at)
{
	if (flat->nr_marks == flat->cap) {
		size_t cap = flat->cap ? 2 * flat->cap : 64;
		struct flat_mark *marks = realloc(flat->marks, cap * sizeof(*marks));

		if (!marks)
			return -ENOMEM;
		flat->marks = marks;
		flat->cap = cap;
	}
	flat->marks[flat->nr_marks++] = (struct flat_mark){ .at = *at, .low = UINT64_MAX };
	return 0;
}

/* The record at a place. */
static int add_record(struct mem_flat *flat, const struct flat_place *at, const struct flat_record *record)
{
	uint64_t nr = flat->nr_records++;
	struct flat_mark *mark;

	if (nr % flat->stride == 0 && flat->nr_marks == FLAT_MARKS_MAX)
		thin_out(flat);
	if (nr % flat->stride == 0 && add_mark(flat, at))
		return -ENOMEM;
	flat->size = max_u64(flat->size, record_end(record));
	if (record->lane < FLAT_LANES)
		return 0;
	mark = &flat->marks[flat->nr_marks - 1];
	mark->low = min_u64(mark->low, record->off);
	mark->high = max_u64(mark->high, record_end(record));
	flat->nr_stray++;
	return 0;
}

static int index_records(struct mem_flat *flat, struct log *log, struct error *err)
{
	struct flat_place at = { .pos = FLAT_HEADER_SIZE };
	struct flat_record record;
	unsigned long long pos;
	int rc;

	flat->stride = 1;
	flat->end = at;
	while ((rc = step(flat, &at, &record)) > 0) {
		if (add_record(flat, &flat->end, &record))
			return fail(err, -ENOMEM, "no memory to index %llu records", (unsigned long long)flat->nr_records);
		flat->end = at;
	}
	pos = at.pos;
	flat->cut = rc == -ENODATA;
	if (flat->cut && flat->nr_records) {
		log_warn(log, "the flattened stream ends early, at byte %llu", pos);
		rc = 0;
	}
	if (flat->nr_stray >= STRAY_MANY)
		log_warn(log, "the flattened stream was written in more than %u places at once: reading it is slow, `kcapture copy -R` "
			 "puts it together first", FLAT_LANES);
	return rc ? fail(err, rc, "flattened record at byte %llu is broken (%s)", pos, strerror(-rc)) : 0;
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

/* The last mark before the lane's record that ends behind off. */
static const struct flat_mark *find_mark(const struct mem_flat *flat, unsigned int lane, uint64_t off)
{
	size_t low = 0, high = flat->nr_marks;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (flat->marks[mid].at.ends[lane] <= off)
			low = mid;
		else
			high = mid;
	}
	return &flat->marks[low];
}

static struct flat_cursor *cursor_at(struct mem_flat *flat, unsigned int lane, uint64_t off)
{
	for (unsigned int i = 0; i < FLAT_CURSORS; i++) {
		struct flat_cursor *cursor = &flat->cursors[lane][i];

		if (cursor->before <= off && off < record_end(&cursor->record))
			return cursor;
	}
	return NULL;
}

/* One that is to be walked on: of those between mark and record the last, else the one that was not used for longest. */
static struct flat_cursor *cursor_before(struct mem_flat *flat, unsigned int lane, uint64_t off)
{
	const struct flat_mark *mark = find_mark(flat, lane, off);
	struct flat_cursor *cursors = flat->cursors[lane], *oldest = cursors, *nearest = NULL;
	uint64_t pos = mark->at.pos;

	for (unsigned int i = 0; i < FLAT_CURSORS; i++) {
		if (cursors[i].used < oldest->used)
			oldest = &cursors[i];
		if (cursors[i].at.ends[lane] <= off && cursors[i].at.pos >= pos) {
			nearest = &cursors[i];
			pos = nearest->at.pos;
		}
	}
	if (nearest)
		return nearest;
	oldest->at = mark->at;
	return oldest;
}

/* The index says that the record is there. */
static int walk(const struct mem_flat *flat, struct flat_cursor *cursor, unsigned int lane, uint64_t off)
{
	do {
		int rc;

		cursor->before = cursor->at.ends[lane];
		rc = step(flat, &cursor->at, &cursor->record);
		if (rc <= 0) {
			memset(cursor, 0, sizeof(*cursor));
			return rc ? rc : -EIO;
		}
	} while (cursor->record.lane != lane || record_end(&cursor->record) <= off);
	return 0;
}

/* The lane's first record that ends behind off: 1, 0 = there is none, -errno. */
static int find_in_lane(struct mem_flat *flat, unsigned int lane, uint64_t off, struct flat_record *ret)
{
	struct flat_cursor *cursor;

	if (flat->end.ends[lane] <= off)
		return 0;
	cursor = cursor_at(flat, lane, off);
	if (!cursor) {
		int rc;

		cursor = cursor_before(flat, lane, off);
		rc = walk(flat, cursor, lane, off);
		if (rc)
			return rc;
	}
	cursor->used = ++flat->clock;
	*ret = cursor->record;
	return 1;
}

/* A read of [addr, end): what each lane has next of it, and the stray records as the last one, which are walked through. */
struct reader {
	uint64_t addr, end;
	struct flat_record next[FLAT_LANES + 1];
	bool has[FLAT_LANES + 1];
	size_t mark;			/* whose stretch is walked through; at.pos 0: not yet */
	struct flat_place at;
};

static uint64_t stretch_end(const struct mem_flat *flat, size_t mark)
{
	return mark + 1 < flat->nr_marks ? flat->marks[mark + 1].at.pos : flat->end.pos;
}

static int next_stray(const struct mem_flat *flat, struct reader *reader)
{
	struct flat_record *record = &reader->next[FLAT_LANES];

	for (; flat->nr_stray && reader->mark < flat->nr_marks; reader->mark++, reader->at.pos = 0) {
		const struct flat_mark *mark = &flat->marks[reader->mark];

		if (mark->low >= reader->end || mark->high <= reader->addr)
			continue;
		if (!reader->at.pos)
			reader->at = mark->at;
		while (reader->at.pos < stretch_end(flat, reader->mark)) {
			int rc = step(flat, &reader->at, record);

			if (rc <= 0)
				return rc ? rc : -EIO;
			if (record->lane == FLAT_LANES && record->off < reader->end && record_end(record) > reader->addr)
				return 1;
		}
	}
	return 0;
}

/* What a lane has from off on. */
static int look_ahead(struct mem_flat *flat, struct reader *reader, unsigned int lane, uint64_t off)
{
	int rc = lane == FLAT_LANES ? next_stray(flat, reader) : find_in_lane(flat, lane, off, &reader->next[lane]);

	reader->has[lane] = rc > 0 && reader->next[lane].off < reader->end;
	return rc < 0 ? rc : 0;
}

/* Later records win: the earliest in the stream is taken first. NULL = no lane has any more. */
static const struct flat_record *earliest(const struct reader *reader)
{
	const struct flat_record *first = NULL;

	for (unsigned int i = 0; i <= FLAT_LANES; i++)
		if (reader->has[i] && (!first || reader->next[i].pos < first->pos))
			first = &reader->next[i];
	return first;
}

/* The part of [addr, end) that a record has. */
static int copy_part(const struct mem_flat *flat, const struct flat_record *record, const struct reader *reader, uint8_t *buf)
{
	uint64_t start = max_u64(reader->addr, record->off), end = min_u64(reader->end, record_end(record));

	return mem_read(flat->below, record->pos + (start - record->off), buf + (start - reader->addr), end - start);
}

static int flat_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct mem_flat *flat = container_of(mem, struct mem_flat, mem);
	struct reader reader = { .addr = addr, .end = addr + len };
	const struct flat_record *record;
	int rc = 0;

	if (addr > flat->size || len > flat->size - addr)
		return -ENODATA;
	if (!len)
		return 0;
	memset(buf, 0, len);
	for (unsigned int i = 0; i <= FLAT_LANES && !rc; i++)
		rc = look_ahead(flat, &reader, i, addr);
	while (!rc && (record = earliest(&reader))) {
		rc = copy_part(flat, record, &reader, buf);
		if (!rc)
			rc = look_ahead(flat, &reader, record - reader.next, record_end(record));
	}
	return rc;
}

static void flat_close(struct mem *mem)
{
	free(container_of(mem, struct mem_flat, mem)->marks);
}

static uint64_t flat_size(struct mem *mem)
{
	return container_of(mem, struct mem_flat, mem)->size;
}

static void flat_facts(struct mem *mem, struct mem_facts *facts)
{
	const struct mem_flat *flat = container_of(mem, struct mem_flat, mem);

	mem_fact(facts, "flattened", "%llu bytes in %llu records", (unsigned long long)flat->size,
		 (unsigned long long)flat->nr_records);
}

static int flat_whole(struct mem *mem, struct error *err)
{
	const struct mem_flat *flat = container_of(mem, struct mem_flat, mem);

	return flat->cut ? fail(err, -ENODATA, "the flattened stream has no end record, it ends at byte %llu",
				(unsigned long long)flat->end.pos) : 0;
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
