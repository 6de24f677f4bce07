// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/crash_json.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elfcore/text.h"
#include "src/config_format.h"
#include "src/identity.h"
#include "src/sys.h"

#define GATHER_TIMEOUT_MS 20000
#define GATHER_POLL_US 5000

/* --- reading the facts ------------------------------------------------------------------------------------------------ */

/* Types and symbols are never in memory together: a capture kernel has little. */
static int add_modules(struct symbols *syms, struct btf *btf, struct error *err)
{
	vaddr_t start, head;
	uint64_t len;
	int rc;

	if (symbols_find_btf(syms, &start, &len, err) || symbols_find(syms, "modules", &head))
		return fail(err, -ENODATA, "no types");
	kallsyms_deinit(&syms->kallsyms);
	rc = btf_load(btf, NULL, syms->kernel, start, len, err);
	return rc ? rc : modules_init(&syms->modules, syms->kernel, btf, head, err);
}

static void read_facts(struct crash_facts *facts, struct kernel *kernel)
{
	static struct backtrace bt;
	static struct symbols syms;
	static struct btf btf;
	struct error err;
	int rc;

	if (symbols_init(&syms, kernel, &err))
		return;
	rc = add_modules(&syms, &btf, &err);
	if (!syms.kallsyms.nr && kallsyms_init(&syms.kallsyms, kernel, &err))
		return;
	if (!backtrace_init(&bt, &syms, rc ? NULL : &btf, NULL, &err))
		crash_facts_read(facts, &bt);
}

static bool wait_for(pid_t child)
{
	uint64_t deadline = now_ms() + GATHER_TIMEOUT_MS;
	int status;

	while (now_ms() < deadline) {
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) && !WEXITSTATUS(status);
		usleep(GATHER_POLL_US);
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return false;
}

void crash_facts_gather(struct crash_facts *ret, const struct kernel *kernel, struct log *log)
{
	struct crash_facts *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kernel copy = *kernel;
	pid_t child;

	crash_facts_init(ret);
	if (shared == MAP_FAILED)
		return;
	crash_facts_init(shared);
	child = fork();
	if (!child) {
		read_facts(shared, &copy);
		_exit(0);
	}
	if (child > 0 && wait_for(child))
		*ret = *shared;
	else
		log_warn(log, "the stack of the crash could not be read");
	munmap(shared, sizeof(*shared));
}

/* --- the text --------------------------------------------------------------------------------------------------------- */

struct object_text {
	struct text text;
	bool filled;		/* something stands at this level */
};

static void quote(struct text *t, const char *value)
{
	text_put(t, "\"");
	for (; *value; value++) {
		unsigned char c = *value;

		if (c == '"' || c == '\\')
			text_put(t, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			text_put(t, "\\u%04x", c);
		else
			text_put(t, "%c", c);
	}
	text_put(t, "\"");
}

static void key(struct object_text *t, const char *name)
{
	text_put(&t->text, t->filled ? ",\n\"%s\": " : "\n\"%s\": ", name);
	t->filled = true;
}

/* Of what is not known there is no key. */
static void add_string(struct object_text *t, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	key(t, name);
	quote(&t->text, value);
}

static void add_number(struct object_text *t, const char *name, uint64_t value)
{
	key(t, name);
	text_put(&t->text, "%llu", (unsigned long long)value);
}

static void add_list(struct object_text *t, const char *name, const char *first, size_t stride, unsigned int nr)
{
	key(t, name);
	text_put(&t->text, "[");
	for (unsigned int i = 0; i < nr; i++) {
		text_put(&t->text, i ? ", " : "");
		quote(&t->text, first + i * stride);
	}
	text_put(&t->text, "]");
}

static void add_identity(struct object_text *t, const struct crash_story *story)
{
	const struct kernel *kernel = story->kernel;
	char when[32];

	add_string(t, "host", kernel->nodename);
	add_string(t, "kernel", kernel->release);
	add_string(t, "build", kernel->version);
	add_string(t, "machine", kernel->machine);
	add_string(t, "boot_id", story->facts->boot_id);
	if (kernel->crashtime) {
		format_time(kernel->crashtime, when);
		add_number(t, "crash_time", kernel->crashtime);
		add_string(t, "crash_time_utc", when);
	}
	if (story->dmesg->last_ns)
		add_number(t, "uptime_s", story->dmesg->last_ns / 1000000000);
}

static void add_facts(struct object_text *t, const struct crash_facts *facts)
{
	char text[TAINT_TEXT_MAX], signature[SIGNATURE_LEN];

	if (facts->cpu != CPU_UNKNOWN)
		add_number(t, "cpu", facts->cpu);
	if (facts->task.pid >= 0) {
		add_number(t, "pid", facts->task.pid);
		add_string(t, "comm", facts->task.comm);
	}
	if (facts->ip) {
		snprintf(text, sizeof(text), "0x%llx", (unsigned long long)facts->ip);
		add_string(t, "ip", text);
	}
	add_string(t, "place", facts->place);
	if (facts->nr_frames)
		add_list(t, "stack", facts->frames[0], sizeof(facts->frames[0]), facts->nr_frames);
	signature_text(&facts->signature, signature);
	add_string(t, "signature", signature);
	if (facts->signature.nr)
		add_list(t, "signature_of", facts->signature.names[0], sizeof(facts->signature.names[0]), facts->signature.nr);
	if (facts->taint_known) {
		taint_text(facts->taint, text);
		add_number(t, "taint", facts->taint);
		add_string(t, "taint_flags", text);
	}
}

static void add_dump(struct object_text *t, const struct crash_story *story)
{
	const struct capture *c = story->capture;

	key(t, "dump");
	text_put(&t->text, "{");
	t->filled = false;
	add_string(t, "status", story->status);
	add_string(t, "reason", story->reason);
	if (c && c->first_byte_ms) {
		add_string(t, "format", format_name(c->format));
		add_string(t, "compression", codec_find(c->codec) ? codec_find(c->codec)->name : "none");
		add_number(t, "level", c->level);
		add_number(t, "memory_bytes", c->plan.data_len);
		add_number(t, "zero_bytes", c->nr_zero_bytes);
		add_number(t, "unreadable_bytes", c->holes.nr_bytes - c->nr_unwritten);
		add_number(t, "unwritten_bytes", c->nr_unwritten);
		add_number(t, "holes", c->holes.nr_ranges);
		add_number(t, "aliases", c->plan.nr_aliases);
		add_number(t, "duration_ms", c->duration_ms);
	}
	text_put(&t->text, "\n}");
	t->filled = true;
}

size_t crash_json_text(const struct crash_story *story, char ret[CRASH_JSON_MAX])
{
	struct object_text t = { .text = { .p = ret, .size = CRASH_JSON_MAX } };

	text_put(&t.text, "{");
	add_string(&t, "kcapture", KCAPTURE_VERSION);
	add_identity(&t, story);
	add_string(&t, "panic", story->dmesg->panic);
	add_facts(&t, story->facts);
	add_dump(&t, story);
	text_put(&t.text, "\n}\n");
	return t.text.len;
}
