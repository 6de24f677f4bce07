/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tasks that the dead kernel had: every thread of every process on the list that begins at init_task, whose layout
 * BTF tells. The idle tasks are on no list and not among them.
 */
#ifndef ELFCORE_TASKS_H
#define ELFCORE_TASKS_H

#include "elfcore/btf.h"
#include "elfcore/symbols.h"

struct task {
	vaddr_t addr;			/* of its struct task_struct */
	int pid, tgid, ppid;
	char comm[16];
	uint64_t state, exit_state;	/* TASK_* and EXIT_* bits, include/linux/sched.h */
	uint64_t flags;			/* PF_* */
	uint32_t cpu;
	bool on_cpu;			/* it was running */
	vaddr_t mm;			/* 0 = a kernel thread */
};

/* Where the members are; found once. */
struct task_layout {
	struct btf_field pid, tgid, comm, state, exit_state, flags, cpu, on_cpu, mm, parent, signal, tasks, thread_node;
	struct btf_field thread_head;	/* in struct signal_struct */
};

struct tasks {
	struct symbols *syms;
	struct task_layout layout;
	int error;			/* why the last walk ended early: -ELOOP, -EIO; 0 = it did not */
	uint64_t nr_broken;		/* tasks that could not be read */
};

/* -ENODATA with the missing member or symbol named. Both are borrowed. */
int tasks_init(struct tasks *tasks, struct symbols *syms, const struct btf *btf, struct error *err);

/* One task at an address. -ENODATA, -EIO: not readable. */
int tasks_read(struct tasks *tasks, vaddr_t addr, struct task *ret);

/*
 * All of them, a process's leader first. A value other than 0 ends the walk and is returned; what is broken is counted
 * and passed over.
 */
typedef int task_fn(void *arg, const struct task *task);
int tasks_each(struct tasks *tasks, task_fn *fn, void *arg);

/* The letter that ps(1) shows: R S D T t Z X I, ? for none of them. */
char task_state_letter(const struct task *task);

#endif
