// SPDX-License-Identifier: GPL-2.0-or-later
/* The note that a core says about its own making, and the CPU map that it carries through copies. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/capture_note.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

static struct wreck wreck;
static struct crash crash;
static struct plan plan;
static char desc[CAPTURE_NOTE_SIZE + 1];

static int setup(void **state)
{
	struct error err;

	(void)state;
	wreck_init(&wreck, FORMS[0], EM_X86_64);
	wreck_crash(&wreck, &crash);
	return plan_init(&plan, &crash, 4096, &err);
}

static int teardown(void **state)
{
	(void)state;
	plan_deinit(&plan);
	crash_deinit(&crash);
	wreck_free(&wreck);
	return 0;
}

/* The text up to its padding, which must be newlines to the end. */
static const char *format(const struct core_result *result)
{
	size_t len;

	memset(desc, 'X', sizeof(desc));
	capture_note_format(desc, &plan, result);
	assert_int_equal(desc[CAPTURE_NOTE_SIZE], 'X');
	for (len = CAPTURE_NOTE_SIZE; len && desc[len - 1] == '\n'; len--)
		;
	desc[len ? len + 1 : 0] = 0;
	return desc;
}

static void test_running(void **state)
{
	(void)state;
	assert_string_equal(format(NULL), "VERSION=1\nCPUS=0,2\nCPUS_EMPTY=1\nLEVEL=0\nSTATUS=incomplete\n");
}

/* A level that could not be had in full. */
static void test_level(void **state)
{
	(void)state;
	plan.level = plan.level_done = 31;
	assert_text(format(NULL), "\nLEVEL=31\nSTATUS=");
	plan.level_done = 1;
	strcpy(plan.level_why, "VMCOREINFO has no valid SIZE(page)");
	assert_text(format(NULL), "\nLEVEL=31\nLEVEL_DONE=1\nREASON=VMCOREINFO has no valid SIZE(page)\nSTATUS=");
}

static void test_complete(void **state)
{
	struct holes holes = { .nr = 0 };
	struct core_result result = { .holes = &holes, .duration_ms = 1234, .sources = "devmem:5,vmcore:6" };

	(void)state;
	assert_string_equal(format(&result), "VERSION=1\nCPUS=0,2\nCPUS_EMPTY=1\nLEVEL=0\nSTATUS=complete\nHOLES=0 0\n");
	holes.nr_ranges = 1;
	holes.nr_bytes = 4096;
	assert_text(format(&result), "\nSTATUS=complete\nSOURCES=devmem:5,vmcore:6\nDURATION_MS=1234\nHOLES=1 4096\n");
	holes.nr_ranges = holes.nr_bytes = 0;
	crash.ehdr.flags = EF_DUMP_INCOMPLETE;
	assert_text(format(&result), "\nSTATUS=incomplete\n");
	crash.ehdr.flags = 0;
}

/* Holes by the address that the dead kernel knew: a hole in the backup region is one at its p_paddr. */
static void test_holes(void **state)
{
	struct holes holes = { .nr = 0 };
	struct core_result result = { .status = -ENOSPC, .holes = &holes };

	(void)state;
	holes_add(&holes, WRECK_BACKUP + 0x1000, 0x1000, -EPERM);
	holes_add(&holes, WRECK_RAM + 0x2000, 0x3000, -EIO);
	holes_add(&holes, 0x70000000, 0x1000, -ENODATA);
	assert_string_equal(format(&result), "VERSION=1\nCPUS=0,2\nCPUS_EMPTY=1\nLEVEL=0\nSTATUS=incomplete 28\nDURATION_MS=0\n"
			    "HOLES=3 20480\nHOLE=0x2000-0x3000 1\nHOLE=0x102000-0x105000 5\nHOLE=0x70000000-0x70001000 61\n");
}

/* As many holes as fit, each whole. */
static void test_many_holes(void **state)
{
	struct holes holes = { .nr = 0 };
	struct core_result result = { .holes = &holes };
	const char *text, *last;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		holes_add(&holes, 0xffff000000000 + i * 0x2000, 0x1000, -EIO);
	text = format(&result);
	assert_text(text, "HOLES=1000 4096000\n");
	last = strrchr(text, 'H');
	assert_text(last, "HOLE=0xffff00007e000-0xffff00007f000 5\n");
}

static void set_cpus(const uint32_t *cpus, unsigned int nr)
{
	crash.notes.cpus = realloc(crash.notes.cpus, nr * sizeof(*crash.notes.cpus));
	for (unsigned int i = 0; i < nr; i++)
		crash.notes.cpus[i] = (struct cpu_note){ cpus[i], 0, 0 };
	crash.notes.nr_cpus = nr;
}

static void expect_cpus(const uint32_t *cpus, unsigned int nr, const char *wanted)
{
	char line[2100] = "", *eol;
	const char *found;

	set_cpus(cpus, nr);
	found = strstr(format(NULL), "CPUS=");
	if (found) {
		snprintf(line, sizeof(line), "%s", found + 5);
		eol = strchr(line, '\n');
		*eol = 0;
	}
	assert_string_equal(line, wanted);
}

static void test_cpu_runs(void **state)
{
	(void)state;
	expect_cpus((uint32_t[]){ 0 }, 1, "0");
	expect_cpus((uint32_t[]){ 7 }, 1, "7");
	expect_cpus((uint32_t[]){ 0, 1 }, 2, "0-1");
	expect_cpus((uint32_t[]){ 0, 1, 2, 3, 5, 6, 9 }, 7, "0-3,5-6,9");
	expect_cpus((uint32_t[]){ 3, 2, 1, 2 }, 4, "3,2,1-2");
	expect_cpus((uint32_t[]){ CPU_UNKNOWN, CPU_UNKNOWN }, 2, "");
}

/* A map that does not fit is left out whole, and the rest of the note is there. */
static void test_cpus_too_many(void **state)
{
	uint32_t *cpus = calloc(5000, sizeof(*cpus));

	(void)state;
	for (uint32_t i = 0; i < 5000; i++)
		cpus[i] = 2 * i;
	expect_cpus(cpus, 5000, "");
	assert_string_equal(format(NULL), "VERSION=1\nCPUS_EMPTY=1\nLEVEL=0\nSTATUS=incomplete\n");
	/* All in one run, they fit. */
	for (uint32_t i = 0; i < 5000; i++)
		cpus[i] = i;
	expect_cpus(cpus, 5000, "0-4999");
	free(cpus);
}

static void test_find(void **state)
{
	struct vmcoreinfo lines;
	struct notes notes;
	const char *value;

	(void)state;
	notes_init(&notes, ELFDATA2MSB);
	assert_false(capture_note_find(&notes, &lines));
	notes_add(&notes, "KCAPTURE", 1, "A=0\n", 4);
	notes_add(&notes, "OTHER", CAPTURE_NOTE_TYPE, "A=1\n", 4);
	assert_false(capture_note_find(&notes, &lines));
	notes_add(&notes, "KCAPTURE", CAPTURE_NOTE_TYPE, "A=2\n", 4);
	notes_add(&notes, "KCAPTURE", CAPTURE_NOTE_TYPE, "A=3\n", 4);
	assert_true(capture_note_find(&notes, &lines));
	assert_int_equal(vmcoreinfo_get(&lines, "A", &value), 1);
	assert_int_equal(value[0], '3');
	notes_deinit(&notes);
}

/* As many CPUs as there are notes, by a map that may say anything. */
static void attribute(const char *map, const uint32_t expected[4])
{
	struct notes notes;
	char text[128];

	notes_init(&notes, ELFDATA2LSB);
	for (unsigned int i = 0; i < 4; i++)
		notes_add(&notes, "CORE", NT_PRSTATUS, "abcd", 4);
	snprintf(text, sizeof(text), "CPUS=%s\n", map);
	notes_add(&notes, "KCAPTURE", CAPTURE_NOTE_TYPE, text, strlen(text));
	capture_note_attribute_cpus(&notes);
	for (unsigned int i = 0; i < 4; i++)
		if (notes.cpus[i].cpu != expected[i])
			fail_msg("%s: note %u is of CPU %u, not %u", map, i, notes.cpus[i].cpu, expected[i]);
	notes_deinit(&notes);
}

#define U CPU_UNKNOWN

static void test_attribute(void **state)
{
	(void)state;
	attribute("0-3", (uint32_t[]){ 0, 1, 2, 3 });
	attribute("0,2,5-6", (uint32_t[]){ 0, 2, 5, 6 });
	attribute("7-100000", (uint32_t[]){ 7, 8, 9, 10 });
	attribute("1-2", (uint32_t[]){ 1, 2, U, U });
	attribute("5-3,1", (uint32_t[]){ 1, U, U, U });
	attribute("0-1,", (uint32_t[]){ 0, 1, U, U });
	attribute("2;3", (uint32_t[]){ 2, U, U, U });
	attribute("", (uint32_t[]){ U, U, U, U });
	attribute("rubbish", (uint32_t[]){ U, U, U, U });
	attribute("4294967290-4294967295", (uint32_t[]){ 4294967290, 4294967291, 4294967292, 4294967293 });
}

/* What format() wrote, attribute_cpus() reads back. */
static void test_roundtrip(void **state)
{
	uint32_t cpus[64];

	(void)state;
	for (uint32_t i = 0; i < 64; i++)
		cpus[i] = i + i / 5 * 3;
	set_cpus(cpus, 64);
	memset(desc, 0, sizeof(desc));
	capture_note_format(desc, &plan, NULL);
	notes_add(&crash.notes, "KCAPTURE", CAPTURE_NOTE_TYPE, desc, CAPTURE_NOTE_SIZE);
	for (uint32_t i = 0; i < 64; i++)
		crash.notes.cpus[i].cpu = CPU_UNKNOWN;
	capture_note_attribute_cpus(&crash.notes);
	for (uint32_t i = 0; i < 64; i++)
		assert_int_equal(crash.notes.cpus[i].cpu, cpus[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_running, setup, teardown),
		cmocka_unit_test_setup_teardown(test_level, setup, teardown),
		cmocka_unit_test_setup_teardown(test_complete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_holes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_holes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cpu_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cpus_too_many, setup, teardown),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_attribute),
		cmocka_unit_test_setup_teardown(test_roundtrip, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
