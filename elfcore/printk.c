// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/printk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Descriptors, infos and texts are walked in step: each has a window of its own over the dead kernel's memory. */
#define WINDOW 4096
#define DEV_TEXT_MAX 64	/* of a subsystem's or device's name */

struct window {
	vaddr_t base;
	size_t len;
	uint8_t buf[WINDOW];
};

struct reader {
	struct kernel *kernel;
	uint8_t data;			/* byte order */
	size_t word;			/* bytes of an unsigned long */
	struct error *err;
	const struct btf *btf;		/* NULL = none */
	struct btf_field level, facility;
	bool have_level;
	struct window windows[3];
	char text[PRINTK_TEXT_MAX];
	char subsystem[DEV_TEXT_MAX + 1], device[DEV_TEXT_MAX + 1];
};

enum { WINDOW_DESC, WINDOW_INFO, WINDOW_TEXT };

/* Read through a window; a page that ends early is read exactly as far as is asked. */
static int read_through(struct reader *r, int which, vaddr_t vaddr, void *buf, size_t len)
{
	struct window *w = &r->windows[which];
	int rc;

	if (len > WINDOW / 2)
		return kernel_read_vaddr(r->kernel, vaddr, buf, len);
	if (!w->len || vaddr < w->base || vaddr - w->base > w->len - len) {
		w->base = vaddr;
		w->len = WINDOW;
		rc = kernel_read_vaddr(r->kernel, vaddr, w->buf, WINDOW);
		if (rc) {
			w->len = 0;
			return kernel_read_vaddr(r->kernel, vaddr, buf, len);
		}
	}
	memcpy(buf, w->buf + (vaddr - w->base), len);
	return 0;
}

static uint64_t field(const struct reader *r, const uint8_t *buf, int64_t off, size_t size)
{
	return elf_get(r->data, buf + off, size);
}

/* What else a header of a record tells: type is printk_info, printk_log or log. */
static void find_level(struct reader *r, const char *type)
{
	r->have_level = r->btf && !btf_member(r->btf, type, "level", &r->level) &&
			!btf_member(r->btf, type, "facility", &r->facility);
}

static void take_level(const struct reader *r, const uint8_t *buf, size_t len, struct printk_record *ret)
{
	ret->level = ret->facility = -1;
	if (!r->have_level)
		return;
	ret->level = btf_get(r->btf, &r->level, buf, len);
	ret->facility = btf_get(r->btf, &r->facility, buf, len);
}

/* Keys that VMCOREINFO must have, and bounds of what they may say. */
struct layout_key {
	const char *key;
	int64_t *ret;
	int64_t max;
};

static int read_layout(struct kernel *kernel, const struct layout_key *keys, size_t nr, struct error *err)
{
	for (size_t i = 0; i < nr; i++) {
		if (!vmcoreinfo_number(&kernel->crash->vmcoreinfo, keys[i].key, keys[i].ret))
			return fail(err, -ENODATA, "VMCOREINFO has no %s", keys[i].key);
		if (*keys[i].ret < 0 || *keys[i].ret > keys[i].max)
			return fail(err, -EINVAL, "%s=%lld is out of range", keys[i].key, (long long)*keys[i].ret);
	}
	return 0;
}

/* --- 5.10 and later --------------------------------------------------------------------------------------------------- */

#define STRUCT_MAX 256		/* of each structure that is read whole */
#define COUNT_BITS_MAX 26	/* a buffer of 2 GiB (LOG_BUF_LEN_MAX) with 32 bytes a record (PRB_AVGBITS) */

/* A ring whose head was overwritten may name millions of records that are nowhere: reading them takes hours. */
#define LOST_MAX 4096

struct prb {
	struct { int64_t size, desc_ring, text_ring; } rb;
	struct { int64_t count_bits, descs, infos, head, tail; } ring;
	struct { int64_t size, state, begin, next; } desc;	/* begin and next inside the descriptor */
	struct { int64_t size, seq, ts, text_len, caller; } info;
	struct { int64_t subsystem, subsystem_len, device, device_len; } dev;	/* inside struct printk_info; len 0 = unknown */
	struct { int64_t size_bits, data; } text;
	/* values */
	vaddr_t descs, infos, data;
	uint64_t head, tail, id_mask;
	unsigned int count_bits, size_bits;
};

static int prb_layout(struct kernel *kernel, struct prb *prb, struct error *err)
{
	int64_t lpos = 0, begin = 0, next = 0, counter = 0;
	const struct layout_key keys[] = {
		{ "SIZE(printk_ringbuffer)", &prb->rb.size, STRUCT_MAX },
		{ "OFFSET(printk_ringbuffer.desc_ring)", &prb->rb.desc_ring, STRUCT_MAX / 4 },
		{ "OFFSET(printk_ringbuffer.text_data_ring)", &prb->rb.text_ring, STRUCT_MAX / 4 },
		{ "OFFSET(prb_desc_ring.count_bits)", &prb->ring.count_bits, STRUCT_MAX / 4 },
		{ "OFFSET(prb_desc_ring.descs)", &prb->ring.descs, STRUCT_MAX / 4 },
		{ "OFFSET(prb_desc_ring.infos)", &prb->ring.infos, STRUCT_MAX / 4 },
		{ "OFFSET(prb_desc_ring.head_id)", &prb->ring.head, STRUCT_MAX / 4 },
		{ "OFFSET(prb_desc_ring.tail_id)", &prb->ring.tail, STRUCT_MAX / 4 },
		{ "OFFSET(atomic_long_t.counter)", &counter, 8 },
		{ "SIZE(prb_desc)", &prb->desc.size, STRUCT_MAX },
		{ "OFFSET(prb_desc.state_var)", &prb->desc.state, STRUCT_MAX / 4 },
		{ "OFFSET(prb_desc.text_blk_lpos)", &lpos, STRUCT_MAX / 4 },
		{ "OFFSET(prb_data_blk_lpos.begin)", &begin, STRUCT_MAX / 4 },
		{ "OFFSET(prb_data_blk_lpos.next)", &next, STRUCT_MAX / 4 },
		{ "SIZE(printk_info)", &prb->info.size, STRUCT_MAX },
		{ "OFFSET(printk_info.seq)", &prb->info.seq, STRUCT_MAX / 4 },
		{ "OFFSET(printk_info.ts_nsec)", &prb->info.ts, STRUCT_MAX / 4 },
		{ "OFFSET(printk_info.text_len)", &prb->info.text_len, STRUCT_MAX / 4 },
		{ "OFFSET(printk_info.caller_id)", &prb->info.caller, STRUCT_MAX / 4 },
		{ "OFFSET(prb_data_ring.size_bits)", &prb->text.size_bits, STRUCT_MAX / 4 },
		{ "OFFSET(prb_data_ring.data)", &prb->text.data, STRUCT_MAX / 4 },
	};
	int rc = read_layout(kernel, keys, ARRAY_SIZE(keys), err);

	prb->desc.begin = lpos + begin;
	prb->desc.next = lpos + next;
	prb->ring.head += counter;
	prb->ring.tail += counter;
	prb->desc.state += counter;
	return rc;
}

/* Names of subsystem and device are wanted, but not needed. */
static void prb_dev_layout(struct kernel *kernel, struct prb *prb)
{
	int64_t dev_info = 0;
	const struct layout_key keys[] = {
		{ "OFFSET(printk_info.dev_info)", &dev_info, STRUCT_MAX / 4 },
		{ "OFFSET(dev_printk_info.subsystem)", &prb->dev.subsystem, STRUCT_MAX / 4 },
		{ "LENGTH(printk_info_subsystem)", &prb->dev.subsystem_len, DEV_TEXT_MAX },
		{ "OFFSET(dev_printk_info.device)", &prb->dev.device, STRUCT_MAX / 4 },
		{ "LENGTH(printk_info_device)", &prb->dev.device_len, DEV_TEXT_MAX },
	};
	struct error ignored;

	if (read_layout(kernel, keys, ARRAY_SIZE(keys), &ignored))
		prb->dev.subsystem_len = prb->dev.device_len = 0;
	prb->dev.subsystem += dev_info;
	prb->dev.device += dev_info;
}

static void take_text(const uint8_t *info, int64_t size, int64_t off, int64_t len, char *ret)
{
	ret[0] = 0;
	if (off + len > size || !len)
		return;
	memcpy(ret, info + off, len);
	ret[len] = 0;
}

/* SYMBOL(prb) is the address of a pointer to the ring buffer. */
static int prb_open(struct reader *r, vaddr_t symbol, struct prb *prb)
{
	uint8_t buf[2 * STRUCT_MAX] = { 0 };
	const uint8_t *ring;
	int rc;

	memset(prb, 0, sizeof(*prb));
	rc = prb_layout(r->kernel, prb, r->err);
	if (rc)
		return rc;
	prb_dev_layout(r->kernel, prb);
	find_level(r, "printk_info");
	rc = kernel_read_vaddr(r->kernel, symbol, buf, r->word);
	if (!rc)
		rc = kernel_read_vaddr(r->kernel, field(r, buf, 0, r->word), buf, prb->rb.size);
	if (rc)
		return fail(r->err, rc, "the printk ring buffer at 0x%llx is not readable", (unsigned long long)symbol);
	ring = buf + prb->rb.desc_ring;
	prb->count_bits = field(r, ring, prb->ring.count_bits, 4);
	prb->descs = field(r, ring, prb->ring.descs, r->word);
	prb->infos = field(r, ring, prb->ring.infos, r->word);
	prb->head = field(r, ring, prb->ring.head, r->word);
	prb->tail = field(r, ring, prb->ring.tail, r->word);
	prb->size_bits = field(r, buf + prb->rb.text_ring, prb->text.size_bits, 4);
	prb->data = field(r, buf + prb->rb.text_ring, prb->text.data, r->word);
	prb->id_mask = (r->word == 8 ? UINT64_MAX : UINT32_MAX) >> 2;
	if (prb->count_bits > COUNT_BITS_MAX || prb->size_bits > 40 ||
	    ((prb->head - prb->tail) & prb->id_mask) >= 1ULL << prb->count_bits)
		return fail(r->err, -EINVAL, "printk ring buffer with 2^%u descriptors, 2^%u bytes, ids 0x%llx to 0x%llx",
			    prb->count_bits, prb->size_bits, (unsigned long long)prb->tail, (unsigned long long)prb->head);
	return 0;
}

/*
 * Where a data block's text lies: positions count for ever, the buffer's size masks them. A block that would cross the
 * end of the buffer starts at its beginning instead. Bit 0 set = no text. false = none, or nonsense.
 */
static bool prb_text(const struct reader *r, const struct prb *prb, uint64_t begin, uint64_t next, vaddr_t *ret, size_t *room)
{
	uint64_t size = 1ULL << prb->size_bits, start = begin & (size - 1), end = next & (size - 1);

	if (begin & 1 || next & 1)
		return false;
	if (begin >> prb->size_bits != next >> prb->size_bits) {
		/* An exact end of the buffer is position 0 of the next lap. */
		if (end)
			start = 0;
		else
			end = size;
	}
	if (end <= start + r->word)
		return false;
	*ret = prb->data + start + r->word;	/* behind the id of the descriptor */
	*room = end - start - r->word;
	return true;
}

enum { DESC_COMMITTED = 1, DESC_FINALIZED = 2 };

/* 1 with a record, 0 without, -errno when memory is not readable. */
static int prb_record(struct reader *r, const struct prb *prb, uint64_t id, struct printk_record *ret)
{
	uint64_t index = id & ((1ULL << prb->count_bits) - 1), state;
	uint8_t desc[STRUCT_MAX], info[STRUCT_MAX];
	unsigned int state_shift = 8 * r->word - 2;
	vaddr_t text;
	size_t room;

	if (read_through(r, WINDOW_DESC, prb->descs + index * prb->desc.size, desc, prb->desc.size) ||
	    read_through(r, WINDOW_INFO, prb->infos + index * prb->info.size, info, prb->info.size))
		return -EIO;
	state = field(r, desc, prb->desc.state, r->word);
	if ((state & prb->id_mask) != id ||
	    (state >> state_shift != DESC_COMMITTED && state >> state_shift != DESC_FINALIZED))
		return 0;
	ret->seq = field(r, info, prb->info.seq, 8);
	ret->ts_nsec = field(r, info, prb->info.ts, 8);
	ret->caller_id = field(r, info, prb->info.caller, 4);
	take_level(r, info, prb->info.size, ret);
	take_text(info, prb->info.size, prb->dev.subsystem, prb->dev.subsystem_len, r->subsystem);
	take_text(info, prb->info.size, prb->dev.device, prb->dev.device_len, r->device);
	ret->subsystem = r->subsystem;
	ret->device = r->device;
	ret->text = r->text;
	ret->text_len = 0;
	if (!prb_text(r, prb, field(r, desc, prb->desc.begin, r->word), field(r, desc, prb->desc.next, r->word), &text, &room))
		return 0;
	ret->text_len = min_u64(min_u64(field(r, info, prb->info.text_len, 2), room), sizeof(r->text));
	return read_through(r, WINDOW_TEXT, text, r->text, ret->text_len) ? -EIO : 1;
}

static int prb_each(struct reader *r, vaddr_t symbol, printk_fn *fn, void *arg)
{
	unsigned int nr_lost = 0;
	struct prb prb;
	int rc = prb_open(r, symbol, &prb);

	if (rc)
		return rc;
	for (uint64_t i = 0, nr = ((prb.head - prb.tail) & prb.id_mask) + 1; i < nr && !rc; i++) {
		struct printk_record record;
		int found = prb_record(r, &prb, (prb.tail + i) & prb.id_mask, &record);

		/* A page of the log that is lost costs the records on it, not the rest. */
		if (found < 0 && ++nr_lost > LOST_MAX)
			return fail(r->err, -EIO, "more than %d records of the kernel log are not readable", LOST_MAX);
		if (found > 0)
			rc = fn(arg, &record);
	}
	return rc;
}

/* --- 3.5 to 5.9 ------------------------------------------------------------------------------------------------------- */

struct record_buffer {
	struct { int64_t size, ts, len, text_len; } log;	/* struct printk_log, "log" up to 3.10 */
	vaddr_t buf;
	uint32_t size, first, next;
};

static int record_buffer_layout(struct kernel *kernel, struct record_buffer *rb, struct error *err)
{
	const struct layout_key keys[] = {
		{ "SIZE(printk_log)", &rb->log.size, STRUCT_MAX },
		{ "OFFSET(printk_log.ts_nsec)", &rb->log.ts, STRUCT_MAX / 4 },
		{ "OFFSET(printk_log.len)", &rb->log.len, STRUCT_MAX / 4 },
		{ "OFFSET(printk_log.text_len)", &rb->log.text_len, STRUCT_MAX / 4 },
	};
	const struct layout_key old_keys[] = {
		{ "SIZE(log)", &rb->log.size, STRUCT_MAX },
		{ "OFFSET(log.ts_nsec)", &rb->log.ts, STRUCT_MAX / 4 },
		{ "OFFSET(log.len)", &rb->log.len, STRUCT_MAX / 4 },
		{ "OFFSET(log.text_len)", &rb->log.text_len, STRUCT_MAX / 4 },
	};
	struct error ignored;

	if (!read_layout(kernel, old_keys, ARRAY_SIZE(old_keys), &ignored))
		return 0;
	return read_layout(kernel, keys, ARRAY_SIZE(keys), err);
}

static int read_symbol(struct reader *r, const char *key, size_t size, uint64_t *ret)
{
	uint8_t buf[8];
	vaddr_t vaddr;
	int rc;

	if (!vmcoreinfo_hex(&r->kernel->crash->vmcoreinfo, key, &vaddr))
		return fail(r->err, -ENODATA, "VMCOREINFO has neither SYMBOL(prb) nor %s", key);
	rc = kernel_read_vaddr(r->kernel, vaddr, buf, size);
	if (rc)
		return fail(r->err, rc, "%s at 0x%llx is not readable", key, (unsigned long long)vaddr);
	*ret = field(r, buf, 0, size);
	return 0;
}

static int record_buffer_open(struct reader *r, struct record_buffer *rb)
{
	uint64_t size = 0, first = 0, next = 0;
	int rc = read_symbol(r, "SYMBOL(log_buf)", r->word, &rb->buf);

	if (!rc)
		rc = read_symbol(r, "SYMBOL(log_buf_len)", 4, &size);
	if (!rc)
		rc = read_symbol(r, "SYMBOL(log_first_idx)", 4, &first);
	if (!rc)
		rc = read_symbol(r, "SYMBOL(log_next_idx)", 4, &next);
	if (!rc)
		rc = record_buffer_layout(r->kernel, rb, r->err);
	if (rc)
		return rc;
	find_level(r, "printk_log");
	rb->size = size;
	rb->first = first;
	rb->next = next;
	if (first >= size || next > size)
		return fail(r->err, -EINVAL, "log of %llu bytes begins at %llu and ends at %llu", (unsigned long long)size,
			    (unsigned long long)first, (unsigned long long)next);
	return 0;
}

/* Every record takes at least its header, so the number of steps is bounded by the buffer however broken it is. */
static int record_buffer_each(struct reader *r, printk_fn *fn, void *arg)
{
	struct record_buffer rb;
	int rc = record_buffer_open(r, &rb);
	uint32_t idx = rc ? 0 : rb.first;
	uint64_t walked = 0;

	while (!rc && idx != rb.next && walked < rb.size) {
		struct printk_record record = { .text = r->text, .subsystem = "", .device = "" };
		uint8_t log[STRUCT_MAX];
		uint32_t len;

		if (idx + rb.log.size > rb.size || read_through(r, WINDOW_DESC, rb.buf + idx, log, rb.log.size))
			return fail(r->err, -EIO, "log record at index %u is not readable", idx);
		len = field(r, log, rb.log.len, 2);
		if (!len) {		/* the rest up to the end is unused */
			walked += rb.size - idx;
			idx = 0;
			continue;
		}
		if (len < rb.log.size || len > rb.size - idx)
			return fail(r->err, -EINVAL, "log record at index %u has length %u", idx, len);
		record.ts_nsec = field(r, log, rb.log.ts, 8);
		take_level(r, log, rb.log.size, &record);
		record.text_len = min_u64(field(r, log, rb.log.text_len, 2), len - rb.log.size);
		record.text_len = min_u64(record.text_len, sizeof(r->text));
		if (!read_through(r, WINDOW_TEXT, rb.buf + idx + rb.log.size, r->text, record.text_len))
			rc = fn(arg, &record);
		walked += len;
		idx += len;
	}
	return rc;
}

int printk_each(struct kernel *kernel, printk_fn *fn, void *arg, struct error *err)
{
	return printk_each_typed(kernel, NULL, fn, arg, err);
}

int printk_each_typed(struct kernel *kernel, const struct btf *btf, printk_fn *fn, void *arg, struct error *err)
{
	struct reader *r = calloc(1, sizeof(*r));
	vaddr_t symbol;
	int rc;

	if (!r)
		return fail(err, -ENOMEM, "no memory to read the kernel log");
	r->kernel = kernel;
	r->btf = btf;
	r->data = kernel->crash->ehdr.form.data;
	r->word = kernel->crash->ehdr.machine == EM_386 || kernel->crash->ehdr.machine == EM_ARM ? 4 : 8;
	r->err = err;
	if (vmcoreinfo_hex(&kernel->crash->vmcoreinfo, "SYMBOL(prb)", &symbol))
		rc = prb_each(r, symbol, fn, arg);
	else
		rc = record_buffer_each(r, fn, arg);
	free(r);
	return rc;
}

static size_t add(char *ret, size_t len, size_t size, const char *piece, size_t piece_len)
{
	for (size_t i = 0; i < piece_len && len < size; i++)
		ret[len++] = piece[i];
	return len;
}

size_t printk_format(const struct printk_record *record, const char *prefix, char *ret, size_t size)
{
	unsigned long long sec = record->ts_nsec / 1000000000;
	bool fresh = true;
	char uptime[40];
	size_t len = 0;

	if (!prefix) {
		snprintf(uptime, sizeof(uptime), "%5llu.%06u", sec, (unsigned int)(record->ts_nsec / 1000 % 1000000));
		prefix = uptime;
	}
	for (size_t i = 0; i <= record->text_len; i++) {
		unsigned char c = i < record->text_len ? record->text[i] : '\n';
		char piece[64];

		if (fresh)
			len = add(ret, len, size, piece, snprintf(piece, sizeof(piece), "[%.48s] ", prefix));
		fresh = c == '\n';
		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			len = add(ret, len, size, piece, snprintf(piece, sizeof(piece), "\\x%02x", c));
		else
			len = add(ret, len, size, (char *)&c, 1);
	}
	if (len == size && size)
		ret[size - 1] = '\n';	/* a cut record still ends its line */
	return len;
}
