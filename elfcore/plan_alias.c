// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/plan_alias.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Kernels have stacks of 16, 32 or 64 KiB (THREAD_SIZE), smaller ones for exceptions; no page is smaller than 4 KiB. */
#define STACK_MAX (64U << 10)
#define STACK_PIECES_MAX (STACK_MAX / 4096)

/* Around an address on a stack the whole of it lies, and the gaps on either side. */
#define STACK_WINDOW (STACK_MAX + 4096)

/* A CPU may have been on a task's stack, an interrupt's and an exception's, each entered from the one before. */
#define STACKS_PER_CPU 4

/* How many words at a stack's top may say which stack it was entered from. */
#define LINK_WORDS 3

/* A piece of physical memory that is stored. */
struct stored {
	paddr_t paddr;
	uint64_t len;
	maddr_t src;
};

/* Mappings without a gap between them; of one that is larger than a stack the pieces are not kept. */
struct extent {
	vaddr_t start, end;	/* end 0 = none yet */
	struct mapping pieces[STACK_PIECES_MAX];
	unsigned int nr;
};

struct span {
	vaddr_t start, end;
};

struct alias_walk {
	struct plan *plan;
	struct kernel *kernel;
	struct area areas[ARCH_AREAS_MAX];
	unsigned int nr_areas;
	unsigned int max;		/* alias segments in all */
	unsigned int limit;		/* the same, for now */
	struct stored *stored;		/* ascending, disjoint */
	unsigned int nr_stored;
	vaddr_t *in_use;		/* addresses on stacks of CPUs */
	unsigned int nr_in_use, max_in_use;
	struct span *done;		/* the stacks there that are aliased already, ascending */
	unsigned int nr_done;
	vaddr_t sought;
	struct extent extent;
	struct mapping *later;		/* what is aliased when there is room in the end */
	unsigned int nr_later, cap_later;
	bool full;
};

static int compare_stored(const void *a, const void *b)
{
	const struct stored *x = a, *y = b;

	return x->paddr < y->paddr ? -1 : x->paddr > y->paddr;
}

/* Segments that overlap share their data (the image's lies in the direct map): each byte is listed once. */
static void merge_stored(struct alias_walk *walk)
{
	unsigned int nr = 0;

	qsort(walk->stored, walk->nr_stored, sizeof(*walk->stored), compare_stored);
	for (unsigned int i = 0; i < walk->nr_stored; i++) {
		struct stored s = walk->stored[i];
		struct stored *last = nr ? &walk->stored[nr - 1] : NULL;
		uint64_t known = last && last->paddr + last->len > s.paddr ? last->paddr + last->len - s.paddr : 0;

		if (known >= s.len)
			continue;
		s.paddr += known;
		s.src += known;
		s.len -= known;
		if (last && last->paddr + last->len == s.paddr && last->src + last->len == s.src)
			last->len += s.len;
		else
			walk->stored[nr++] = s;
	}
	walk->nr_stored = nr;
}

static int list_stored(struct alias_walk *walk)
{
	const struct plan *plan = walk->plan;

	walk->stored = malloc((plan->nr_loads + 1) * sizeof(*walk->stored));
	if (!walk->stored)
		return -ENOMEM;
	for (unsigned int i = 0; i < plan->nr_loads; i++) {
		const struct segment *seg = &plan->loads[i].seg;

		if (seg->paddr != PADDR_NONE && seg->filesz)
			walk->stored[walk->nr_stored++] = (struct stored){ seg->paddr, seg->filesz, seg->src };
	}
	merge_stored(walk);
	return 0;
}

/* The first piece that ends behind a physical address; nr_stored = there is none. */
static unsigned int find_stored(const struct alias_walk *walk, paddr_t paddr)
{
	unsigned int low = 0, high = walk->nr_stored;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (walk->stored[mid].paddr + walk->stored[mid].len <= paddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool any_stored(const struct alias_walk *walk, const struct mapping *mapping)
{
	unsigned int i = find_stored(walk, mapping->paddr);

	return i < walk->nr_stored && walk->stored[i].paddr < mapping->paddr + mapping->len;
}

/*
 * makedumpfile (1.7.2, exclude_nodata_pages()) takes p_paddr of all ones for an address and drops the page frame of
 * p_paddr + p_filesz, unless that is the begin of a page: so an alias ends one byte into its last page, and the rest of
 * that page is an alias of its own, whose victim is page frame 0, which no PC hands out as memory.
 */
static int add_alias(struct alias_walk *walk, vaddr_t vaddr, maddr_t src, uint64_t len)
{
	uint64_t head = len - min_u64(walk->plan->page_size - 1, len - 1), lens[] = { head, len - head };

	if (walk->limit - walk->plan->nr_aliases < ARRAY_SIZE(lens))
		return -ENOSPC;
	for (unsigned int i = 0; i < ARRAY_SIZE(lens) && lens[i]; i++) {
		struct segment seg = {
			.vaddr = vaddr, .paddr = PADDR_NONE, .src = src, .filesz = lens[i], .memsz = lens[i], .flags = PF_R | PF_W | PF_X,
		};

		if (plan_add_load(walk->plan, &seg))
			return -ENOMEM;
		walk->plan->nr_aliases++;
		vaddr += lens[i];
		src += lens[i];
	}
	return 0;
}

static void skip(struct mapping *mapping, uint64_t len)
{
	mapping->vaddr += len;
	mapping->paddr += len;
	mapping->len -= len;
}

/*
 * One mapping becomes as many aliases as it touches pieces of stored data; what is not stored becomes none. -ENOSPC leaves
 * what found no room.
 */
static int alias_mapping(struct alias_walk *walk, struct mapping *mapping)
{
	for (unsigned int i = find_stored(walk, mapping->paddr); i < walk->nr_stored; i++) {
		const struct stored *s = &walk->stored[i];
		uint64_t len;
		int rc;

		if (s->paddr > mapping->paddr)
			skip(mapping, min_u64(s->paddr - mapping->paddr, mapping->len));
		len = min_u64(mapping->len, s->paddr + s->len - mapping->paddr);
		if (!mapping->len)
			break;
		rc = add_alias(walk, mapping->vaddr, s->src + (mapping->paddr - s->paddr), len);
		if (rc)
			return rc;
		skip(mapping, len);
	}
	return 0;
}

static int keep_for_later(struct alias_walk *walk, const struct mapping *mapping)
{
	if (walk->nr_later == walk->max / 2 + 1) {
		walk->full = true;
		return 0;
	}
	if (!any_stored(walk, mapping))
		return 0;
	if (walk->nr_later == walk->cap_later) {
		unsigned int cap = min_u64(walk->cap_later * 2ULL + 64, walk->max / 2 + 1);
		struct mapping *later = realloc(walk->later, cap * sizeof(*later));

		if (!later)
			return -ENOMEM;
		walk->later = later;
		walk->cap_later = cap;
	}
	walk->later[walk->nr_later++] = *mapping;
	return 0;
}

/* The first of the stacks that are done that ends behind an address; nr_done = there is none. */
static unsigned int find_done(const struct alias_walk *walk, vaddr_t vaddr)
{
	unsigned int low = 0, high = walk->nr_done;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (walk->done[mid].end <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_done(const struct alias_walk *walk, vaddr_t vaddr)
{
	unsigned int i = find_done(walk, vaddr);

	return i < walk->nr_done && walk->done[i].start <= vaddr;
}

static void add_done(struct alias_walk *walk, vaddr_t start, vaddr_t end)
{
	unsigned int i = find_done(walk, start);

	memmove(walk->done + i + 1, walk->done + i, (walk->nr_done++ - i) * sizeof(*walk->done));
	walk->done[i] = (struct span){ start, end };
}

/* --- stacks of CPUs ------------------------------------------------------------------------------------------------- */

/* Returns whether a mapping follows what is there; if not it has taken its place. */
static bool extend(struct extent *extent, const struct mapping *mapping)
{
	bool follows = extent->end == mapping->vaddr;

	if (!follows) {
		extent->start = mapping->vaddr;
		extent->nr = 0;
	}
	extent->end = mapping->vaddr + mapping->len;
	if (extent->end - extent->start <= STACK_MAX && extent->nr < STACK_PIECES_MAX)
		extent->pieces[extent->nr++] = *mapping;
	return follows;
}

static bool is_small(const struct extent *extent)
{
	return extent->end - extent->start <= STACK_MAX;
}

static int seek_stack(void *arg, const struct mapping *mapping)
{
	struct alias_walk *walk = arg;

	if (walk->extent.end > walk->sought && walk->extent.end != mapping->vaddr)
		return 1;
	extend(&walk->extent, mapping);
	return 0;
}

static bool in_areas(const struct alias_walk *walk, vaddr_t vaddr)
{
	for (unsigned int i = 0; i < walk->nr_areas; i++)
		if (vaddr >= walk->areas[i].start && vaddr <= walk->areas[i].last)
			return true;
	return false;
}

static void note_address(struct alias_walk *walk, vaddr_t vaddr)
{
	if (walk->nr_in_use < walk->max_in_use && in_areas(walk, vaddr))
		walk->in_use[walk->nr_in_use++] = vaddr;
}

/*
 * A stack ends in what it was entered from: an interrupt's in the stack pointer (call_on_stack() in
 * arch/x86/include/asm/irq_stack.h), an exception's in the frame that the CPU pushed, ss last and rsp before it.
 */
static void follow_links(struct alias_walk *walk, const struct extent *stack)
{
	uint8_t data = walk->kernel->crash->ehdr.form.data, raw[8];

	for (unsigned int i = 1; i <= LINK_WORDS; i++)
		if (!kernel_read_vaddr(walk->kernel, stack->end - i * sizeof(raw), raw, sizeof(raw)))
			note_address(walk, elf_get(data, raw, sizeof(raw)));
}

/*
 * The extent on which an address lies, if it may be a stack. An address without one may be in the gap below a stack: it ran
 * out of that.
 */
static int find_stack(struct alias_walk *walk, vaddr_t vaddr)
{
	struct extent *extent = &walk->extent;
	vaddr_t start = vaddr - min_u64(STACK_WINDOW, vaddr), last = vaddr + min_u64(STACK_WINDOW, UINT64_MAX - vaddr);
	int rc;

	walk->sought = vaddr;
	extent->end = 0;
	rc = walk->kernel->arch->each_mapping(walk->kernel, start, last, seek_stack, walk);
	if (rc < 0)
		return rc;
	return extent->end > vaddr && extent->start <= vaddr + walk->kernel->page_size && is_small(extent) ? 0 : -ENODATA;
}

static int alias_stack_at(struct alias_walk *walk, vaddr_t vaddr)
{
	struct extent *stack = &walk->extent;
	int rc = is_done(walk, vaddr) ? -ENODATA : find_stack(walk, vaddr);

	if (rc || is_done(walk, stack->start))
		return rc == -ENOMEM ? rc : 0;
	if ((walk->limit - walk->plan->nr_aliases) / 2 < stack->nr)
		return -ENOSPC;
	for (unsigned int i = 0; i < stack->nr && !rc; i++)
		rc = alias_mapping(walk, &stack->pieces[i]);
	add_done(walk, stack->start, stack->end);
	follow_links(walk, stack);
	return rc;
}

/* Those that the registers name come first, then those that they were entered from. */
static int alias_stacks_in_use(struct alias_walk *walk)
{
	const struct notes *notes = &walk->kernel->crash->notes;
	unsigned int sp_off = walk->kernel->arch->sp_off;
	int rc = 0;

	walk->max_in_use = notes->nr_cpus * STACKS_PER_CPU;
	walk->in_use = malloc((walk->max_in_use + 1) * sizeof(*walk->in_use));
	walk->done = malloc((walk->max_in_use + 1) * sizeof(*walk->done));
	if (!walk->in_use || !walk->done)
		return -ENOMEM;
	for (unsigned int i = 0; i < notes->nr_cpus; i++)
		if (notes->cpus[i].descsz >= sp_off + 8U)
			note_address(walk, elf_get(notes->data, notes->buf + notes->cpus[i].desc_off + sp_off, 8));
	walk->limit = walk->max / 2;
	for (unsigned int i = 0; i < walk->nr_in_use && !rc; i++)
		rc = alias_stack_at(walk, walk->in_use[i]);
	return rc == -ENOSPC ? 0 : rc;
}

/* --- areas ---------------------------------------------------------------------------------------------------------- */

static int on_wanted(void *arg, const struct mapping *mapping)
{
	struct alias_walk *walk = arg;
	struct mapping rest = *mapping;
	int rc = is_done(walk, mapping->vaddr) ? 0 : alias_mapping(walk, &rest);

	return rc == -ENOSPC ? keep_for_later(walk, &rest) : rc;
}

static bool is_stack(const struct extent *extent)
{
	uint64_t len = extent->end - extent->start;

	return len == STACK_MAX || len == STACK_MAX / 2 || len == STACK_MAX / 4;
}

/* What has gathered is whole. */
static int end_extent(struct alias_walk *walk)
{
	struct extent *extent = &walk->extent;
	bool stack = is_stack(extent);
	int rc = 0;

	for (unsigned int i = 0; i < extent->nr && !rc && !is_done(walk, extent->start); i++)
		rc = stack ? alias_mapping(walk, &extent->pieces[i]) : keep_for_later(walk, &extent->pieces[i]);
	extent->nr = 0;
	return rc;
}

static int on_mixed(void *arg, const struct mapping *mapping)
{
	struct alias_walk *walk = arg;
	struct extent *extent = &walk->extent;
	int rc = 0;

	if (extent->end != mapping->vaddr)
		rc = end_extent(walk);
	extend(extent, mapping);
	if (rc || is_small(extent))
		return rc;
	rc = end_extent(walk);
	return rc ? rc : keep_for_later(walk, mapping);
}

static int alias_area(struct alias_walk *walk, const struct area *area)
{
	const struct arch_ops *arch = walk->kernel->arch;
	int rc;

	walk->extent = (struct extent){ .end = 0 };
	walk->limit = area->mixed ? walk->max : walk->plan->nr_aliases + (walk->max - walk->plan->nr_aliases) / 2;
	rc = arch->each_mapping(walk->kernel, area->start, area->last, area->mixed ? on_mixed : on_wanted, walk);
	return rc ? rc : end_extent(walk);
}

static int alias_areas(struct alias_walk *walk)
{
	int rc = 0;

	for (unsigned int i = 0; i < walk->nr_areas && !rc; i++)
		rc = alias_area(walk, &walk->areas[i]);
	return rc;
}

static int alias_later(struct alias_walk *walk)
{
	int rc = 0;

	walk->limit = walk->max;
	for (unsigned int i = 0; i < walk->nr_later && !rc; i++)
		rc = alias_mapping(walk, &walk->later[i]);
	return rc;
}

static const char *why(const struct alias_walk *walk, int rc)
{
	switch (rc) {
	case 0: return walk->full ? "no room for more" : NULL;
	case -ENOSPC: return "no room for more";
	case -ENOMEM: return "no memory for more";
	case -E2BIG: return "too many page tables";
	default: return "page tables not readable";
	}
}

void plan_add_aliases(struct plan *plan, struct kernel *kernel, unsigned int max, struct log *log)
{
	struct alias_walk walk = { .plan = plan, .kernel = kernel, .max = max };
	int rc, later;

	if (!kernel->can_translate)
		return;
	walk.nr_areas = kernel->arch->areas(kernel, walk.areas);
	rc = list_stored(&walk);
	if (!rc)
		rc = alias_stacks_in_use(&walk);
	if (!rc)
		rc = alias_areas(&walk);
	later = alias_later(&walk);
	rc = rc ? rc : later;
	if (why(&walk, rc))
		log_info(log, "alias segments end after %u (%s)", plan->nr_aliases, why(&walk, rc));
	free(walk.stored);
	free(walk.in_use);
	free(walk.done);
	free(walk.later);
}
