// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
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
	"usage: kcapture ps [OPTIONS] CORE\n"
	"\n"
	"List the tasks of the crashed kernel: > marks those that were running on a CPU, RSS is in kB, IDLE how many seconds ago a\n"
	"task last ran, WCHAN the function that a sleeping task waits in.\n"
	"\n"
	"  -t, --tree       children below their parents\n"
	"  -T, --threads    all threads, not processes only\n"
	"      --json       one array\n"
	"  -h, --help       this text\n";

#define TASKS_MAX (1U << 22)
#define WCHAN_FRAMES 16		/* of the scheduler, before the function that called it */
#define DEPTH_MAX 64

struct entry {
	struct task task;
	int64_t rss;		/* kB, -1 = no user memory */
	int64_t idle_ms;	/* since it last ran, -1 = unknown */
	char wchan[64];
	size_t next;		/* of the same parent; by index + 1 */
	size_t child;
	bool listed;		/* below a parent */
	bool printed;
};

/* Where one count of pages is: in the mm, for each CPU, and in the task itself. */
struct counter {
	struct btf_field total, percpu, own;
	bool has_percpu, has_own;
};

struct ps {
	struct session session;
	struct counter counters[3];
	unsigned int nr_counters;
	struct tasks tasks;
	struct task_wait wait;
	struct backtrace bt;
	bool have_stacks;
	bool threads;
	vaddr_t sched_start, sched_end;		/* code that get_wchan() passes over */
	struct entry *entries;
	size_t nr, cap;
};

/* --- what is not in struct task_struct ---------------------------------------------------------------------------------- */

/*
 * Since 6.2 (f1a7941243c1) each counter is a percpu_counter. Before it was one number, to which each thread adds its own
 * count from time to time (task_struct.rss_stat).
 */
static int64_t read_rss(struct ps *ps, const struct task *task)
{
	struct session *s = &ps->session;
	int64_t pages = 0;

	for (unsigned int i = 0; i < ps->nr_counters; i++) {
		const struct counter *counter = &ps->counters[i];
		uint64_t value, percpu;

		if (kernel_read_uint(&s->kernel, task->mm + counter->total.off, 8, &value))
			return -1;
		pages += (int64_t)value;
		if (counter->has_percpu && !kernel_read_word(&s->kernel, task->mm + counter->percpu.off, &percpu))
			pages += kobject_percpu_sum(s, percpu, 4);
		if (counter->has_own && !kernel_read_uint(&s->kernel, task->addr + counter->own.off, 4, &value))
			pages += (int32_t)value;
	}
	if (!ps->nr_counters)
		return -1;
	return pages < 0 ? 0 : pages * (int64_t)(s->kernel.page_size / 1024);
}

static void find_counters(struct ps *ps)
{
	static const char *const names[] = { "MM_FILEPAGES", "MM_ANONPAGES", "MM_SHMEMPAGES" };
	struct session *s = &ps->session;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct counter *counter = &ps->counters[ps->nr_counters];
		char path[96];
		int64_t n;

		if (btf_enum_value(&s->btf, NULL, names[i], &n) || n < 0 || n > 9)
			continue;
		snprintf(path, sizeof(path), "rss_stat[%d].count|rss_stat.count[%d].counter", (int)n, (int)n);
		if (!kobject_field(s, "mm_struct", path, &counter->total) || counter->total.size != 8)
			continue;
		snprintf(path, sizeof(path), "rss_stat[%d].counters", (int)n);
		counter->has_percpu = kobject_field(s, "mm_struct", path, &counter->percpu);
		snprintf(path, sizeof(path), "rss_stat.count[%d]", (int)n);
		counter->has_own = kobject_field(s, "task_struct", path, &counter->own);
		ps->nr_counters++;
	}
}

static bool in_scheduler(const struct ps *ps, const struct bt_frame *frame)
{
	if (ps->sched_end)
		return frame->unwind.ip >= ps->sched_start && frame->unwind.ip < ps->sched_end;
	return strstr(frame->name, "schedule");
}

/* The innermost function that is not of the scheduler (get_wchan()). */
static void read_wchan(struct ps *ps, struct entry *entry)
{
	struct bt_frame frame;

	if (!ps->have_stacks || entry->task.on_cpu || !entry->task.state || backtrace_start_task(&ps->bt, entry->task.addr))
		return;
	for (unsigned int i = 0; i < WCHAN_FRAMES && backtrace_next(&ps->bt, &frame); i++)
		if (!in_scheduler(ps, &frame)) {
			snprintf(entry->wchan, sizeof(entry->wchan), "%s", frame.name);
			return;
		}
}

/* --- gathering -------------------------------------------------------------------------------------------------------- */

static int gather(void *arg, const struct task *task)
{
	struct ps *ps = arg;
	struct entry *entry;
	uint64_t idle_ns;

	if (!ps->threads && task->pid != task->tgid)
		return 0;
	if (ps->nr == ps->cap) {
		size_t cap = ps->cap ? 2 * ps->cap : 256;
		struct entry *grown = cap <= TASKS_MAX ? realloc(ps->entries, cap * sizeof(*grown)) : NULL;

		if (!grown)
			return -ENOMEM;
		ps->entries = grown;
		ps->cap = cap;
	}
	entry = &ps->entries[ps->nr++];
	memset(entry, 0, sizeof(*entry));
	entry->task = *task;
	entry->rss = task->mm ? read_rss(ps, task) : -1;
	entry->idle_ms = task_wait_ns(&ps->wait, task, &idle_ns) ? (int64_t)(idle_ns / 1000000) : -1;
	read_wchan(ps, entry);
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->task.pid < y->task.pid ? -1 : x->task.pid > y->task.pid;
}

static struct entry *find(struct ps *ps, int pid)
{
	struct entry key = { .task.pid = pid };

	return bsearch(&key, ps->entries, ps->nr, sizeof(key), by_pid);
}

/* Threads hang below their process. From the last to the first, so that children end up in order. */
static void link_tree(struct ps *ps)
{
	for (size_t i = ps->nr; i--;) {
		struct entry *entry = &ps->entries[i];
		struct entry *parent = find(ps, entry->task.pid != entry->task.tgid ? entry->task.tgid : entry->task.ppid);

		if (!parent || parent == entry)
			continue;
		entry->next = parent->child;
		parent->child = i + 1;
		entry->listed = true;
	}
}

/* --- text ------------------------------------------------------------------------------------------------------------- */

static void print_entry(const struct entry *entry, unsigned int depth)
{
	const struct task *task = &entry->task;

	printf("%c%7d %7d %3u %c ", task->on_cpu ? '>' : ' ', task->pid, task->ppid, task->cpu, task_state_letter(task));
	if (entry->rss >= 0)
		printf("%9lld", (long long)entry->rss);
	else
		printf("%9s", "-");
	if (entry->idle_ms >= 0)
		printf(" %8lld.%lld", (long long)entry->idle_ms / 1000, (long long)entry->idle_ms / 100 % 10);
	else
		printf(" %10s", "-");
	printf(" %-24.24s %*s%s\n", entry->wchan[0] ? entry->wchan : "-", 2 * (int)depth, "", task->comm);
}

/* A task and everything below it. */
static void print_branch(struct ps *ps, size_t root)
{
	size_t stack[DEPTH_MAX] = { root + 1 };
	unsigned int depth = 1;

	while (depth) {
		struct entry *entry = &ps->entries[stack[depth - 1] - 1];

		print_entry(entry, depth - 1);
		entry->printed = true;
		if (entry->child && depth < DEPTH_MAX) {
			stack[depth++] = entry->child;
			continue;
		}
		while (depth && !(stack[depth - 1] = ps->entries[stack[depth - 1] - 1].next))
			depth--;
	}
}

/* Parents that lead in circles are below nobody, and so are too deep ones: they come last, without a tree. */
static void print_tree(struct ps *ps)
{
	link_tree(ps);
	for (size_t i = 0; i < ps->nr; i++)
		if (!ps->entries[i].listed)
			print_branch(ps, i);
	for (size_t i = 0; i < ps->nr; i++)
		if (!ps->entries[i].printed)
			print_entry(&ps->entries[i], 0);
}

static void print_text(struct ps *ps, bool tree)
{
	printf("%8s %7s %3s %s %9s %10s %-24s %s\n", "PID", "PPID", "CPU", "S", "RSS", "IDLE", "WCHAN", "COMMAND");
	if (tree)
		print_tree(ps);
	for (size_t i = 0; i < ps->nr && !tree; i++)
		print_entry(&ps->entries[i], 0);
}

static void print_json(struct ps *ps)
{
	struct json json;

	json_init(&json, stdout);
	json_array(&json, NULL);
	for (size_t i = 0; i < ps->nr; i++) {
		const struct entry *entry = &ps->entries[i];
		char state = task_state_letter(&entry->task);

		json_object(&json, NULL);
		json_int(&json, "pid", entry->task.pid);
		json_int(&json, "tgid", entry->task.tgid);
		json_int(&json, "ppid", entry->task.ppid);
		json_string(&json, "comm", entry->task.comm);
		json_text(&json, "state", &state, 1);
		json_int(&json, "cpu", entry->task.cpu);
		json_bool(&json, "running", entry->task.on_cpu);
		if (entry->rss >= 0)
			json_int(&json, "rss_kb", entry->rss);
		else
			json_null(&json, "rss_kb");
		if (entry->idle_ms >= 0)
			json_int(&json, "idle_ms", entry->idle_ms);
		else
			json_null(&json, "idle_ms");
		json_string(&json, "wchan", entry->wchan[0] ? entry->wchan : NULL);
		json_address(&json, "struct", entry->task.addr);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_newline(&json);
}

static int run(struct ps *ps, const char *path, bool tree, bool as_json)
{
	struct session *s = &ps->session;
	struct error err;
	int rc;

	if (session_open(s, path, SESSION_TYPES, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	if (tasks_init(&ps->tasks, &s->symbols, &s->btf, &err)) {
		session_close(s);
		return cmd_fail("%s: %s", path, err.text);
	}
	ps->have_stacks = !backtrace_init(&ps->bt, &s->symbols, &s->btf, NULL, &err);
	if (symbols_find(&s->symbols, "__sched_text_start", &ps->sched_start) ||
	    symbols_find(&s->symbols, "__sched_text_end", &ps->sched_end))
		ps->sched_end = 0;
	find_counters(ps);
	task_wait_init(&ps->wait, s);
	rc = tasks_each(&ps->tasks, gather, ps);
	qsort(ps->entries, ps->nr, sizeof(*ps->entries), by_pid);
	if (as_json)
		print_json(ps);
	else
		print_text(ps, tree);
	if (ps->have_stacks)
		backtrace_deinit(&ps->bt);
	free(ps->entries);
	task_wait_deinit(&ps->wait);
	session_close(s);
	if (rc)
		return cmd_fail("%s: %s", path, strerror(-rc));
	if (ps->tasks.error || ps->tasks.nr_broken)
		return cmd_fail("%s: the list of tasks is broken, there were more", path);
	return fflush(stdout) ? cmd_fail("writing the list failed") : 0;
}

int cmd_ps(int argc, char **argv)
{
	static const struct option options[] = {
		{ "tree", no_argument, NULL, 't' },
		{ "threads", no_argument, NULL, 'T' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct ps ps;
	bool tree = false, json = false;
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":tTh", options, help, 1)) != -1) {
		switch (opt) {
		case 't': tree = true; break;
		case 'T': ps.threads = true; break;
		case 'j': json = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	return run(&ps, argv[optind], tree, json);
}
