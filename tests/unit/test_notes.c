// SPDX-License-Identifier: GPL-2.0-or-later
/* Notes that nobody vouches for, and their merger. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/notes.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

#define LSB ELFDATA2LSB

/* A copy without a byte of room behind it: reading past the end is seen by the sanitizer. */
static uint8_t *tight(const struct bytes *bytes)
{
	uint8_t *p = malloc(bytes->len ? bytes->len : 1);

	memcpy(p, bytes->p, bytes->len);
	return p;
}

static int next_of(const struct bytes *bytes, size_t off, unsigned int align, struct note *ret)
{
	static uint8_t *p;
	int rc;

	free(p);
	p = tight(bytes);
	rc = note_next(LSB, p, bytes->len, off, align, ret);
	return rc;
}

static void append(struct notes *notes, const struct bytes *bytes, unsigned int align, uint32_t cpu, struct log *log)
{
	uint8_t *p = tight(bytes);

	assert_int_equal(notes_append(notes, p, bytes->len, align, cpu, log), 0);
	free(p);
}

static void test_iterate(void **state)
{
	struct bytes bytes = { 0 };
	struct note note;

	(void)state;
	bytes_note(&bytes, LSB, 4, "CORE", NT_PRSTATUS, "abcdef", 6);
	bytes_note(&bytes, LSB, 4, "X", 7, "", 0);
	bytes_add_zeros(&bytes, 100);
	assert_int_equal(next_of(&bytes, 0, 4, &note), 1);
	assert_int_equal(note.type, NT_PRSTATUS);
	assert_int_equal(note.namesz, 5);
	assert_string_equal(note.name, "CORE");
	assert_int_equal(note.descsz, 6);
	assert_memory_equal(note.desc, "abcdef", 6);
	assert_int_equal(note.off, 0);
	assert_int_equal(note.len, 12 + 8 + 8);
	assert_int_equal(next_of(&bytes, 28, 4, &note), 1);
	assert_int_equal(note.type, 7);
	assert_int_equal(note.descsz, 0);
	assert_int_equal(note.off, 28);
	assert_int_equal(note.len, 12 + 4);
	/* The zero name ends it although there are bytes left. */
	assert_int_equal(next_of(&bytes, 44, 4, &note), 0);
	bytes_free(&bytes);
}

static void test_end_of_buffer(void **state)
{
	struct bytes bytes = { 0 };
	struct note note;

	(void)state;
	assert_int_equal(note_next(LSB, NULL, 0, 0, 4, &note), 0);
	bytes_nhdr(&bytes, LSB, 1, 0, 0);
	for (bytes.len = 0; bytes.len < ELF_NHDR_SIZE; bytes.len++)
		assert_int_equal(next_of(&bytes, 0, 4, &note), 0);
	assert_int_equal(next_of(&bytes, 0, 4, &note), -EINVAL);
	assert_int_equal(next_of(&bytes, ELF_NHDR_SIZE, 4, &note), 0);
	assert_int_equal(next_of(&bytes, ELF_NHDR_SIZE + 1, 4, &note), 0);
	assert_int_equal(next_of(&bytes, SIZE_MAX, 4, &note), 0);
	bytes_free(&bytes);
}

/* Sizes near 2^32 must not wrap to small ones. */
static void test_overrun(void **state)
{
	static const uint32_t sizes[][2] = {
		{ 5, 93 }, { 5, 0xffffffff }, { 5, 0xfffffffc }, { 5, 0xfffffff0 }, { 5, 0xffffffec }, { 0xffffffff, 0 },
		{ 0xfffffffd, 0 }, { 0xfffffff4, 0 }, { 0xfffffff5, 4 }, { 0xffffffff, 0xffffffff }, { 101, 0 }, { 100, 1 },
		{ 0x80000000, 0x80000000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct bytes bytes = { 0 };
		struct note note;

		bytes_nhdr(&bytes, LSB, sizes[i][0], sizes[i][1], 1);
		bytes_add_zeros(&bytes, 100);
		if (next_of(&bytes, 0, 4, &note) != -EINVAL || next_of(&bytes, 0, 8, &note) != -EINVAL)
			fail_msg("namesz %#x, descsz %#x", sizes[i][0], sizes[i][1]);
		bytes_free(&bytes);
	}
}

static void test_exact_fit(void **state)
{
	struct bytes bytes = { 0 };
	struct note note;

	(void)state;
	bytes_nhdr(&bytes, LSB, 5, 92, 1);
	bytes_add_zeros(&bytes, 100);
	assert_int_equal(next_of(&bytes, 0, 4, &note), 1);
	assert_int_equal(note.len, 112);
	bytes_free(&bytes);
}

/* The last note may lack the padding of its desc, or of its name when there is no desc. */
static void test_missing_padding(void **state)
{
	struct bytes bytes = { 0 };
	struct note note;

	(void)state;
	bytes_note(&bytes, LSB, 4, "CORE", 1, "abcde", 5);
	bytes.len -= 3;
	assert_int_equal(next_of(&bytes, 0, 4, &note), 1);
	assert_memory_equal(note.desc, "abcde", 5);
	assert_int_equal(note.len, bytes.len);
	bytes.len--;
	assert_int_equal(next_of(&bytes, 0, 4, &note), -EINVAL);
	bytes.len = 0;
	bytes_note(&bytes, LSB, 4, "CORE", 1, "", 0);
	bytes.len -= 3;
	assert_int_equal(next_of(&bytes, 0, 4, &note), 1);
	assert_int_equal(note.descsz, 0);
	assert_int_equal(note.len, bytes.len);
	bytes.len--;
	assert_int_equal(next_of(&bytes, 0, 4, &note), -EINVAL);
	bytes_free(&bytes);
}

static void test_align_8(void **state)
{
	struct bytes bytes = { 0 };
	struct note note;
	struct notes notes;

	(void)state;
	/* The desc begins at a multiple of 8 from the note's start: 12 + 5 -> 24. */
	bytes_note(&bytes, LSB, 8, "CORE", NT_PRSTATUS, "12345678abc", 11);
	bytes_note(&bytes, LSB, 8, "VMCOREINFO", 0, "A=1\n", 4);
	assert_int_equal(next_of(&bytes, 0, 8, &note), 1);
	assert_int_equal(note.desc - (const uint8_t *)note.name, 12);
	assert_memory_equal(note.desc, "12345678abc", 11);
	assert_int_equal(note.len, 40);
	/* Merged, everything is padded to 4. */
	notes_init(&notes, LSB);
	append(&notes, &bytes, 8, 3, NULL);
	assert_int_equal(notes.len, (12 + 8 + 12) + (12 + 12 + 4));
	assert_int_equal(notes.cpus[0].desc_off, 20);
	assert_memory_equal(notes.buf + 20, "12345678abc\0", 12);
	assert_memory_equal(notes.buf + notes.vmcoreinfo_off, "A=1\n", 4);
	notes_deinit(&notes);
	bytes_free(&bytes);
}

static void test_names(void **state)
{
	static const struct { uint32_t namesz; const char *name; bool is_core; } cases[] = {
		{ 5, "CORE", true }, { 4, "CORE", true }, { 3, "CORE", false }, { 5, "COREX", false }, { 6, "CORE\0", false },
		{ 5, "core", false }, { 1, "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct note note = { .name = cases[i].name, .namesz = cases[i].namesz };

		assert_int_equal(note_named(&note, "CORE"), cases[i].is_core);
	}
}

/* One PT_NOTE a CPU; the one in the middle was offline and left zeros only. */
static void test_merge(void **state)
{
	struct fake_log log;
	struct notes notes;

	(void)state;
	for (size_t form = 0; form < ARRAY_SIZE(FORMS); form++) {
		uint8_t data = FORMS[form].data;
		size_t desc_size = FORMS[form].class == ELFCLASS64 ? 336 : 144;
		size_t pid_off = FORMS[form].class == ELFCLASS64 ? 32 : 24;
		struct bytes bytes = { 0 }, all = { 0 };

		notes_init(&notes, data);
		for (uint32_t cpu = 0; cpu < 4; cpu++) {
			bytes.len = 0;
			if (cpu != 2) {
				bytes_prstatus(&bytes, FORMS[form], 40 + cpu, cpu);
				bytes_add(&all, bytes.p, bytes.len);
			}
			bytes_add_zeros(&bytes, 500 - bytes.len);
			append(&notes, &bytes, 4, cpu, fake_log_init(&log));
			assert_string_equal(log.text, "");
		}
		assert_int_equal(notes.nr_cpus, 3);
		assert_int_equal(notes.nr_empty, 1);
		assert_int_equal(notes.nr_broken, 0);
		for (unsigned int i = 0; i < 3; i++) {
			assert_int_equal(notes.cpus[i].cpu, i == 2 ? 3 : i);
			assert_int_equal(notes.cpus[i].descsz, desc_size);
			assert_int_equal(notes.cpus[i].desc_off, i * (20 + desc_size) + 20);
			assert_int_equal(elf_get(data, notes.buf + notes.cpus[i].desc_off + pid_off, 4), i == 2 ? 43 : 40 + i);
		}
		assert_int_equal(notes.len, all.len);
		assert_memory_equal(notes.buf, all.p, all.len);
		assert_int_equal(notes.vmcoreinfo_len, 0);
		notes_deinit(&notes);
		bytes_free(&bytes);
		bytes_free(&all);
	}
}

static void test_unknown_kept_verbatim(void **state)
{
	struct bytes bytes = { 0 };
	struct notes notes;

	(void)state;
	bytes_note(&bytes, LSB, 4, "LINUX", NT_VMCOREDD, "device dump", 11);
	bytes_note(&bytes, LSB, 4, "NOBODY KNOWS", 0xdeadbeef, "\1\2\3", 3);
	bytes_note(&bytes, LSB, 4, "LINUX", NT_PRSTATUS, "no registers", 12);
	bytes_note(&bytes, LSB, 4, "VMCOREINFO", 1, "not it", 6);
	notes_init(&notes, LSB);
	append(&notes, &bytes, 4, 0, NULL);
	assert_int_equal(notes.len, bytes.len);
	assert_memory_equal(notes.buf, bytes.p, bytes.len);
	assert_int_equal(notes.nr_cpus, 0);
	assert_int_equal(notes.vmcoreinfo_len, 0);
	notes_deinit(&notes);
	bytes_free(&bytes);
}

static void test_vmcoreinfo_last_counts(void **state)
{
	struct bytes bytes = { 0 };
	struct notes notes;

	(void)state;
	bytes_note(&bytes, LSB, 4, "VMCOREINFO", 0, "A=1\n", 4);
	bytes_note(&bytes, LSB, 4, "VMCOREINFO", 0, "A=22\n", 5);
	notes_init(&notes, LSB);
	append(&notes, &bytes, 4, 0, NULL);
	assert_int_equal(notes.vmcoreinfo_len, 5);
	assert_int_equal(notes.vmcoreinfo_off, 28 + 24);
	assert_memory_equal(notes.buf + notes.vmcoreinfo_off, "A=22\n", 5);
	notes_deinit(&notes);
	bytes_free(&bytes);
}

/* A broken note costs itself and what follows it in its own segment. */
static void test_broken_kept_to_last_whole(void **state)
{
	struct bytes bytes = { 0 };
	struct fake_log log;
	struct notes notes;
	size_t whole;

	(void)state;
	bytes_prstatus(&bytes, FORMS[0], 1, 2);
	whole = bytes.len;
	bytes_nhdr(&bytes, LSB, 5, 0xfffffff0, 1);
	bytes_add_zeros(&bytes, 64);
	notes_init(&notes, LSB);
	append(&notes, &bytes, 4, 9, fake_log_init(&log));
	assert_int_equal(notes.nr_broken, 1);
	assert_int_equal(notes.nr_empty, 0);
	assert_int_equal(notes.nr_cpus, 1);
	assert_int_equal(notes.len, whole);
	assert_int_equal(log.nr[LOG_LEVEL_WARN], 1);
	assert_text(log.text, "PT_NOTE 9: the note at offset 356 overruns");
	notes_deinit(&notes);
	bytes_free(&bytes);
}

static void test_add(void **state)
{
	struct notes notes;
	struct note note;

	(void)state;
	notes_init(&notes, ELFDATA2MSB);
	assert_int_equal(notes_add(&notes, "KCAPTURE", 0x6b63, "xyz", 3), 0);
	assert_int_equal(note_next(ELFDATA2MSB, notes.buf, notes.len, 0, 4, &note), 1);
	assert_true(note_named(&note, "KCAPTURE"));
	assert_int_equal(note.type, 0x6b63);
	assert_memory_equal(note.desc, "xyz", 3);
	assert_int_equal(notes.len, 12 + 12 + 4);
	notes_deinit(&notes);
}

/* The buffer grows past its first 4096 bytes and keeps what it has. */
static void test_many(void **state)
{
	struct bytes bytes = { 0 };
	struct notes notes;

	(void)state;
	notes_init(&notes, LSB);
	for (uint32_t cpu = 0; cpu < 1000; cpu++) {
		bytes.len = 0;
		bytes_prstatus(&bytes, FORMS[0], cpu, cpu);
		append(&notes, &bytes, 4, cpu, NULL);
	}
	assert_int_equal(notes.nr_cpus, 1000);
	assert_int_equal(notes.len, 1000 * 356);
	for (uint32_t cpu = 0; cpu < 1000; cpu++)
		assert_int_equal(elf_get(LSB, notes.buf + notes.cpus[cpu].desc_off + 32, 4), cpu);
	notes_deinit(&notes);
	bytes_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iterate),
		cmocka_unit_test(test_end_of_buffer),
		cmocka_unit_test(test_overrun),
		cmocka_unit_test(test_exact_fit),
		cmocka_unit_test(test_missing_padding),
		cmocka_unit_test(test_align_8),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_unknown_kept_verbatim),
		cmocka_unit_test(test_vmcoreinfo_last_counts),
		cmocka_unit_test(test_broken_kept_to_last_whole),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
