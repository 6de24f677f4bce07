// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/backtrace.h"
#include "elfcore/cpu_notes.h"
#include "elfcore/tasks.h"
#include "src/cmd.h"
#include "src/json.h"
#include "src/session.h"

static const char help[] =
	"usage: kcapture bt [OPTIONS] CORE\n"
	"\n"
	"Show the stack of the CPU that panicked, by the crashed kernel's own tables: no debug file is needed.\n"
	"Interrupts and exceptions on the way are marked and shown with the registers that they saved.\n"
	"\n"
	"  -a, --all        of all CPUs\n"
	"  -t, --tasks      of all tasks\n"
	"  -p, --pid PID    of one task\n"
	"      --json       one object a stack, one stack a line\n"
	"  -h, --help       this text\n";

#define SAME_MAX 3	/* frames of one function calling itself at one place */

enum what { WHAT_PANIC, WHAT_CPUS, WHAT_TASKS, WHAT_PID };

struct show {
	struct session session;
	struct backtrace bt;
	struct tasks tasks;
	struct json json;
	bool as_json;
	long pid;
	unsigned int nr_shown;
};

/* Who the stack belongs to; cpu CPU_UNKNOWN = it was on none. */
struct owner {
	uint32_t cpu;
	struct bt_task task;
	bool panicked;
	char state;		/* 0 = unknown */
};

static const char *boundary_name(enum bt_boundary boundary)
{
	static const char *const names[] = { "call", "exception", "interrupt", "NMI", "system call" };

	return names[boundary];
}

static void print_registers(const struct unwind_frame *frame)
{
	static const uint8_t order[] = { REG_AX, REG_BX, REG_CX, REG_DX, REG_SI, REG_DI, REG_BP, REG_R8, REG_R9, REG_R10,
					 REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };
	unsigned int nr = 0;

	printf("      rip %04x:%016llx  rsp %04x:%016llx  rflags %08llx", (unsigned int)frame->regs[REG_CS] & 0xffff,
	       (unsigned long long)frame->regs[REG_IP], (unsigned int)frame->regs[REG_SS] & 0xffff,
	       (unsigned long long)frame->regs[REG_SP], (unsigned long long)frame->regs[REG_FLAGS]);
	if (frame->known & 1U << REG_ORIG_AX)
		printf("  orig_rax %016llx", (unsigned long long)frame->regs[REG_ORIG_AX]);
	for (size_t i = 0; i < sizeof(order); i++)
		if (frame->known & 1U << order[i])
			printf("%s%3s %016llx", nr++ % 4 ? "  " : "\n      ", unwind_reg_names[order[i]],
			       (unsigned long long)frame->regs[order[i]]);
	putchar('\n');
}

static void print_frame(const struct bt_frame *frame, unsigned int n)
{
	char text[KSYM_NAME_MAX + 128];

	if (frame->boundary != BT_CALL) {
		printf("  --- %s%s%s%s\n", boundary_name(frame->boundary), *frame->cause ? " " : "", frame->cause,
		       frame->unwind.user ? " from user space" : "");
		print_registers(&frame->unwind);
	}
	if (frame->unwind.user)
		return;
	bt_frame_text(frame, text, sizeof(text));
	printf("  #%-3u %016llx  %s\n", n, (unsigned long long)frame->unwind.ip, text);
}

static void json_registers(struct json *json, const struct unwind_frame *frame)
{
	json_object(json, "registers");
	for (unsigned int i = 0; i < NR_UNWIND_REGS; i++)
		if (frame->known & 1U << i)
			json_address(json, unwind_reg_names[i], frame->regs[i]);
	json_end_object(json);
}

static void json_frame(struct json *json, const struct bt_frame *frame)
{
	json_object(json, NULL);
	json_address(json, "ip", frame->unwind.ip);
	json_address(json, "sp", frame->unwind.sp);
	if (frame->name[0]) {
		json_string(json, "function", frame->name);
		json_int(json, "offset", frame->offset);
		json_int(json, "size", frame->size);
		json_string(json, "module", frame->module[0] ? frame->module : NULL);
	}
	if (frame->boundary != BT_CALL) {
		json_string(json, "by", boundary_name(frame->boundary));
		json_string(json, "cause", frame->cause);
		json_bool(json, "user", frame->unwind.user);
		json_registers(json, &frame->unwind);
	}
	json_end_object(json);
}

static void print_owner(const struct show *show, const struct owner *owner)
{
	if (show->nr_shown)
		putchar('\n');
	if (owner->cpu != CPU_UNKNOWN)
		printf("CPU %u  ", owner->cpu);
	else if (!owner->state)
		fputs("CPU ?  ", stdout);
	if (owner->task.pid >= 0)
		printf("PID %d  %s  task %016llx", owner->task.pid, owner->task.comm, (unsigned long long)owner->task.addr);
	if (owner->state)
		printf("  state %c", owner->state);
	puts(owner->panicked ? "  panicked" : "");
}

static void json_owner(struct json *json, const struct owner *owner)
{
	if (owner->cpu != CPU_UNKNOWN)
		json_int(json, "cpu", owner->cpu);
	json_bool(json, "panicked", owner->panicked);
	if (owner->task.pid < 0)
		return;
	json_int(json, "pid", owner->task.pid);
	json_string(json, "comm", owner->task.comm);
	json_address(json, "task", owner->task.addr);
}

static void show_json(struct show *show, const struct owner *owner)
{
	static struct bt_frame frame;
	const char *why;

	json_object(&show->json, NULL);
	json_owner(&show->json, owner);
	json_array(&show->json, "frames");
	while (backtrace_next(&show->bt, &frame))
		json_frame(&show->json, &frame);
	json_end_array(&show->json);
	why = unwind_end_text(show->bt.unwind.end);
	json_string(&show->json, "ended_early", why);
	json_end_object(&show->json);
	json_newline(&show->json);
}

/* A function that calls itself until the stack ends is shown a few times. */
static void print_frames(struct show *show)
{
	static struct bt_frame frame;
	unsigned int n = 0, nr_same = 0;
	vaddr_t last = 0;

	for (; backtrace_next(&show->bt, &frame); n++) {
		nr_same = frame.unwind.ip == last && frame.boundary == BT_CALL ? nr_same + 1 : 0;
		last = frame.unwind.ip;
		if (nr_same < SAME_MAX)
			print_frame(&frame, n);
		else if (nr_same == SAME_MAX)
			puts("  ...  the same again and again");
	}
}

/* The stack that the unwinder stands at the begin of. */
static void show_stack(struct show *show, const struct owner *owner)
{
	if (show->as_json) {
		show_json(show, owner);
	} else {
		print_owner(show, owner);
		print_frames(show);
		if (unwind_end_text(show->bt.unwind.end))
			printf("  --- ends here: %s 0x%llx\n", unwind_end_text(show->bt.unwind.end),
			       (unsigned long long)show->bt.unwind.end_addr);
	}
	show->nr_shown++;
}

static void show_cpu(struct show *show, const struct cpu_note *note, uint32_t panicked)
{
	struct owner owner = { .cpu = note->cpu };

	owner.panicked = note->cpu == panicked && panicked != CPU_UNKNOWN;
	backtrace_cpu_task(&show->bt, note->cpu, &owner.task);
	if (!backtrace_start_cpu(&show->bt, note))
		show_stack(show, &owner);
}

/* With only the panicking CPU wanted and its note not known, all are shown: better than none. */
static int show_cpus(struct show *show, bool all)
{
	const struct notes *notes = &show->session.in.crash.notes;
	uint32_t panicked = backtrace_panic_cpu(&show->bt);
	bool known = false;

	for (unsigned int i = 0; i < notes->nr_cpus; i++)
		known |= panicked != CPU_UNKNOWN && notes->cpus[i].cpu == panicked;
	for (unsigned int i = 0; i < notes->nr_cpus; i++)
		if (all || !known || notes->cpus[i].cpu == panicked)
			show_cpu(show, &notes->cpus[i], panicked);
	if (!show->nr_shown)
		return cmd_fail("%s: no registers of any CPU", show->session.path);
	return 0;
}

static const struct cpu_note *note_of(struct show *show, const struct task *task)
{
	const struct notes *notes = &show->session.in.crash.notes;
	struct bt_task current;

	for (unsigned int i = 0; i < notes->nr_cpus; i++)
		if (!backtrace_cpu_task(&show->bt, notes->cpus[i].cpu, &current) && current.addr == task->addr)
			return &notes->cpus[i];
	return NULL;
}

static int show_task(void *arg, const struct task *task)
{
	struct show *show = arg;
	struct owner owner = { .cpu = CPU_UNKNOWN, .state = task_state_letter(task) };
	const struct cpu_note *note;

	if (show->pid >= 0 && task->pid != show->pid)
		return 0;
	owner.task.addr = task->addr;
	owner.task.pid = task->pid;
	memcpy(owner.task.comm, task->comm, sizeof(owner.task.comm));
	note = note_of(show, task);
	if (note) {
		owner.cpu = note->cpu;
		owner.panicked = note->cpu == backtrace_panic_cpu(&show->bt);
	}
	if (note ? !backtrace_start_cpu(&show->bt, note) : !backtrace_start_task(&show->bt, task->addr))
		show_stack(show, &owner);
	else
		cmd_fail("%s: the stack of PID %d is not in this core", show->session.path, task->pid);
	return 0;
}

static int show_tasks(struct show *show)
{
	struct error err;

	if (!(show->session.have & SESSION_TYPES))
		return cmd_fail("%s: stacks of tasks need types: %s", show->session.path, show->session.missing.text);
	if (tasks_init(&show->tasks, &show->session.symbols, &show->session.btf, &err))
		return cmd_fail("%s: %s", show->session.path, err.text);
	tasks_each(&show->tasks, show_task, show);
	if (show->tasks.error || show->tasks.nr_broken)
		cmd_fail("%s: the list of tasks is broken, there were more", show->session.path);
	if (!show->nr_shown && show->pid >= 0)
		return cmd_fail("%s: no task with PID %ld", show->session.path, show->pid);
	return !show->nr_shown;
}

static int run(struct show *show, const char *path, enum what what)
{
	struct session *s = &show->session;
	struct error err;
	int rc;

	if (session_open(s, path, SESSION_SYMBOLS, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	if (!(s->have & SESSION_MODULES))
		log_warn(stderr_log(), "no stacks through modules: %s", s->missing.text);
	if (backtrace_init(&show->bt, &s->symbols, s->have & SESSION_TYPES ? &s->btf : NULL, stderr_log(), &err)) {
		session_close(s);
		return cmd_fail("%s: %s", path, err.text);
	}
	cpu_notes_number(&show->bt, &s->in.crash.notes);
	json_init(&show->json, stdout);
	rc = what == WHAT_PANIC || what == WHAT_CPUS ? show_cpus(show, what == WHAT_CPUS) : show_tasks(show);
	backtrace_deinit(&show->bt);
	session_close(s);
	return fflush(stdout) ? cmd_fail("writing the stacks failed") : rc;
}

int cmd_bt(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "tasks", no_argument, NULL, 't' },
		{ "pid", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct show show = { .pid = -1 };
	enum what what = WHAT_PANIC;
	char *end;
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":atp:h", options, help, 1)) != -1) {
		switch (opt) {
		case 'a': what = WHAT_CPUS; break;
		case 't': what = WHAT_TASKS; break;
		case 'p':
			what = WHAT_PID;
			show.pid = strtol(optarg, &end, 10);
			if (*end || end == optarg || show.pid < 0)
				return usage_error(argv[0], "\"%s\" is no PID", optarg);
			break;
		case 'j': show.as_json = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	return run(&show, argv[optind], what);
}
