// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/notes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/idle_notes.h"

int note_next(uint8_t data, const uint8_t *buf, size_t len, size_t off, unsigned int align, struct note *ret)
{
	size_t left = off < len ? len - off : 0;
	struct elf_nhdr nhdr;
	uint64_t name_end, desc_off;

	if (left < ELF_NHDR_SIZE)
		return 0;
	elf_nhdr_decode(data, buf + off, &nhdr);
	if (!nhdr.namesz)
		return 0;
	name_end = ELF_NHDR_SIZE + (uint64_t)nhdr.namesz;
	desc_off = round_up(name_end, align);
	if ((nhdr.descsz ? desc_off + nhdr.descsz : name_end) > left)
		return -EINVAL;
	ret->type = nhdr.type;
	ret->name = (const char *)buf + off + ELF_NHDR_SIZE;
	ret->namesz = nhdr.namesz;
	ret->desc = buf + off + min_u64(desc_off, left);
	ret->descsz = nhdr.descsz;
	ret->off = off;
	ret->len = min_u64(round_up(desc_off + nhdr.descsz, align), left);
	return 1;
}

bool note_named(const struct note *note, const char *name)
{
	size_t len = strlen(name);

	return note->namesz >= len && note->namesz <= len + 1 && !memcmp(note->name, name, len) &&
	       (note->namesz == len || !note->name[len]);
}

void notes_init(struct notes *notes, uint8_t data)
{
	memset(notes, 0, sizeof(*notes));
	notes->data = data;
}

void notes_deinit(struct notes *notes)
{
	free(notes->buf);
	free(notes->cpus);
	memset(notes, 0, sizeof(*notes));
}

static int reserve(struct notes *notes, size_t more)
{
	size_t cap = notes->cap ? notes->cap : 4096;
	uint8_t *buf;

	while (cap - notes->len < more)
		cap *= 2;
	if (cap == notes->cap)
		return 0;
	buf = realloc(notes->buf, cap);
	if (!buf)
		return -ENOMEM;
	notes->buf = buf;
	notes->cap = cap;
	return 0;
}

static int add_cpu(struct notes *notes, uint32_t cpu, size_t desc_off, uint32_t descsz)
{
	if (notes->nr_cpus == notes->cap_cpus) {
		unsigned int cap = notes->cap_cpus ? 2 * notes->cap_cpus : 16;
		struct cpu_note *cpus = realloc(notes->cpus, cap * sizeof(*cpus));

		if (!cpus)
			return -ENOMEM;
		notes->cpus = cpus;
		notes->cap_cpus = cap;
	}
	notes->cpus[notes->nr_cpus++] = (struct cpu_note){ cpu, desc_off, descsz };
	return 0;
}

/* Copy one note with its padding made four bytes and zero. */
int notes_copy(struct notes *notes, const struct note *note, uint32_t cpu)
{
	struct elf_nhdr nhdr = { note->namesz, note->descsz, note->type };
	size_t name_len = round_up(note->namesz, 4), desc_len = round_up(note->descsz, 4);
	size_t len = ELF_NHDR_SIZE + name_len + desc_len;
	size_t desc_off = notes->len + ELF_NHDR_SIZE + name_len;
	uint8_t *p;

	if (reserve(notes, len))
		return -ENOMEM;
	p = notes->buf + notes->len;
	memset(p, 0, len);
	elf_nhdr_encode(notes->data, &nhdr, p);
	memcpy(p + ELF_NHDR_SIZE, note->name, note->namesz);
	memcpy(notes->buf + desc_off, note->desc, note->descsz);
	notes->len += len;

	if (note->type == NT_PRSTATUS && note_named(note, "CORE"))
		return add_cpu(notes, cpu, desc_off, note->descsz);
	if (note->type == 0 && note_named(note, "VMCOREINFO")) {
		notes->vmcoreinfo_off = desc_off;
		notes->vmcoreinfo_len = note->descsz;
	}
	return 0;
}

int notes_append(struct notes *notes, const uint8_t *buf, size_t len, unsigned int align, uint32_t cpu, struct log *log)
{
	struct note note;
	size_t off = 0;
	int rc;

	while ((rc = note_next(notes->data, buf, len, off, align, &note)) > 0) {
		rc = idle_note_is(notes->data, &note) ? 0 : notes_copy(notes, &note, cpu);
		if (rc)
			return rc;
		off += note.len;
	}
	if (rc < 0) {
		notes->nr_broken++;
		log_warn(log, "PT_NOTE %u: the note at offset %zu overruns the %zu bytes of its segment, dropped",
			 cpu, off, len);
	} else if (!off) {
		notes->nr_empty++;
	}
	return 0;
}

int notes_add(struct notes *notes, const char *name, uint32_t type, const void *desc, uint32_t descsz)
{
	struct note note = {
		.type = type,
		.name = name,
		.namesz = strlen(name) + 1,
		.desc = desc,
		.descsz = descsz,
	};

	return notes_copy(notes, &note, CPU_UNKNOWN);
}
