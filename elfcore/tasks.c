// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/tasks.h"

#include <errno.h>
#include <string.h>

#include "elfcore/object.h"

/* PID_MAX_LIMIT: no kernel can have more. */
#define TASKS_MAX (4U << 20)

#define TASK_NOLOAD 0x400

static int need(const struct btf *btf, const char *type, const char *path, struct btf_field *ret, struct error *err)
{
	return btf_member(btf, type, path, ret) ? fail(err, -ENODATA, "the crashed kernel's %s has no %s", type, path) : 0;
}

int tasks_init(struct tasks *tasks, struct symbols *syms, const struct btf *btf, struct error *err)
{
	static const char task[] = "struct task_struct";
	struct task_layout *l = &tasks->layout;

	memset(tasks, 0, sizeof(*tasks));
	tasks->syms = syms;
	if (need(btf, task, "pid", &l->pid, err) || need(btf, task, "tgid", &l->tgid, err) ||
	    need(btf, task, "comm", &l->comm, err) || need(btf, task, "flags", &l->flags, err) ||
	    need(btf, task, "mm", &l->mm, err) || need(btf, task, "real_parent", &l->parent, err) ||
	    need(btf, task, "exit_state", &l->exit_state, err) || need(btf, task, "signal", &l->signal, err) ||
	    need(btf, task, "tasks", &l->tasks, err) || need(btf, task, "thread_node", &l->thread_node, err) ||
	    need(btf, "struct signal_struct", "thread_head", &l->thread_head, err))
		return err->code;
	/* "state" up to 5.13; the CPU is in thread_info since 5.16. */
	if (btf_member(btf, task, "__state", &l->state) && need(btf, task, "state", &l->state, err))
		return err->code;
	if (btf_member(btf, task, "thread_info.cpu", &l->cpu))
		btf_member(btf, task, "cpu", &l->cpu);
	btf_member(btf, task, "on_cpu", &l->on_cpu);
	return 0;
}

static int read_field(struct tasks *tasks, vaddr_t addr, const struct btf_field *field, uint64_t *ret)
{
	*ret = 0;
	return field->size ? kernel_read_uint(tasks->syms->kernel, addr + field->off, field->size, ret) : 0;
}

int tasks_read(struct tasks *tasks, vaddr_t addr, struct task *ret)
{
	const struct task_layout *l = &tasks->layout;
	uint64_t pid, tgid, cpu, on_cpu, parent, ppid = 0;
	int rc;

	memset(ret, 0, sizeof(*ret));
	ret->addr = addr;
	rc = read_field(tasks, addr, &l->pid, &pid);
	if (!rc)
		rc = read_field(tasks, addr, &l->tgid, &tgid);
	if (!rc)
		rc = read_field(tasks, addr, &l->state, &ret->state);
	if (!rc)
		rc = read_field(tasks, addr, &l->exit_state, &ret->exit_state);
	if (!rc)
		rc = read_field(tasks, addr, &l->flags, &ret->flags);
	if (!rc)
		rc = read_field(tasks, addr, &l->mm, &ret->mm);
	if (!rc)
		rc = read_field(tasks, addr, &l->cpu, &cpu);
	if (!rc)
		rc = read_field(tasks, addr, &l->on_cpu, &on_cpu);
	if (!rc)
		rc = read_field(tasks, addr, &l->parent, &parent);
	if (rc)
		return rc;
	kernel_read_string(tasks->syms->kernel, addr + l->comm.off, ret->comm, sizeof(ret->comm));
	if (kernel_is_address(tasks->syms->kernel, parent))
		read_field(tasks, parent, &l->tgid, &ppid);
	ret->pid = (int)pid;
	ret->tgid = (int)tgid;
	ret->ppid = (int)ppid;
	ret->cpu = (uint32_t)cpu;
	ret->on_cpu = on_cpu;
	return 0;
}

struct walk {
	struct tasks *tasks;
	task_fn *fn;
	void *arg;
	unsigned int nr;
};

static int visit(struct walk *walk, vaddr_t addr)
{
	struct task task;

	if (walk->nr++ == TASKS_MAX) {
		walk->tasks->error = -ELOOP;
		return 0;
	}
	if (tasks_read(walk->tasks, addr, &task)) {
		walk->tasks->nr_broken++;
		return 0;
	}
	return walk->fn(walk->arg, &task);
}

/* The list of a process's threads begins in the signal structure that they share; the leader is one of them. */
static int visit_threads(struct walk *walk, vaddr_t leader)
{
	const struct task_layout *l = &walk->tasks->layout;
	struct list_walk threads;
	uint64_t signal;
	vaddr_t at;
	int rc = visit(walk, leader);

	if (rc || read_field(walk->tasks, leader, &l->signal, &signal) ||
	    !kernel_is_address(walk->tasks->syms->kernel, signal))
		return rc;
	list_walk_init(&threads, walk->tasks->syms->kernel, signal + l->thread_head.off);
	while (!rc && list_walk_next(&threads, &at) && walk->nr < TASKS_MAX)
		if (at - l->thread_node.off != leader)
			rc = visit(walk, at - l->thread_node.off);
	if (threads.error)
		walk->tasks->nr_broken++;
	return rc;
}

int tasks_each(struct tasks *tasks, task_fn *fn, void *arg)
{
	struct walk walk = { tasks, fn, arg, 0 };
	struct list_walk processes;
	vaddr_t init_task, at;
	int rc = 0;

	tasks->error = 0;
	tasks->nr_broken = 0;
	if (symbols_find(tasks->syms, "init_task", &init_task)) {
		tasks->error = -ENODATA;
		return 0;
	}
	list_walk_init(&processes, tasks->syms->kernel, init_task + tasks->layout.tasks.off);
	while (!rc && list_walk_next(&processes, &at) && walk.nr < TASKS_MAX)
		rc = visit_threads(&walk, at - tasks->layout.tasks.off);
	if (!tasks->error)
		tasks->error = processes.error;
	return rc;
}

char task_state_letter(const struct task *task)
{
	static const struct { uint64_t bit; char letter; } states[] = {
		{ 0x01, 'S' }, { 0x02, 'D' }, { 0x04, 'T' }, { 0x08, 't' }, { 0x40, 'P' },
	};

	if (task->exit_state & 0x20)
		return 'Z';
	if (task->exit_state & 0x10)
		return 'X';
	if (!task->state)
		return 'R';
	if (task->state & TASK_NOLOAD)
		return 'I';
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (task->state & states[i].bit)
			return states[i].letter;
	return '?';
}
