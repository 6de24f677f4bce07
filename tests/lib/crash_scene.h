/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of crash_read(): a header at address 0 of its own little memory.
 */
#ifndef TESTS_LIB_CRASH_SCENE_H
#define TESTS_LIB_CRASH_SCENE_H

#include "tests/lib/corebuilder.h"

struct scene {
	struct fake_mem mem;
	struct header header;
	struct fake_log log;
	struct crash crash;
	struct error err;
	uint64_t size;		/* said of the header, 0 = unknown */
	uint64_t max_off;	/* 0 = the usual one */
	bool notes_will_do, unfiltered;
	size_t cut;		/* bytes of the header that are there, 0 = all */
};

void scene_init(struct scene *s, struct elf_form form);
void scene_free(struct scene *s);

/* Put notes where a PT_NOTE of the header says they are. */
void scene_notes(struct scene *s, maddr_t at, const struct bytes *bytes);

/* Build the header and read it; what crash_read() returns. */
int scene_read(struct scene *s);

#endif
