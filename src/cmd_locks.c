// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/backtrace.h"
#include "elfcore/tasks.h"
#include "src/cmd.h"
#include "src/json.h"
#include "src/kobject.h"
#include "src/task_wait.h"

static const char help[] =
	"usage: kcapture locks [OPTIONS] CORE\n"
	"\n"
	"List the tasks that were blocked on a mutex or a read-write semaphore, which one, for how long, and who held it. No lockdep is\n"
	"needed: what a task waits on is found on its stack.\n"
	"\n"
	"      --json       one array\n"
	"  -h, --help       this text\n";

#define STACK_MAX 65536
#define RING_MAX 256		/* waiters of one lock */
#define FRAMES_MAX 8		/* from the scheduler out to the lock's slow path */
#define OWNER_FLAGS 7ULL	/* low bits of an owner: a task_struct is aligned to more */
#define READER_OWNED 1		/* RWSEM_READER_OWNED, kernel/locking/rwsem.c */

/* One kind of sleeping lock, by the function that a task sleeps in. */
static const struct lock_kind {
	const char *function;		/* begins with */
	const char *name, *lock, *waiter;
} kinds[] = {
	{ "__mutex_lock", "mutex", "mutex", "mutex_waiter" },
	{ "__ww_mutex_lock", "mutex", "mutex", "mutex_waiter" },
	{ "rwsem_down_read", "rwsem (read)", "rw_semaphore", "rwsem_waiter" },
	{ "rwsem_down_write", "rwsem (write)", "rw_semaphore", "rwsem_waiter" },
};

struct show {
	struct session session;
	struct tasks tasks;
	struct task_wait wait;
	struct backtrace bt;
	struct json json;
	bool as_json;
	unsigned int nr;

	/* of the task at hand */
	uint8_t stack[STACK_MAX];
	vaddr_t stack_start;
	size_t stack_len;
	vaddr_t ring[RING_MAX];		/* list_heads that its waiter is linked with */
	unsigned int nr_ring;
};

/* The slow path that the task sleeps in, and its stack from there on. */
static const struct lock_kind *find_kind(struct show *show, const struct task *task)
{
	struct bt_frame frame;

	if (backtrace_start_task(&show->bt, task->addr))
		return NULL;
	for (unsigned int i = 0; i < FRAMES_MAX && backtrace_next(&show->bt, &frame) > 0; i++) {
		if (!i)
			show->stack_start = frame.unwind.sp;
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
			if (!strncmp(frame.name, kinds[k].function, strlen(kinds[k].function)))
				return &kinds[k];
	}
	return NULL;
}

static bool read_stack(struct show *show, const struct task *task)
{
	struct session *s = &show->session;
	vaddr_t base = kobject_get(s, task->addr, "task_struct", "stack"), sp = show->stack_start & ~7ULL;
	uint64_t size = btf_size(&s->btf, "union thread_union");

	if (!size || size > STACK_MAX)
		size = 4 * 4096;
	if (!base || sp < base || sp - base >= size)
		return false;
	show->stack_start = sp;
	show->stack_len = kernel_read_prefix(&s->kernel, sp, show->stack, size - (sp - base));
	return show->stack_len;
}

static uint64_t stack_word(const struct show *show, size_t off)
{
	return elf_get(show->session.in.crash.ehdr.form.data, show->stack + off, 8);
}

static bool in_ring(const struct show *show, vaddr_t at)
{
	for (unsigned int i = 0; i < show->nr_ring; i++)
		if (show->ring[i] == at)
			return true;
	return false;
}

/* Every list_head that the waiter at this address is linked with, its own first. */
static void read_ring(struct show *show, vaddr_t list)
{
	vaddr_t at = list;

	show->nr_ring = 0;
	do {
		show->ring[show->nr_ring++] = at;
	} while (show->nr_ring < RING_MAX && !kernel_read_word(&show->session.kernel, at, &at) && !in_ring(show, at));
}

/* The task that an owner word names; false = nobody, or nonsense. */
static bool read_holder(struct show *show, const struct lock_kind *kind, vaddr_t lock, struct task *ret, bool *reader_ret)
{
	uint64_t owner = kobject_get(&show->session, lock, kind->lock, "owner.counter|owner");

	*reader_ret = owner & READER_OWNED && strcmp(kind->lock, "mutex");
	return kernel_is_address(&show->session.kernel, owner) && !tasks_read(&show->tasks, owner & ~OWNER_FLAGS, ret) &&
	       ret->pid >= 0 && ret->tgid >= 0 && ret->comm[0] &&
	       kernel_is_address(&show->session.kernel, kobject_get(&show->session, ret->addr, "task_struct", "stack"));
}

/*
 * The lock whose address stands on the stack, too, and whose list of waiters ours is on: its head is in the ring, or since
 * 7.1 its pointer to the first waiter leads into it. What somebody holds is a lock, and not what happens to look like one.
 */
static vaddr_t find_lock(struct show *show, const struct lock_kind *kind)
{
	struct session *s = &show->session;
	struct btf_field head, first;
	struct task holder;
	bool reader, has_head = kobject_field(s, kind->lock, "wait_list", &head);

	if (!has_head && !kobject_field(s, kind->lock, "first_waiter", &first))
		return 0;
	for (size_t off = 0; off + 8 <= show->stack_len; off += 8) {
		vaddr_t lock = stack_word(show, off), waiter;

		if (!kernel_is_address(&s->kernel, lock) || lock & 3)
			continue;
		if ((has_head ? in_ring(show, lock + head.off) :
				!kernel_read_word(&s->kernel, lock + first.off, &waiter) && in_ring(show, waiter)) &&
		    read_holder(show, kind, lock, &holder, &reader))
			return lock;
	}
	return 0;
}

/*
 * Newer kernels, and those with mutex debugging, note the mutex in the task. Else the waiter on the stack names its
 * task; what only looks like a waiter is linked with no lock.
 */
static vaddr_t find_waited(struct show *show, const struct lock_kind *kind, const struct task *task)
{
	vaddr_t noted = kobject_get(&show->session, task->addr, "task_struct", "blocked_on");
	struct btf_field list, owner;
	struct task holder;
	bool reader;

	if (!strcmp(kind->lock, "mutex") && noted && read_holder(show, kind, noted, &holder, &reader))
		return noted;

	if (!kobject_field(&show->session, kind->waiter, "list", &list) ||
	    !kobject_field(&show->session, kind->waiter, "task", &owner))
		return 0;
	for (size_t off = owner.off; off + 8 <= show->stack_len; off += 8) {
		vaddr_t lock;

		if (stack_word(show, off) != task->addr)
			continue;
		read_ring(show, show->stack_start + off - owner.off + list.off);
		lock = find_lock(show, kind);
		if (lock)
			return lock;
	}
	return 0;
}

static void show_text(struct show *show, const struct task *task, const struct lock_kind *kind, vaddr_t lock)
{
	char symbol[KSYM_NAME_MAX + 128], since[TASK_WAIT_TEXT] = "-";
	struct task holder;
	uint64_t ns;
	bool reader;

	if (!show->nr++)
		printf("%7s %-16s %s %-14s %-12s %s\n", "PID", "COMMAND", "S", "WAITS FOR", "FOR", "LOCK AND HOLDER");
	if (task_wait_ns(&show->wait, task, &ns))
		task_wait_text(ns, since);
	printf("%7d %-16s %c %-14s %-12s ", task->pid, task->comm, task_state_letter(task), kind->name, since);
	if (!lock) {
		puts("not found");
		return;
	}
	printf("0x%llx", (unsigned long long)lock);
	if (symbols_format(&show->session.symbols, lock, symbol, sizeof(symbol)))
		printf(" <%s>", symbol);
	if (read_holder(show, kind, lock, &holder, &reader))
		printf(", %s %d %s", reader ? "last read by" : "held by", holder.pid, holder.comm);
	putchar('\n');
}

static void show_json(struct show *show, const struct task *task, const struct lock_kind *kind, vaddr_t lock)
{
	char symbol[KSYM_NAME_MAX + 128];
	struct json *json = &show->json;
	struct task holder;
	uint64_t ns;
	bool reader;

	json_object(json, NULL);
	json_int(json, "pid", task->pid);
	json_string(json, "comm", task->comm);
	json_string(json, "kind", kind->name);
	if (task_wait_ns(&show->wait, task, &ns))
		json_int(json, "waited_ms", ns / 1000000);
	if (lock) {
		json_address(json, "lock", lock);
		json_string(json, "symbol", symbols_format(&show->session.symbols, lock, symbol, sizeof(symbol)) ? symbol : NULL);
	}
	if (lock && read_holder(show, kind, lock, &holder, &reader)) {
		json_int(json, "owner_pid", holder.pid);
		json_string(json, "owner_comm", holder.comm);
		json_bool(json, "by_reader", reader);
	}
	json_end_object(json);
}

static int look_at(void *arg, const struct task *task)
{
	struct show *show = arg;
	const struct lock_kind *kind;
	vaddr_t lock = 0;

	if (task->on_cpu || !task->state || task_state_letter(task) == 'I')
		return 0;
	kind = find_kind(show, task);
	if (!kind)
		return 0;
	if (read_stack(show, task))
		lock = find_waited(show, kind, task);
	if (show->as_json)
		show_json(show, task, kind, lock);
	else
		show_text(show, task, kind, lock);
	return 0;
}

static int run(struct show *show, const char *path)
{
	struct session *s = &show->session;
	struct error err;
	int rc;

	if (session_open(s, path, SESSION_TYPES, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	rc = tasks_init(&show->tasks, &s->symbols, &s->btf, &err);
	if (!rc)
		rc = backtrace_init(&show->bt, &s->symbols, &s->btf, stderr_log(), &err);
	if (rc) {
		session_close(s);
		return cmd_fail("%s: %s", path, err.text);
	}
	json_init(&show->json, stdout);
	if (show->as_json)
		json_array(&show->json, NULL);
	task_wait_init(&show->wait, s);
	tasks_each(&show->tasks, look_at, show);
	task_wait_deinit(&show->wait);
	if (show->as_json) {
		json_end_array(&show->json);
		json_newline(&show->json);
	}
	backtrace_deinit(&show->bt);
	session_close(s);
	if (show->tasks.error || show->tasks.nr_broken)
		return cmd_fail("%s: the list of tasks is broken, there were more", path);
	return 0;
}

int cmd_locks(int argc, char **argv)
{
	static struct show show;
	int rc = cmd_only_json(argc, argv, help, 1, &show.as_json);

	return rc < 0 ? run(&show, argv[optind]) : rc;
}
