// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/mem_usage.h"

#include "src/input.h"
#include "src/memory_use.h"

static void row(FILE *out, const char *type, uint64_t nr, bool excludable, const char *description)
{
	fprintf(out, "%s\t%-16llu\t%s\t\t%s\n", type, (unsigned long long)nr, excludable ? "yes" : "no", description);
}

static void print_table(FILE *out, const struct memory_use *use)
{
	fputs("TYPE\t\tPAGES\t\t\tEXCLUDABLE\tDESCRIPTION\n"
	      "----------------------------------------------------------------------\n", out);
	row(out, "ZERO\t", use->nr_zero, true, "Pages filled with zero");
	row(out, "NON_PRI_CACHE", use->nr_class[PAGE_CACHE], true, "Cache pages without private flag");
	row(out, "PRI_CACHE", use->nr_class[PAGE_CACHE_PRIVATE], true, "Cache pages with private flag");
	row(out, "USER\t", use->nr_class[PAGE_USER], true, "User process pages");
	row(out, "FREE\t", use->nr_class[PAGE_FREE], true, "Free pages");
	row(out, "KERN_DATA", use->nr_class[PAGE_KEEP] - use->nr_zero, false, "Dumpable kernel data ");
	fprintf(out, "page size:\t\t%-16llu\n", (unsigned long long)use->page_size);
	fprintf(out, "Total pages on system:\t%-16llu\n", (unsigned long long)use->nr_pages);
	fprintf(out, "Total size on system:\t%-16llu Byte\n", (unsigned long long)(use->nr_pages * use->page_size));
}

int mem_usage(const char *path, FILE *out, struct log *log, struct error *err)
{
	static struct input in;
	struct memory_use use;
	struct kernel kernel;
	int rc = input_kcore_open(&in, path, log, err);

	if (rc)
		return rc;
	kernel_init(&kernel, &in.crash, &in.chain.mem, log);
	rc = memory_use_count(&use, &kernel, true, log, err);
	input_close(&in);
	if (!rc && out)
		print_table(out, &use);
	return rc;
}
