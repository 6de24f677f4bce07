// SPDX-License-Identifier: GPL-2.0-or-later
/* Any kdump-compressed file: whatever its headers, bitmaps, descriptors and pages say, it is read or refused. */
#include "tests/fuzz/fuzz.h"

#include "elfcore/kdump_crash.h"
#include "elfcore/kernel.h"

static void ignore_row(struct mem_facts *facts, const char *key, const char *text)
{
	(void)facts;
	must(key && text);
}

/*
 * What is there by present() is read or fails, what is not is -ENODATA; a part of a page is what the whole page has
 * there.
 */
static void read_pages(struct mem_kdump *kdump)
{
	static uint8_t page[1 << 20], part[100];
	unsigned int budget = 64;

	for (pfn_t pfn = 0; pfn < kdump->max_pfn && budget; budget--) {
		uint64_t run, addr = pfn * kdump->page_size;
		struct error err;
		bool present = mem_present(&kdump->mem, addr, (kdump->max_pfn - pfn) * kdump->page_size, &run);
		int rc = mem_kdump_page(kdump, pfn, page, &err);

		must(run);
		must(present || rc == -ENODATA);
		if (!rc) {
			must(!mem_read(&kdump->mem, addr + 50, part, sizeof(part)));
			must(!memcmp(part, page + 50, sizeof(part)));
		}
		pfn += present ? 1 : (run + kdump->page_size - 1) / kdump->page_size;
	}
}

static void read_dump(struct mem_kdump *kdump)
{
	struct mem_facts facts = { ignore_row };
	struct kernel kernel;
	struct crash crash;
	struct error err;

	read_pages(kdump);
	mem_get_facts(&kdump->mem, &facts);
	mem_check_whole(&kdump->mem, &err);
	if (kdump_crash(&crash, kdump, NULL, &err))
		return;
	must(crash.nr_segs && crash.nr_segs <= KDUMP_CRASH_MAX_SEGS + 1);
	for (unsigned int i = 0; i < crash.nr_segs; i++)
		must(crash.segs[i].memsz && crash.segs[i].src == crash.segs[i].paddr);
	kernel_init(&kernel, &crash, &kdump->mem, NULL);
	crash_deinit(&crash);
}

/* The first byte says after how much of the rest the second piece begins, 0 = there is none. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cut = size ? (size - 1) * data[0] / 256 : 0;
	struct bytes_mem mems[2] = {
		{ .mem.ops = &bytes_mem_ops, .data = data + 1 + cut, .size = size ? size - 1 - cut : 0 },
		{ .mem.ops = &bytes_mem_ops, .data = data + 1, .size = cut },
	};
	struct kdump_file files[2] = { { &mems[0].mem, "a" }, { &mems[1].mem, "b" } };
	static struct mem_kdump kdump;
	struct error err;

	if (!mem_kdump_open(&kdump, files, cut ? 2 : 1, NULL, &err)) {
		read_dump(&kdump);
		mem_close(&kdump.mem);
	}
	return 0;
}
