// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any PT_NOTE contents: nothing is read outside of them, and what is merged can be parsed again, note by note. The
 * first byte says the byte order, the alignment, and where the rest is cut in two segments.
 */
#include "tests/fuzz/fuzz.h"

#include "elfcore/capture_note.h"
#include "elfcore/notes.h"
#include "elfcore/vmcoreinfo.h"

static unsigned int count_notes(uint8_t data, const uint8_t *buf, size_t len, unsigned int align)
{
	struct note note;
	unsigned int nr = 0;

	for (size_t off = 0; note_next(data, buf, len, off, align, &note) > 0; off += note.len, nr++) {
		must(note.len > 0 && note.off == off && note.len <= len - off);
		must((const uint8_t *)note.name + note.namesz <= buf + len);
		must(note.desc >= buf && note.desc + note.descsz <= buf + len);
	}
	return nr;
}

static void check_merged(const struct notes *notes, unsigned int expected)
{
	struct note note;
	size_t off = 0;
	int rc;

	must(count_notes(notes->data, notes->buf, notes->len, 4) == expected);
	while ((rc = note_next(notes->data, notes->buf, notes->len, off, 4, &note)) > 0)
		off += note.len;
	must(!rc && off == notes->len);
	for (unsigned int i = 0; i < notes->nr_cpus; i++)
		must(notes->cpus[i].desc_off + notes->cpus[i].descsz <= notes->len);
	must(notes->vmcoreinfo_off + notes->vmcoreinfo_len <= notes->len);
}

static void look_up(const struct notes *notes)
{
	static const char *const keys[] = { "OSRELEASE", "PAGESIZE", "NUMBER(phys_base)", "CRASHTIME", "", "CPUS" };
	struct vmcoreinfo info = { "", notes->vmcoreinfo_len };

	if (info.len)
		info.text = (const char *)notes->buf + notes->vmcoreinfo_off;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char text[40];
		uint64_t hex;
		int64_t number;

		if (vmcoreinfo_string(&info, keys[i], text, sizeof(text)))
			must(memchr(text, 0, sizeof(text)));
		vmcoreinfo_hex(&info, keys[i], &hex);
		vmcoreinfo_number(&info, keys[i], &number);
	}
}

/* Copies without room behind them, so that the sanitizer sees the first byte too many. */
static unsigned int append(struct notes *notes, const uint8_t *data, size_t size, unsigned int align, uint32_t cpu)
{
	uint8_t *copy = malloc(size ? size : 1);
	unsigned int nr;

	must(copy);
	memcpy(copy, data, size);
	nr = count_notes(notes->data, copy, size, align);
	must(!notes_append(notes, copy, size, align, cpu, NULL));
	free(copy);
	return nr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct notes notes;
	unsigned int nr, align;
	size_t cut;

	if (!size)
		return 0;
	align = data[0] & 2 ? 8 : 4;
	cut = (size - 1) * (data[0] >> 2) / 64;
	notes_init(&notes, data[0] & 1 ? ELFDATA2MSB : ELFDATA2LSB);
	nr = append(&notes, data + 1, cut, align, 0);
	nr += append(&notes, data + 1 + cut, size - 1 - cut, align, 1);
	check_merged(&notes, nr);
	look_up(&notes);
	capture_note_attribute_cpus(&notes);
	notes_deinit(&notes);
	return 0;
}
