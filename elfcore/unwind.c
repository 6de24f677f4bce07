// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/unwind.h"

#include <errno.h>
#include <string.h>

/* Interrupt, NMI and exception stacks lie anywhere: so often may the next frame be below the last one. */
#define TURNS_MAX 16

#define NO_PAGE 1
#define REGS_ALL ((1U << NR_UNWIND_REGS) - 1)
#define KNOWN_AFTER_CALL (1U << REG_IP | 1U << REG_SP | 1U << REG_BP)
#define CS_USER 3

const char *const unwind_reg_names[NR_UNWIND_REGS] = {
	"r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi", "orig_rax", "rip",
	"cs", "rflags", "rsp", "ss",
};

static bool is_kernel(vaddr_t addr)
{
	return addr >> 63;
}

/* One word of the stack; the stack is read by pages. */
static int read_word(struct unwind *u, vaddr_t addr, uint64_t *ret)
{
	vaddr_t page = round_down(addr, sizeof(u->page));
	uint8_t word[8];
	int rc;

	if (addr - page > sizeof(u->page) - 8) {
		rc = kernel_read_vaddr(u->orc->kernel, addr, word, sizeof(word));
	} else {
		rc = page == u->page_addr ? 0 : kernel_read_vaddr(u->orc->kernel, page, u->page, sizeof(u->page));
		u->page_addr = rc ? NO_PAGE : page;
		memcpy(word, u->page + (addr - page), sizeof(word));
	}
	*ret = elf_get(ELFDATA2LSB, word, sizeof(word));
	return rc;
}

static void stop(struct unwind *u, enum unwind_end end, vaddr_t addr)
{
	u->end = end;
	u->end_addr = addr;
}

static void start(struct unwind *u, struct orc *orc)
{
	memset(&u->frame, 0, sizeof(u->frame));
	u->orc = orc;
	u->nr_frames = u->nr_turns = 0;
	u->end = UNWIND_RUNNING;
	u->end_addr = 0;
	u->page_addr = NO_PAGE;
}

/* The frame's registers are in place: what follows from them. */
static void take_regs(struct unwind_frame *f)
{
	f->ip = f->regs[REG_IP];
	f->sp = f->regs[REG_SP];
	f->user = (f->regs[REG_CS] & CS_USER) == CS_USER;
}

void unwind_init_regs(struct unwind *u, struct orc *orc, const uint8_t *pr_reg)
{
	start(u, orc);
	for (unsigned int i = 0; i < NR_UNWIND_REGS; i++)
		u->frame.regs[i] = elf_get(ELFDATA2LSB, pr_reg + 8 * i, 8);
	u->frame.known = REGS_ALL;
	u->frame.exact = true;
	take_regs(&u->frame);
}

void unwind_init_task(struct unwind *u, struct orc *orc, vaddr_t sp, unsigned int bp_off, unsigned int ret_off)
{
	struct unwind_frame *f = &u->frame;

	start(u, orc);
	f->sp = sp + ret_off + 8;
	if (read_word(u, sp + bp_off, &f->regs[REG_BP]) || read_word(u, sp + ret_off, &f->ip)) {
		stop(u, UNWIND_UNREADABLE, sp);
		return;
	}
	f->regs[REG_IP] = f->ip;
	f->regs[REG_SP] = f->sp;
	f->known = KNOWN_AFTER_CALL;
}

/* What a function with a frame pointer looks like, as the kernel assumes where its tables know nothing. */
static const struct orc_entry frame_pointer = {
	.sp_offset = 16, .bp_offset = -16, .sp_reg = ORC_REG_BP, .bp_reg = ORC_REG_PREV_SP, .type = ORC_CALL,
};

/* A call through a wild pointer has pushed its return address and done nothing else. */
static const struct orc_entry wild_call = {
	.sp_offset = 8, .sp_reg = ORC_REG_SP, .bp_reg = ORC_REG_NONE, .type = ORC_CALL,
};

static bool executable(struct unwind *u, vaddr_t ip)
{
	uint8_t byte;

	return is_kernel(ip) && !kernel_read_vaddr(u->orc->kernel, ip, &byte, 1);
}

/* Frame pointers are trusted only where one can be: above the stack pointer and not far away. */
static bool plausible_bp(const struct unwind_frame *f)
{
	return f->known & 1U << REG_BP && is_kernel(f->regs[REG_BP]) && !(f->regs[REG_BP] & 7);
}

#define CALL_SIZE 5		/* call rel32 */
#define CALL_SCAN_WORDS 128
#define ENDBR64 "\xf3\x0f\x1e\xfa"

/* Is ret where a call of the function at start returns to? */
static bool returns_from(struct unwind *u, vaddr_t ret, vaddr_t start)
{
	uint8_t call[CALL_SIZE];

	if (!is_kernel(ret) || kernel_read_vaddr(u->orc->kernel, ret - CALL_SIZE, call, sizeof(call)) || call[0] != 0xe8)
		return false;
	return ret + (int64_t)(int32_t)elf_get(ELFDATA2LSB, call + 1, 4) - start <= sizeof(ENDBR64) - 1;
}

/* Does the function save the frame pointer first of all? In front there may be an endbr64 and the call of ftrace. */
static bool pushes_bp(struct unwind *u, vaddr_t start)
{
	uint8_t code[16];
	size_t at = 0;

	if (kernel_read_vaddr(u->orc->kernel, start, code, sizeof(code)))
		return false;
	if (!memcmp(code, ENDBR64, sizeof(ENDBR64) - 1))
		at = sizeof(ENDBR64) - 1;
	if (code[at] == 0xe8 || code[at] == 0x0f)
		at += CALL_SIZE;
	return code[at] == 0x55;
}

/* A way out of a function of which the tables say nothing: *ret says how, counted from the stack pointer. */
static int find_call(struct unwind *u, struct orc_entry *ret)
{
	const struct unwind_frame *f = &u->frame;
	vaddr_t start = u->orc->function_start ? u->orc->function_start(u->orc, f->exact ? f->ip : f->ip - 1) : 0;
	uint64_t word;

	for (unsigned int i = 0; start && i < CALL_SCAN_WORDS && !read_word(u, f->sp + 8 * i, &word); i++) {
		if (!returns_from(u, word, start))
			continue;
		*ret = wild_call;
		ret->sp_offset += 8 * i;
		if (pushes_bp(u, start)) {
			ret->bp_reg = ORC_REG_PREV_SP;
			ret->bp_offset = -16;
		}
		return 0;
	}
	return -ENOENT;
}

static int find_entry(struct unwind *u, struct orc_entry *ret)
{
	const struct unwind_frame *f = &u->frame;
	/* A call may be a function's last instruction: its return address is another function's. */
	int rc = orc_find(u->orc, f->exact ? f->ip : f->ip - 1, ret);

	if (!rc && ret->type == ORC_UNDEFINED)
		return find_call(u, ret);
	if (rc != -ENOENT)
		return rc;
	if (f->exact && !executable(u, f->ip))
		*ret = wild_call;
	else if (plausible_bp(f))
		*ret = frame_pointer;
	else
		return find_call(u, ret);
	return 0;
}

/* The caller's stack pointer, or where the saved registers are. Bases that a realigned stack needs count without offset. */
static int find_sp(struct unwind *u, const struct orc_entry *entry, vaddr_t *ret)
{
	static const struct {
		uint8_t reg;
		bool offset, indirect, offset_behind;
	} bases[] = {
		[ORC_REG_AX] = { REG_AX, false, false, false },
		[ORC_REG_DX] = { REG_DX, false, false, false },
		[ORC_REG_DI] = { REG_DI, false, false, false },
		[ORC_REG_R10] = { REG_R10, false, false, false },
		[ORC_REG_R13] = { REG_R13, false, false, false },
		[ORC_REG_BP] = { REG_BP, true, false, false },
		[ORC_REG_SP] = { REG_SP, true, false, false },
		[ORC_REG_BP_INDIRECT] = { REG_BP, true, true, false },
		[ORC_REG_SP_INDIRECT] = { REG_SP, false, true, true },
	};
	const struct unwind_frame *f = &u->frame;
	enum orc_reg base = entry->sp_reg;

	if (base == ORC_REG_NONE || base == ORC_REG_PREV_SP || !(f->known & 1U << bases[base].reg))
		return -ENOENT;
	*ret = f->regs[bases[base].reg] + (bases[base].offset ? entry->sp_offset : 0);
	if (bases[base].indirect && read_word(u, *ret, ret))
		return -EIO;
	if (bases[base].offset_behind)
		*ret += entry->sp_offset;
	return 0;
}

/* Where the caller's frame pointer was saved, if it was. */
static int find_bp(struct unwind *u, const struct orc_entry *entry, vaddr_t prev_sp, uint64_t old_bp)
{
	struct unwind_frame *f = &u->frame;
	vaddr_t place = (entry->bp_reg == ORC_REG_PREV_SP ? prev_sp : old_bp) + entry->bp_offset;

	if (entry->bp_reg != ORC_REG_PREV_SP && entry->bp_reg != ORC_REG_BP)
		return 0;
	f->known |= 1U << REG_BP;
	return read_word(u, place, &f->regs[REG_BP]);
}

/* The registers from first on, which lie at place. */
static int load_regs(struct unwind *u, vaddr_t place, unsigned int first)
{
	struct unwind_frame *f = &u->frame;

	for (unsigned int i = first; i < NR_UNWIND_REGS; i++) {
		if (read_word(u, place + 8 * (i - first), &f->regs[i]))
			return -EIO;
		f->known |= 1U << i;
	}
	f->interrupted = true;
	take_regs(f);
	return 0;
}

/* Kernels without ORC leave the place of saved registers in the frame pointer, marked by bit 0 (asm/frame.h). */
static bool encoded_regs(const struct unwind *u)
{
	const struct unwind_frame *f = &u->frame;

	return !u->orc->nr_tables && f->known & 1U << REG_BP && is_kernel(f->regs[REG_BP]) && (f->regs[REG_BP] & 7) == 1;
}

static int load_caller(struct unwind *u, const struct orc_entry *entry, vaddr_t sp)
{
	struct unwind_frame *f = &u->frame;
	uint64_t old_bp = f->regs[REG_BP];
	int rc;

	f->interrupted = false;
	f->exact = entry->signal;
	if (entry->type == ORC_REGS) {
		rc = load_regs(u, sp, 0);
	} else if (entry->type == ORC_REGS_PARTIAL) {
		rc = load_regs(u, sp, REG_IP);
	} else {
		rc = read_word(u, sp - 8, &f->regs[REG_IP]);
		f->regs[REG_SP] = sp;
		f->ip = f->regs[REG_IP];
		f->sp = sp;
		f->known &= KNOWN_AFTER_CALL;
	}
	return rc ? rc : find_bp(u, entry, sp, old_bp);
}

/* The frame above the one in u->frame takes its place. */
static void step(struct unwind *u)
{
	struct orc_entry entry;
	vaddr_t sp = 0, old_ip = u->frame.ip, old_sp = u->frame.sp;
	int rc = 0;

	if (u->frame.user) {
		stop(u, UNWIND_USER, old_ip);
		return;
	}
	if (encoded_regs(u)) {
		entry = (struct orc_entry){ .type = ORC_REGS, .signal = true };
		sp = u->frame.regs[REG_BP] - 1;
	} else {
		rc = find_entry(u, &entry);
		if (!rc && entry.type == ORC_END) {
			stop(u, UNWIND_TOP, old_ip);
			return;
		}
		if (!rc)
			rc = find_sp(u, &entry, &sp);
	}
	if (!rc && load_caller(u, &entry, sp))
		rc = -EIO;
	if (rc)
		stop(u, rc == -ENOENT ? UNWIND_LOST : UNWIND_UNREADABLE, rc == -ENOENT ? old_ip : sp);
	else if (u->frame.sp <= old_sp && !u->frame.user && ++u->nr_turns > TURNS_MAX)
		stop(u, UNWIND_LOOP, old_sp);
	else if (!u->frame.user && !u->frame.exact && !is_kernel(u->frame.ip))
		stop(u, UNWIND_LOST, old_ip);
}

int unwind_next(struct unwind *u, struct unwind_frame *ret)
{
	if (u->nr_frames && u->end == UNWIND_RUNNING)
		step(u);
	if (u->end == UNWIND_RUNNING && u->nr_frames == UNWIND_MAX_FRAMES)
		stop(u, UNWIND_LOOP, u->frame.sp);
	if (u->end != UNWIND_RUNNING)
		return 0;
	u->nr_frames++;
	*ret = u->frame;
	return 1;
}

const char *unwind_end_text(enum unwind_end end)
{
	switch (end) {
	case UNWIND_LOST: return "no way up is known from";
	case UNWIND_UNREADABLE: return "the stack is not readable at";
	case UNWIND_LOOP: return "the stack goes on for too long, or in circles, at";
	default: return NULL;
	}
}
