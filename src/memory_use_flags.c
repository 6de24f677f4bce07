// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The second choice: /proc/kpageflags, a word of flags for each page frame (Documentation/admin-guide/mm/pagemap.rst). It
 * tells classes apart nearly as struct page does, and nothing about contents.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <string.h>
#include <unistd.h>

#include "src/memory_use.h"
#include "src/sys.h"

#ifndef KPF_OFFLINE
#define KPF_OFFLINE 23
#endif
#ifndef KPF_PRIVATE
#define KPF_PRIVATE 35		/* include/linux/kernel-page-flags.h, which is not the exported one */
#endif

static bool has(uint64_t flags, unsigned int bit)
{
	return flags >> bit & 1;
}

static enum page_class classify(uint64_t flags)
{
	if (has(flags, KPF_OFFLINE))
		return PAGE_OFFLINE;
	if (has(flags, KPF_BUDDY))
		return PAGE_FREE;
	if (has(flags, KPF_ANON) || has(flags, KPF_HUGE))
		return PAGE_USER;
	if (has(flags, KPF_LRU) && !has(flags, KPF_SLAB))
		return has(flags, KPF_PRIVATE) ? PAGE_CACHE_PRIVATE : PAGE_CACHE;
	return PAGE_KEEP;
}

int memory_use_from_flags(struct memory_use *use, const char *path, struct error *err)
{
	static uint64_t flags[8192];
	uint64_t start_ms = now_ms();
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail(err, -errno, "%s: %s", path, strerror(errno));
	memset(use, 0, sizeof(*use));
	use->page_size = getpagesize();
	while ((n = read(fd, flags, sizeof(flags))) > 0)
		for (size_t i = 0; i < n / sizeof(flags[0]); i++) {
			if (has(flags[i], KPF_NOPAGE))
				continue;
			use->nr_pages++;
			use->nr_class[classify(flags[i])]++;
		}
	close(fd);
	use->classify_ms = now_ms() - start_ms;
	return use->nr_pages ? 0 : fail(err, -ENODATA, "%s tells nothing: root rights are needed", path);
}
