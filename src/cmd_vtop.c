// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "elfcore/memmap.h"
#include "elfcore/object.h"
#include "src/cmd.h"
#include "src/json.h"
#include "src/session.h"

static const char help[] =
	"usage: kcapture vtop [OPTIONS] CORE ADDR\n"
	"\n"
	"Translate a virtual address of the crashed kernel (or a symbol) through its page tables, entry by entry, and tell\n"
	"what the page behind it is by its struct page.\n"
	"\n"
	"      --json       one object\n"
	"  -h, --help       this text\n";

#define STRUCT_PAGE_MAX 256

struct answer {
	vaddr_t vaddr;
	paddr_t paddr;
	bool translated;	/* paddr is known */
	bool by_header;		/* by the core's header, for there is no page-table walk */
	struct table_step steps[ARCH_LEVELS_MAX];
	unsigned int nr_steps;
	vaddr_t page;		/* its struct page, 0 = none */
	const char *class;
	bool in_dump;
};

/* What the page is, when the kernel's page structures can be understood and are in the dump. */
static void look_at_page(struct session *s, struct answer *a)
{
	uint8_t page[STRUCT_PAGE_MAX], next[STRUCT_PAGE_MAX];
	struct page_layout layout;
	struct memmap memmap;
	struct memmap_span span;
	struct page_verdict verdict;
	struct error err;
	pfn_t pfn;

	if (!s->kernel.page_size ||
	    page_layout_init(&layout, &s->in.crash.vmcoreinfo, s->in.crash.ehdr.form.data, kernel_word_size(&s->kernel), &err) ||
	    layout.size > STRUCT_PAGE_MAX || memmap_init(&memmap, &s->kernel, &s->in.crash.vmcoreinfo, &layout, &err))
		return;
	pfn = a->paddr / s->kernel.page_size;
	memmap_find(&memmap, pfn, &span);
	if (!span.present)
		return;
	a->page = span.vaddr + (pfn - span.start) * layout.size;
	if (kernel_read_vaddr(&s->kernel, a->page, page, layout.size))
		return;
	verdict = page_classify(&layout, page,
				kernel_read_vaddr(&s->kernel, a->page + layout.size, next, layout.size) ? NULL : next);
	a->class = page_class_name(verdict.class);
}

static void translate(struct session *s, struct answer *a)
{
	struct kernel *kernel = &s->kernel;
	uint64_t len;
	uint8_t byte;

	if (kernel->can_translate) {
		a->translated = !kernel->arch->vtop(kernel, a->vaddr, &a->paddr, &len);
		if (kernel->arch->explain)
			a->nr_steps = kernel->arch->explain(kernel, a->vaddr, a->steps);
	}
	for (unsigned int i = 0; i < s->in.crash.nr_segs && !a->translated && !kernel->can_translate; i++) {
		const struct segment *seg = &s->in.crash.segs[i];

		a->translated = a->by_header = seg->paddr != PADDR_NONE && a->vaddr - seg->vaddr < seg->memsz;
		a->paddr = seg->paddr + (a->vaddr - seg->vaddr);
	}
	if (!a->translated)
		return;
	a->in_dump = !kernel_read_paddr(kernel, a->paddr, &byte, 1);
	look_at_page(s, a);
}

static void print_text(struct session *s, const struct answer *a)
{
	char text[KSYM_NAME_MAX + 128];

	printf("virtual   0x%016llx", (unsigned long long)a->vaddr);
	printf(symbols_format(&s->symbols, a->vaddr, text, sizeof(text)) ? " %s\n" : "\n", text);
	for (unsigned int i = 0; i < a->nr_steps; i++) {
		const struct table_step *step = &a->steps[i];

		printf("  %s at 0x%012llx  ", step->table, (unsigned long long)step->addr);
		if (step->readable)
			printf("0x%016llx  %s\n", (unsigned long long)step->entry, step->flags[0] ? step->flags : "not present");
		else
			puts("not in the dump");
	}
	if (!a->translated)
		return;
	printf("physical  0x%016llx%s%s\n", (unsigned long long)a->paddr, a->by_header ? " (by the core's header)" : "",
	       a->in_dump ? "" : ", not in the dump");
	if (a->page)
		printf("page      0x%016llx (pfn 0x%llx)%s%s\n", (unsigned long long)a->page,
		       (unsigned long long)(a->paddr / s->kernel.page_size), a->class ? ": " : ", not in the dump",
		       a->class ? a->class : "");
}

static void print_json(struct session *s, const struct answer *a)
{
	struct json json;

	json_init(&json, stdout);
	json_object(&json, NULL);
	json_address(&json, "virtual", a->vaddr);
	json_array(&json, "tables");
	for (unsigned int i = 0; i < a->nr_steps; i++) {
		json_object(&json, NULL);
		json_string(&json, "table", a->steps[i].table);
		json_address(&json, "address", a->steps[i].addr);
		if (a->steps[i].readable)
			json_address(&json, "entry", a->steps[i].entry);
		json_string(&json, "flags", a->steps[i].flags);
		json_end_object(&json);
	}
	json_end_array(&json);
	if (a->translated) {
		json_address(&json, "physical", a->paddr);
		json_int(&json, "pfn", s->kernel.page_size ? a->paddr / s->kernel.page_size : 0);
		json_bool(&json, "in_dump", a->in_dump);
		json_string(&json, "class", a->class);
	} else {
		json_null(&json, "physical");
	}
	json_end_object(&json);
	json_newline(&json);
}

int cmd_vtop(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct session s;
	struct answer answer = { 0 };
	struct error err;
	bool json = false;
	int opt, rc = 0;

	while ((opt = cmd_getopt(argc, argv, ":h", options, help, 2)) != -1) {
		switch (opt) {
		case 'j': json = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	if (session_open(&s, argv[optind], 0, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	if (session_address(&s, argv[optind + 1], &answer.vaddr, &err)) {
		rc = cmd_fail("%s: %s", s.path, err.text);
	} else {
		translate(&s, &answer);
		if (json)
			print_json(&s, &answer);
		else
			print_text(&s, &answer);
		if (!answer.translated)
			rc = cmd_fail("%s: 0x%llx is not mapped", s.path, (unsigned long long)answer.vaddr);
	}
	session_close(&s);
	return rc;
}
