// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/rescue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "elfcore/page.h"
#include "src/capture.h"
#include "src/crosscheck.h"
#include "src/identity.h"
#include "src/last_words.h"
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

/* The core itself has more of them. */
#define SAID_HOLES 12

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
	for (unsigned int i = 0; i < c->holes.nr && i < SAID_HOLES; i++)
		log_warn(log, "missing: 0x%llx-0x%llx (%s)", (unsigned long long)c->holes.list[i].start,
			 (unsigned long long)c->holes.list[i].end, strerror(-c->holes.list[i].error));
	if (c->holes.nr_ranges > SAID_HOLES)
		log_warn(log, "and %llu ranges more", (unsigned long long)(c->holes.nr_ranges - SAID_HOLES));
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
	struct crash_source source = { .unfiltered = true, .log = NULL };
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
			/* As large as memory was: it would push everything else out. */
			for (unsigned int i = 0; i < actual.nr_files; i++)
				actual.files[i].file.uncached = true;
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

/* A complete dump without the pages that are missed least is worth more than the beginning of a complete one. */
static int save_smaller(struct capture *c, struct error *err)
{
	log_warn(c->log, "%s; once more, with dump level %d", err->text, DUMP_LEVEL_MAX);
	capture_deinit(c);
	c->levels[0] = DUMP_LEVEL_MAX;
	c->nr_levels = 1;
	return capture(c, err);
}

static int save(const struct config *cfg, struct log_ring *ring, struct progress *progress, struct error *err)
{
	struct capture *c = &state.capture;
	int rc;

	c->in = &state.in;
	c->out = &state.target.out;
	c->log = &ring->log;
	c->progress = progress;
	c->max_aliases = cfg->aliases ? CAPTURE_MAX_ALIASES : 0;
	c->format = cfg->format;
	c->codec = cfg->codec;
	c->jobs = cfg->jobs;
	memcpy(c->levels, cfg->levels, sizeof(c->levels));
	c->nr_levels = cfg->nr_levels;
	c->identified = true;
	rc = capture(c, err);
	if (rc == -ENOSPC && c->level != DUMP_LEVEL_MAX)
		rc = save_smaller(c, err);
	if (!rc)
		rc = target_verify(&state.target, err);
	say_result(c, ring);
	if (rc && state.target.path[0])
		log_warn(&ring->log, "what was written is kept at %s%s, marked incomplete", state.target.name,
			 state.target.ops->make_dir ? "-incomplete" : "");
	if (!rc && cfg->crosscheck)
		run_crosscheck(c, &state.target, &ring->log);
	if (!rc)
		target_prune(&state.target, cfg);
	return rc;
}

static void say_saved(struct log *log)
{
	const struct capture *c = &state.capture;
	uint64_t written = c->plan.data_len - c->nr_zero_bytes;

	if (state.target.memory_skipped) {
		log_info(log, "saved the log and the notes of the crash only, in %s", state.target.remains);
		return;
	}
	log_info(log, "saved %s (%llu MB, %llu MB of them not zero, %llu.%llu s)", state.target.name,
		 (unsigned long long)(c->plan.file_size / 1000000), (unsigned long long)(written / 1000000),
		 (unsigned long long)(c->duration_ms / 1000), (unsigned long long)(c->duration_ms / 100 % 10));
}

/* Nothing to dump, but whoever looks for the dump shall find the reason. */
static int save_reason(struct error *err, int input_rc, const struct error *input_err)
{
	target_make_dir(&state.target, "", 0, err);
	*err = *input_err;
	return input_rc;
}

static void start_target(const struct rescue *job)
{
	target_init(&state.target, job->cfg, job->target, job->ring);
	state.target.memo = job->memo;
	state.target.progress = job->progress;
	state.target.remains = job->remains;
}

/* What is at the other end has lost its beginning, or is not what was sent: all of it is still here. */
static int save_anew(const struct rescue *job, struct error *err)
{
	int rc;

	log_warn(&job->ring->log, "%s; once more, from the beginning", err->text);
	target_close(&state.target);
	capture_deinit(&state.capture);
	start_target(job);
	state.target.anew = true;
	rc = target_open(&state.target, err);
	return rc ? rc : save(job->cfg, job->ring, job->progress, err);
}

/* Up to the verdict; the target stays open. */
static int save_to_target(const struct rescue *job, struct error *err)
{
	struct log *log = &job->ring->log;
	struct error input_err;
	struct kernel kernel;
	int rc, input_rc = input_live_open(&state.in, job->cfg, job->cmdline, log, &input_err);

	if (!input_rc && job->first) {
		kernel_init(&kernel, &state.in.crash, &state.in.chain.mem, NULL);
		say_crash(&state.in.crash, &kernel, log);
	}
	rc = config_check(job->cfg, err);
	if (!rc)
		rc = target_open(&state.target, err);
	if (!rc)
		rc = input_rc ? save_reason(err, input_rc, &input_err) : save(job->cfg, job->ring, job->progress, err);
	else if (input_rc)
		rc = fail(err, rc, "%.120s; %.120s", input_err.text, err->text);
	return rc == -ESTALE ? save_anew(job, err) : rc;
}

int rescue(const struct rescue *job)
{
	struct log *log = &job->ring->log;
	struct error err;
	int rc;

	start_target(job);
	state.show = job->progress->show;
	job->progress->show = show;
	rc = save_to_target(job, &err);
	if (rc && state.target.memory_skipped && job->remains[0]) {
		log_warn(log, "%s: no memory is saved (crash_loop)", err.text);
		rc = 0;
	}
	say_memory(log);
	if (!rc)
		say_saved(log);
	else if (job->last)
		log_err(log, "FAILED: %s", err.text);
	else
		log_warn(log, "%s", err.text);
	snprintf(job->reason, RESCUE_REASON_MAX, "%s", rc ? err.text : "");
	target_save_verdict(&state.target, &state.capture, rc, job->reason);
	target_close(&state.target);
	input_close(&state.in);
	return rc;
}

void rescue_last_words(const struct rescue *job)
{
	struct kernel kernel;
	struct error err;

	if (input_live_open(&state.in, job->cfg, job->cmdline, NULL, &err))
		return;
	kernel_init(&kernel, &state.in.crash, &state.in.chain.mem, NULL);
	last_words(&kernel, job->reason, job->ring);
	input_close(&state.in);
}
