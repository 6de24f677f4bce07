/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks of the dead kernel with names: the unwinder fed with the ORC tables that its symbols and its modules name, and
 * started at a CPU's registers or at a task that slept.
 */
#ifndef ELFCORE_BACKTRACE_H
#define ELFCORE_BACKTRACE_H

#include "elfcore/symbols.h"
#include "elfcore/unwind.h"

#define BT_CPUS_MAX 8192	/* CONFIG_NR_CPUS of x86_64 ends there */

/* What stands between a frame and the one that comes before it (its callee, further in). */
enum bt_boundary { BT_CALL, BT_EXCEPTION, BT_INTERRUPT, BT_NMI, BT_SYSCALL };

struct bt_frame {
	struct unwind_frame unwind;
	enum bt_boundary boundary;
	const char *cause;		/* of a boundary: "page_fault", "apic_timer_interrupt"; "" = unknown */
	char name[KSYM_NAME_MAX];	/* "" = no symbol */
	char module[64];		/* "" = the kernel itself */
	uint64_t offset, size;
};

/* A task as far as a stack needs it; pid -1 = unknown, addr 0 = unknown. */
struct bt_task {
	vaddr_t addr;
	int pid;
	char comm[16];
};

struct backtrace {
	struct symbols *syms;
	const struct btf *btf;		/* NULL = no types: no stacks of tasks, none through modules */
	struct orc orc;
	struct unwind unwind;
	int64_t sp_off;			/* of thread.sp in struct task_struct; -1 = unknown */
	unsigned int bp_off, ret_off;	/* in struct inactive_task_frame */
	char last[KSYM_NAME_MAX];	/* name of the frame handed out last */
	char cause[64];
};

/*
 * Both are borrowed; the modules' tables are those that syms knows now. Without ORC tables frame pointers are all there
 * is, which the log says. -EOPNOTSUPP: not x86_64.
 */
int backtrace_init(struct backtrace *bt, struct symbols *syms, const struct btf *btf, struct log *log, struct error *err);
void backtrace_deinit(struct backtrace *bt);

/* At the registers of a CPU's NT_PRSTATUS. -EINVAL: too short for one. */
int backtrace_start_cpu(struct backtrace *bt, const struct cpu_note *cpu);

/* At a task that runs on no CPU. -ENODATA: its stack pointer is not known or not readable. */
int backtrace_start_task(struct backtrace *bt, vaddr_t task);

/* 1 and the next frame, innermost first, or 0 at the end, which bt->unwind explains. */
int backtrace_next(struct backtrace *bt, struct bt_frame *ret);

/* "name+0x1/0x2 [module]" of a frame, or its address where there is no name. */
void bt_frame_text(const struct bt_frame *frame, char *ret, size_t size);

/* The task that a CPU was running. */
int backtrace_cpu_task(struct backtrace *bt, uint32_t cpu, struct bt_task *ret);
void backtrace_read_task(struct backtrace *bt, vaddr_t addr, struct bt_task *ret);

/* The CPU that panicked, CPU_UNKNOWN when the dead kernel does not say. */
uint32_t backtrace_panic_cpu(struct backtrace *bt);

#endif
