// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/object.h"
#include "src/html.h"
#include "src/memory_use.h"
#include "src/report.h"

/* Looking for zero pages reads every page that the kernel keeps: up to that many it is done. */
#define ZEROS_MAX_PAGES (4U << 20)

#define BAR_WIDTH 1000
#define BAR_HEIGHT 64

enum owner { OWNER_FREE, OWNER_CACHE, OWNER_USER, OWNER_SLAB, OWNER_KERNEL, OWNER_ZERO, OWNER_OFFLINE, NR_OWNERS };

static const struct {
	const char *name, *color;
} owners[NR_OWNERS] = {
	[OWNER_FREE] = { "free", "--free" },
	[OWNER_CACHE] = { "page cache", "--cache" },
	[OWNER_USER] = { "user", "--user" },
	[OWNER_SLAB] = { "slab", "--slab" },
	[OWNER_KERNEL] = { "kernel", "--kernel" },
	[OWNER_ZERO] = { "kernel, zero", "--zero" },
	[OWNER_OFFLINE] = { "offline", "--offline" },
};

/* Pages in slab caches, by the kernel's own count (enum node_stat_item). */
static uint64_t slab_pages(struct report *r)
{
	static const char *const items[] = { "NR_SLAB_RECLAIMABLE_B", "NR_SLAB_UNRECLAIMABLE_B", "NR_SLAB_RECLAIMABLE",
					     "NR_SLAB_UNRECLAIMABLE" };
	struct session *s = &r->session;
	uint64_t pages = 0, n;
	vaddr_t stats;
	int64_t index;

	if (!(s->have & SESSION_TYPES) || symbols_find(&s->symbols, "vm_node_stat", &stats))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		if (!btf_enum_value(&s->btf, "node_stat_item", items[i], &index) && index >= 0 && index < 256 &&
		    !kernel_read_word(&s->kernel, stats + 8 * index, &n) && n < 1ULL << 52)
			pages += n;
	return pages;
}

static void by_owner(struct report *r, const struct memory_use *use, uint64_t pages[NR_OWNERS])
{
	uint64_t kept = use->nr_class[PAGE_KEEP];

	pages[OWNER_FREE] = use->nr_class[PAGE_FREE];
	pages[OWNER_CACHE] = use->nr_class[PAGE_CACHE] + use->nr_class[PAGE_CACHE_PRIVATE];
	pages[OWNER_USER] = use->nr_class[PAGE_USER];
	pages[OWNER_OFFLINE] = use->nr_class[PAGE_OFFLINE];
	pages[OWNER_ZERO] = min_u64(use->nr_zero, kept);
	kept -= pages[OWNER_ZERO];
	pages[OWNER_SLAB] = min_u64(slab_pages(r), kept);
	pages[OWNER_KERNEL] = kept - pages[OWNER_SLAB];
}

static void chart(struct report *r, const uint64_t pages[NR_OWNERS], uint64_t total, uint64_t page_size)
{
	uint64_t before = 0;
	char bytes[32], text[160];

	html(r->out, "<svg viewBox=\"0 0 1000 64\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"memory by owner\" "
	     "style=\"height:3.6rem\">\n<clipPath id=\"round\"><rect width=\"1000\" height=\"64\" rx=\"8\"/></clipPath>"
	     "<g clip-path=\"url(#round)\">\n");
	for (unsigned int i = 0; i < NR_OWNERS; i++) {
		uint64_t x = before * BAR_WIDTH / total, end = (before + pages[i]) * BAR_WIDTH / total;

		before += pages[i];
		if (end == x)
			continue;
		html_bytes(pages[i] * page_size, bytes);
		snprintf(text, sizeof(text), "<rect x=\"%llu\" width=\"%llu\" height=\"%u\" style=\"fill:var(%s)\"><title>%s: %s"
			 "</title></rect>\n", (unsigned long long)x, (unsigned long long)(end - x), BAR_HEIGHT, owners[i].color,
			 owners[i].name, bytes);
		fputs(text, r->out);
	}
	html(r->out, "</g></svg>\n<ul class=\"legend\">\n");
	for (unsigned int i = 0; i < NR_OWNERS; i++) {
		if (!pages[i])
			continue;
		html_bytes(pages[i] * page_size, bytes);
		snprintf(text, sizeof(text), "%llu %%", (unsigned long long)((pages[i] * 100 + total / 2) / total));
		html(r->out, "<li><span style=\"background:var(%s)\"></span>%s <b>%s</b> <i class=\"dim\">%s</i></li>\n",
		     owners[i].color, owners[i].name, bytes, text);
	}
	html(r->out, "</ul>\n");
}

static uint64_t pages_of_memory(const struct session *s)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < s->in.crash.nr_segs; i++)
		bytes += s->in.crash.segs[i].paddr == PADDR_NONE ? 0 : s->in.crash.segs[i].memsz;
	return s->kernel.page_size ? bytes / s->kernel.page_size : 0;
}

void report_memory(struct report *r)
{
	static struct memory_use use;
	uint64_t pages[NR_OWNERS];
	struct error err;
	char bytes[32];

	report_section(r, "memory", "Memory");
	if (memory_use_count(&use, &r->session.kernel, pages_of_memory(&r->session) <= ZEROS_MAX_PAGES, NULL, &err)) {
		report_missing(r, err.text);
	} else if (use.nr_pages) {
		by_owner(r, &use, pages);
		html_bytes(use.nr_pages * use.page_size, bytes);
		html(r->out, "<p class=\"dim\">%s by what it was used for</p>\n", bytes);
		chart(r, pages, use.nr_pages, use.page_size);
	} else {
		report_missing(r, "There is no memory in it, only notes.");
	}
	html(r->out, "</section>\n");
}
