// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/rescue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/capture.h"
#include "src/crosscheck.h"
#include "src/identity.h"
#include "src/sys.h"
#include "src/target.h"

/* Large and needed once: not on a stack of a page or two. */
static struct {
	struct input in;
	struct target target;
	struct capture capture;
	void (*show)(struct progress *progress, const char *line);	/* of the caller */
	unsigned int nr_shown;
} state;

#define LOG_SAVE_LINES 10

static void say_crash(const struct crash *crash, const struct kernel *kernel, struct log *log)
{
	char when[32];

	format_time(kernel->crashtime, when);
	log_info(log, "crashed: Linux %s on %s at %s UTC, %u CPUs with registers, %u without", kernel->release,
		 kernel->nodename[0] ? kernel->nodename : "an unnamed host", when, crash->notes.nr_cpus, crash->notes.nr_empty);
}

static void say_holes(const struct capture *c, struct log *log)
{
	uint64_t unreadable = c->holes.nr_bytes - c->nr_unwritten;

	if (unreadable)
		log_warn(log, "%llu pages unreadable, zero-filled", (unsigned long long)(unreadable + 4095) / 4096);
	if (c->nr_unwritten)
		log_warn(log, "%llu pages not written", (unsigned long long)(c->nr_unwritten + 4095) / 4096);
	for (unsigned int i = 0; i < c->holes.nr; i++)
		log_warn(log, "missing: 0x%llx-0x%llx (%s)", (unsigned long long)c->holes.list[i].start,
			 (unsigned long long)c->holes.list[i].end, strerror(-c->holes.list[i].error));
	if (c->holes.nr_ranges > c->holes.nr)
		log_warn(log, "and %llu ranges more", (unsigned long long)(c->holes.nr_ranges - c->holes.nr));
}

static void say_result(const struct capture *c, struct log_ring *ring)
{
	const struct mem_chain *chain = &c->in->chain;

	if (!c->first_byte_ms)
		return;
	log_info(&ring->log, "first byte on target after %llu ms", (unsigned long long)(c->first_byte_ms - ring->start_ms));
	for (unsigned int i = 0; i < chain->nr_sources; i++)
		log_info(&ring->log, "%llu kB read from %s", (unsigned long long)(chain->nr_bytes[i] / 1000),
			 chain->sources[i]->ops->name);
	say_holes(c, &ring->log);
}

static unsigned long status_field(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoul(line + strlen(name), NULL, 10) : 0;
}

/* Of this process; mappings of old memory are not counted by the kernel, they are nobody's pages. */
static void say_memory(struct log *log)
{
	char text[2048];

	if (read_text("/proc/self/status", text, sizeof(text)) < 0)
		return;
	log_info(log, "memory peak %lu KiB resident, %lu KiB mapped anonymously", status_field(text, "VmHWM:"),
		 status_field(text, "VmData:"));
}

static void say_check(struct log *log, const char *what, const struct crosscheck *check, int rc, const struct error *err)
{
	if (rc)
		log_warn(log, "%s: %s", what, err->text);
	else
		log_info(log, "%s: %llu pages compared, %llu differ, %llu not readable on both sides", what,
			 (unsigned long long)check->nr_pages, (unsigned long long)check->nr_differ,
			 (unsigned long long)check->nr_refused);
}

static int check_core(struct crosscheck *check, const char *path, bool subset, struct error *err)
{
	struct crash_source source = { .log = NULL };
	struct mem_vmcore vmcore;
	struct crash expected;
	struct input actual;
	int rc = mem_vmcore_open(&vmcore, err);

	if (rc)
		return rc;
	source.mem = &vmcore.mem;
	rc = crash_read(&expected, &source, err);
	if (!rc) {
		rc = input_file_open(&actual, path, NULL, err);
		if (!rc) {
			rc = (subset ? crosscheck_subset : crosscheck_cores)(check, &vmcore.mem, &expected, &actual.chain.mem,
									     &actual.crash, err);
			input_close(&actual);
		}
		crash_deinit(&expected);
	}
	mem_close(&vmcore.mem);
	return rc;
}

static void run_crosscheck(struct capture *c, const struct target *target, struct log *log)
{
	struct crosscheck sources = { .log = log, .progress = c->progress };
	struct crosscheck file = { .log = log, .progress = c->progress };
	struct error err;
	int rc;

	rc = crosscheck_sources(&sources, c->in, &c->plan, &err);
	say_check(log, "crosscheck", &sources, rc, &err);
	rc = check_core(&file, target->path, c->level > 1, &err);
	say_check(log, "crosscheck file", &file, rc, &err);
}

/* The console's line, and from time to time the log on the target. */
static void show(struct progress *progress, const char *line)
{
	state.show(progress, line);
	if (state.nr_shown++ % LOG_SAVE_LINES == 0)
		target_save_log(&state.target);
}

static int save(const struct config *cfg, struct log_ring *ring, struct progress *progress, struct error *err)
{
	struct capture *c = &state.capture;
	int rc;

	c->in = &state.in;
	c->out = &state.target.out;
	c->log = &ring->log;
	c->progress = progress;
	c->aliases = cfg->aliases;
	c->level = cfg->dump_level;
	c->identified = true;
	rc = capture(c, err);
	say_result(c, ring);
	if (rc && state.target.path[0])
		log_warn(&ring->log, "what was written is kept at %s%s, marked incomplete", state.target.name,
			 cfg->target == TARGET_FS ? "-incomplete" : "");
	if (!rc && cfg->crosscheck)
		run_crosscheck(c, &state.target, &ring->log);
	return rc;
}

static void say_saved(struct log *log)
{
	const struct capture *c = &state.capture;
	uint64_t written = c->plan.data_len - c->nr_zero_bytes;

	log_info(log, "saved %s (%llu MB, %llu MB of them not zero, %llu.%llu s)", state.target.name,
		 (unsigned long long)(c->plan.file_size / 1000000), (unsigned long long)(written / 1000000),
		 (unsigned long long)(c->duration_ms / 1000), (unsigned long long)(c->duration_ms / 100 % 10));
}

int rescue(const struct config *cfg, const char *cmdline, struct log_ring *ring, struct progress *progress)
{
	struct error err, input_err;
	struct kernel kernel;
	int rc, input_rc = input_live_open(&state.in, cfg, cmdline, &ring->log, &input_err);

	target_init(&state.target, cfg, ring);
	state.show = progress->show;
	progress->show = show;
	if (!input_rc) {
		kernel_init(&kernel, &state.in.crash, &state.in.chain.mem, NULL);
		say_crash(&state.in.crash, &kernel, &ring->log);
	}
	rc = config_check(cfg, &err);
	if (!rc)
		rc = target_open(&state.target, &err);
	if (!rc && input_rc) {
		/* Nothing to dump, but whoever looks for the dump shall find the reason. */
		target_make_dir(&state.target, "", 0, &err);
		rc = input_rc;
		err = input_err;
	} else if (!rc) {
		rc = save(cfg, ring, progress, &err);
	} else if (input_rc) {
		rc = fail(&err, rc, "%.120s; %.120s", input_err.text, err.text);
	}
	say_memory(&ring->log);
	if (rc)
		log_err(&ring->log, "FAILED: %s", err.text);
	else
		say_saved(&ring->log);
	target_close(&state.target);
	input_close(&state.in);
	return rc;
}
