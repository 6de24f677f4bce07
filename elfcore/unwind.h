/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stack of one CPU or task of a dead x86_64 kernel, frame by frame: by its ORC tables, and where these know nothing
 * (code that BPF or ftrace made at run time, kernels without ORC) by frame pointers. Functions that are left out of the
 * tables on purpose, __crash_kexec() above all, are left through the first return address on the stack whose call
 * instruction demonstrably called this function. Nothing is guessed: where none of this leads on, the walk ends and says why.
 *
 * Interrupts and exceptions save all registers (struct pt_regs), on this stack or another one; the walk goes through
 * them and hands these registers out. It is bounded, whatever the stack contains.
 */
#ifndef ELFCORE_UNWIND_H
#define ELFCORE_UNWIND_H

#include "elfcore/orc.h"

/* The order of struct pt_regs, and of what an NT_PRSTATUS has at pr_reg. */
enum unwind_reg {
	REG_R15, REG_R14, REG_R13, REG_R12, REG_BP, REG_BX, REG_R11, REG_R10, REG_R9, REG_R8, REG_AX, REG_CX, REG_DX, REG_SI,
	REG_DI, REG_ORIG_AX, REG_IP, REG_CS, REG_FLAGS, REG_SP, REG_SS, NR_UNWIND_REGS
};

extern const char *const unwind_reg_names[NR_UNWIND_REGS];

#define UNWIND_MAX_FRAMES 1024

struct unwind_frame {
	vaddr_t ip;
	vaddr_t sp;			/* when this frame's code runs on */
	bool exact;			/* ip is where it was stopped; else it is where a call returns to */
	bool interrupted;		/* an interrupt or an exception saved its registers */
	bool user;			/* of user space, the last frame of a stack */
	uint32_t known;			/* bit n: regs[n] is what it was in this frame */
	uint64_t regs[NR_UNWIND_REGS];
};

enum unwind_end {
	UNWIND_RUNNING,
	UNWIND_USER,			/* where user space entered the kernel */
	UNWIND_TOP,			/* the outermost frame of a kernel thread */
	UNWIND_LOST,			/* neither ORC nor frame pointers know the way from end_addr */
	UNWIND_UNREADABLE,		/* the stack could not be read at end_addr */
	UNWIND_LOOP,			/* the stack leads in circles or is too deep */
};

struct unwind {
	struct orc *orc;
	struct unwind_frame frame;	/* the next one to be handed out */
	unsigned int nr_frames, nr_turns;
	enum unwind_end end;
	vaddr_t end_addr;

	/* the last page of stack that was read */
	vaddr_t page_addr;		/* 1 = none */
	uint8_t page[4096];
};

/* From the registers of an interrupted CPU, len bytes at pr_reg in the order above. */
void unwind_init_regs(struct unwind *unwind, struct orc *orc, const uint8_t *pr_reg);

/* From the frame that a sleeping task left at thread.sp: frame pointer and return address at these offsets of it. */
void unwind_init_task(struct unwind *unwind, struct orc *orc, vaddr_t sp, unsigned int bp_off, unsigned int ret_off);

/* The next frame, innermost first: 1 and *ret, or 0 when unwind->end says why there is none. */
int unwind_next(struct unwind *unwind, struct unwind_frame *ret);

/* Why it ended, for people; NULL when it ended as it should. */
const char *unwind_end_text(enum unwind_end end);

#endif
