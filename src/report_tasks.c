// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "src/html.h"
#include "src/report.h"
#include "src/task_wait.h"

static const struct {
	char letter;
	const char *name;
} states[] = {
	{ 'R', "running or ready" }, { 'S', "sleeping" }, { 'D', "waiting, not to be interrupted" }, { 'I', "idle kernel threads" },
	{ 'T', "stopped" }, { 't', "traced" }, { 'Z', "zombies" }, { 'X', "dead" }, { 'P', "parked" }, { '?', "in an unknown state" },
};

#define SHOWN_MAX 64		/* of the tasks that are listed by name */
#define WAIT_FRAMES 6

struct task_view {
	struct report *report;
	struct task_wait wait;
	uint64_t nr, nr_threads, by_state[ARRAY_SIZE(states)];
	unsigned int nr_shown;
};

static int count(void *arg, const struct task *task)
{
	struct task_view *view = arg;

	view->nr++;
	view->nr_threads += task->pid != task->tgid;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (states[i].letter == task_state_letter(task) || i == ARRAY_SIZE(states) - 1) {
			view->by_state[i]++;
			break;
		}
	return 0;
}

/* The innermost functions but the scheduler's. */
static void waits_in(struct report *r, const struct task *task)
{
	static struct bt_frame frame;
	unsigned int nr = 0;

	if (!r->have_bt || backtrace_start_task(&r->bt, task->addr))
		return;
	while (nr < WAIT_FRAMES && backtrace_next(&r->bt, &frame))
		if (frame.name[0] && !strstr(frame.name, "schedule"))
			html(r->out, nr++ ? " \xe2\x86\x90 %s" : "%s", frame.name);
}

static int list_waiting(void *arg, const struct task *task)
{
	struct task_view *view = arg;
	FILE *out = view->report->out;
	char pid[16], since[TASK_WAIT_TEXT] = "";
	uint64_t ns;

	if (task_state_letter(task) != 'D')
		return 0;
	if (view->nr_shown++ == SHOWN_MAX) {
		html(out, "<tr><td colspan=\"4\">and more</td></tr>\n");
		return 1;
	}
	snprintf(pid, sizeof(pid), "%d", task->pid);
	if (task_wait_ns(&view->wait, task, &ns))
		task_wait_text(ns, since);
	html(out, "<tr><td class=\"n\">%s</td><td>%s</td><td class=\"n\">%s</td><td class=\"mono\">", pid, task->comm, since);
	waits_in(view->report, task);
	html(out, "</td></tr>\n");
	return 0;
}

void report_tasks(struct report *r)
{
	struct task_view view = { .report = r };
	char text[80];

	report_section(r, "tasks", "Tasks");
	if (!r->have_tasks) {
		report_missing(r, r->session.missing.text);
		html(r->out, "</section>\n");
		return;
	}
	tasks_each(&r->tasks, count, &view);
	snprintf(text, sizeof(text), "%llu tasks, %llu of them further threads", (unsigned long long)view.nr,
		 (unsigned long long)view.nr_threads);
	html(r->out, "<p class=\"dim\">%s</p>\n<ul class=\"chips\">\n", text);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (!view.by_state[i])
			continue;
		snprintf(text, sizeof(text), "%llu", (unsigned long long)view.by_state[i]);
		html(r->out, states[i].letter == 'D' ? "<li class=\"bad\"><b>%s</b> %s</li>\n" : "<li><b>%s</b> %s</li>\n", text,
		     states[i].name);
	}
	html(r->out, "</ul>\n");
	if (view.by_state[2]) {
		html(r->out, "<div class=\"scroll\"><table><thead><tr><th class=\"n\">PID</th><th>hung, perhaps</th><th class=\"n\">for</th>"
		     "<th>waits in</th></tr>"
		     "</thead>\n");
		task_wait_init(&view.wait, &r->session);
		tasks_each(&r->tasks, list_waiting, &view);
		task_wait_deinit(&view.wait);
		html(r->out, "</table></div>\n");
	}
	if (r->tasks.error || r->tasks.nr_broken)
		report_missing(r, "The list of tasks is broken, there were more.");
	html(r->out, "</section>\n");
}

void report_modules(struct report *r)
{
	struct modules *mods = &r->session.symbols.modules;
	char letters[TAINT_TEXT_MAX];

	report_section(r, "modules", "Modules");
	if (!(r->session.have & SESSION_MODULES)) {
		report_missing(r, r->session.missing.text);
	} else {
		html(r->out, mods->nr ? "<ul class=\"chips\">\n" : "<p class=\"dim\">None was loaded.</p>\n");
		for (unsigned int i = 0; i < mods->nr; i++) {
			taint_text(mods->list[i].taints, letters);
			if (mods->list[i].taints)
				html(r->out, "<li class=\"bad\">%s <b>%s</b></li>\n", mods->list[i].name, letters);
			else
				html(r->out, "<li>%s</li>\n", mods->list[i].name);
		}
		html(r->out, mods->nr ? "</ul>\n" : "");
	}
	html(r->out, "</section>\n");
}
