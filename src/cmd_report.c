// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/capture_note.h"
#include "elfcore/cpu_notes.h"
#include "src/cmd.h"
#include "src/html.h"
#include "src/report.h"

static const char help[] =
	"usage: kcapture report [OPTIONS] CORE -o REPORT.html\n"
	"\n"
	"Write one self-contained page about a crash: what happened and where, the stacks of all CPUs, the end of the kernel's\n"
	"log, memory by owner, tasks, modules, how the dump was made. It needs no network, on the screen of a phone neither.\n"
	"\n"
	"  -o, --output FILE  where to write it, - is standard output; an existing file is replaced\n"
	"  -h, --help         this text\n";

/* One fact of the capture a row; keys are as kcapture wrote them, values are taken for what they are: text. */
static void capture_row(struct report *r, const char *line, size_t len)
{
	const char *equals = memchr(line, '=', len);

	if (!equals || !memcmp(line, "VERSION", min_u64(equals - line, strlen("VERSION"))))
		return;
	html(r->out, "<tr><th>");
	html_text_len(r->out, line, equals - line);
	html(r->out, "</th><td class=\"mono\">");
	html_text_len(r->out, equals + 1, len - (equals + 1 - line));
	html(r->out, "</td></tr>\n");
}

static void capture_rows(struct report *r)
{
	const struct crash *crash = &r->session.in.crash;
	struct vmcoreinfo note;
	char text[96];

	snprintf(text, sizeof(text), "COMPLETE=%s", crash->ehdr.flags & EF_DUMP_INCOMPLETE || crash->cut ? "no" : "yes");
	capture_row(r, text, strlen(text));
	snprintf(text, sizeof(text), "REGISTERS=%u CPUs, %u without", crash->notes.nr_cpus, crash->notes.nr_empty);
	capture_row(r, text, strlen(text));
	if (!capture_note_find(&crash->notes, &note))
		return;
	for (const char *p = note.text, *end = p + note.len, *eol; p < end && (eol = memchr(p, '\n', end - p)); p = eol + 1)
		capture_row(r, p, eol - p);
}

void report_capture(struct report *r)
{
	report_section(r, "capture", "Capture");
	html(r->out, "<div class=\"scroll\"><table>\n");
	capture_rows(r);
	html(r->out, "</table></div>\n</section>\n");
}

static void gather(struct report *r)
{
	struct session *s = &r->session;
	struct error err;

	crash_facts_init(&r->facts);
	report_read_log(r);
	r->have_bt = s->have & SESSION_SYMBOLS &&
		     !backtrace_init(&r->bt, &s->symbols, s->have & SESSION_TYPES ? &s->btf : NULL, NULL, &err);
	if (r->have_bt) {
		cpu_notes_number(&r->bt, &s->in.crash.notes);
		crash_facts_read(&r->facts, &r->bt);
	}
	r->have_tasks = s->have & SESSION_TYPES && !tasks_init(&r->tasks, &s->symbols, &s->btf, &err);
}

static void write_page(struct report *r)
{
	gather(r);
	report_head(r);
	report_stacks(r);
	report_log(r);
	report_memory(r);
	report_tasks(r);
	report_modules(r);
	report_capture(r);
	report_foot(r);
	if (r->have_bt)
		backtrace_deinit(&r->bt);
}

/* Whole or not at all: what is looked at while it is made anew is the old one. */
static int write_file(struct report *r, const char *path)
{
	char unfinished[4096];
	int fd;

	if (snprintf(unfinished, sizeof(unfinished), "%s.new", path) >= (int)sizeof(unfinished))
		return cmd_fail("%s: %s", path, strerror(ENAMETOOLONG));
	fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	r->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!r->out)
		return cmd_fail("%s: %s", unfinished, strerror(errno));
	write_page(r);
	if (ferror(r->out) | fclose(r->out) || rename(unfinished, path)) {
		unlink(unfinished);
		return cmd_fail("%s: %s", path, strerror(errno));
	}
	return 0;
}

static int run(struct report *r, const char *core, const char *path)
{
	struct error err;
	int rc;

	if (session_open(&r->session, core, 0, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	if (!strcmp(path, "-")) {
		r->out = stdout;
		write_page(r);
		rc = fflush(stdout) ? cmd_fail("writing the report failed") : 0;
	} else {
		rc = write_file(r, path);
	}
	session_close(&r->session);
	return rc;
}

int cmd_report(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct report report;
	const char *path = NULL;
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":o:h", options, help, 1)) != -1) {
		switch (opt) {
		case 'o': path = optarg; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	if (!path)
		return usage_error(argv[0], "-o REPORT.html is missing");
	return run(&report, argv[optind], path);
}
