// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "elfcore/printk.h"
#include "src/html.h"
#include "src/report.h"

#define TAIL 300

struct log_view {
	struct report *report;
	uint64_t nr;
	bool in_oops;
};

static bool begins(const struct printk_record *record, const char *text)
{
	size_t len = strlen(text);

	return record->text_len >= len && !memcmp(record->text, text, len);
}

static bool contains(const struct printk_record *record, const char *text)
{
	return memmem(record->text, record->text_len, text, strlen(text));
}

static void keep(char ret[REPORT_LINE], const struct printk_record *record)
{
	snprintf(ret, REPORT_LINE, "%.*s", (int)min_u64(record->text_len, REPORT_LINE - 1), record->text);
}

/* What a person would quote: what the kernel complained about, and with which words it gave up. */
static int read_record(void *arg, const struct printk_record *record)
{
	struct report *r = arg;

	r->nr_records++;
	r->last_ns = max_u64(r->last_ns, record->ts_nsec);
	if (begins(record, "Kernel panic - not syncing"))
		keep(r->panic, record);
	else if (begins(record, "BUG:") || begins(record, "kernel BUG") || contains(record, "watchdog: BUG") ||
		 begins(record, "general protection fault"))
		keep(r->complaint, record);
	else if (begins(record, "Oops:") && !r->complaint[0])
		keep(r->complaint, record);
	return 0;
}

void report_read_log(struct report *r)
{
	struct error err;

	printk_each(&r->session.kernel, read_record, r, &err);
}

static bool oops_begins(const struct printk_record *record)
{
	static const char *const marks[] = { "BUG: ", "Oops: ", "Oops:", "kernel BUG at", "general protection fault",
					     "Kernel panic - not syncing", "watchdog: BUG", "INFO: task", "WARNING: ",
					     "sysrq: Trigger a crash", "Unable to handle", "double fault:", "traps: PANIC" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (contains(record, marks[i]))
			return true;
	return contains(record, "cut here ]---");
}

static int write_record(void *arg, const struct printk_record *record)
{
	struct log_view *view = arg;
	FILE *out = view->report->out;
	char stamp[32];
	bool marked;

	if (view->nr++ + TAIL < view->report->nr_records)
		return 0;
	view->in_oops |= oops_begins(record);
	marked = view->in_oops;
	if (contains(record, "---[ end"))
		view->in_oops = false;
	snprintf(stamp, sizeof(stamp), "[%5llu.%06llu]", (unsigned long long)(record->ts_nsec / 1000000000),
		 (unsigned long long)(record->ts_nsec / 1000 % 1000000));
	html(out, marked ? "<b><i>%s</i> " : "<i>%s</i> ", stamp);
	html_text_len(out, record->text, record->text_len);
	/* A block ends its line by itself. */
	fputs(marked ? "</b>" : "\n", out);
	return 0;
}

void report_log(struct report *r)
{
	struct log_view view = { .report = r };
	struct error err;
	char text[64];

	report_section(r, "log", "Kernel log");
	if (!r->nr_records) {
		if (printk_each(&r->session.kernel, write_record, &view, &err))
			report_missing(r, err.text);
	} else {
		snprintf(text, sizeof(text), "the last %llu of %llu lines", (unsigned long long)min_u64(TAIL, r->nr_records),
			 (unsigned long long)r->nr_records);
		html(r->out, "<p class=\"dim\">%s</p>\n<div class=\"log\" tabindex=\"0\"><pre>", text);
		printk_each(&r->session.kernel, write_record, &view, &err);
		html(r->out, "</pre></div>\n");
	}
	html(r->out, "</section>\n");
}
