// SPDX-License-Identifier: GPL-2.0-or-later
/* A kernel image that nobody vouches for: its ORC tables, its code and the stack all come from the input. */
#include "elfcore/unwind.h"
#include "tests/fuzz/fuzz.h"

#define BASE 0xffffffff81000000ULL

static vaddr_t function_start(struct orc *orc, vaddr_t ip)
{
	(void)orc;
	return ip & ~0x3fULL;
}

/* 6 bytes of orc_fp_entry, 2 + 2 + 2 bytes of places, the registers, and the image. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct unwind unwind;
	static struct orc orc;
	struct bytes_mem mem = { { &bytes_mem_ops }, NULL, 0 };
	struct segment seg = { .vaddr = BASE };
	struct crash crash = { .segs = &seg, .nr_segs = 1 };
	struct kernel kernel = { .crash = &crash, .mem = &mem.mem };
	struct unwind_frame frame;
	unsigned int nr = 0;

	if (size < 12 + 8 * NR_UNWIND_REGS)
		return 0;
	crash.ehdr.form.data = ELFDATA2LSB;
	mem.data = data + 12 + 8 * NR_UNWIND_REGS;
	mem.size = seg.filesz = seg.memsz = size - 12 - 8 * NR_UNWIND_REGS;
	orc_init(&orc, &kernel, data, 2 + (data[11] & 1));
	orc.function_start = data[11] & 2 ? function_start : NULL;
	orc_add_table(&orc, BASE + (data[6] | data[7] << 8), BASE + (data[8] | data[9] << 8), data[10]);
	unwind_init_regs(&unwind, &orc, data + 12);
	if (data[11] & 4)
		unwind_init_task(&unwind, &orc, BASE + data[12], 40, 48);
	while (unwind_next(&unwind, &frame))
		must(++nr <= UNWIND_MAX_FRAMES);
	must(unwind.end != UNWIND_RUNNING);
	must(!unwind_next(&unwind, &frame));
	orc_deinit(&orc);
	return 0;
}
