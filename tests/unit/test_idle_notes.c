// SPDX-License-Identifier: GPL-2.0-or-later
/* The notes by which gdb tells CPUs that idled apart: added before their registers, and dropped when they are read again. */
#include "elfcore/idle_notes.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/unit.h"

#define PRSTATUS_SIZE 336

/* Registers of a task on a CPU. */
static void add_cpu(struct notes *notes, uint32_t pid, uint32_t cpu)
{
	uint8_t desc[PRSTATUS_SIZE] = { 0 };
	struct note note = { .type = NT_PRSTATUS, .name = "CORE", .namesz = 5, .desc = desc, .descsz = sizeof(desc) };

	elf_put(ELFDATA2LSB, desc + 32, 4, pid);
	desc[200] = 0x40 + cpu;
	assert_int_equal(notes_copy(notes, &note, cpu), 0);
}

/* "type:pid ..." of all notes. */
static const char *list(const struct notes *notes)
{
	static char text[256];
	struct note note;
	size_t len = 0;

	text[0] = 0;
	for (size_t off = 0; note_next(notes->data, notes->buf, notes->len, off, 4, &note) > 0; off += note.len)
		len += snprintf(text + len, sizeof(text) - len, "%u:%llx ", note.type, (unsigned long long)
				elf_get(notes->data, note.desc + (note.type == NT_PRSTATUS ? 32 : note.type == NT_PRPSINFO ? 24 : 0), 4));
	return text;
}

static void numbered_and_dropped(void **state)
{
	struct notes notes, more, again;

	(void)state;
	notes_init(&notes, ELFDATA2LSB);
	add_cpu(&notes, 0, CPU_UNKNOWN);
	add_cpu(&notes, 156, 1);
	add_cpu(&notes, 0, 5);
	assert_int_equal(notes_add(&notes, "VMCOREINFO", 0, "KEY=1", 5), 0);
	assert_int_equal(idle_notes_add(&notes, &more), 0);
	assert_string_equal(list(&more), "3:40000000 1:0 1:9c 3:40000005 1:0 0:3d59454b ");
	assert_int_equal(more.nr_cpus, 3);
	assert_int_equal(more.cpus[2].cpu, 5);
	assert_int_equal(more.buf[more.cpus[2].desc_off + 200], 0x45);
	assert_int_equal(more.vmcoreinfo_len, 5);

	notes_init(&again, ELFDATA2LSB);
	assert_int_equal(notes_append(&again, more.buf, more.len, 4, CPU_UNKNOWN, NULL), 0);
	assert_int_equal(again.len, notes.len);
	assert_memory_equal(again.buf, notes.buf, notes.len);
	notes_deinit(&again);
	notes_deinit(&more);
	notes_deinit(&notes);
}

/* Somebody else's NT_PRPSINFO, and one too short, stay; registers of another layout get no number. */
static void others_stay(void **state)
{
	uint8_t desc[136] = { 0 };
	struct notes notes, more;

	(void)state;
	notes_init(&notes, ELFDATA2LSB);
	elf_put(ELFDATA2LSB, desc + 24, 4, 4000000);
	assert_int_equal(notes_add(&notes, "CORE", NT_PRPSINFO, desc, sizeof(desc)), 0);
	assert_int_equal(notes_add(&notes, "CORE", NT_PRPSINFO, desc, 28), 0);
	assert_int_equal(notes_add(&notes, "CORE", NT_PRSTATUS, desc, 100), 0);
	assert_int_equal(idle_notes_add(&notes, &more), 0);
	assert_int_equal(more.len, notes.len);
	notes_deinit(&more);
	notes_init(&more, ELFDATA2LSB);
	assert_int_equal(notes_append(&more, notes.buf, notes.len, 4, CPU_UNKNOWN, NULL), 0);
	assert_int_equal(more.len, notes.len);
	notes_deinit(&more);
	notes_deinit(&notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbered_and_dropped),
		cmocka_unit_test(others_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
