// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/capture_note.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
	char *p;
	size_t len, size;
};

/* Append a whole piece or nothing. */
static bool add(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool add(struct text *text, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text->p + text->len, text->size - text->len, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= text->size - text->len)
		return false;
	text->len += len;
	return true;
}

/* CPUs in note order, runs folded; a map that does not fit is left out whole rather than cut. */
static void add_cpus(struct text *text, const struct notes *notes)
{
	size_t start = text->len;
	bool fits = true;

	if (!notes->nr_cpus || notes->cpus[0].cpu == CPU_UNKNOWN)
		return;
	for (unsigned int i = 0; i < notes->nr_cpus && fits;) {
		unsigned int n = 1;

		while (i + n < notes->nr_cpus && notes->cpus[i + n].cpu == notes->cpus[i].cpu + n)
			n++;
		fits = add(text, "%s%u", i ? "," : "CPUS=", notes->cpus[i].cpu);
		if (fits && n > 1)
			fits = add(text, "-%u", notes->cpus[i].cpu + n - 1);
		i += n;
	}
	if (!fits || text->size - text->len < CAPTURE_NOTE_SIZE / 2 || !add(text, "\n"))
		text->len = start;
}

/* The label that the dead kernel knew a source address by. */
static paddr_t paddr_of(const struct plan *plan, maddr_t src)
{
	for (unsigned int i = 0; i < plan->nr_loads; i++) {
		const struct segment *seg = &plan->loads[i].seg;

		if (seg->paddr != PADDR_NONE && src >= seg->src && src - seg->src < seg->filesz)
			return seg->paddr + (src - seg->src);
	}
	return src;
}

static void add_holes(struct text *text, const struct plan *plan, const struct holes *holes)
{
	add(text, "HOLES=%llu %llu\n", (unsigned long long)holes->nr_ranges, (unsigned long long)holes->nr_bytes);
	for (unsigned int i = 0; i < holes->nr; i++) {
		const struct hole *hole = &holes->list[i];
		paddr_t start = paddr_of(plan, hole->start);

		if (!add(text, "HOLE=0x%llx-0x%llx %d\n", (unsigned long long)start,
			 (unsigned long long)(start + (hole->end - hole->start)), -hole->error))
			return;
	}
}

/* Nothing to explain: such a note is the same whatever happened, and can be written before it has. */
static bool is_clean(const struct core_result *result)
{
	return !result->status && !(result->holes && result->holes->nr_ranges);
}

static void add_circumstances(struct text *text, const struct core_result *result)
{
	if (result->sources)
		add(text, "SOURCES=%s\n", result->sources);
	add(text, "DURATION_MS=%llu\n", (unsigned long long)result->duration_ms);
}

void capture_note_format(char desc[CAPTURE_NOTE_SIZE], const struct plan *plan, const struct core_result *result)
{
	struct text text = { desc, 0, CAPTURE_NOTE_SIZE };
	const struct notes *notes = &plan->crash->notes;

	add(&text, "VERSION=1\n");
	add_cpus(&text, notes);
	add(&text, "CPUS_EMPTY=%u\n", notes->nr_empty);
	add(&text, "LEVEL=%u\n", plan->level);
	if (plan->level_done != plan->level)
		add(&text, "LEVEL_DONE=%u\nREASON=%s\n", plan->level_done, plan->level_why);
	if (!result) {
		add(&text, "STATUS=incomplete\n");
	} else {
		if (result->status)
			add(&text, "STATUS=incomplete %d\n", -result->status);
		else
			add(&text, "STATUS=%scomplete\n", plan->crash->ehdr.flags & EF_DUMP_INCOMPLETE ? "in" : "");
		if (!is_clean(result))
			add_circumstances(&text, result);
		if (result->holes)
			add_holes(&text, plan, result->holes);
	}
	memset(desc + text.len, '\n', CAPTURE_NOTE_SIZE - text.len);
}

static void make_header(const struct plan *plan, uint8_t header[CAPTURE_NOTE_HEADER])
{
	struct elf_nhdr nhdr = { sizeof(CAPTURE_NOTE_NAME), CAPTURE_NOTE_SIZE, CAPTURE_NOTE_TYPE };

	memset(header, 0, CAPTURE_NOTE_HEADER);
	elf_nhdr_encode(plan->crash->notes.data, &nhdr, header);
	memcpy(header + ELF_NHDR_SIZE, CAPTURE_NOTE_NAME, sizeof(CAPTURE_NOTE_NAME));
}

int capture_note_write(struct sink *sink, uint64_t off, const struct plan *plan, const struct core_result *result,
		       char desc[CAPTURE_NOTE_SIZE])
{
	uint8_t header[CAPTURE_NOTE_HEADER];

	make_header(plan, header);
	capture_note_format(desc, plan, result);
	sink_write(sink, off, header, sizeof(header));
	return sink_write(sink, off + sizeof(header), desc, CAPTURE_NOTE_SIZE);
}

void capture_note_expect(struct sink *sink, uint64_t off, const struct plan *plan, char desc[CAPTURE_NOTE_SIZE])
{
	const struct holes none = { 0 };
	const struct core_result clean = { .holes = &none };
	uint8_t header[CAPTURE_NOTE_HEADER];

	make_header(plan, header);
	capture_note_format(desc, plan, &clean);
	sink_expect(sink, off, header, sizeof(header));
	sink_expect(sink, off + sizeof(header), desc, CAPTURE_NOTE_SIZE);
}

bool capture_note_find(const struct notes *notes, struct vmcoreinfo *ret)
{
	struct note note;
	bool found = false;

	for (size_t off = 0; note_next(notes->data, notes->buf, notes->len, off, 4, &note) > 0; off += note.len) {
		if (note.type != CAPTURE_NOTE_TYPE || !note_named(&note, CAPTURE_NOTE_NAME))
			continue;
		ret->text = (const char *)note.desc;
		ret->len = note.descsz;
		found = true;
	}
	return found;
}

void capture_note_attribute_cpus(struct notes *notes)
{
	char list[CAPTURE_NOTE_SIZE], *p = list;
	struct vmcoreinfo lines;
	unsigned int i = 0;

	if (!capture_note_find(notes, &lines) || !vmcoreinfo_string(&lines, "CPUS", list, sizeof(list)))
		return;
	while (*p && i < notes->nr_cpus) {
		char *start = p;
		uint32_t first = strtoul(start, &p, 10), last = first;

		if (p == start)
			break;
		if (*p == '-')
			last = strtoul(p + 1, &p, 10);
		for (uint32_t cpu = first; cpu <= last && i < notes->nr_cpus; cpu++)
			notes->cpus[i++].cpu = cpu;
		if (*p != ',')
			break;
		p++;
	}
}
