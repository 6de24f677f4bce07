// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The road of the data, one way:
 *
 *   mem      the input's chain of sources delivers any page, or zeros and an entry in the list of holes
 *   crash    the input's header: segments and notes, normalised
 *   kernel   who crashed, and how its addresses translate
 *   plan     which memory goes into the dump, and how large that will be, before the first byte is written
 *   core     the format: says which memory it wants next, packs it and writes it (pump.c drives it)
 *   sink     the target, opened by the output when the dump has a name and a size
 *
 * Later phases get the finished results of earlier ones as const and never call back.
 */
#include "src/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "elfcore/core_elf.h"
#include "elfcore/core_kdump.h"
#include "elfcore/plan_alias.h"
#include "elfcore/plan_filter.h"
#include "elfcore/sink_flat.h"
#include "src/config_format.h"
#include "src/pump.h"
#include "src/sys.h"

/* Too large for a stack; one capture at a time. */
static struct {
	struct core_elf elf;
	struct sink_zseek zseek;
	struct core_kdump kdump;
	struct pump pump;
} work;

/* An unsuitable format is no reason to have no dump. */
static struct core *choose_core(struct capture *c)
{
	struct core_kdump_job job = {
		.kernel = &c->kernel, .log = c->log, .codec = c->codec, .level = c->level, .start = c->split_start, .end = c->split_end,
	};
	struct core *core;
	struct error err;

	if (c->format == FORMAT_KDUMP) {
		if (!core_kdump_init(&work.kdump, &job, &core, &err))
			return core;
		log_warn(c->log, "%s; an ELF core is written", err.text);
		c->format = FORMAT_ELF;
	}
	if (format_refuses(c->format, c->codec)[0]) {
		log_warn(c->log, "%s; it is written plain", format_refuses(c->format, c->codec));
		c->codec = CODEC_NONE;
	}
	return core_elf_init(&work.elf, &c->in->chain.mem, c->codec == CODEC_ZSTD ? &work.zseek : NULL);
}

/* For the log, and for whoever opens the dump. */
static void say_pages(struct capture *c, const struct pagemap *pm)
{
	c->plan.level_done = pm->level_done;
	if (pm->level_done != c->level)
		snprintf(c->plan.level_why, sizeof(c->plan.level_why), "%s", pm->why.text);
	if (pm->classify)
		log_info(c->log, "level %u: %llu of %llu pages wanted", c->level, (unsigned long long)pm->nr_wanted,
			 (unsigned long long)pm->nr_present);
}

/* What an ELF core keeps beside the pages that are wanted. */
static void say_gaps(struct capture *c)
{
	uint64_t gap = c->plan.gap;

	if (gap <= 1)
		return;
	if (c->in->crash.partial)
		log_warn(c->log, "too many gaps for a core: what the source left out of fewer than %llu pages reads as zeros",
			 (unsigned long long)gap);
	else
		log_info(c->log, "too many gaps for an ELF core: those shorter than %llu pages are kept, shorter than %llu even with offline "
			 "pages; the kdump format has no such limit", (unsigned long long)gap, (unsigned long long)max_u64(gap >> GAP_SHIFT_OFFLINE, 1));
	if (gap >> GAP_SHIFT_POISONED > 1)
		log_warn(c->log, "that is so with pages of bad memory too, in gaps shorter than %llu pages",
			 (unsigned long long)(gap >> GAP_SHIFT_POISONED));
}

/* Selection is an economy: whatever is wrong with it, all pages are dumped instead. */
static void leave_out(struct capture *c)
{
	bool partial = c->in->crash.partial;
	struct pagemap pm;
	struct error err;

	if (pagemap_init(&pm, &c->kernel, c->level, c->log, &err)) {
		log_warn(c->log, "nothing is left out: %s", err.text);
		return;
	}
	if ((pm.classify || partial) && plan_filter(&c->plan, &pm, partial ? CAPTURE_MAX_RUNS_PARTIAL : CAPTURE_MAX_RUNS, &err)) {
		log_warn(c->log, "nothing is left out: %s", err.text);
		pm.classify = false;
		pm.level_done = c->level & DUMP_LEVEL_ZERO;
		pm.why = err;
	}
	say_pages(c, &pm);
	say_gaps(c);
	pagemap_deinit(&pm);
}

/* There is a note's header, too. */
static unsigned int aliases_room(const struct capture *c)
{
	unsigned int nr_others = 1 + c->plan.nr_loads, room = c->many_headers ? CRASH_PHDRS_MAX : PN_XNUM - 1;

	return nr_others < room ? min_u64(room - nr_others, c->max_aliases) : 0;
}

static int make_plan(struct capture *c, struct core *core, struct error *err)
{
	uint64_t page_size = max_u64(c->kernel.page_size, 4096);
	bool elf = c->format == FORMAT_ELF;
	int rc;

	if (!c->in->crash.nr_segs)
		return fail(err, -ENODATA, "there is no memory in it, only notes");
	rc = plan_init(&c->plan, &c->in->crash, page_size, err);
	if (rc)
		return rc;
	c->plan.level = c->level;
	c->plan.level_done = c->level & DUMP_LEVEL_ZERO;
	if (elf)
		leave_out(c);
	if (elf)
		plan_add_aliases(&c->plan, &c->kernel, aliases_room(c), c->log);
	if (elf && c->max_aliases)
		plan_number_idle(&c->plan);
	rc = core->ops->plan(core, &c->plan, err);
	if (rc)
		return rc;
	if (!elf)
		say_pages(c, &work.kdump.pm);
	log_info(c->log, "plan: %s, %s, %u segments, %u aliases, %u ranges, %llu MB of memory", format_name(c->format),
		 codec_find(c->codec)->name, c->plan.nr_loads - c->plan.nr_aliases, c->plan.nr_aliases, c->plan.nr_ranges,
		 (unsigned long long)(c->plan.data_len / 1000000));
	return 0;
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
	/* Where another level is still to be tried, nothing is kept. */
	if (status && !(status == -ENOSPC && c->more_levels)) {
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

/*
 * A core that ends early, as after a transfer that broke off, or whose bytes do not decode, does not become whole by being
 * copied.
 */
static int check_source(const struct capture *c, struct error *err)
{
	const struct holes *holes = &c->holes;

	if (!c->in->is_file || !holes->nr)
		return 0;
	for (unsigned int i = 0; i < holes->nr; i++)
		if (holes->list[i].error == -ENODATA)
			return fail(err, -ENODATA, "the core ends early: %llu bytes of it are missing, the copy is incomplete",
				    (unsigned long long)holes->nr_bytes);
	return fail(err, holes->list[0].error, "%llu bytes of the core are broken (%s), the copy is incomplete",
		    (unsigned long long)holes->nr_bytes, strerror(-holes->list[0].error));
}

static int move_memory(struct capture *c, struct sink *sink, struct error *err)
{
	int rc;

	progress_begin(c->progress, "writing memory", c->plan.data_len);
	rc = pump_run(&work.pump);
	c->nr_unwritten = work.pump.nr_unwritten;
	if (rc == -ENODATA)
		return fail(err, rc, "a gigabyte of memory that the header promises is not there: the rest is left out");
	if (rc)
		return fail(err, rc, "writing to %s failed: %s", sink_name(sink), strerror(-rc));
	rc = check_identity(c, err);
	return rc ? rc : check_source(c, err);
}

static int write_core(struct capture *c, struct core *core, struct sink *sink, struct error *err)
{
	struct sink_flat flat;
	int rc;

	if (!(sink->ops->caps & SINK_SEEK) || c->flat)
		sink = sink_flat_init(&flat, sink);
	sink->name = c->out->name;
	c->start_ms = now_ms();
	rc = core->ops->begin(core, sink, err);
	c->first_byte_ms = now_ms();
	if (!rc)
		rc = move_memory(c, sink, err);
	return finish(c, core, sink, rc, err);
}

/* What the dump will take at most; compressed it is guessed to be half of that. */
static bool finds_room(struct capture *c, struct error *err)
{
	uint64_t room = c->out->room ? c->out->room(c->out) : UINT64_MAX;
	uint64_t need = c->codec == CODEC_NONE ? c->plan.file_size : c->plan.file_size / 2;

	if (!c->more_levels || need <= room)
		return true;
	fail(err, -ENOSPC, "%llu MB needed, room for %llu MB", (unsigned long long)(need / 1000000), (unsigned long long)(room / 1000000));
	return false;
}

static int pump_to_sink(struct capture *c, struct core *core, struct error *err)
{
	struct sink *sink = NULL;
	int rc = c->out->open(c->out, &c->kernel, &c->plan, &sink, err);

	if (!rc) {
		rc = write_core(c, core, sink, err);
		sink_close(sink);
	}
	c->out->close(c->out);
	return rc;
}

/* Buffers and workers come before the output is opened: a worker has no part in it. */
static int dump(struct capture *c, struct core *core, struct error *err)
{
	int rc = make_plan(c, core, err);

	if (rc)
		return rc;
	if (!finds_room(c, err))
		return -ENOSPC;
	work.pump = (struct pump){
		.core = core, .chain = &c->in->chain, .log = c->log, .progress = c->progress, .jobs = c->jobs,
		.codec_level = c->codec_level, .data_len = c->plan.data_len, .holes = &c->holes,
	};
	rc = pump_init(&work.pump, err);
	if (rc)
		return rc;
	rc = pump_to_sink(c, core, err);
	pump_deinit(&work.pump);
	c->nr_zero_bytes = c->format == FORMAT_ELF ? work.elf.nr_zero_bytes : work.kdump.nr_zero_bytes;
	return rc;
}

int capture(struct capture *c, struct error *err)
{
	unsigned int nr = c->nr_levels ? c->nr_levels : 1;
	int rc = 0;

	kernel_init(&c->kernel, &c->in->crash, &c->in->chain.mem, c->log);
	for (unsigned int i = 0; i < nr; i++) {
		struct core *core;

		memset(&c->holes, 0, sizeof(c->holes));
		c->nr_unwritten = 0;
		c->first_byte_ms = 0;
		c->level = c->nr_levels ? c->levels[i] : 0;
		c->more_levels = i + 1 < nr;
		core = choose_core(c);
		rc = dump(c, core, err);
		core->ops->close(core);
		if (rc != -ENOSPC || !c->more_levels)
			break;
		log_warn(c->log, "level %u finds no room (%s), level %u is tried", c->level, err->text, c->levels[i + 1]);
		plan_deinit(&c->plan);
	}
	return rc;
}

void capture_deinit(struct capture *c)
{
	plan_deinit(&c->plan);
}
