// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/html.h"
#include "src/report.h"

static void gap(struct report *r, const struct bt_frame *frame)
{
	static const char *const names[] = { "", "exception", "interrupt", "NMI", "system call" };
	const struct unwind_frame *unwind = &frame->unwind;
	char text[64];

	html(r->out, "<li class=\"gap\">%s %s%s", names[frame->boundary], frame->cause,
	     unwind->user ? " from user space" : "");
	html(r->out, "<details><summary>registers</summary><div class=\"regs mono\">");
	for (unsigned int i = 0; i < NR_UNWIND_REGS; i++) {
		if (!(unwind->known & 1U << i))
			continue;
		snprintf(text, sizeof(text), "%8s %016llx", unwind_reg_names[i], (unsigned long long)unwind->regs[i]);
		html(r->out, "<span>%s</span>", text);
	}
	html(r->out, "</div></details></li>\n");
}

static void frame_line(struct report *r, const struct bt_frame *frame, unsigned int n, bool here)
{
	char text[64];

	snprintf(text, sizeof(text), "%u", n);
	html(r->out, here ? "<li class=\"here\" data-n=\"%s\"><span>" : "<li data-n=\"%s\"><span>", text);
	if (frame->name[0]) {
		snprintf(text, sizeof(text), "+0x%llx/0x%llx", (unsigned long long)frame->offset, (unsigned long long)frame->size);
		html(r->out, "%s<span class=\"off\">%s</span>", frame->name, text);
		if (frame->module[0])
			html(r->out, " <span class=\"mod\">[%s]</span>", frame->module);
	} else {
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)frame->unwind.ip);
		html(r->out, "%s", text);
	}
	html(r->out, "</span></li>\n");
}

#define SAME_MAX 3

static void stack(struct report *r, bool panicked)
{
	static struct bt_frame frame;
	unsigned int n = 0, nr_same = 0;
	vaddr_t last = 0;
	char text[160];

	html(r->out, "<ol class=\"stack mono\">\n");
	for (; backtrace_next(&r->bt, &frame); n++) {
		if (frame.boundary != BT_CALL)
			gap(r, &frame);
		nr_same = frame.unwind.ip == last ? nr_same + 1 : 0;
		last = frame.unwind.ip;
		if (nr_same == SAME_MAX)
			html(r->out, "<li class=\"gap\">the same again and again</li>\n");
		if (nr_same < SAME_MAX && !frame.unwind.user)
			frame_line(r, &frame, n, panicked && frame.unwind.ip == r->facts.ip && !nr_same);
	}
	if (unwind_end_text(r->bt.unwind.end)) {
		snprintf(text, sizeof(text), "ends here: %s 0x%llx", unwind_end_text(r->bt.unwind.end),
			 (unsigned long long)r->bt.unwind.end_addr);
		html(r->out, "<li class=\"gap\">%s</li>\n", text);
	}
	html(r->out, "</ol>\n");
}

static void cpu(struct report *r, const struct cpu_note *note)
{
	bool panicked = note->cpu == r->facts.cpu && note->cpu != CPU_UNKNOWN;
	struct bt_task task;
	char text[80] = "an unknown CPU", who[64];

	if (note->cpu != CPU_UNKNOWN)
		snprintf(text, sizeof(text), "CPU %u", note->cpu);
	html(r->out, panicked ? "<details open><summary><h3>%s</h3>" : "<details><summary><h3>%s</h3>", text);
	if (!backtrace_cpu_task(&r->bt, note->cpu, &task) && task.pid >= 0) {
		snprintf(who, sizeof(who), "PID %d", task.pid);
		html(r->out, "<span class=\"dim\">%s, %s</span>", task.comm, who);
	}
	html(r->out, panicked ? "<span class=\"tag\">panicked</span></summary>\n" : "</summary>\n");
	if (backtrace_start_cpu(&r->bt, note))
		report_missing(r, "Its registers are not in this core.");
	else
		stack(r, panicked);
	html(r->out, "</details>\n");
}

void report_stacks(struct report *r)
{
	const struct notes *notes = &r->session.in.crash.notes;

	report_section(r, "stacks", "Stacks");
	if (!r->have_bt) {
		report_missing(r, r->session.missing.text[0] ? r->session.missing.text : "Stacks are known of x86_64 only.");
	} else {
		/* The one that everybody wants to see comes first. */
		for (unsigned int i = 0; i < notes->nr_cpus; i++)
			if (notes->cpus[i].cpu == r->facts.cpu)
				cpu(r, &notes->cpus[i]);
		for (unsigned int i = 0; i < notes->nr_cpus; i++)
			if (notes->cpus[i].cpu != r->facts.cpu || r->facts.cpu == CPU_UNKNOWN)
				cpu(r, &notes->cpus[i]);
	}
	html(r->out, "</section>\n");
}
