// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each description (FDE) covers some neighbouring ORC entries: for gdb runs through all rows of one before the address it
 * wants. Frames that are not plain calls get one of their own. Registers by their DWARF numbers (System V ABI for AMD64):
 * rbp is 6, rsp 7, the return address 16. ORC does not say where the other registers that functions preserve are.
 */
#include "src/symbol_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/backtrace.h"
#include "elfcore/object.h"

#define ROWS_MAX 32		/* of an FDE */
#define TABLE_MAX (1U << 23)	/* entries of one ORC table */
#define FRAMES_MAX 64		/* of a CPU's stack that are looked at */

enum { RBX = 3, RBP = 6, RSP = 7, R12 = 12, R13, R14, R15, RIP = 16 };

enum {
	DW_CFA_advance_loc = 0x40, DW_CFA_advance_loc4 = 0x04, DW_CFA_undefined = 0x07, DW_CFA_same_value = 0x08,
	DW_CFA_def_cfa_expression = 0x0f, DW_CFA_expression = 0x10, DW_CFA_offset_extended_sf = 0x11, DW_CFA_def_cfa_sf = 0x12,
	DW_CFA_val_expression = 0x16, DW_OP_deref = 0x06, DW_OP_const8u = 0x0e, DW_OP_plus = 0x22, DW_OP_breg0 = 0x70,
	DW_OP_consts = 0x11,
};

#define DATA_ALIGN (-8)

struct writer {
	struct grow *out;
	size_t plain_cie, signal_cie;	/* where they begin */
	size_t fde;			/* where the open FDE begins, 0 = none */
	vaddr_t start, at;		/* of the open FDE; its last row */
	bool plain;			/* more rows may follow */
	bool switches;			/* only code that changes stacks */
	struct symbols *syms;
	vaddr_t switch_start, switch_end;	/* the function that did so until 5.10, 0 = none */
	unsigned int nr_rows;
	uint32_t nr;
};

static void put8(struct writer *w, uint8_t value)
{
	grow_add(w->out, &value, 1);
}

static void put(struct writer *w, uint64_t value, size_t size)
{
	uint8_t buf[8];

	elf_put(ELFDATA2LSB, buf, size, value);
	grow_add(w->out, buf, size);
}

static size_t sleb(uint8_t *p, int64_t value)
{
	size_t len = 0;
	bool more = true;

	while (more) {
		uint8_t byte = value & 0x7f;

		value >>= 7;
		more = !((value == 0 && !(byte & 0x40)) || (value == -1 && byte & 0x40));
		p[len++] = byte | (more ? 0x80 : 0);
	}
	return len;
}

static void put_sleb(struct writer *w, int64_t value)
{
	uint8_t buf[10];

	grow_add(w->out, buf, sleb(buf, value));
}

/* The register is saved at CFA + off. */
static void put_saved(struct writer *w, unsigned int reg, int64_t off)
{
	put8(w, DW_CFA_offset_extended_sf);
	put8(w, reg);
	put_sleb(w, off / DATA_ALIGN);
}

/* Pad to 8 bytes with DW_CFA_nop and fill in the length. */
static void close_entry(struct writer *w, size_t begin)
{
	while ((w->out->len - begin - 4) % 8 != 4)
		put8(w, 0);
	if (!w->out->failed)
		elf_put(ELFDATA2LSB, w->out->p + begin, 4, w->out->len - begin - 4);
}

/* What all its FDEs have in common: the return address lies below the caller's stack pointer. */
static size_t put_cie(struct writer *w, bool signal)
{
	/* Not r13: in a few places ORC counts from it. */
	static const uint8_t unknown[] = { RBX, R12, R14, R15 };
	size_t begin = w->out->len;

	put(w, 0, 4);
	put(w, 0xffffffff, 4);
	put8(w, 1);
	if (signal)
		put8(w, 'S');
	put8(w, 0);
	put8(w, 1);			/* code alignment */
	put_sleb(w, DATA_ALIGN);
	put8(w, RIP);
	put8(w, DW_CFA_def_cfa_sf);
	put8(w, RSP);
	put_sleb(w, -1);
	put_saved(w, RIP, -8);
	for (size_t i = 0; i < sizeof(unknown); i++) {
		put8(w, DW_CFA_undefined);
		put8(w, unknown[i]);
	}
	close_entry(w, begin);
	return begin;
}

static void close_fde(struct writer *w, vaddr_t end)
{
	if (!w->fde)
		return;
	close_entry(w, w->fde);
	if (!w->out->failed)
		elf_put(ELFDATA2LSB, w->out->p + w->fde + 16, 8, end - w->start);
	w->fde = 0;
}

static void open_fde(struct writer *w, vaddr_t start, bool signal)
{
	w->fde = w->out->len;
	put(w, 0, 4);
	put(w, signal ? w->signal_cie : w->plain_cie, 4);
	put(w, start, 8);
	put(w, 0, 8);
	w->start = w->at = start;
	w->nr_rows = 0;
}

static int dwarf_reg(enum orc_reg reg)
{
	switch (reg) {
	case ORC_REG_AX: return 0;
	case ORC_REG_DX: return 1;
	case ORC_REG_DI: return 5;
	case ORC_REG_BP: case ORC_REG_BP_INDIRECT: return RBP;
	case ORC_REG_SP: case ORC_REG_SP_INDIRECT: return RSP;
	case ORC_REG_R10: return 10;
	case ORC_REG_R13: return 13;
	default: return -1;
	}
}

/* An expression: register + off, perhaps what stands there, + more. */
static void put_expression(struct writer *w, int reg, int64_t off, bool deref, int64_t more)
{
	uint8_t buf[40];
	size_t len = 0;

	buf[len++] = DW_OP_breg0 + reg;
	len += sleb(buf + len, off);
	if (deref)
		buf[len++] = DW_OP_deref;
	if (more) {
		buf[len++] = DW_OP_consts;
		len += sleb(buf + len, more);
		buf[len++] = DW_OP_plus;
	}
	put8(w, len);
	grow_add(w->out, buf, len);
}

static bool changes_stacks(const struct writer *w, vaddr_t addr, const struct orc_entry *orc)
{
	return orc->sp_reg == ORC_REG_SP_INDIRECT || orc->sp_reg == ORC_REG_BP_INDIRECT ||
	       (addr >= w->switch_start && addr < w->switch_end && orc->sp_reg == ORC_REG_BP);
}

/* What an entry of an interrupt calls: the frame above is the entry's, a "signal handler". */
static bool is_handler(struct writer *w, vaddr_t addr)
{
	static const char *const names[] = { "sysvec_", "common_interrupt", "spurious_interrupt" };
	uint64_t offset;
	const char *name = symbols_at(w->syms, addr, &offset);

	for (size_t i = 0; name && i < ARRAY_SIZE(names); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return true;
	return false;
}

/* Register = what is, or stands, at off from the place that rsp points to the address of. */
static void put_through_rsp(struct writer *w, uint8_t rule, int reg, int64_t off)
{
	put8(w, rule);
	put8(w, reg);
	put_expression(w, RSP, 0, true, off);
}

/*
 * The frame of a handler that went on on the interrupts' stack. gdb ends a stack where a frame lies below the one it called,
 * but for "signal handlers": the frame is said to be on the interrupts' stack, and all of its caller is fetched from the other.
 */
static void put_handler(struct writer *w, const struct orc_entry *orc)
{
	put8(w, DW_CFA_def_cfa_sf);
	put8(w, RSP);
	put_sleb(w, 8 / DATA_ALIGN);
	put_through_rsp(w, DW_CFA_val_expression, RSP, orc->sp_offset);
	put_through_rsp(w, DW_CFA_expression, RIP, orc->sp_offset - 8);
	if (orc->bp_reg == ORC_REG_PREV_SP)
		put_through_rsp(w, DW_CFA_expression, RBP, orc->sp_offset + orc->bp_offset);
}

static void put_cfa(struct writer *w, const struct orc_entry *orc)
{
	int reg = dwarf_reg(orc->sp_reg);

	if (orc->sp_reg == ORC_REG_BP_INDIRECT || orc->sp_reg == ORC_REG_SP_INDIRECT) {
		/* unwind_next_frame(): rbp's offset is inside the brackets, rsp's outside. */
		bool bp = orc->sp_reg == ORC_REG_BP_INDIRECT;

		put8(w, DW_CFA_def_cfa_expression);
		put_expression(w, reg, bp ? orc->sp_offset : 0, true, bp ? 0 : orc->sp_offset);
	} else if (orc->sp_offset % DATA_ALIGN) {
		put8(w, DW_CFA_def_cfa_expression);
		put_expression(w, reg, orc->sp_offset, false, 0);
	} else {
		put8(w, DW_CFA_def_cfa_sf);
		put8(w, reg);
		put_sleb(w, orc->sp_offset / DATA_ALIGN);
	}
}

static void put_bp(struct writer *w, const struct orc_entry *orc)
{
	if (orc->bp_reg == ORC_REG_PREV_SP) {
		put_saved(w, RBP, orc->bp_offset);
	} else if (orc->bp_reg == ORC_REG_BP) {
		put8(w, DW_CFA_expression);
		put8(w, RBP);
		put_expression(w, RBP, orc->bp_offset, false, 0);
	} else {
		put8(w, DW_CFA_same_value);
		put8(w, RBP);
	}
}

/* struct pt_regs begins at the CFA: DWARF numbers in its order. */
static void put_pt_regs(struct writer *w)
{
	static const int8_t order[] = { 15, 14, 13, 12, RBP, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5, -1, RIP, -1, -1, RSP };

	for (size_t i = 0; i < sizeof(order); i++)
		if (order[i] >= 0)
			put_saved(w, order[i], 8 * (int64_t)i);
}

static void put_row(struct writer *w, vaddr_t addr, const struct orc_entry *orc)
{
	if (orc->type == ORC_UNDEFINED || orc->type == ORC_END || dwarf_reg(orc->sp_reg) < 0) {
		put8(w, DW_CFA_undefined);
		put8(w, RIP);
		return;
	}
	w->nr++;
	if (orc->type == ORC_CALL && orc->sp_reg == ORC_REG_SP_INDIRECT && is_handler(w, addr)) {
		put_handler(w, orc);
		return;
	}
	put_cfa(w, orc);
	if (orc->type == ORC_REGS) {
		put_pt_regs(w);
	} else if (orc->type == ORC_REGS_PARTIAL) {
		put_saved(w, RIP, 0);
		put_saved(w, RSP, 24);
	}
	if (orc->type != ORC_REGS)
		put_bp(w, orc);
}

/* Go on to addr inside the open FDE. */
static void advance(struct writer *w, vaddr_t addr)
{
	uint64_t delta = addr - w->at;

	if (delta < 0x40) {
		put8(w, DW_CFA_advance_loc | delta);
	} else {
		put8(w, DW_CFA_advance_loc4);
		put(w, delta, 4);
	}
	w->at = addr;
}

/* A function that changes stacks and that a plain one called has to pass for a signal handler itself. */
static void add_entry(struct writer *w, vaddr_t addr, const struct orc_entry *orc)
{
	bool call = orc->type == ORC_CALL && dwarf_reg(orc->sp_reg) >= 0, changes = call && changes_stacks(w, addr, orc);
	bool plain = call && !orc->signal && !changes, wanted = !w->switches || changes;

	if (w->fde && w->plain && plain && wanted && ++w->nr_rows < ROWS_MAX && addr - w->at < UINT32_MAX) {
		advance(w, addr);
	} else {
		close_fde(w, addr);
		if (orc->type == ORC_UNDEFINED || !wanted)
			return;
		open_fde(w, addr, orc->signal || (changes && !is_handler(w, addr)) || orc->type == ORC_REGS ||
					  orc->type == ORC_REGS_PARTIAL);
	}
	w->plain = plain;
	put_row(w, addr, orc);
}

static vaddr_t entry_addr(const struct orc_table *table, const uint8_t *ips, uint32_t i)
{
	return table->ips + 4ULL * i + (int32_t)elf_get(ELFDATA2LSB, ips + 4 * (size_t)i, 4);
}

/* A table whose memory is missing has no frames; what does not ascend is passed over. */
static int add_table(struct session *s, struct writer *w, const struct orc *orc, const struct orc_table *table)
{
	size_t ips_len = 4 * (size_t)table->nr, entries_len = ORC_ENTRY_SIZE * (size_t)table->nr;
	uint8_t *ips = table->nr <= TABLE_MAX ? malloc(ips_len + entries_len) : NULL, *entries = ips + ips_len;
	vaddr_t last = 0;

	if (!ips)
		return -ENOMEM;
	if (!kernel_read_vaddr(&s->kernel, table->ips, ips, ips_len) &&
	    !kernel_read_vaddr(&s->kernel, table->entries, entries, entries_len)) {
		for (uint32_t i = 0; i < table->nr; i++) {
			vaddr_t addr = entry_addr(table, ips, i);
			struct orc_entry entry;

			/* Of entries for the same address the last one counts. */
			if (addr <= last || (i + 1 < table->nr && entry_addr(table, ips, i + 1) == addr))
				continue;
			orc_decode(orc, entries + ORC_ENTRY_SIZE * (size_t)i, &entry);
			add_entry(w, addr, &entry);
			last = addr;
		}
	}
	/* The last entry is the end of the code: nothing counts from there on. */
	close_fde(w, last + 1);
	free(ips);
	return 0;
}

/*
 * Functions that ORC leaves out, __crash_kexec() above all: how far such a frame of a CPU's stack reaches, the unwinder
 * found out in its own way. True for that frame's address only.
 */
static void add_frame(struct writer *w, const struct bt_frame *frame, const struct bt_frame *caller)
{
	vaddr_t ip = frame->unwind.ip - !frame->unwind.exact;

	close_fde(w, 0);
	open_fde(w, ip, false);
	put8(w, DW_CFA_def_cfa_sf);
	put8(w, RSP);
	put_sleb(w, (int64_t)(caller->unwind.sp - frame->unwind.sp) / DATA_ALIGN);
	if (caller->unwind.known & 1U << REG_BP) {
		put8(w, DW_CFA_val_expression);
		put8(w, RBP);
		put8(w, 9);
		put8(w, DW_OP_const8u);
		put(w, caller->unwind.regs[REG_BP], 8);
	} else {
		put8(w, DW_CFA_undefined);
		put8(w, RBP);
	}
	w->nr++;
	close_fde(w, ip + 1);
}

static void add_cpu(struct writer *w, struct backtrace *bt, const struct cpu_note *note)
{
	struct bt_frame frames[2];
	unsigned int i = 0;

	if (backtrace_start_cpu(bt, note) || backtrace_next(bt, &frames[0]) <= 0)
		return;
	for (i = 1; i < FRAMES_MAX && backtrace_next(bt, &frames[i % 2]) > 0; i++) {
		const struct bt_frame *frame = &frames[(i - 1) % 2], *caller = &frames[i % 2];
		struct orc_entry entry;

		if (frame->unwind.user || caller->boundary != BT_CALL || caller->unwind.sp <= frame->unwind.sp)
			continue;
		if (orc_find(&bt->orc, frame->unwind.ip - !frame->unwind.exact, &entry) || entry.type == ORC_UNDEFINED)
			add_frame(w, frame, caller);
	}
}

int symbol_frames_write(struct session *s, bool switches, struct grow *ret, uint32_t *nr_ret)
{
	static struct backtrace bt;
	struct writer w = { .out = ret, .switches = switches, .syms = &s->symbols };
	struct symbol symbol;
	struct error err;
	int rc = 0;

	*nr_ret = 0;
	if (backtrace_init(&bt, &s->symbols, s->have & SESSION_TYPES ? &s->btf : NULL, NULL, &err))
		return 0;
	if (!symbols_lookup(&s->symbols, "asm_call_on_stack", &symbol)) {
		w.switch_start = symbol.addr;
		w.switch_end = symbol.addr + symbol.size;
	}
	if (bt.orc.usable) {
		w.plain_cie = put_cie(&w, false);
		w.signal_cie = put_cie(&w, true);
		for (unsigned int i = 0; i < bt.orc.nr_tables && !rc; i++)
			rc = add_table(s, &w, &bt.orc, &bt.orc.tables[i]);
		for (unsigned int i = 0; i < s->in.crash.notes.nr_cpus && !rc && !switches; i++)
			add_cpu(&w, &bt, &s->in.crash.notes.cpus[i]);
	}
	backtrace_deinit(&bt);
	*nr_ret = w.nr;
	return ret->failed ? -ENOMEM : rc;
}
