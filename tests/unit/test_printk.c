// SPDX-License-Identifier: GPL-2.0-or-later
/* Both kinds of kernel log, made by hand: wrapped, half written, empty, contradictory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/printk.h"
#include "tests/lib/btfbuilder.h"
#include "tests/lib/small_kernel.h"

#include "tests/lib/unit.h"

#define BASE 0xffff888000000000ULL	/* virtual address of the one segment, which lies at 0 of the source */
#define SIZE 0x10000

/* Where the pieces are in it. */
#define AT_PRB_POINTER 0x100
#define AT_RB 0x200
#define AT_DESCS 0x1000
#define AT_INFOS 0x2000
#define AT_DATA 0x3000
#define COUNT_BITS 3
#define SIZE_BITS 8
#define ID_BITS 0x3fffffffffffffffULL

static const char prb_info[] =
	"PAGESIZE=4096\nSYMBOL(prb)=ffff888000000100\nSIZE(printk_ringbuffer)=80\nOFFSET(printk_ringbuffer.desc_ring)=0\n"
	"OFFSET(printk_ringbuffer.text_data_ring)=48\nOFFSET(prb_desc_ring.count_bits)=0\nOFFSET(prb_desc_ring.descs)=8\n"
	"OFFSET(prb_desc_ring.infos)=16\nOFFSET(prb_desc_ring.head_id)=24\nOFFSET(prb_desc_ring.tail_id)=32\n"
	"OFFSET(atomic_long_t.counter)=0\nSIZE(prb_desc)=24\nOFFSET(prb_desc.state_var)=0\nOFFSET(prb_desc.text_blk_lpos)=8\n"
	"OFFSET(prb_data_blk_lpos.begin)=0\nOFFSET(prb_data_blk_lpos.next)=8\nSIZE(printk_info)=88\nOFFSET(printk_info.seq)=0\n"
	"OFFSET(printk_info.ts_nsec)=8\nOFFSET(printk_info.text_len)=16\nOFFSET(printk_info.caller_id)=20\n"
	"OFFSET(prb_data_ring.size_bits)=0\nOFFSET(prb_data_ring.data)=8\n";

static const char record_info[] =
	"PAGESIZE=4096\nSYMBOL(log_buf)=ffff888000000100\nSYMBOL(log_buf_len)=ffff888000000108\n"
	"SYMBOL(log_first_idx)=ffff88800000010c\nSYMBOL(log_next_idx)=ffff888000000110\nSIZE(printk_log)=16\n"
	"OFFSET(printk_log.ts_nsec)=0\nOFFSET(printk_log.len)=8\nOFFSET(printk_log.text_len)=10\n";

struct machine {
	struct small_kernel k;
	char out[4096];		/* formatted records, one behind the other */
	size_t len;
	unsigned int nr;
	uint64_t last_seq;
};

static void put(struct machine *m, size_t off, size_t size, uint64_t value)
{
	small_kernel_put(&m->k, off, size, value);
}

static void machine_init(struct machine *m, const char *info)
{
	memset(m, 0, sizeof(*m));
	small_kernel_init(&m->k, BASE, SIZE, info);
}

/* The same with the segment at address 0. */
static const char *prb_info_low(void)
{
	static char text[sizeof(prb_info)];

	memcpy(text, prb_info, sizeof(text));
	memcpy(strstr(text, "ffff888000000100"), "0000000000000100", 16);
	return text;
}

static int collect(void *arg, const struct printk_record *record)
{
	struct machine *m = arg;

	m->nr++;
	m->last_seq = record->seq;
	m->len += printk_format(record, NULL, m->out + m->len, sizeof(m->out) - 1 - m->len);
	return 0;
}

static int read_log(struct machine *m, struct error *err)
{
	m->nr = m->len = 0;
	memset(m->out, 0, sizeof(m->out));
	return printk_each(&m->k.kernel, collect, m, err);
}

/* --- the ring buffer ------------------------------------------------------------------------------------------------- */

static void ring_init(struct machine *m, uint64_t tail, uint64_t head)
{
	machine_init(m, prb_info);
	put(m, AT_PRB_POINTER, 8, BASE + AT_RB);
	put(m, AT_RB, 4, COUNT_BITS);
	put(m, AT_RB + 8, 8, BASE + AT_DESCS);
	put(m, AT_RB + 16, 8, BASE + AT_INFOS);
	put(m, AT_RB + 24, 8, head);
	put(m, AT_RB + 32, 8, tail);
	put(m, AT_RB + 48, 4, SIZE_BITS);
	put(m, AT_RB + 56, 8, BASE + AT_DATA);
}

static void ring_desc(struct machine *m, uint64_t id, unsigned int state, uint64_t begin, uint64_t next, size_t text_len)
{
	size_t i = id % (1 << COUNT_BITS);

	put(m, AT_DESCS + 24 * i, 8, (id & ID_BITS) | (uint64_t)state << 62);
	put(m, AT_DESCS + 24 * i + 8, 8, begin);
	put(m, AT_DESCS + 24 * i + 16, 8, next);
	put(m, AT_INFOS + 88 * i, 8, 1000 + id);
	put(m, AT_INFOS + 88 * i + 8, 8, id * 1000000000 + 5000);
	put(m, AT_INFOS + 88 * i + 16, 2, text_len);
	put(m, AT_INFOS + 88 * i + 20, 4, 7);
}

/* A record with its text at position begin; next is where the one behind it would be. */
static uint64_t ring_text(struct machine *m, uint64_t id, unsigned int state, uint64_t begin, const char *text)
{
	uint64_t size = 1 << SIZE_BITS, len = strlen(text), next = begin + round_up(8 + len, 8), at = begin % size;

	if (begin / size != next / size && next % size) {
		next = next / size * size + round_up(8 + len, 8);
		at = 0;
	}
	put(m, AT_DATA + at, 8, id);
	memcpy(fake_mem_at(&m->k.mem, AT_DATA + at + 8), text, len);
	ring_desc(m, id, state, begin, next, len);
	return next;
}

static void test_ring(void **state)
{
	struct machine m;
	struct error err;
	uint64_t pos = 0;

	(void)state;
	ring_init(&m, 0, 2);
	pos = ring_text(&m, 0, 2, pos, "Linux version 6");
	pos = ring_text(&m, 1, 2, pos, "two\nlines");
	ring_text(&m, 2, 1, pos, "bell \a tab \t");
	assert_int_equal(read_log(&m, &err), 0);
	assert_int_equal(m.nr, 3);
	assert_int_equal(m.last_seq, 1002);
	assert_string_equal(m.out, "[    0.000005] Linux version 6\n[    1.000005] two\n[    1.000005] lines\n"
			    "[    2.000005] bell \\x07 tab \t\n");
	fake_mem_free(&m.k.mem);
}

/* Ids and positions count on for ever; a block that would cross the end lies at the beginning. */
static void test_ring_wrapped(void **state)
{
	struct machine m;
	struct error err;
	uint64_t pos = 5 * (1 << SIZE_BITS) + 200;

	(void)state;
	ring_init(&m, ID_BITS, 1);
	pos = ring_text(&m, ID_BITS, 2, pos, "oldest");
	pos = ring_text(&m, 0, 2, pos, "this text does not fit behind it, so it begins again");
	assert_int_equal(pos % (1 << SIZE_BITS), 64);
	ring_text(&m, 1, 2, pos, "newest");
	assert_int_equal(read_log(&m, &err), 0);
	assert_int_equal(m.nr, 3);
	assert_non_null(strstr(m.out, "] oldest\n"));
	assert_non_null(strstr(m.out, "] this text does not fit behind it, so it begins again\n"));
	assert_non_null(strstr(m.out, "] newest\n"));
	fake_mem_free(&m.k.mem);
}

static void test_ring_exact_end(void **state)
{
	struct machine m;
	struct error err;

	(void)state;
	ring_init(&m, 0, 0);
	assert_int_equal(ring_text(&m, 0, 2, 240, "8 bytes!"), 256);
	assert_int_equal(read_log(&m, &err), 0);
	assert_string_equal(m.out, "[    0.000005] 8 bytes!\n");
	fake_mem_free(&m.k.mem);
}

/* Reserved, reusable, another id's, without data: passed over, and the rest is shown. */
static void test_ring_unfinished(void **state)
{
	struct machine m;
	struct error err;
	uint64_t pos = 0;

	(void)state;
	ring_init(&m, 8, 14);
	pos = ring_text(&m, 8, 2, pos, "first");
	pos = ring_text(&m, 9, 0, pos, "being written");
	pos = ring_text(&m, 10, 3, pos, "reusable");
	ring_desc(&m, 11, 2, 1, 1, 0);			/* failed to get space */
	ring_desc(&m, 12, 2, 3, 3, 0);			/* an empty line */
	ring_desc(&m, 5, 2, 0, 16, 5);			/* 13 was never written: its place has an older one */
	ring_text(&m, 14, 1, pos, "last");
	assert_int_equal(read_log(&m, &err), 0);
	assert_int_equal(m.nr, 2);
	assert_string_equal(m.out, "[    8.000005] first\n[   14.000005] last\n");
	fake_mem_free(&m.k.mem);
}

/* A text longer than its block is cut to the block. */
static void test_ring_lying_length(void **state)
{
	struct machine m;
	struct error err;

	(void)state;
	ring_init(&m, 0, 0);
	ring_text(&m, 0, 2, 0, "short");
	ring_desc(&m, 0, 2, 0, 16, 60000);
	assert_int_equal(read_log(&m, &err), 0);
	assert_int_equal(m.len, strlen("[    0.000005] ") + 3 * 4 + 5 + 1);	/* three zero bytes as \x00 */
	fake_mem_free(&m.k.mem);
}

static void test_ring_contradictions(void **state)
{
	struct machine m;
	struct error err;

	(void)state;
	ring_init(&m, 0, 8);			/* nine ids in a ring of eight */
	assert_int_equal(read_log(&m, &err), -EINVAL);
	put(&m, AT_RB + 24, 8, 0);
	put(&m, AT_RB, 4, 27);
	assert_int_equal(read_log(&m, &err), -EINVAL);
	put(&m, AT_PRB_POINTER, 8, BASE + SIZE);
	assert_int_equal(read_log(&m, &err), -ENODATA);
	assert_non_null(strstr(err.text, "ffff888000000100"));
	fake_mem_free(&m.k.mem);
}

static int see_level(void *arg, const struct printk_record *record)
{
	struct printk_record *last = arg;

	*last = *record;
	return 0;
}

/* Level and facility stand where BTF says; without it they are unknown. */
static void test_ring_levels(void **state)
{
	struct btf_builder b = { .data = ELFDATA2LSB };
	struct printk_record last;
	struct bytes all;
	struct machine m;
	struct error err;
	struct btf btf;

	(void)state;
	btf_add_int(&b, "unsigned char", 1, 0);
	btf_add(&b, "printk_info", BTF_STRUCT | 1U << 31, 3, 88);
	btf_add_member(&b, "facility", 1, 18 * 8);
	btf_add_member(&b, "flags", 1, 5U << 24 | 19 * 8);
	btf_add_member(&b, "level", 1, 3U << 24 | (19 * 8 + 5));
	btf_build(&b, &all);
	assert_int_equal(btf_init(&btf, NULL, ELFDATA2LSB, all.p, all.len, &err), 0);
	ring_init(&m, 0, 0);
	ring_text(&m, 0, 2, 0, "text");
	put(&m, AT_INFOS + 18, 1, 3);
	put(&m, AT_INFOS + 19, 1, 4 << 5 | 0x1f);
	assert_int_equal(printk_each_typed(&m.k.kernel, &btf, see_level, &last, &err), 0);
	assert_int_equal(last.facility, 3);
	assert_int_equal(last.level, 4);
	assert_int_equal(printk_each(&m.k.kernel, see_level, &last, &err), 0);
	assert_int_equal(last.level, -1);
	btf_deinit(&btf);
	btf_builder_free(&b);
	fake_mem_free(&m.k.mem);
}

/* A lost page of the log costs the records on it. */
static void test_ring_unreadable_text(void **state)
{
	struct machine m;
	struct error err;

	(void)state;
	ring_init(&m, 0, 1);
	put(&m, AT_RB + 48, 4, 13);		/* two pages of text */
	ring_desc(&m, 0, 2, 4096, 4112, 4);
	ring_desc(&m, 1, 2, 0, 16, 4);
	memcpy(fake_mem_at(&m.k.mem, AT_DATA + 8), "here", 4);
	fake_mem_refuse(&m.k.mem, AT_DATA + 4096, AT_DATA + 8192, -EIO);
	assert_int_equal(read_log(&m, &err), 0);
	assert_string_equal(m.out, "[    1.000005] here\n");
	fake_mem_free(&m.k.mem);
}

/* A ring that claims millions of records which are nowhere does not take for ever. */
static void test_ring_nowhere(void **state)
{
	struct machine m;
	struct error err;

	(void)state;
	ring_init(&m, 0, (1 << 26) - 1);
	put(&m, AT_RB, 4, 26);
	put(&m, AT_RB + 16, 8, BASE + SIZE);
	ring_text(&m, 0, 2, 0, "first");
	assert_int_equal(read_log(&m, &err), -EIO);
	assert_true(m.k.mem.nr_requests < 20000);
	fake_mem_free(&m.k.mem);
}

/* Addresses that wrap around are not taken for such that lie in the window at the other end. */
static void test_ring_wrapping_address(void **state)
{
	struct machine m;
	struct error err;

	(void)state;
	ring_init(&m, 0, 1);
	m.k.seg.vaddr = 0;				/* so that the end of the address space is next to it */
	m.k.crash.vmcoreinfo.text = prb_info_low();
	m.k.crash.vmcoreinfo.len = strlen(prb_info_low());
	put(&m, AT_PRB_POINTER, 8, AT_RB);
	put(&m, AT_RB + 8, 8, AT_DESCS);
	put(&m, AT_RB + 16, 8, AT_INFOS);
	put(&m, AT_RB + 48, 4, 13);
	put(&m, AT_RB + 56, 8, -0x1000ULL);		/* position 0x1000 is address 0 */
	ring_desc(&m, 0, 2, 0x1000, 0x1010, 4);
	ring_desc(&m, 1, 2, 0xff0 - 8, 0x1020, 0x20);
	assert_int_equal(read_log(&m, &err), 0);
	assert_int_equal(m.nr, 1);
	fake_mem_free(&m.k.mem);
}

static void test_missing_key(void **state)
{
	char info[sizeof(prb_info)];
	struct machine m;
	struct error err;

	(void)state;
	memcpy(info, prb_info, sizeof(info));
	memcpy(strstr(info, "SIZE(printk_info)"), "SIZE(gone_______)", 17);
	machine_init(&m, info);
	assert_int_equal(read_log(&m, &err), -ENODATA);
	assert_string_equal(err.text, "VMCOREINFO has no SIZE(printk_info)");
	fake_mem_free(&m.k.mem);
	machine_init(&m, "PAGESIZE=4096\n");
	assert_int_equal(read_log(&m, &err), -ENODATA);
	fake_mem_free(&m.k.mem);
}

/* --- the record buffer ----------------------------------------------------------------------------------------------- */

#define AT_LOG 0x400
#define LOG_SIZE 128

static void records_init(struct machine *m, uint32_t first, uint32_t next)
{
	machine_init(m, record_info);
	put(m, 0x100, 8, BASE + AT_LOG);
	put(m, 0x108, 4, LOG_SIZE);
	put(m, 0x10c, 4, first);
	put(m, 0x110, 4, next);
}

static uint32_t record(struct machine *m, uint32_t idx, uint64_t sec, const char *text)
{
	uint32_t len = round_up(16 + strlen(text), 4);

	put(m, AT_LOG + idx, 8, sec * 1000000000);
	put(m, AT_LOG + idx + 8, 2, len);
	put(m, AT_LOG + idx + 10, 2, strlen(text));
	memcpy(fake_mem_at(&m->k.mem, AT_LOG + idx + 16), text, strlen(text));
	return idx + len;
}

static void test_records(void **state)
{
	struct machine m;
	struct error err;
	uint32_t next;

	(void)state;
	records_init(&m, 60, 0);
	next = record(&m, 60, 1, "old one");
	put(&m, AT_LOG + next + 8, 2, 0);		/* the rest is unused */
	next = record(&m, 0, 2, "after the wrap");
	put(&m, 0x110, 4, next);
	assert_int_equal(read_log(&m, &err), 0);
	assert_string_equal(m.out, "[    1.000000] old one\n[    2.000000] after the wrap\n");
	fake_mem_free(&m.k.mem);
}

static void test_records_broken(void **state)
{
	struct machine m;
	struct error err;

	(void)state;
	records_init(&m, 0, 100);
	put(&m, AT_LOG + 8, 2, 4);			/* shorter than its own header */
	assert_int_equal(read_log(&m, &err), -EINVAL);
	put(&m, AT_LOG + 8, 2, 500);			/* longer than the buffer */
	assert_int_equal(read_log(&m, &err), -EINVAL);
	put(&m, AT_LOG + 8, 2, 0);			/* nothing but wraps: an end is found */
	assert_int_equal(read_log(&m, &err), 0);
	put(&m, 0x10c, 4, 4000);
	assert_int_equal(read_log(&m, &err), -EINVAL);
	fake_mem_free(&m.k.mem);
}

/* --- formatting ------------------------------------------------------------------------------------------------------ */

static void test_format(void **state)
{
	struct printk_record record = { .ts_nsec = 123456789012345ULL, .text = "x\ny\033[2J", .text_len = 7 };
	char out[80];
	size_t len = printk_format(&record, NULL, out, sizeof(out));

	(void)state;
	assert_int_equal(len, strlen("[123456.789012] x\n[123456.789012] y\\x1b[2J\n"));
	assert_memory_equal(out, "[123456.789012] x\n[123456.789012] y\\x1b[2J\n", len);
	len = printk_format(&record, "noon", out, 12);
	assert_int_equal(len, 12);
	assert_memory_equal(out, "[noon] x\n[n\n", 12);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_ring_wrapped),
		cmocka_unit_test(test_ring_exact_end),
		cmocka_unit_test(test_ring_unfinished),
		cmocka_unit_test(test_ring_lying_length),
		cmocka_unit_test(test_ring_contradictions),
		cmocka_unit_test(test_ring_levels),
		cmocka_unit_test(test_ring_unreadable_text),
		cmocka_unit_test(test_ring_nowhere),
		cmocka_unit_test(test_ring_wrapping_address),
		cmocka_unit_test(test_missing_key),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_records_broken),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
