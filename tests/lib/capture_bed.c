// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/capture_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/capture_note.h"

#include "tests/lib/unit.h"

struct capture_bed bed;

static int output_open(struct output *out, const struct kernel *kernel, const struct plan *plan, struct sink **ret,
		       struct error *e)
{
	struct bed_output *output = container_of(out, struct bed_output, out);

	output->nr_opened++;
	/* By now it is known what it is called and how large it will be. */
	assert_string_equal(kernel->release, "6.1.0-test");
	assert_true(plan->file_size > plan->data_len);
	if (output->open_error)
		return (fail)(e, output->open_error, "no room for you");
	*ret = &output->fake.sink;
	if (output->name) {
		*ret = &output->file.sink;
		if (sink_file_open(&output->file, output->dir, output->name, e))
			return e->code;
	}
	if (output->max)
		*ret = sink_limit_init(&output->limit, *ret, output->max);
	return 0;
}

static void output_close(struct output *out)
{
	container_of(out, struct bed_output, out)->nr_closed++;
}

static uint64_t output_room(struct output *out)
{
	return container_of(out, struct bed_output, out)->room;
}

/* What input_live_open() makes under a capture kernel. */
static void build(struct elf_form form)
{
	wreck_init(&bed.wreck, form, EM_X86_64);
	input_init(&bed.live);
	wreck_crash(&bed.wreck, &bed.live.crash);
	mem_chain_add(&bed.live.chain, &bed.wreck.mem.mem);
}

static void unbuild(void)
{
	input_close(&bed.live);
	wreck_free(&bed.wreck);
}

int bed_setup(void **state)
{
	(void)state;
	memset(&bed, 0, sizeof(bed));
	strcpy(bed.dir, "/tmp/kcapture-unit-XXXXXX");
	if (!mkdtemp(bed.dir))
		return -1;
	build(FORMS[0]);
	bed.output.out.open = output_open;
	bed.output.out.close = output_close;
	bed.output.out.room = output_room;
	bed.output.dir = bed.dir;
	bed.output.room = UINT64_MAX;
	fake_sink_init(&bed.output.fake, SINK_SEEK);
	return 0;
}

int bed_teardown(void **state)
{
	char command[96];

	(void)state;
	fake_sink_free(&bed.output.fake);
	unbuild();
	snprintf(command, sizeof(command), "rm -rf %s", bed.dir);
	return system(command);
}

void bed_rebuild(struct elf_form form)
{
	unbuild();
	build(form);
}

const char *bed_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", bed.dir, name);
	return path;
}

void bed_prepare(struct input *in, const char *name)
{
	bed.output.name = name;
	memset(&bed.cap, 0, sizeof(bed.cap));
	bed.cap.in = in;
	bed.cap.out = &bed.output.out;
	bed.cap.log = fake_log_init(&bed.log);
	bed.cap.progress = &bed.progress;
	bed.cap.max_aliases = 100;
}

int bed_run(struct input *in, const char *name)
{
	bed_prepare(in, name);
	return capture(&bed.cap, &bed.err);
}

void bed_open(const char *name)
{
	if (input_file_open(&bed.file, bed_path(name), fake_log_init(&bed.log), &bed.err))
		fail_msg("%s", bed.err.text);
}

struct crosscheck bed_crosscheck(void)
{
	struct crosscheck check = { .log = fake_log_init(&bed.log), .progress = &bed.progress };

	assert_int_equal(crosscheck_cores(&check, &bed.wreck.mem.mem, &bed.live.crash, &bed.file.chain.mem, &bed.file.crash,
					  &bed.err), 0);
	return check;
}

void bed_expect_same(void)
{
	struct crosscheck check = bed_crosscheck();

	assert_int_equal(check.nr_pages, WRECK_PAGES);
	assert_int_equal(check.nr_differ, 0);
	assert_int_equal(check.nr_refused, 0);
}

void bed_expect_status(const char *wanted)
{
	struct vmcoreinfo lines;
	char text[64] = "";

	assert_true(capture_note_find(&bed.file.crash.notes, &lines));
	assert_true(vmcoreinfo_string(&lines, "STATUS", text, sizeof(text)));
	assert_string_equal(text, wanted);
}
