// SPDX-License-Identifier: GPL-2.0-or-later
/* The notes that the headers of a crash point at: unreadable, merged, adopted, too many. */
#include <errno.h>
#include <string.h>

#include "tests/lib/crash_scene.h"

#include "tests/lib/unit.h"

/* Notes that cannot be read cost their own CPU. */
static void test_unreadable_notes(void **state)
{
	struct crash_source source = { .addr = WRECK_HEADER };
	struct fake_log log;
	struct wreck wreck;
	struct crash crash;
	struct error err;

	(void)state;
	wreck_init(&wreck, FORMS[0], EM_X86_64);
	source.mem = &wreck.mem.mem;
	source.log = fake_log_init(&log);
	fake_mem_refuse(&wreck.mem, WRECK_NOTES + 0x100, WRECK_NOTES + 0x101, -EPERM);
	assert_int_equal(crash_read(&crash, &source, &err), 0);
	assert_int_equal(crash.notes.nr_cpus, 1);
	assert_int_equal(crash.notes.cpus[0].cpu, 2);
	assert_int_equal(crash.notes.nr_broken, 1);
	assert_int_equal(crash.vmcoreinfo.len, strlen(WRECK_VMCOREINFO));
	assert_string_equal(log.text, "PT_NOTE 0 at 0x2010000 is not readable (Operation not permitted), skipped\n");
	crash_deinit(&crash);
	wreck_free(&wreck);
}

/* A merged PT_NOTE, as /proc/vmcore has it, does not say by its place which CPU a note is from. */
static void test_single_note_segment(void **state)
{
	struct bytes notes = { 0 };
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	bytes_prstatus(&notes, FORMS[0], 1, 1);
	bytes_prstatus(&notes, FORMS[0], 2, 2);
	scene_notes(&s, 0x8000, &notes);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.notes.nr_cpus, 2);
	assert_true(s.crash.notes.cpus[0].cpu == CPU_UNKNOWN && s.crash.notes.cpus[1].cpu == CPU_UNKNOWN);
	bytes_free(&notes);
	scene_free(&s);
}

/* What /proc/vmcore could read of the notes and /dev/mem could not: taken over, with CPUs where there is no doubt. */
static void test_adopt_notes(void **state)
{
	(void)state;
	for (unsigned int all_online = 0; all_online < 2; all_online++) {
		struct bytes notes = { 0 };
		struct scene poor, rich;

		scene_init(&rich, FORMS[0]);
		for (unsigned int cpu = 0; cpu < 2 + all_online; cpu++)
			bytes_prstatus(&notes, FORMS[0], 100 + cpu, cpu);
		bytes_note(&notes, ELFDATA2LSB, 4, "VMCOREINFO", 0, "A=1\n", 4);
		scene_notes(&rich, 0x8000, &notes);
		header_load(&rich.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
		assert_int_equal(scene_read(&rich), 0);

		scene_init(&poor, FORMS[0]);
		for (unsigned int i = 0; i < 4; i++)
			header_note(&poor.header, 0x100000 + i * 0x1000, 500, 0);
		header_load(&poor.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
		assert_int_equal(scene_read(&poor), 0);
		assert_int_equal(poor.crash.notes.len, 0);
		assert_int_equal(poor.crash.nr_note_segs, 4);

		crash_adopt_notes(&poor.crash, &rich.crash);
		assert_int_equal(poor.crash.notes.len, notes.len);
		assert_int_equal(poor.crash.notes.nr_cpus, 2 + all_online);
		assert_true(poor.crash.notes.cpus[1].cpu == (all_online ? 1 : CPU_UNKNOWN));
		assert_int_equal(poor.crash.vmcoreinfo.len, 4);
		assert_memory_equal(poor.crash.vmcoreinfo.text, "A=1\n", 4);
		assert_int_equal(rich.crash.notes.len, 0);
		assert_int_equal(rich.crash.vmcoreinfo.len, 0);
		/* Nothing is taken from who has no more. */
		crash_adopt_notes(&poor.crash, &rich.crash);
		assert_int_equal(poor.crash.notes.len, notes.len);
		bytes_free(&notes);
		scene_free(&poor);
		scene_free(&rich);
	}
}

static void test_no_notes(void **state)
{
	const char *value;
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	header_note(&s.header, 0x8000, 0, 0);
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.notes.len, 0);
	assert_int_equal(s.crash.vmcoreinfo.len, 0);
	assert_int_equal(vmcoreinfo_get(&s.crash.vmcoreinfo, "A", &value), -1);
	scene_free(&s);
}

/* A header full of PT_NOTEs that all point at the same large piece of memory must not eat all of ours. */
static void test_notes_are_bounded(void **state)
{
	enum { PIECE = 1 << 20 };
	struct bytes notes = { 0 };
	uint64_t nr_read = 0;
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	bytes_nhdr(&notes, ELFDATA2LSB, 4, PIECE - 16, 0x1234);
	bytes_add(&notes, "BIG", 4);
	bytes_add_zeros(&notes, PIECE - 16);
	fake_mem_add(&s.mem, 0x10000000, notes.p, notes.len);
	for (unsigned int i = 0; i < 1000; i++)
		header_note(&s.header, 0x10000000, PIECE, 0);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	assert_int_equal(scene_read(&s), 0);
	for (unsigned int i = 0; i < s.mem.nr_requests; i++)
		nr_read += s.mem.requests[i].len;
	assert_true(nr_read <= 65 << 20);
	assert_true(s.crash.notes.len <= 64 << 20 && s.crash.notes.len >= 63 << 20);
	assert_int_equal(s.crash.nr_segs, 1);
	assert_text(s.log.text, "more than 64 MiB of notes");
	bytes_free(&notes);
	scene_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unreadable_notes),
		cmocka_unit_test(test_single_note_segment),
		cmocka_unit_test(test_adopt_notes),
		cmocka_unit_test(test_no_notes),
		cmocka_unit_test(test_notes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
