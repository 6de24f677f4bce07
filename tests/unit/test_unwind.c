// SPDX-License-Identifier: GPL-2.0-or-later
/* ORC tables in the three encodings that were, and stacks made by hand: calls, interrupts, other stacks, traps for the unwinder. */
#include <errno.h>
#include <string.h>

#include "elfcore/unwind.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

#define BASE 0xffffffff81000000ULL	/* the one segment, which lies at 0 of the source */
#define SIZE 0x20000
#define IPS (BASE + 0x10000)
#define ENTRIES (BASE + 0x11000)
#define STACK (BASE + 0x18000)
#define OTHER_STACK (BASE + 0x14000)

/* Functions, each 0x100 long. */
#define LEAF (BASE + 0x1000)
#define FRAMED (BASE + 0x1100)
#define ENTRY (BASE + 0x1200)	/* of an interrupt: registers on the stack */
#define IRET (BASE + 0x1300)	/* only the last five of them */
#define OUTERMOST (BASE + 0x1400)
#define LEFT_OUT (BASE + 0x1500)
#define SWITCHED (BASE + 0x1600)	/* the stack pointer of before is in a word at the stack's end */
#define REALIGNED (BASE + 0x1700)	/* it is in r10 */
#define BEYOND (BASE + 0x1800)
#define NR_FUNCTIONS 9

enum encoding { OLD, MIDDLE, NEW };

struct machine {
	struct fake_mem mem;
	struct segment seg;
	struct crash crash;
	struct kernel kernel;
	struct orc orc;
	struct unwind unwind;
};

static void put(struct machine *m, vaddr_t addr, size_t size, uint64_t value)
{
	elf_put(ELFDATA2LSB, fake_mem_at(&m->mem, addr - BASE), size, value);
}

/* The numbers that the kernel's header gives names to, before and since 6.19. */
static unsigned int reg(enum encoding encoding, enum orc_reg reg)
{
	static const uint8_t old[] = { [ORC_REG_PREV_SP] = 1, [ORC_REG_DX] = 2, [ORC_REG_DI] = 3, [ORC_REG_BP] = 4,
				       [ORC_REG_SP] = 5, [ORC_REG_R10] = 6, [ORC_REG_R13] = 7, [ORC_REG_BP_INDIRECT] = 8,
				       [ORC_REG_SP_INDIRECT] = 9 };
	static const uint8_t new[] = { [ORC_REG_AX] = 1, [ORC_REG_DX] = 2, [ORC_REG_SP] = 3, [ORC_REG_BP] = 4,
				       [ORC_REG_DI] = 5, [ORC_REG_R10] = 6, [ORC_REG_R13] = 7, [ORC_REG_PREV_SP] = 8,
				       [ORC_REG_SP_INDIRECT] = 9, [ORC_REG_BP_INDIRECT] = 10 };

	return encoding == NEW ? new[reg] : old[reg];
}

static void encode(enum encoding encoding, const struct orc_entry *entry, uint8_t ret[ORC_ENTRY_SIZE])
{
	static const uint8_t old[] = { [ORC_UNDEFINED] = 0, [ORC_END] = 1 << 2, [ORC_CALL] = 0, [ORC_REGS] = 1,
				       [ORC_REGS_PARTIAL] = 2 };

	elf_put(ELFDATA2LSB, ret, 2, (uint16_t)entry->sp_offset);
	elf_put(ELFDATA2LSB, ret + 2, 2, (uint16_t)entry->bp_offset);
	ret[4] = reg(encoding, entry->sp_reg) | reg(encoding, entry->bp_reg) << 4;
	ret[5] = encoding == OLD ? old[entry->type] : entry->type | entry->signal << 3;
}

static const struct orc_entry fp_entry = { 16, -16, ORC_REG_BP, ORC_REG_PREV_SP, ORC_CALL, false };

static void machine_init(struct machine *m, enum encoding encoding)
{
	static const struct orc_entry entries[NR_FUNCTIONS] = {
		{ 8, 0, ORC_REG_SP, ORC_REG_NONE, ORC_CALL, false },
		{ 16, -16, ORC_REG_BP, ORC_REG_PREV_SP, ORC_CALL, false },
		{ 0, 0, ORC_REG_SP, ORC_REG_NONE, ORC_REGS, true },
		{ 8, 0, ORC_REG_SP, ORC_REG_NONE, ORC_REGS_PARTIAL, true },
		{ 0, 0, ORC_REG_NONE, ORC_REG_NONE, ORC_END, false },
		{ 0, 0, ORC_REG_NONE, ORC_REG_NONE, ORC_UNDEFINED, false },
		{ 8, 0, ORC_REG_SP_INDIRECT, ORC_REG_NONE, ORC_CALL, false },
		{ 0, 0, ORC_REG_R10, ORC_REG_NONE, ORC_CALL, false },
		{ 0, 0, ORC_REG_NONE, ORC_REG_NONE, ORC_UNDEFINED, false },
	};
	static const uint8_t zeros[SIZE];
	uint8_t fp[ORC_ENTRY_SIZE];

	memset(m, 0, sizeof(*m));
	fake_mem_init(&m->mem);
	fake_mem_add(&m->mem, 0, zeros, SIZE);
	m->seg = (struct segment){ .vaddr = BASE, .filesz = SIZE, .memsz = SIZE };
	m->crash.ehdr.form = (struct elf_form){ ELFCLASS64, ELFDATA2LSB };
	m->crash.segs = &m->seg;
	m->crash.nr_segs = 1;
	m->kernel.crash = &m->crash;
	m->kernel.mem = &m->mem.mem;
	encode(encoding, &fp_entry, fp);
	orc_init(&m->orc, &m->kernel, fp, 2);
	for (unsigned int i = 0; i < NR_FUNCTIONS; i++) {
		put(m, IPS + 4 * i, 4, LEAF + 0x100 * i - (IPS + 4 * i));
		encode(encoding, &entries[i], fake_mem_at(&m->mem, ENTRIES + ORC_ENTRY_SIZE * i - BASE));
	}
	assert_int_equal(orc_add_table(&m->orc, IPS, ENTRIES, NR_FUNCTIONS), 0);
}

static void machine_free(struct machine *m)
{
	orc_deinit(&m->orc);
	fake_mem_free(&m->mem);
}

static void start(struct machine *m, vaddr_t ip, vaddr_t sp, uint64_t bp)
{
	uint8_t regs[8 * NR_UNWIND_REGS] = { 0 };

	elf_put(ELFDATA2LSB, regs + 8 * REG_IP, 8, ip);
	elf_put(ELFDATA2LSB, regs + 8 * REG_SP, 8, sp);
	elf_put(ELFDATA2LSB, regs + 8 * REG_BP, 8, bp);
	elf_put(ELFDATA2LSB, regs + 8 * REG_R10, 8, OTHER_STACK);
	elf_put(ELFDATA2LSB, regs + 8 * REG_CS, 8, 0x10);
	unwind_init_regs(&m->unwind, &m->orc, regs);
}

static void put_regs(struct machine *m, vaddr_t at, uint64_t ip, uint64_t sp, uint64_t cs)
{
	put(m, at + 8 * REG_IP, 8, ip);
	put(m, at + 8 * REG_SP, 8, sp);
	put(m, at + 8 * REG_CS, 8, cs);
	put(m, at + 8 * REG_AX, 8, 0xaa);
}

static struct unwind_frame next(struct machine *m, vaddr_t ip)
{
	struct unwind_frame frame;

	assert_int_equal(unwind_next(&m->unwind, &frame), 1);
	assert_int_equal(frame.ip, ip);
	return frame;
}

static void expect_end(struct machine *m, enum unwind_end end)
{
	struct unwind_frame frame;

	assert_int_equal(unwind_next(&m->unwind, &frame), 0);
	assert_int_equal(m->unwind.end, end);
	assert_int_equal(unwind_next(&m->unwind, &frame), 0);
}

/* Leaf, function with a frame pointer, interrupt entry, interrupted leaf, outermost function. */
static void walk(enum encoding encoding)
{
	struct machine m;
	struct unwind_frame frame;

	machine_init(&m, encoding);
	start(&m, LEAF + 5, STACK, STACK + 0x40);
	put(&m, STACK, 8, FRAMED + 0x100);		/* behind the function's last instruction, a call */
	put(&m, STACK + 0x40, 8, 0x1234);
	put(&m, STACK + 0x48, 8, ENTRY + 0x10);
	put_regs(&m, STACK + 0x50, LEAF + 0x20, OTHER_STACK, 0x10);
	put(&m, OTHER_STACK, 8, OUTERMOST + 0x10);
	frame = next(&m, LEAF + 5);
	assert_true(frame.exact && !frame.interrupted);
	frame = next(&m, FRAMED + 0x100);
	assert_true(!frame.exact && frame.sp == STACK + 8);
	frame = next(&m, ENTRY + 0x10);
	assert_true(frame.known & 1 << REG_BP && frame.regs[REG_BP] == 0x1234);
	frame = next(&m, LEAF + 0x20);
	assert_true(frame.exact && frame.interrupted && !frame.user);
	assert_int_equal(frame.regs[REG_AX], 0xaa);
	assert_int_equal(frame.known, (1 << NR_UNWIND_REGS) - 1);
	frame = next(&m, OUTERMOST + 0x10);
	assert_true(!frame.interrupted && !(frame.known & 1 << REG_AX));
	expect_end(&m, UNWIND_TOP);
	machine_free(&m);
}

static void test_old(void **state) { (void)state; walk(OLD); }
static void test_middle(void **state) { (void)state; walk(MIDDLE); }
static void test_new(void **state) { (void)state; walk(NEW); }

static void test_user(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, MIDDLE);
	start(&m, ENTRY + 1, STACK, 0);
	put_regs(&m, STACK, 0x401000, 0x7ffc00001000, 0x33);
	next(&m, ENTRY + 1);
	assert_true(next(&m, 0x401000).user);
	expect_end(&m, UNWIND_USER);
	machine_free(&m);
}

/* Only five words were pushed: the other registers are still what they were. */
static void test_partial(void **state)
{
	struct machine m;
	struct unwind_frame frame;

	(void)state;
	machine_init(&m, NEW);
	start(&m, IRET + 1, STACK, 0x77);
	put_regs(&m, STACK + 8 - 8 * REG_IP, LEAF + 1, STACK + 0x100, 0x10);
	put(&m, STACK + 0x100, 8, OUTERMOST + 1);
	next(&m, IRET + 1);
	frame = next(&m, LEAF + 1);
	assert_true(frame.interrupted && frame.regs[REG_BP] == 0x77 && frame.regs[REG_R10] == OTHER_STACK);
	next(&m, OUTERMOST + 1);
	expect_end(&m, UNWIND_TOP);
	machine_free(&m);
}

static void test_other_stacks(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, OLD);
	start(&m, SWITCHED + 1, STACK, 0);
	put(&m, STACK, 8, OTHER_STACK);
	put(&m, OTHER_STACK, 8, REALIGNED + 1);
	next(&m, SWITCHED + 1);
	assert_int_equal(next(&m, REALIGNED + 1).sp, OTHER_STACK + 8);
	expect_end(&m, UNWIND_LOST);			/* r10 is known only in the innermost frame */
	start(&m, REALIGNED + 1, STACK, 0);
	put(&m, OTHER_STACK - 8, 8, OUTERMOST + 1);
	next(&m, REALIGNED + 1);
	next(&m, OUTERMOST + 1);
	expect_end(&m, UNWIND_TOP);
	machine_free(&m);
}

static vaddr_t function_start(struct orc *orc, vaddr_t ip)
{
	(void)orc;
	return ip & ~0xffULL;
}

/* A function without an entry is left through the return address whose call called it, and through no other one. */
static void test_left_out(void **state)
{
	struct machine m;
	vaddr_t caller = LEAF + 0x45;

	(void)state;
	machine_init(&m, NEW);
	put(&m, STACK + 8, 8, LEAF + 0x85);		/* a call, but of something else */
	put(&m, LEAF + 0x80, 1, 0xe8);
	put(&m, LEAF + 0x81, 4, FRAMED - (LEAF + 0x85));
	put(&m, STACK + 0x20, 8, caller);
	put(&m, caller - 5, 1, 0xe8);
	put(&m, caller - 4, 4, LEFT_OUT - caller);
	put(&m, STACK + 0x28, 8, OUTERMOST + 1);
	start(&m, LEFT_OUT + 0x30, STACK, 0x99);
	next(&m, LEFT_OUT + 0x30);
	expect_end(&m, UNWIND_LOST);			/* nobody knows where functions begin */
	m.orc.function_start = function_start;
	start(&m, LEFT_OUT + 0x30, STACK, 0x99);
	next(&m, LEFT_OUT + 0x30);
	assert_int_equal(next(&m, caller).regs[REG_BP], 0x99);
	next(&m, OUTERMOST + 1);
	expect_end(&m, UNWIND_TOP);

	put(&m, LEFT_OUT, 4, 0xfa1e0ff3);		/* endbr64; push %rbp */
	put(&m, LEFT_OUT + 4, 1, 0x55);
	put(&m, STACK + 0x18, 8, 0x4242);
	start(&m, LEFT_OUT + 0x30, STACK, 0x99);
	next(&m, LEFT_OUT + 0x30);
	assert_int_equal(next(&m, caller).regs[REG_BP], 0x4242);
	machine_free(&m);
}

/* Code that no table knows: frame pointers. A jump to nowhere: its return address lies on top of the stack. */
static void test_unknown_code(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, MIDDLE);
	start(&m, BASE + 0x3000, STACK, STACK + 0x80);
	put(&m, STACK + 0x80, 8, 0x5678);
	put(&m, STACK + 0x88, 8, OUTERMOST + 1);
	next(&m, BASE + 0x3000);
	assert_int_equal(next(&m, OUTERMOST + 1).regs[REG_BP], 0x5678);
	expect_end(&m, UNWIND_TOP);
	start(&m, 0, STACK, STACK + 0x80);
	put(&m, STACK, 8, OUTERMOST + 1);
	next(&m, 0);
	next(&m, OUTERMOST + 1);
	expect_end(&m, UNWIND_TOP);
	machine_free(&m);
}

static void test_sleeping_task(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, NEW);
	put(&m, STACK + 40, 8, STACK + 0x100);
	put(&m, STACK + 48, 8, FRAMED + 8);
	put(&m, STACK + 0x108, 8, OUTERMOST + 1);
	unwind_init_task(&m.unwind, &m.orc, STACK, 40, 48);
	assert_int_equal(next(&m, FRAMED + 8).sp, STACK + 56);
	next(&m, OUTERMOST + 1);
	expect_end(&m, UNWIND_TOP);
	unwind_init_task(&m.unwind, &m.orc, BASE - 0x1000, 40, 48);
	expect_end(&m, UNWIND_UNREADABLE);
	machine_free(&m);
}

static void test_circle(void **state)
{
	struct machine m;
	struct unwind_frame frame;

	(void)state;
	machine_init(&m, NEW);
	start(&m, FRAMED + 1, STACK, STACK);
	put(&m, STACK, 8, STACK);			/* the frame pointer's place holds itself */
	put(&m, STACK + 8, 8, FRAMED + 1);
	while (unwind_next(&m.unwind, &frame))
		;
	assert_int_equal(m.unwind.end, UNWIND_LOOP);
	assert_true(m.unwind.nr_frames < 32);
	assert_non_null(unwind_end_text(UNWIND_LOOP));
	machine_free(&m);
}

static void test_bounds(void **state)
{
	struct machine m;
	struct unwind_frame frame;

	(void)state;
	machine_init(&m, NEW);
	for (vaddr_t at = STACK; at < BASE + SIZE; at += 8)
		put(&m, at, 8, LEAF + 1);
	start(&m, LEAF + 1, STACK, 0);
	while (unwind_next(&m.unwind, &frame))
		;
	assert_int_equal(m.unwind.end, UNWIND_LOOP);
	assert_int_equal(m.unwind.nr_frames, UNWIND_MAX_FRAMES);
	start(&m, LEAF + 1, BASE + SIZE, 0);
	next(&m, LEAF + 1);
	expect_end(&m, UNWIND_UNREADABLE);
	machine_free(&m);
}

static void test_bad_tables(void **state)
{
	static const uint8_t nonsense[ORC_ENTRY_SIZE] = { 1, 2, 3, 4, 5, 6 };
	struct machine m;
	struct orc orc;
	struct orc_entry entry;

	(void)state;
	machine_init(&m, NEW);
	assert_int_equal(orc_add_table(&m.orc, IPS, ENTRIES, 0), -EINVAL);
	assert_int_equal(orc_add_table(&m.orc, IPS, ENTRIES, 1ULL << 40), -EINVAL);
	assert_int_equal(orc_add_table(&m.orc, UINT64_MAX - 3, ENTRIES, 8), -EINVAL);
	assert_int_equal(orc_add_table(&m.orc, BASE - 0x1000, ENTRIES, 8), -ENODATA);
	assert_int_equal(orc_find(&m.orc, LEAF - 1, &entry), -ENOENT);
	assert_int_equal(orc_find(&m.orc, BEYOND + 1, &entry), -ENOENT);
	orc_init(&orc, &m.kernel, nonsense, 2);
	assert_false(orc.usable);
	assert_int_equal(orc_find(&orc, LEAF, &entry), -ENOENT);
	machine_free(&m);
}

/* More entries than a window holds. */
static void test_large_table(void **state)
{
	const unsigned int nr = 0x800;
	struct machine m;
	struct orc_entry entry;

	(void)state;
	machine_init(&m, MIDDLE);
	for (unsigned int i = 0; i < nr; i++) {
		struct orc_entry made = { (int16_t)i, 0, ORC_REG_SP, ORC_REG_NONE, ORC_CALL, false };

		put(&m, BASE + 0x18000 + 4 * i, 4, BASE + 0x4000 + 8 * i - (BASE + 0x18000 + 4 * i));
		encode(MIDDLE, &made, fake_mem_at(&m.mem, 0x1a000 + ORC_ENTRY_SIZE * i));
	}
	assert_int_equal(orc_add_table(&m.orc, BASE + 0x18000, BASE + 0x1a000, nr), 0);
	for (unsigned int i = 0; i + 1 < nr; i++) {
		assert_int_equal(orc_find(&m.orc, BASE + 0x4000 + 8 * i + i % 8, &entry), 0);
		assert_int_equal(entry.sp_offset, (int16_t)i);
	}
	assert_int_equal(orc_find(&m.orc, LEAF, &entry), 0);
	assert_int_equal(entry.sp_offset, 8);
	machine_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_old),
		cmocka_unit_test(test_middle),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_other_stacks),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_unknown_code),
		cmocka_unit_test(test_sleeping_task),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_bad_tables),
		cmocka_unit_test(test_large_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
