/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What machines and people want to know first of a crash: where it happened, on which CPU, in which task, how tainted the
 * kernel was. Everything may be missing. A plain structure without pointers: it can lie in shared memory.
 */
#ifndef ELFCORE_CRASH_FACTS_H
#define ELFCORE_CRASH_FACTS_H

#include "elfcore/signature.h"

#define FACTS_FRAMES 24
#define FACTS_FRAME_LEN 120

struct crash_facts {
	uint32_t cpu;			/* CPU_UNKNOWN */
	struct bt_task task;		/* pid -1 = unknown */
	vaddr_t ip;
	char frames[FACTS_FRAMES][FACTS_FRAME_LEN];	/* "function+0x1/0x2 [module]", innermost first */
	unsigned int nr_frames;
	char place[FACTS_FRAME_LEN];	/* the innermost frame that is not of every panic */
	struct signature signature;
	uint64_t taint;
	bool taint_known;
	char boot_id[37];		/* empty = none was made */
};

void crash_facts_init(struct crash_facts *facts);

/* From the symbols, and as far as bt knows modules and tasks. */
void crash_facts_read(struct crash_facts *facts, struct backtrace *bt);

/* "WOE": the letters that the kernel prints, of the bits that are set; "-" for none. */
#define TAINT_TEXT_MAX 32
void taint_text(uint64_t taint, char ret[TAINT_TEXT_MAX]);

#endif
