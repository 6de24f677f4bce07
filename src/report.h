/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sections of `kcapture report`: each writes what it finds, or one line that says why it finds nothing.
 */
#ifndef SRC_REPORT_H
#define SRC_REPORT_H

#include <stdio.h>

#include "elfcore/crash_facts.h"
#include "elfcore/tasks.h"
#include "src/session.h"

#define REPORT_LINE 256

struct report {
	FILE *out;
	struct session session;
	struct backtrace bt;
	bool have_bt;
	struct tasks tasks;
	bool have_tasks;
	struct crash_facts facts;
	char panic[REPORT_LINE];	/* by the log: the kernel's last words */
	char complaint[REPORT_LINE];	/* and what it had complained about before */
	uint64_t last_ns;		/* the log's end, since boot */
	uint64_t nr_records;
};

/* Fills panic, complaint, last_ns and nr_records from the log. */
void report_read_log(struct report *r);

void report_head(struct report *r);		/* up to <main>: title, what happened, where */
void report_stacks(struct report *r);
void report_log(struct report *r);
void report_memory(struct report *r);
void report_tasks(struct report *r);
void report_modules(struct report *r);
void report_capture(struct report *r);
void report_foot(struct report *r);

/* "<section><h2>title</h2>", and a paragraph for what is not there. */
void report_section(struct report *r, const char *id, const char *title);
void report_missing(struct report *r, const char *why);

#endif
