// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The road of the data, one way:
 *
 *   mem      the input's chain of sources delivers any page, or zeros and an entry in the list of holes
 *   crash    the input's header: segments and notes, normalised
 *   kernel   who crashed, and how its addresses translate
 *   plan     every byte's place in the dump, before the first one is written
 *   core     the format, fed with pages in ascending order
 *   sink     the target, opened by the output when the dump has a name and a size
 *
 * Later phases get the finished results of earlier ones as const and never call back.
 */
#include "src/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "elfcore/core_elf.h"
#include "elfcore/plan_filter.h"
#include "elfcore/sink_flat.h"
#include "src/sys.h"

/* The unit of reading and writing; a multiple of every page size. */
#define CHUNK (1U << 20)
#define BARREN_MIN (1ULL << 30)

static uint8_t buffer[CHUNK] __attribute__((aligned(4096)));

/* Selection is an economy: whatever is wrong with it, all pages are dumped instead. */
static void leave_out(struct capture *c)
{
	struct pagemap pm;
	struct error err;

	if (pagemap_init(&pm, &c->kernel, c->level, c->log, &err)) {
		log_warn(c->log, "nothing is left out: %s", err.text);
		return;
	}
	if (pm.classify && plan_filter(&c->plan, &pm, CAPTURE_MAX_RUNS, &err))
		log_warn(c->log, "nothing is left out: %s", err.text);
	else if (pm.classify)
		log_info(c->log, "level %u: %llu of %llu pages wanted", c->level, (unsigned long long)pm.nr_wanted,
			 (unsigned long long)pm.nr_present);
	pagemap_deinit(&pm);
}

static int make_plan(struct capture *c, struct core *core, struct error *err)
{
	uint64_t page_size = max_u64(c->kernel.page_size, 4096);
	int rc = plan_init(&c->plan, &c->in->crash, page_size, err);

	if (rc)
		return rc;
	if (c->level & ~(unsigned int)DUMP_LEVEL_ZERO)
		leave_out(c);
	if (c->aliases && plan_add_aliases(&c->plan, &c->kernel, CAPTURE_MAX_ALIASES, c->log))
		return fail(err, -ENOMEM, "no memory for alias segments");
	rc = core->ops->plan(core, &c->plan, err);
	if (rc)
		return rc;
	log_info(c->log, "plan: %u segments, %u aliases, %u ranges, %llu MB of memory",
		 c->plan.nr_loads - c->plan.nr_aliases, c->plan.nr_aliases, c->plan.nr_ranges, (unsigned long long)(c->plan.data_len / 1000000));
	return 0;
}

/*
 * Nothing could be read for a long time: a header may claim petabytes that are not there. Go on in strides that grow with
 * what was found empty; the format takes what is left out for zeros.
 */
static void skip_barren(struct capture *c, const struct plan_range *range, uint64_t *barren, uint64_t *pos)
{
	uint64_t stride = min_u64(round_down(*barren / 4, CHUNK), range->len - *pos);

	holes_add(&c->holes, range->src + *pos, stride, -ENODATA);
	*barren += stride;
	*pos += stride;
}

static int pump_range(struct capture *c, struct core *core, const struct plan_range *range, uint64_t *pos_ret)
{
	uint64_t barren = 0, missing;

	for (uint64_t pos = 0; pos < range->len;) {
		/* End chunks at multiples of their size, so that all but the first are aligned. */
		size_t len = min_u64(CHUNK - (range->src + pos) % CHUNK, range->len - pos);
		int rc;

		*pos_ret = pos;
		missing = c->holes.nr_bytes;
		mem_chain_fill(&c->in->chain, range->src + pos, buffer, len, &c->holes);
		missing = c->holes.nr_bytes - missing;
		barren = missing == len ? barren + len : 0;
		rc = core->ops->pages(core, range, pos, buffer, len);
		if (rc)
			return rc;
		progress_advance(c->progress, len);
		pos += len;
		if (barren >= BARREN_MIN)
			skip_barren(c, range, &barren, &pos);
	}
	return 0;
}

/* All ranges; after an error what was not written is listed as holes. */
static int pump(struct capture *c, struct core *core)
{
	int rc = 0;

	progress_begin(c->progress, "writing memory", c->plan.data_len);
	for (unsigned int i = 0; i < c->plan.nr_ranges; i++) {
		const struct plan_range *range = &c->plan.ranges[i];
		uint64_t pos = 0;

		if (!rc)
			rc = pump_range(c, core, range, &pos);
		if (rc) {
			holes_add(&c->holes, range->src + pos, range->len - pos, rc);
			c->nr_unwritten += range->len - pos;
		}
	}
	return rc;
}

static void describe_sources(const struct mem_chain *chain, char *text, size_t size)
{
	size_t len = 0;

	text[0] = 0;
	for (unsigned int i = 0; i < chain->nr_sources && len < size; i++)
		len += snprintf(text + len, size - len, "%s%s:%llu", i ? "," : "", chain->sources[i]->ops->name,
				(unsigned long long)chain->nr_bytes[i]);
}

static int complete(struct capture *c, struct core *core, struct sink *sink, const struct core_result *result,
		    struct error *err)
{
	int rc = core->ops->end(core, result, err);

	if (rc)
		return rc;
	rc = sink_commit(sink, c->plan.file_size);
	return rc ? fail(err, rc, "finishing the dump failed: %s", strerror(-rc)) : 0;
}

/* Close the dump either way; the first error is the one that counts. */
static int finish(struct capture *c, struct core *core, struct sink *sink, int status, struct error *err)
{
	char sources[96];
	struct core_result result = { .status = status, .holes = &c->holes, .sources = sources };
	struct error later;

	result.duration_ms = now_ms() - c->start_ms;
	describe_sources(&c->in->chain, sources, sizeof(sources));
	progress_begin(c->progress, "flushing", 0);
	if (!status)
		status = result.status = complete(c, core, sink, &result, err);
	if (status) {
		sink_retry(sink);
		core->ops->end(core, &result, &later);
		sink_keep(sink, c->plan.file_size);
	}
	c->duration_ms = now_ms() - c->start_ms;
	return status;
}

/* A dump without these is kept, but whoever finds it cannot do much with it: that is not to be called whole. */
static int check_identity(const struct capture *c, struct error *err)
{
	const struct crash *crash = &c->in->crash;

	if (!c->identified)
		return 0;
	if (!crash->vmcoreinfo.len)
		return fail(err, -ENODATA, "the crash left no readable VMCOREINFO");
	if (!crash->notes.nr_cpus)
		return fail(err, -ENODATA, "the crash left no registers of any CPU");
	if (crash->cut)
		return fail(err, -ENODATA, "the crash left program headers that are not readable");
	return 0;
}

/* A core that ends early, as after a transfer that broke off, does not become whole by being copied. */
static int check_source(const struct capture *c, struct error *err)
{
	for (unsigned int i = 0; i < c->holes.nr && c->in->is_file; i++)
		if (c->holes.list[i].error == -ENODATA)
			return fail(err, -ENODATA, "the core ends early: %llu bytes of it are missing, the copy is incomplete",
				    (unsigned long long)c->holes.nr_bytes);
	return 0;
}

static int write_core(struct capture *c, struct core *core, struct sink *sink, struct error *err)
{
	struct sink_flat flat;
	int rc;

	if (!(sink->ops->caps & SINK_SEEK))
		sink = sink_flat_init(&flat, sink);
	c->start_ms = now_ms();
	rc = core->ops->begin(core, sink, err);
	c->first_byte_ms = now_ms();
	if (!rc) {
		rc = pump(c, core);
		if (rc)
			fail(err, rc, "writing to %s failed: %s", sink->ops->name, strerror(-rc));
		else
			rc = check_identity(c, err);
		if (!rc)
			rc = check_source(c, err);
	}
	return finish(c, core, sink, rc, err);
}

int capture(struct capture *c, struct error *err)
{
	static struct core_elf elf;
	struct core *core = core_elf_init(&elf);
	struct sink *sink = NULL;
	int rc;

	memset(&c->holes, 0, sizeof(c->holes));
	c->nr_unwritten = 0;
	c->first_byte_ms = 0;
	kernel_init(&c->kernel, &c->in->crash, &c->in->chain.mem, c->log);
	rc = make_plan(c, core, err);
	if (rc)
		return rc;
	rc = c->out->open(c->out, &c->kernel, &c->plan, &sink, err);
	if (!rc) {
		rc = write_core(c, core, sink, err);
		sink_close(sink);
	}
	c->out->close(c->out);
	c->nr_zero_bytes = elf.nr_zero_bytes;
	return rc;
}

void capture_deinit(struct capture *c)
{
	plan_deinit(&c->plan);
}
