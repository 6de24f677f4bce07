// SPDX-License-Identifier: GPL-2.0-or-later
/* The whole road on the host: a crashed machine becomes a core in a file, the core becomes another one. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfcore/capture_note.h"
#include "elfcore/sink_flat.h"
#include "src/sys.h"
#include "tests/lib/capture_bed.h"

#include "tests/lib/unit.h"

static void test_to_file(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(bed_run(&bed.live, "vmcore"), 0);
	assert_int_equal(bed.output.nr_opened, 1);
	assert_int_equal(bed.output.nr_closed, 1);
	assert_int_equal(bed.cap.holes.nr_ranges, 0);
	assert_int_equal(bed.cap.nr_zero_bytes, WRECK_ZEROS_SIZE);
	assert_int_equal(bed.cap.plan.data_len, WRECK_BYTES);
	assert_int_equal(bed.progress.done, 0);	/* of the last phase, flushing */
	assert_int_equal(stat(bed_path("vmcore"), &st), 0);
	assert_int_equal(st.st_size, bed.cap.plan.file_size);
	bed_open("vmcore");
	assert_true(bed.file.is_file);
	assert_int_equal(bed.file.crash.ehdr.flags, 0);
	assert_int_equal(bed.file.crash.notes.nr_cpus, 2);
	assert_int_equal(bed.file.crash.notes.cpus[1].cpu, 2);
	bed_expect_same();
	bed_expect_status("complete");
	input_close(&bed.file);
	capture_deinit(&bed.cap);
}

/* A copy of the copy: the same memory, the same CPUs, another note of ours. */
static void test_copies(void **state)
{
	static const char *const names[] = { "1", "2", "3" };

	(void)state;
	assert_int_equal(bed_run(&bed.live, names[0]), 0);
	capture_deinit(&bed.cap);
	for (unsigned int i = 1; i < ARRAY_SIZE(names); i++) {
		bed_open(names[i - 1]);
		assert_int_equal(bed_run(&bed.file, names[i]), 0);
		capture_deinit(&bed.cap);
		input_close(&bed.file);
		bed_open(names[i]);
		bed_expect_same();
		bed_expect_status("complete");
		assert_int_equal(bed.file.crash.notes.nr_cpus, 2);
		assert_int_equal(bed.file.crash.notes.cpus[0].cpu, 0);
		assert_int_equal(bed.file.crash.notes.cpus[1].cpu, 2);
		assert_memory_equal(bed.file.crash.vmcoreinfo.text, WRECK_VMCOREINFO, strlen(WRECK_VMCOREINFO));
		input_close(&bed.file);
	}
}

static void test_four_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		bed_rebuild(FORMS[i]);
		assert_int_equal(bed_run(&bed.live, "vmcore"), 0);
		capture_deinit(&bed.cap);
		bed_open("vmcore");
		assert_memory_equal(&bed.file.crash.ehdr.form, &FORMS[i], sizeof(FORMS[i]));
		bed_expect_same();
		input_close(&bed.file);
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
	fake_mem_refuse(&bed.wreck.mem, WRECK_RAM + 0x9000, WRECK_RAM + 0xb000, -EPERM);
	fake_mem_refuse(&bed.wreck.mem, WRECK_HIGH + 0x7fff, WRECK_HIGH + 0x8000, -EIO);
	assert_int_equal(bed_run(&bed.live, "vmcore"), 0);
	assert_int_equal(bed.cap.holes.nr_ranges, 2);
	assert_int_equal(bed.cap.holes.nr_bytes, 0x3000);
	capture_deinit(&bed.cap);
	bed_open("vmcore");
	bed_expect_status("complete");
	assert_true(capture_note_find(&bed.file.crash.notes, &lines));
	assert_int_equal(vmcoreinfo_get(&lines, "HOLES", &value), 7);
	assert_memory_equal(value, "2 12288", 7);
	vmcoreinfo_get(&lines, "HOLE", &value);
	assert_memory_equal(value, "0x109000-0x10b000 1\nHOLE=0x807000-0x808000 5\n", 45);
	check = bed_crosscheck();
	assert_int_equal(check.nr_refused, 3);
	assert_int_equal(check.nr_pages, WRECK_PAGES - 3);
	assert_int_equal(check.nr_differ, 0);
	assert_int_equal(mem_read(&bed.file.chain.mem, bed.file.crash.segs[2].src + 0x9000, page, sizeof(page)), 0);
	for (size_t i = 0; i < sizeof(page); i++)
		assert_int_equal(page[i], 0);
	input_close(&bed.file);
}

/* The oracle itself: a changed byte is one page, a missing PT_LOAD is an error. */
static void test_crosscheck_finds(void **state)
{
	struct crosscheck check;
	int fd;

	(void)state;
	assert_int_equal(bed_run(&bed.live, "vmcore"), 0);
	capture_deinit(&bed.cap);
	bed_open("vmcore");
	fd = open(bed_path("vmcore"), O_RDWR);
	assert_int_equal(write_all_at(fd, bed.file.crash.segs[3].src + 0x2345, "", 1), 0);
	assert_int_equal(write_all_at(fd, bed.file.crash.segs[3].src + 0x7fff, "", 1), 0);
	close(fd);
	check = bed_crosscheck();
	assert_int_equal(check.nr_differ, 2);
	assert_int_equal(check.nr_pages, WRECK_PAGES);
	assert_string_equal(bed.log.text, "crosscheck: page at 0x802000 differs\ncrosscheck: page at 0x807000 differs\n");
	bed.file.crash.segs[1].memsz++;
	assert_int_equal(crosscheck_cores(&check, &bed.wreck.mem.mem, &bed.live.crash, &bed.file.chain.mem, &bed.file.crash, &bed.err), -EINVAL);
	assert_string_equal(bed.err.text, "the PT_LOAD for 0x1000 is missing or altered");
	input_close(&bed.file);
}

static void test_crosscheck_sources(void **state)
{
	struct crosscheck check = { .progress = &bed.progress };
	struct fake_mem second;
	struct wreck twin;

	(void)state;
	wreck_init(&twin, FORMS[0], EM_X86_64);
	second = twin.mem;
	assert_int_equal(bed_run(&bed.live, NULL), 0);
	assert_int_equal(crosscheck_sources(&check, &bed.live, &bed.cap.plan, &bed.err), -ENODEV);
	mem_chain_add(&bed.live.chain, &second.mem);
	*fake_mem_at(&second, WRECK_RAM + 0x5001) ^= 1;
	fake_mem_refuse(&second, WRECK_BACKUP + 0x4000, WRECK_BACKUP + 0x4001, -EPERM);
	assert_int_equal(crosscheck_sources(&check, &bed.live, &bed.cap.plan, &bed.err), 0);
	assert_int_equal(check.nr_differ, 1);
	assert_int_equal(check.nr_refused, 1);
	assert_int_equal(check.nr_pages, 4 + 64 + 8);
	capture_deinit(&bed.cap);
	twin.mem = second;
	wreck_free(&twin);
}

/* A sink that cannot seek gets the flattened form, and that can be read again. */
static void test_flattened(void **state)
{
	int fd = open(bed_path("flat"), O_RDWR | O_CREAT, 0600);

	(void)state;
	fake_sink_free(&bed.output.fake);
	fake_sink_init(&bed.output.fake, 0);
	assert_int_equal(bed_run(&bed.live, NULL), 0);
	capture_deinit(&bed.cap);
	assert_true(bed.output.fake.committed);
	assert_int_equal(bed.output.fake.nr_overwritten, 0);
	assert_int_equal(write_all_at(fd, 0, bed.output.fake.data.p, bed.output.fake.data.len), 0);
	bed_open("flat");
	assert_int_equal(bed.file.crash.ehdr.flags, 0);
	bed_expect_same();
	bed_expect_status("complete");
	assert_int_equal(bed_run(&bed.file, "plain"), 0);
	capture_deinit(&bed.cap);
	input_close(&bed.file);
	bed_open("plain");
	bed_expect_same();
	input_close(&bed.file);
	/* Cut off, the first header counts: incomplete, and what is not there is not there. */
	assert_int_equal(ftruncate(fd, bed.output.fake.data.len / 2), 0);
	bed_open("flat");
	assert_text(bed.log.text, "the flattened stream ends early");
	assert_int_equal(bed.file.crash.ehdr.flags, EF_DUMP_INCOMPLETE);
	input_close(&bed.file);
	close(fd);
}

static int run_identified(const char *name)
{
	bed_prepare(&bed.live, name);
	bed.cap.identified = true;
	return capture(&bed.cap, &bed.err);
}

/* What nobody could make sense of, or what may lack memory, is written whole and kept, but not called complete. */
static void test_identified(void **state)
{
	static const char *const wanted[] = { "registers", "program headers" };
	unsigned int nr_cpus = bed.live.crash.notes.nr_cpus;

	(void)state;
	assert_int_equal(run_identified("whole"), 0);
	capture_deinit(&bed.cap);
	for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++) {
		bed.live.crash.notes.nr_cpus = i == 0 ? 0 : nr_cpus;
		bed.live.crash.cut = i == 1;
		assert_int_equal(run_identified("vmcore"), -ENODATA);
		assert_text(bed.err.text, wanted[i]);
		assert_int_equal(bed.cap.holes.nr_ranges, 0);
		capture_deinit(&bed.cap);
		assert_int_equal(access(bed_path("vmcore"), F_OK), -1);
		bed_open("vmcore-incomplete");
		assert_int_equal(bed.file.crash.ehdr.flags, EF_DUMP_INCOMPLETE);
		bed_expect_same();
		input_close(&bed.file);
	}
}

/* No word of struct pages in VMCOREINFO: everything is dumped, and the dump says what was asked for and why it is not so. */
static void test_level_without_struct_pages(void **state)
{
	struct vmcoreinfo lines;
	char text[128] = "";

	(void)state;
	bed_prepare(&bed.live, "vmcore");
	bed.cap.levels[0] = 31;
	bed.cap.nr_levels = 1;
	assert_int_equal(capture(&bed.cap, &bed.err), 0);
	assert_text(bed.log.text, "level 31 becomes 1, pages cannot be told apart, all are kept: VMCOREINFO has no valid SIZE(page)");
	bed_open("vmcore");
	bed_expect_same();
	assert_true(capture_note_find(&bed.file.crash.notes, &lines));
	assert_true(vmcoreinfo_string(&lines, "LEVEL_DONE", text, sizeof(text)));
	assert_string_equal(text, "1");
	assert_true(vmcoreinfo_string(&lines, "REASON", text, sizeof(text)));
	assert_string_equal(text, "VMCOREINFO has no valid SIZE(page)");
	input_close(&bed.file);
	capture_deinit(&bed.cap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_to_file, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_copies, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_four_forms, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_holes, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_crosscheck_finds, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_crosscheck_sources, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_flattened, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_identified, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_level_without_struct_pages, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
