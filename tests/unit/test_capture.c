// SPDX-License-Identifier: GPL-2.0-or-later
/* The whole road on the host: a crashed machine becomes a core in a file, the core becomes another one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfcore/capture_note.h"
#include "elfcore/sink_flat.h"
#include "src/capture.h"
#include "src/crosscheck.h"
#include "src/sinks.h"
#include "src/sys.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

static char dir[64];
static struct wreck wreck;
static struct input live, file;
static struct capture cap;
static struct progress progress;
static struct fake_log log_;
static struct error err;

/* To a file, or into memory. */
struct test_output {
	struct output out;
	const char *name;		/* NULL = fake */
	struct sink_file file;
	struct fake_sink fake;
	unsigned int nr_opened, nr_closed;
	int open_error;
};

static struct test_output output;

static int output_open(struct output *out, const struct kernel *kernel, const struct plan *plan, struct sink **ret,
		       struct error *e)
{
	struct test_output *test = container_of(out, struct test_output, out);

	test->nr_opened++;
	/* By now it is known what it is called and how large it will be. */
	assert_string_equal(kernel->release, "6.1.0-test");
	assert_true(plan->file_size > plan->data_len);
	if (test->open_error)
		return (fail)(e, test->open_error, "no room for you");
	if (!test->name) {
		*ret = &test->fake.sink;
		return 0;
	}
	*ret = &test->file.sink;
	return sink_file_open(&test->file, dir, test->name, e);
}

static void output_close(struct output *out)
{
	container_of(out, struct test_output, out)->nr_closed++;
}

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* The machine as an input of its own: what input_live_open() makes under a capture kernel. */
static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kcapture-capture-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	wreck_init(&wreck, FORMS[0], EM_X86_64);
	input_init(&live);
	wreck_crash(&wreck, &live.crash);
	mem_chain_add(&live.chain, &wreck.mem.mem);
	memset(&output, 0, sizeof(output));
	output.out.open = output_open;
	output.out.close = output_close;
	fake_sink_init(&output.fake, SINK_SEEK);
	memset(&progress, 0, sizeof(progress));
	return 0;
}

static int teardown(void **state)
{
	char command[96];

	(void)state;
	fake_sink_free(&output.fake);
	input_close(&live);
	wreck_free(&wreck);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static bool identified;
static unsigned int levels[1], nr_levels, jobs;
static enum dump_format format;
static enum codec codec;

static int run(struct input *in, const char *name)
{
	int rc;

	output.name = name;
	memset(&cap, 0, sizeof(cap));
	cap.in = in;
	cap.out = &output.out;
	cap.log = fake_log_init(&log_);
	cap.progress = &progress;
	cap.aliases = true;
	cap.identified = identified;
	memcpy(cap.levels, levels, sizeof(levels));
	cap.nr_levels = nr_levels;
	cap.format = format;
	cap.codec = codec;
	cap.jobs = jobs;
	rc = capture(&cap, &err);
	return rc;
}

static void open_file(const char *name)
{
	if (input_file_open(&file, in_dir(name), fake_log_init(&log_), &err))
		fail_msg("%s", err.text);
}

/* The machine against the file, by the oracle of the end-to-end tests. */
static struct crosscheck crosscheck(void)
{
	struct crosscheck check = { .log = fake_log_init(&log_), .progress = &progress };

	assert_int_equal(crosscheck_cores(&check, &wreck.mem.mem, &live.crash, &file.chain.mem, &file.crash, &err), 0);
	return check;
}

#define WRECK_PAGES (8 + 5 + 64 + 8)	/* of all PT_LOADs, the text twice */

static void expect_same(void)
{
	struct crosscheck check = crosscheck();

	assert_int_equal(check.nr_pages, WRECK_PAGES);
	assert_int_equal(check.nr_differ, 0);
	assert_int_equal(check.nr_refused, 0);
}

static void expect_status(const char *wanted)
{
	struct vmcoreinfo lines;
	char text[64] = "";

	assert_true(capture_note_find(&file.crash.notes, &lines));
	assert_true(vmcoreinfo_string(&lines, "STATUS", text, sizeof(text)));
	assert_string_equal(text, wanted);
}

static void test_to_file(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(run(&live, "vmcore"), 0);
	assert_int_equal(output.nr_opened, 1);
	assert_int_equal(output.nr_closed, 1);
	assert_int_equal(cap.holes.nr_ranges, 0);
	assert_int_equal(cap.nr_zero_bytes, WRECK_ZEROS_SIZE);
	assert_int_equal(cap.plan.data_len, WRECK_BYTES);
	assert_int_equal(progress.done, 0);	/* of the last phase, flushing */
	assert_int_equal(stat(in_dir("vmcore"), &st), 0);
	assert_int_equal(st.st_size, cap.plan.file_size);
	open_file("vmcore");
	assert_true(file.is_file);
	assert_int_equal(file.crash.ehdr.flags, 0);
	assert_int_equal(file.crash.notes.nr_cpus, 2);
	assert_int_equal(file.crash.notes.cpus[1].cpu, 2);
	expect_same();
	expect_status("complete");
	input_close(&file);
	capture_deinit(&cap);
}

/* A copy of the copy: the same memory, the same CPUs, another note of ours. */
static void test_copies(void **state)
{
	static const char *const names[] = { "1", "2", "3" };

	(void)state;
	assert_int_equal(run(&live, names[0]), 0);
	capture_deinit(&cap);
	for (unsigned int i = 1; i < ARRAY_SIZE(names); i++) {
		open_file(names[i - 1]);
		assert_int_equal(run(&file, names[i]), 0);
		capture_deinit(&cap);
		input_close(&file);
		open_file(names[i]);
		expect_same();
		expect_status("complete");
		assert_int_equal(file.crash.notes.nr_cpus, 2);
		assert_int_equal(file.crash.notes.cpus[0].cpu, 0);
		assert_int_equal(file.crash.notes.cpus[1].cpu, 2);
		assert_memory_equal(file.crash.vmcoreinfo.text, WRECK_VMCOREINFO, strlen(WRECK_VMCOREINFO));
		input_close(&file);
	}
}

static void test_four_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		input_close(&live);
		wreck_free(&wreck);
		wreck_init(&wreck, FORMS[i], EM_X86_64);
		input_init(&live);
		wreck_crash(&wreck, &live.crash);
		mem_chain_add(&live.chain, &wreck.mem.mem);
		assert_int_equal(run(&live, "vmcore"), 0);
		capture_deinit(&cap);
		open_file("vmcore");
		assert_memory_equal(&file.crash.ehdr.form, &FORMS[i], sizeof(FORMS[i]));
		expect_same();
		input_close(&file);
	}
}

/* Refused pages are zeros, counted and listed; the dump is complete all the same. */
static void test_holes(void **state)
{
	struct vmcoreinfo lines;
	struct crosscheck check;
	const char *value;
	uint8_t page[4096];

	(void)state;
	fake_mem_refuse(&wreck.mem, WRECK_RAM + 0x9000, WRECK_RAM + 0xb000, -EPERM);
	fake_mem_refuse(&wreck.mem, WRECK_HIGH + 0x7fff, WRECK_HIGH + 0x8000, -EIO);
	assert_int_equal(run(&live, "vmcore"), 0);
	assert_int_equal(cap.holes.nr_ranges, 2);
	assert_int_equal(cap.holes.nr_bytes, 0x3000);
	capture_deinit(&cap);
	open_file("vmcore");
	expect_status("complete");
	assert_true(capture_note_find(&file.crash.notes, &lines));
	assert_int_equal(vmcoreinfo_get(&lines, "HOLES", &value), 7);
	assert_memory_equal(value, "2 12288", 7);
	vmcoreinfo_get(&lines, "HOLE", &value);
	assert_memory_equal(value, "0x109000-0x10b000 1\nHOLE=0x807000-0x808000 5\n", 45);
	check = crosscheck();
	assert_int_equal(check.nr_refused, 3);
	assert_int_equal(check.nr_pages, WRECK_PAGES - 3);
	assert_int_equal(check.nr_differ, 0);
	assert_int_equal(mem_read(&file.chain.mem, file.crash.segs[2].src + 0x9000, page, sizeof(page)), 0);
	for (size_t i = 0; i < sizeof(page); i++)
		assert_int_equal(page[i], 0);
	input_close(&file);
}

/* The oracle itself: a changed byte is one page, a missing PT_LOAD is an error. */
static void test_crosscheck_finds(void **state)
{
	struct crosscheck check;
	int fd;

	(void)state;
	assert_int_equal(run(&live, "vmcore"), 0);
	capture_deinit(&cap);
	open_file("vmcore");
	fd = open(in_dir("vmcore"), O_RDWR);
	assert_int_equal(write_all_at(fd, file.crash.segs[3].src + 0x2345, "", 1), 0);
	assert_int_equal(write_all_at(fd, file.crash.segs[3].src + 0x7fff, "", 1), 0);
	close(fd);
	check = crosscheck();
	assert_int_equal(check.nr_differ, 2);
	assert_int_equal(check.nr_pages, WRECK_PAGES);
	assert_string_equal(log_.text, "crosscheck: page at 0x802000 differs\ncrosscheck: page at 0x807000 differs\n");
	file.crash.segs[1].memsz++;
	assert_int_equal(crosscheck_cores(&check, &wreck.mem.mem, &live.crash, &file.chain.mem, &file.crash, &err), -EINVAL);
	assert_string_equal(err.text, "the PT_LOAD for 0x1000 is missing or altered");
	input_close(&file);
}

static void test_crosscheck_sources(void **state)
{
	struct crosscheck check = { .progress = &progress };
	struct fake_mem second;
	struct wreck twin;

	(void)state;
	wreck_init(&twin, FORMS[0], EM_X86_64);
	second = twin.mem;
	assert_int_equal(run(&live, NULL), 0);
	assert_int_equal(crosscheck_sources(&check, &live, &cap.plan, &err), -ENODEV);
	mem_chain_add(&live.chain, &second.mem);
	*fake_mem_at(&second, WRECK_RAM + 0x5001) ^= 1;
	fake_mem_refuse(&second, WRECK_BACKUP + 0x4000, WRECK_BACKUP + 0x4001, -EPERM);
	assert_int_equal(crosscheck_sources(&check, &live, &cap.plan, &err), 0);
	assert_int_equal(check.nr_differ, 1);
	assert_int_equal(check.nr_refused, 1);
	assert_int_equal(check.nr_pages, 4 + 64 + 8);
	capture_deinit(&cap);
	twin.mem = second;
	wreck_free(&twin);
}

/* A sink that cannot seek gets the flattened form, and that can be read again. */
static void test_flattened(void **state)
{
	int fd = open(in_dir("flat"), O_RDWR | O_CREAT, 0600);

	(void)state;
	fake_sink_free(&output.fake);
	fake_sink_init(&output.fake, 0);
	assert_int_equal(run(&live, NULL), 0);
	capture_deinit(&cap);
	assert_true(output.fake.committed);
	assert_int_equal(output.fake.nr_overwritten, 0);
	assert_int_equal(write_all_at(fd, 0, output.fake.data.p, output.fake.data.len), 0);
	open_file("flat");
	assert_int_equal(file.crash.ehdr.flags, 0);
	expect_same();
	expect_status("complete");
	assert_int_equal(run(&file, "plain"), 0);
	capture_deinit(&cap);
	input_close(&file);
	open_file("plain");
	expect_same();
	input_close(&file);
	/* Cut off, the first header counts: incomplete, and what is not there is not there. */
	assert_int_equal(ftruncate(fd, output.fake.data.len / 2), 0);
	open_file("flat");
	assert_text(log_.text, "the flattened stream ends early");
	assert_int_equal(file.crash.ehdr.flags, EF_DUMP_INCOMPLETE);
	input_close(&file);
	close(fd);
}

/* What nobody could make sense of, or what may lack memory, is written whole and kept, but not called complete. */
static void test_identified(void **state)
{
	static const char *const wanted[] = { "registers", "program headers" };
	unsigned int nr_cpus = live.crash.notes.nr_cpus;

	(void)state;
	identified = true;
	assert_int_equal(run(&live, "whole"), 0);
	capture_deinit(&cap);
	for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++) {
		live.crash.notes.nr_cpus = i == 0 ? 0 : nr_cpus;
		live.crash.cut = i == 1;
		assert_int_equal(run(&live, "vmcore"), -ENODATA);
		assert_text(err.text, wanted[i]);
		assert_int_equal(cap.holes.nr_ranges, 0);
		capture_deinit(&cap);
		assert_int_equal(access(in_dir("vmcore"), F_OK), -1);
		open_file("vmcore-incomplete");
		assert_int_equal(file.crash.ehdr.flags, EF_DUMP_INCOMPLETE);
		expect_same();
		input_close(&file);
	}
	identified = false;
}

static void test_output_does_not_open(void **state)
{
	(void)state;
	output.open_error = -ENOSPC;
	assert_int_equal(run(&live, "vmcore"), -ENOSPC);
	assert_string_equal(err.text, "no room for you");
	assert_int_equal(output.nr_closed, 1);
	capture_deinit(&cap);
}

/* Whichever write fails, the result is an error, kept, never committed, and closed. */
static void test_nth_write_fails(void **state)
{
	(void)state;
	for (unsigned int n = 1;; n++) {
		int rc;

		fake_sink_free(&output.fake);
		fake_sink_init(&output.fake, SINK_SEEK);
		output.fake.fail_at = n;
		output.fake.fail_error = -ENOSPC;
		output.fake.fail_on = n % 2;
		rc = run(&live, NULL);
		assert_int_equal(output.fake.events[output.fake.nr_events - 1].call, CALL_CLOSE);
		assert_int_equal(output.fake.committed, !rc);
		assert_int_equal(output.fake.kept, rc != 0);
		if (!rc) {
			capture_deinit(&cap);
			assert_in_range(n, 8, 100);
			break;
		}
		assert_int_equal(rc, -ENOSPC);
		assert_int_equal(err.code, -ENOSPC);
		assert_text(err.text, "fake");
		assert_true(output.fake.size == cap.plan.file_size);
		if (output.fake.data.len >= 64)
			assert_int_equal(elf_get(ELFDATA2LSB, output.fake.data.p + 48, 4) & 1, output.fake.data.p[0] == 0x7f);
		/* One failure is not the end: the header and the note that says why are written all the same. */
		if (!output.fake.fail_on) {
			assert_memory_equal(output.fake.data.p, "\177ELF", 4);
			assert_non_null(memmem(output.fake.data.p, output.fake.data.len, "STATUS=incomplete 28\n", 21));
		}
		capture_deinit(&cap);
	}
}

/* What was not written after an error is listed as unreadable, with that error. */
static void test_rest_is_listed(void **state)
{
	(void)state;
	output.fake.fail_at = 6;	/* headers, program headers, notes, ours in two pieces, the first data */
	output.fake.fail_error = -ENOSPC;
	assert_int_equal(run(&live, NULL), -ENOSPC);
	assert_int_equal(cap.holes.nr_bytes, WRECK_BYTES);
	assert_int_equal(cap.holes.list[0].error, -ENOSPC);
	assert_int_equal(cap.holes.list[0].start, WRECK_RAM);
	assert_string_equal(err.text, "writing to fake failed: No space left on device");
	capture_deinit(&cap);
}

/* A read that fails once costs a page at most. */
static void test_nth_read_fails(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < 12; n++) {
		wreck.mem.fail_at = wreck.mem.nr_requests + 1 + n;
		wreck.mem.fail_error = -EIO;
		assert_int_equal(run(&live, "vmcore"), 0);
		assert_true(cap.holes.nr_bytes <= 4096);
		capture_deinit(&cap);
		open_file("vmcore");
		assert_true(crosscheck().nr_differ <= 1);
		input_close(&file);
	}
}

static void test_wrong_files(void **state)
{
	int fd = open(in_dir("text"), O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(input_file_open(&file, in_dir("none"), NULL, &err), -ENOENT);
	assert_text(err.text, "/none: No such file or directory");
	assert_int_equal(input_file_open(&file, in_dir("text"), NULL, &err), -ENODATA);
	assert_text(err.text, "/text: ELF header at 0x0 is not readable through file");
	assert_int_equal(write_all(fd, "This is no core at all, it is only a text that somebody wrote for a test.", 73), 0);
	assert_int_equal(input_file_open(&file, in_dir("text"), NULL, &err), -EINVAL);
	assert_text(err.text, "no ELF magic, found 54 68 69 73");
	close(fd);
	assert_int_equal(input_file_open(&file, dir, NULL, &err), -EISDIR);
}

static void change_phdr(int fd, unsigned int i, struct elf_phdr *phdr, bool write_it)
{
	uint8_t raw[ELF_PHDR_MAX];

	if (write_it) {
		assert_int_equal(elf_phdr_encode(FORMS[0], phdr, raw), 0);
		assert_int_equal(pwrite(fd, raw, 56, 64 + 56 * i), 56);
	} else {
		assert_int_equal(pread(fd, raw, 56, 64 + 56 * i), 56);
		elf_phdr_decode(FORMS[0], raw, phdr);
	}
}

/* The last PT_LOAD says that it holds so much: the file ends with its real data. Behind it comes what was low memory. */
static void claim(uint64_t claimed)
{
	struct elf_phdr phdr;
	int fd;

	assert_int_equal(run(&live, "vmcore"), 0);
	capture_deinit(&cap);
	fd = open(in_dir("vmcore"), O_RDWR);
	assert_true(fd >= 0);
	for (unsigned int i = 1; i <= live.crash.nr_segs; i++) {
		change_phdr(fd, i, &phdr, false);
		if (phdr.paddr == WRECK_LOW)
			phdr.paddr = WRECK_HIGH + 2 * claimed;
		if (i == live.crash.nr_segs)
			phdr.filesz = phdr.memsz = claimed;
		change_phdr(fd, i, &phdr, true);
	}
	close(fd);
}

/* A header that claims 4 TiB which are not there: that must end, and say so. */
static void test_endless_emptiness(void **state)
{
	uint64_t claimed = 1ULL << 42;

	(void)state;
	claim(claimed);
	open_file("vmcore");
	assert_int_equal(run(&file, "copy"), -ENODATA);
	assert_true(cap.holes.nr_bytes > claimed - (16 << 20) && cap.holes.nr_bytes < claimed);
	capture_deinit(&cap);
	input_close(&file);
}

static void assert_page(paddr_t paddr, maddr_t pattern)
{
	uint8_t buf[4096];
	uint64_t len;
	maddr_t src;

	assert_int_equal(crash_find_paddr(&file.crash, paddr, &src, &len), 0);
	assert_int_equal(mem_read(&file.chain.mem, src, buf, sizeof(buf)), 0);
	assert_true(pattern_is(buf, pattern, sizeof(buf)));
}

/*
 * So do the other formats, with workers or without: what is there is stored, the last pages of the machine among it, and
 * all else is listed.
 */
static void test_emptiness_in_each_format(void **state)
{
	static const struct { enum dump_format format; enum codec codec; unsigned int jobs; } cases[] = {
		{ FORMAT_ELF, CODEC_NONE, 3 }, { FORMAT_ELF, CODEC_ZSTD, 1 }, { FORMAT_KDUMP, CODEC_NONE, 1 },
		{ FORMAT_KDUMP, CODEC_ZLIB, 1 }, { FORMAT_KDUMP, CODEC_ZSTD, 3 },
	};
	uint64_t claimed = 1ULL << 33;

	(void)state;
	claim(claimed);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		open_file("vmcore");
		format = cases[i].format;
		codec = cases[i].codec;
		jobs = cases[i].jobs;
		assert_int_equal(run(&file, "copy"), -ENODATA);
		format = FORMAT_ELF;
		codec = CODEC_NONE;
		jobs = 0;
		assert_true(cap.holes.nr_bytes > claimed - (16 << 20) && cap.holes.nr_bytes < claimed);
		assert_int_equal(cap.nr_unwritten, 0);
		capture_deinit(&cap);
		input_close(&file);
		open_file("copy-incomplete");
		assert_page(WRECK_HIGH, WRECK_HIGH);
		assert_page(WRECK_HIGH + 2 * claimed, WRECK_BACKUP);
		input_close(&file);
	}
}

/* A core cut in the middle: what is behind the end is holes in the copy, which is not called complete. */

static void test_truncated_core(void **state)
{
	uint64_t size;

	(void)state;
	assert_int_equal(run(&live, "vmcore"), 0);
	size = cap.plan.file_size;
	capture_deinit(&cap);
	assert_int_equal(truncate(in_dir("vmcore"), size - 0x2c00), 0);
	open_file("vmcore");
	assert_int_equal(run(&file, "copy"), -ENODATA);
	assert_int_equal(cap.holes.nr_bytes, 0x2c00);
	assert_int_equal(cap.holes.list[0].error, -ENODATA);
	capture_deinit(&cap);
	input_close(&file);
	open_file("copy-incomplete");
	assert_int_equal(file.crash.ehdr.flags, EF_DUMP_INCOMPLETE);
	input_close(&file);
}

/* No word of struct pages in VMCOREINFO: everything is dumped, and the dump says what was asked for and why it is not so. */
static void test_level_without_struct_pages(void **state)
{
	struct vmcoreinfo lines;
	char text[128] = "";

	(void)state;
	levels[0] = 31;
	nr_levels = 1;
	assert_int_equal(run(&live, "vmcore"), 0);
	nr_levels = 0;
	assert_text(log_.text, "level 31 becomes 1, pages cannot be told apart, all are kept: VMCOREINFO has no valid SIZE(page)");
	open_file("vmcore");
	expect_same();
	assert_true(capture_note_find(&file.crash.notes, &lines));
	assert_true(vmcoreinfo_string(&lines, "LEVEL_DONE", text, sizeof(text)));
	assert_string_equal(text, "1");
	assert_true(vmcoreinfo_string(&lines, "REASON", text, sizeof(text)));
	assert_string_equal(text, "VMCOREINFO has no valid SIZE(page)");
	input_close(&file);
	capture_deinit(&cap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_to_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_level_without_struct_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_four_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_holes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crosscheck_finds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crosscheck_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flattened, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identified, setup, teardown),
		cmocka_unit_test_setup_teardown(test_output_does_not_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nth_write_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rest_is_listed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nth_read_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_endless_emptiness, setup, teardown),
		cmocka_unit_test_setup_teardown(test_emptiness_in_each_format, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated_core, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
