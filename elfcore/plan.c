// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/idle_notes.h"

static int compare_ranges(const void *a, const void *b)
{
	const struct plan_range *x = a, *y = b;

	return x->src < y->src ? -1 : x->src > y->src;
}

static void merge_ranges(struct plan *plan)
{
	unsigned int nr = 0;

	qsort(plan->ranges, plan->nr_ranges, sizeof(*plan->ranges), compare_ranges);
	for (unsigned int i = 0; i < plan->nr_ranges; i++) {
		const struct plan_range *r = &plan->ranges[i];
		struct plan_range *last = nr ? &plan->ranges[nr - 1] : NULL;

		if (last && r->src <= last->src + last->len)
			last->len = max_u64(last->len, r->src + r->len - last->src);
		else
			plan->ranges[nr++] = *r;
	}
	plan->nr_ranges = nr;
}

int plan_make_ranges(struct plan *plan)
{
	free(plan->ranges);
	plan->nr_ranges = 0;
	plan->ranges = calloc(plan->nr_loads ? plan->nr_loads : 1, sizeof(*plan->ranges));
	if (!plan->ranges)
		return -ENOMEM;
	for (unsigned int i = 0; i < plan->nr_loads; i++) {
		const struct segment *seg = &plan->loads[i].seg;

		if (seg->filesz)
			plan->ranges[plan->nr_ranges++] = (struct plan_range){ .src = seg->src, .len = seg->filesz };
	}
	merge_ranges(plan);
	return 0;
}

int plan_add_load(struct plan *plan, const struct segment *seg)
{
	if (plan->nr_loads == plan->cap_loads) {
		unsigned int cap = plan->cap_loads + plan->cap_loads / 2 + 64;
		struct plan_load *loads = realloc(plan->loads, cap * sizeof(*loads));

		if (!loads)
			return -ENOMEM;
		plan->loads = loads;
		plan->cap_loads = cap;
	}
	plan->loads[plan->nr_loads++] = (struct plan_load){ .seg = *seg };
	return 0;
}

/*
 * Segments without a physical address are aliases when their data belongs to others: those are made anew, or not. All
 * others (/proc/kcore has such ones) are data.
 */
static int add_unlabelled(struct plan *plan)
{
	const struct crash *crash = plan->crash;
	unsigned int nr = plan->nr_loads;
	int rc = 0;

	for (unsigned int i = 0; i < crash->nr_segs && !rc; i++) {
		const struct segment *seg = &crash->segs[i];
		const struct plan_range *r = plan_find(plan, seg->src);

		if (seg->paddr == PADDR_NONE && !(r && seg->filesz <= r->src + r->len - seg->src))
			rc = plan_add_load(plan, seg);
	}
	return rc || plan->nr_loads == nr ? rc : plan_make_ranges(plan);
}

int plan_init(struct plan *plan, const struct crash *crash, uint64_t page_size, struct error *err)
{
	int rc = 0;

	memset(plan, 0, sizeof(*plan));
	plan->crash = crash;
	plan->form = crash->ehdr.form;
	plan->page_size = page_size;
	for (unsigned int i = 0; i < crash->nr_segs && !rc; i++)
		if (crash->segs[i].paddr != PADDR_NONE)
			rc = plan_add_load(plan, &crash->segs[i]);
	if (!rc)
		rc = plan_make_ranges(plan);
	if (!rc)
		rc = add_unlabelled(plan);
	if (!rc)
		return 0;
	plan_deinit(plan);
	return fail(err, rc, "no memory to plan %u segments", crash->nr_segs);
}

void plan_deinit(struct plan *plan)
{
	free(plan->loads);
	free(plan->ranges);
	notes_deinit(&plan->own_notes);
	memset(plan, 0, sizeof(*plan));
}

void plan_number_idle(struct plan *plan)
{
	const struct elf_ehdr *ehdr = &plan->crash->ehdr;

	if (ehdr->machine == EM_X86_64 && ehdr->form.class == ELFCLASS64 &&
	    idle_notes_add(&plan->crash->notes, &plan->own_notes))
		notes_deinit(&plan->own_notes);
}

const struct plan_range *plan_find(const struct plan *plan, maddr_t src)
{
	unsigned int low = 0, high = plan->nr_ranges;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;
		const struct plan_range *r = &plan->ranges[mid];

		if (src < r->src)
			high = mid;
		else if (src - r->src >= r->len)
			low = mid + 1;
		else
			return r;
	}
	return NULL;
}

static void layout_headers(struct plan *plan, uint64_t notes_len)
{
	uint64_t nr_phdrs = 1 + (uint64_t)plan->nr_loads;
	uint64_t end = elf_ehdr_size(plan->form) + nr_phdrs * elf_phdr_size(plan->form);

	if (nr_phdrs >= PN_XNUM)
		end += elf_shdr_size(plan->form);
	plan->notes_off = round_up(end, 4);
	plan->notes_len = notes_len;
	plan->data_off = round_up(plan->notes_off + notes_len, plan->page_size);
}

static void layout_data(struct plan *plan)
{
	uint64_t off = plan->data_off;

	plan->data_len = 0;
	for (unsigned int i = 0; i < plan->nr_ranges; i++) {
		struct plan_range *r = &plan->ranges[i];

		r->off = round_up(off, plan->page_size) + r->src % plan->page_size;
		off = r->off + r->len;
		plan->data_len += r->len;
	}
	plan->file_size = off;
	for (unsigned int i = 0; i < plan->nr_loads; i++) {
		struct plan_load *load = &plan->loads[i];
		const struct plan_range *r = load->seg.filesz ? plan_find(plan, load->seg.src) : NULL;

		load->off = r ? r->off + (load->seg.src - r->src) : plan->data_off;
	}
}

int plan_layout(struct plan *plan, uint64_t notes_len, struct error *err)
{
	for (;;) {
		layout_headers(plan, notes_len);
		layout_data(plan);
		if (plan->form.class == ELFCLASS64 || plan->file_size <= UINT32_MAX)
			break;
		plan->form.class = ELFCLASS64;
	}
	if (plan->file_size > INT64_MAX)
		return fail(err, -EOVERFLOW, "a dump of %llu bytes is larger than any file",
			    (unsigned long long)plan->file_size);
	return 0;
}
