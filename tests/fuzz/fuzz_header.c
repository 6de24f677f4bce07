// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any file as a core, from its header to the header of the dump that is made of it: segments within bounds, a plan that
 * is disjoint and congruent, and a core that reads back as the same segments. The first byte says what is known of the
 * header's size and which page size is planned with.
 */
#include "tests/fuzz/fuzz.h"

#include "elfcore/core_elf.h"
#include "elfcore/kernel.h"
#include "elfcore/printk.h"

#define ADDR_MAX (1ULL << 52)

static void check_crash(const struct crash *crash)
{
	must(crash->nr_segs <= crash->nr_phdrs);
	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		const struct segment *seg = &crash->segs[i];
		maddr_t src;
		uint64_t len;

		must(seg->filesz <= seg->memsz && seg->memsz > 0);
		must(seg->src <= ADDR_MAX && seg->filesz <= ADDR_MAX - seg->src);
		must(seg->paddr == PADDR_NONE || seg->paddr + seg->memsz <= ADDR_MAX);
		must(!i || seg->ordinal > seg[-1].ordinal);
		if (seg->paddr != PADDR_NONE && seg->filesz)
			must(!crash_find_paddr(crash, seg->paddr, &src, &len) && len > 0);
	}
	for (unsigned int i = 0; i < crash->notes.nr_cpus; i++)
		must(crash->notes.cpus[i].desc_off + crash->notes.cpus[i].descsz <= crash->notes.len);
}

static void check_plan(const struct plan *plan)
{
	uint64_t end = plan->notes_off + plan->notes_len, bytes = 0;

	must(plan->data_off >= end && plan->data_off % plan->page_size == 0);
	for (unsigned int i = 0; i < plan->nr_ranges; i++) {
		const struct plan_range *r = &plan->ranges[i];

		must(r->len > 0 && r->off >= end && r->off >= plan->data_off);
		must(r->off % plan->page_size == r->src % plan->page_size);
		must(!i || r->src > r[-1].src + r[-1].len);
		end = r->off + r->len;
		bytes += r->len;
	}
	must(plan->data_len == bytes && plan->file_size >= end && plan->file_size <= INT64_MAX);
	for (unsigned int i = 0; i < plan->nr_loads; i++) {
		const struct segment *seg = &plan->loads[i].seg;
		const struct plan_range *r = plan_find(plan, seg->src);

		if (seg->filesz)
			must(r && seg->src + seg->filesz <= r->src + r->len && plan->loads[i].off - r->off == seg->src - r->src);
	}
}

/* The headers of the dump, and nothing of its memory. */
struct header_sink {
	struct sink sink;
	uint8_t *buf;
	size_t size;
};

static int header_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct header_sink *header = container_of(sink, struct header_sink, sink);

	must(off <= header->size && len <= header->size - off);
	memcpy(header->buf + off, buf, len);
	return 0;
}

static const struct sink_ops header_ops = { .name = "header", .caps = SINK_SEEK, .write = header_write };

static void check_written(struct core *core, const struct plan *plan)
{
	struct header_sink header = { .size = plan->data_off };
	struct bytes_mem mem = { .mem.ops = &bytes_mem_ops };
	struct crash_source source = { .mem = &mem.mem };
	struct crash again;
	struct error err;

	header.buf = calloc(1, header.size);
	must(header.buf);
	sink_init(&header.sink, &header_ops);
	must(!core->ops->begin(core, &header.sink, &err));
	mem.data = header.buf;
	mem.size = header.size;
	must(!crash_read(&again, &source, &err));
	must(again.ehdr.flags & EF_DUMP_INCOMPLETE && again.nr_rejected == 0);
	must(again.nr_segs == plan->nr_loads && again.notes.nr_cpus == plan->crash->notes.nr_cpus);
	for (unsigned int i = 0; i < again.nr_segs; i++) {
		const struct segment *a = &again.segs[i], *b = &plan->loads[i].seg;

		must(a->vaddr == b->vaddr && a->paddr == b->paddr && a->filesz == b->filesz && a->memsz == b->memsz);
	}
	crash_deinit(&again);
	free(header.buf);
}

static int see_record(void *arg, const struct printk_record *record)
{
	unsigned int *left = arg;
	char text[512];

	must(printk_format(record, NULL, text, sizeof(text)) <= sizeof(text));
	return !--*left;
}

static void look_inside(const struct crash *crash, struct mem *mem)
{
	struct table_step steps[ARCH_LEVELS_MAX];
	unsigned int left = 100;
	struct kernel kernel;
	struct error err;
	paddr_t paddr;
	uint64_t len;

	kernel_init(&kernel, crash, mem, NULL);
	must(strlen(kernel.nodename) < 65 && strlen(kernel.release) < 65);
	printk_each(&kernel, see_record, &left, &err);
	if (kernel.can_translate)
		must(kernel.arch->explain(&kernel, 0xffffc90000001234, steps) <= kernel.levels);
	if (kernel.can_translate && !kernel.arch->vtop(&kernel, 0xffffc90000001234, &paddr, &len))
		must(len > 0 && len <= 1ULL << 30);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes_mem mem = { .mem.ops = &bytes_mem_ops, .data = data + 1, .size = size - 1 };
	struct crash_source source = { .mem = &mem.mem };
	struct core_elf elf;
	struct core *core;
	struct crash crash;
	struct plan plan;
	struct error err;

	if (size < 1)
		return 0;
	source.size = data[0] & 1 ? mem.size : 0;
	source.notes_will_do = data[0] & 0x80;
	if (crash_read(&crash, &source, &err)) {
		must(err.code < 0 && memchr(err.text, 0, sizeof(err.text)));
		return 0;
	}
	must(crash.nr_segs || source.notes_will_do);
	check_crash(&crash);
	look_inside(&crash, &mem.mem);
	capture_note_attribute_cpus(&crash.notes);
	must(!plan_init(&plan, &crash, 4096ULL << (data[0] >> 1) % 9, &err));
	core = core_elf_init(&elf, &mem.mem, NULL);
	if (!core->ops->plan(core, &plan, &err)) {
		check_plan(&plan);
		if (plan.form.class == crash.ehdr.form.class)
			check_written(core, &plan);
	}
	plan_deinit(&plan);
	crash_deinit(&crash);
	return 0;
}
