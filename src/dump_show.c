// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/dump_show.h"

#include <stdarg.h>
#include <string.h>

#include "src/memory_use.h"
#include "src/sys.h"

static const char spinner[] = "/|\\-";

static void emit(struct log *log, enum log_level level, const char *line)
{
	struct dump_show *show = container_of(log, struct dump_show, log);

	if (level <= LOG_LEVEL_WARN)
		dump_say(show, MESSAGE_ERROR, "%s", line);
	else
		dump_say(show, MESSAGE_DEBUG, "%s\n", line);
}

/* Two units at most: 59s, 1m30s, 2h5m, 1d3h. */
static void format_eta(uint64_t seconds, char *ret, size_t size)
{
	unsigned long long s = seconds;

	if (s < 60)
		snprintf(ret, size, "eta: %llus", s);
	else if (s < 3600)
		snprintf(ret, size, "eta: %llum%llus", s / 60, s % 60);
	else if (s < 86400)
		snprintf(ret, size, "eta: %lluh%llum", s / 3600, s / 60 % 60);
	else
		snprintf(ret, size, "eta: %llud%lluh", s / 86400, s / 3600 % 24);
}

static void print_line(struct dump_show *show, const char *phase, unsigned int permille, const char *eta)
{
	fprintf(stderr, "\r%-50s: [%3u.%u %%] %c%18s", phase, permille / 10, permille % 10, spinner[show->turns++ % 4], eta);
}

static void show_progress(struct progress *progress, const char *line)
{
	struct dump_show *show = container_of(progress, struct dump_show, progress);
	uint64_t elapsed = now_ms() - progress->start_ms, done = min_u64(progress->done, progress->total);
	char eta[40] = "";

	(void)line;
	if (done)
		format_eta((progress->total - done) / (done / max_u64(elapsed, 1) + 1) / 1000, eta, sizeof(eta));
	print_line(show, "Copying data", done * 1000 / max_u64(progress->total, 1), eta);
}

void dump_show_init(struct dump_show *show, const struct dump_options *opt)
{
	memset(show, 0, sizeof(*show));
	show->log.emit = emit;
	show->messages = opt->messages;
	show->out = opt->flat ? stderr : stdout;
	if (opt->messages & MESSAGE_PROGRESS)
		show->progress.show = show_progress;
}

void dump_say(const struct dump_show *show, unsigned int kind, const char *fmt, ...)
{
	va_list ap;

	if (!(show->messages & kind))
		return;
	va_start(ap, fmt);
	vfprintf(kind == MESSAGE_ERROR ? stderr : show->out, fmt, ap);
	va_end(ap);
	if (kind == MESSAGE_ERROR)
		fputc('\n', stderr);
}

void dump_show_done(struct dump_show *show)
{
	if (show->messages & MESSAGE_PROGRESS)
		print_line(show, "Copying data", 1000, "eta: 0s");
}

static void count_line(const struct dump_show *show, const char *what, uint64_t nr)
{
	dump_say(show, MESSAGE_REPORT, "    %-24s: 0x%016llx\n", what, (unsigned long long)nr);
}

static pfn_t max_pfn(const struct crash *crash, uint64_t page_size)
{
	paddr_t end = 0;

	for (unsigned int i = 0; i < crash->nr_segs; i++)
		if (crash->segs[i].paddr != PADDR_NONE)
			end = max_u64(end, crash->segs[i].paddr + crash->segs[i].memsz);
	return (end + page_size - 1) / page_size;
}

void dump_show_stats(const struct dump_show *show, struct capture *c)
{
	uint64_t zero, cache, private, user, free_pages, excluded, total;
	struct memory_use use;
	struct error err;

	if (!(show->messages & MESSAGE_REPORT))
		return;
	/* Of short gaps that are kept (plan->gap) zeros were counted, too: those that are wanted are not known then. */
	if (memory_use_count(&use, &c->kernel, c->plan.gap > 1, NULL, &err)) {
		dump_say(show, MESSAGE_REPORT, "\nNo statistics: %s\n", err.text);
		return;
	}
	cache = c->level & (DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE) ? use.nr_class[PAGE_CACHE] : 0;
	private = c->level & DUMP_LEVEL_CACHE_PRIVATE ? use.nr_class[PAGE_CACHE_PRIVATE] : 0;
	user = c->level & DUMP_LEVEL_USER ? use.nr_class[PAGE_USER] : 0;
	free_pages = c->level & DUMP_LEVEL_FREE ? use.nr_class[PAGE_FREE] : 0;
	zero = c->plan.gap > 1 ? use.nr_zero : c->nr_zero_bytes / use.page_size;
	zero = c->level & DUMP_LEVEL_ZERO ? zero : 0;
	excluded = zero + cache + private + user + free_pages + use.nr_poisoned + use.nr_class[PAGE_OFFLINE];
	excluded = min_u64(excluded, use.nr_pages);	/* a poisoned page is of a class, too */
	total = max_pfn(&c->in->crash, use.page_size);
	dump_say(show, MESSAGE_REPORT, "\nOriginal pages  : 0x%016llx\n  Excluded pages   : 0x%016llx\n",
		 (unsigned long long)use.nr_pages, (unsigned long long)excluded);
	count_line(show, "Pages filled with zero", zero);
	count_line(show, "Non-private cache pages", cache);
	count_line(show, "Private cache pages", private);
	count_line(show, "User process data pages", user);
	count_line(show, "Free pages", free_pages);
	count_line(show, "Hwpoison pages", use.nr_poisoned);
	count_line(show, "Offline pages", use.nr_class[PAGE_OFFLINE]);
	dump_say(show, MESSAGE_REPORT, "  Remaining pages  : 0x%016llx\n  (The number of pages is reduced to %llu%%.)\n"
		 "Memory Hole     : 0x%016llx\n--------------------------------------------------\n"
		 "Total pages     : 0x%016llx\nWrite bytes     : %llu\n\n", (unsigned long long)(use.nr_pages - excluded),
		 (unsigned long long)((use.nr_pages - excluded) * 100 / max_u64(use.nr_pages, 1)),
		 (unsigned long long)(total - use.nr_pages), (unsigned long long)total, (unsigned long long)c->plan.file_size);
}
