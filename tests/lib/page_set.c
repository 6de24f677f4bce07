// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page sets as bitmaps, a bit a page frame, lowest first:
 *
 *   page_set ours CORE PREFIX [KEY...]  what page selection keeps of CORE at level N, in PREFIX.N for N of 0 to 31; lines of
 *                                  VMCOREINFO that begin with a KEY are not seen
 *   page_set one CORE PREFIX N [KEY...]  the same of level N alone
 *   page_set time CORE             how long it takes at level 31: prints page frames in memory, of these wanted, milliseconds
 *   page_set flat < DUMP > BITMAP  the second bitmap of a kdump file in makedumpfile's flattened form; its data is dropped
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/kernel.h"
#include "elfcore/pagemap.h"
#include "src/input.h"
#include "src/sys.h"

#define HEAD (64U << 20)	/* of a flattened dump: its headers and bitmaps are below */

static void print_line(struct log *log, enum log_level level, const char *line)
{
	(void)log, (void)level;
	fprintf(stderr, "page_set: %s\n", line);
}

static struct log to_stderr = { .emit = print_line };

static int die(const char *what)
{
	fprintf(stderr, "page_set: %s\n", what);
	return 1;
}

static int write_set(struct pagemap *pm, const char *prefix, unsigned int level)
{
	char name[4096];
	FILE *file;

	snprintf(name, sizeof(name), "%s.%u", prefix, level);
	file = fopen(name, "wb");
	if (!file)
		return die(name);
	for (pfn_t start = 0; start < pm->max_pfn; start += pm->nr_pages) {
		pagemap_window(pm, start);
		if (fwrite(pm->wanted, pm->nr_pages / 8, 1, file) != 1)
			return die(name);
	}
	printf("level %u: %llu of %llu, %llu unknown\n", level, (unsigned long long)pm->nr_wanted,
	       (unsigned long long)pm->nr_present, (unsigned long long)pm->nr_unknown);
	return fclose(file) ? die(name) : 0;
}

/* An empty line instead: as long as it was, but nobody looks for that. */
static void hide(struct vmcoreinfo *info, char **keys)
{
	for (; *keys; keys++)
		for (char *p = (char *)info->text; (p = memmem(p, info->text + info->len - p, *keys, strlen(*keys)));)
			*p = '-';
}

static int take_time(struct pagemap *pm)
{
	uint64_t start = now_ms();

	for (pfn_t pfn = 0; pfn < pm->max_pfn; pfn += pm->nr_pages)
		if (pagemap_window_exists(pm, pfn))
			pagemap_window(pm, pfn);
	printf("%llu %llu %llu\n", (unsigned long long)pm->nr_present, (unsigned long long)pm->nr_wanted,
	       (unsigned long long)(now_ms() - start));
	return 0;
}

/* Levels first to last; prefix NULL: time only. */
static int ours(const char *core, const char *prefix, unsigned int first, unsigned int last, char **keys)
{
	static struct input in;
	static struct kernel kernel;
	struct error err;

	if (input_file_open(&in, core, &to_stderr, &err))
		return die(err.text);
	hide(&in.crash.vmcoreinfo, keys);
	kernel_init(&kernel, &in.crash, &in.chain.mem, &to_stderr);
	for (unsigned int level = first; level <= last; level++) {
		struct pagemap pm;
		int rc;

		if (pagemap_init(&pm, &kernel, level, &to_stderr, &err))
			return die(err.text);
		if (!pm.classify && level > DUMP_LEVEL_ZERO && (first != last || !prefix))
			return die("no page can be told from another");
		rc = prefix ? write_set(&pm, prefix, level) : take_time(&pm);
		pagemap_deinit(&pm);
		if (rc)
			return rc;
	}
	input_close(&in);
	return 0;
}

static int read_flat(uint8_t *head)
{
	static uint8_t data[1U << 20];
	uint64_t record[2];

	if (!fread(data, 4096, 1, stdin) || memcmp(data, "makedumpfile", 12))
		return die("not a flattened dump");
	while (fread(record, sizeof(record), 1, stdin)) {
		uint64_t off = be64toh(record[0]), size = be64toh(record[1]);

		if (size == UINT64_MAX)
			return 0;
		while (size) {
			size_t piece = min_u64(size, sizeof(data));

			if (!fread(data, piece, 1, stdin))
				return die("the flattened dump ends early");
			if (off < HEAD)
				memcpy(head + off, data, min_u64(piece, HEAD - off));
			off += piece;
			size -= piece;
		}
	}
	return die("the flattened dump has no end");
}

/* The fields of disk_dump_header: block_size, sub_hdr_size, bitmap_blocks. */
static int flat(void)
{
	uint8_t *head = calloc(1, HEAD);
	uint32_t block, sub, blocks;
	size_t len;

	if (!head || read_flat(head))
		return 1;
	memcpy(&block, head + 428, 4);
	memcpy(&sub, head + 432, 4);
	memcpy(&blocks, head + 436, 4);
	len = (size_t)blocks * block / 2;
	if (memcmp(head, "KDUMP   ", 8) || (1 + sub) * (size_t)block + 2 * len > HEAD)
		return die("no kdump file");
	return fwrite(head + (1 + sub) * (size_t)block + len, len, 1, stdout) == 1 ? 0 : die("write");
}

int main(int argc, char **argv)
{
	if (argc >= 4 && !strcmp(argv[1], "ours"))
		return ours(argv[2], argv[3], 0, DUMP_LEVEL_MAX, argv + 4);
	if (argc >= 5 && !strcmp(argv[1], "one"))
		return ours(argv[2], argv[3], atoi(argv[4]), atoi(argv[4]), argv + 5);
	if (argc == 3 && !strcmp(argv[1], "time"))
		return ours(argv[2], NULL, DUMP_LEVEL_MAX, DUMP_LEVEL_MAX, argv + 3);
	if (argc == 2 && !strcmp(argv[1], "flat"))
		return flat();
	return die("wrong use");
}
