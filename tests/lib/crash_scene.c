// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/crash_scene.h"

#include <string.h>

void scene_init(struct scene *s, struct elf_form form)
{
	memset(s, 0, sizeof(*s));
	fake_mem_init(&s->mem);
	header_init(&s->header, form, EM_X86_64);
}

int scene_read(struct scene *s)
{
	struct crash_source source = { .mem = &s->mem.mem,
				       .size = s->size, .max_off = s->max_off, .notes_will_do = s->notes_will_do,
				       .unfiltered = s->unfiltered, .log = fake_log_init(&s->log) };
	struct bytes bytes = { 0 };

	header_build(&s->header, &bytes);
	bytes_add_zeros(&bytes, bytes.len < ELF_EHDR_MAX ? ELF_EHDR_MAX - bytes.len : 0);
	fake_mem_add(&s->mem, 0, bytes.p, s->cut ? s->cut : bytes.len);
	bytes_free(&bytes);
	return crash_read(&s->crash, &source, &s->err);
}

void scene_free(struct scene *s)
{
	crash_deinit(&s->crash);
	fake_mem_free(&s->mem);
	header_free(&s->header);
}

void scene_notes(struct scene *s, maddr_t at, const struct bytes *bytes)
{
	fake_mem_add(&s->mem, at, bytes->p, bytes->len);
	header_note(&s->header, at, bytes->len, 0);
}
