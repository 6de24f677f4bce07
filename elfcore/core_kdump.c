// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/core_kdump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/zero.h"

/* A page of a machine with absurd segments may lie in many pieces: so much room a page must find. */
#define PIECES_SPARE 16

static uint64_t bitmap_bytes(const struct core_kdump *kd)
{
	return (kd->pm.max_pfn + 7) / 8;
}

/* The part of a window that is to be stored. */
static uint64_t count_window(struct core_kdump *kd, pfn_t window)
{
	pfn_t pfn = max_u64(window, kd->start), run_end;
	uint64_t nr = 0;

	pagemap_window(&kd->pm, window);
	for (; pagemap_next_run(&kd->pm, &pfn, &run_end) && pfn < kd->end; pfn = run_end)
		nr += min_u64(run_end, kd->end) - pfn;
	return nr;
}

static void count_pages(struct core_kdump *kd)
{
	struct pagemap *pm = &kd->pm;

	pagemap_reset_counts(pm);
	kd->nr_pages = 0;
	for (pfn_t window = 0; window < pm->max_pfn; window += pm->nr_pages) {
		if (!pagemap_window_exists(pm, window))
			continue;
		if (kd->job.end) {
			kd->nr_pages += count_window(kd, window);
		} else {
			uint64_t before = pm->nr_wanted;

			pagemap_window(pm, window);
			kd->nr_pages += pm->nr_wanted - before;
		}
		pagemap_keep(&kd->kept, pm);
	}
}

static int kdump_plan(struct core *core, struct plan *plan, struct error *err)
{
	struct core_kdump *kd = container_of(core, struct core_kdump, core);
	uint64_t block;
	int rc = pagemap_init(&kd->pm, kd->job.kernel, kd->job.level, kd->job.log, err);

	if (rc)
		return rc;
	pagemap_kept_init(&kd->kept, &kd->pm);
	kd->descs = malloc(KDUMP_DESCS_HELD * KDUMP_DESC_SIZE);
	kd->latest = malloc(PAGE_SHARE_DISTANCE * sizeof(*kd->latest));
	if (!kd->descs || !kd->latest)
		return fail(err, -ENOMEM, "no memory for page descriptors");
	kd->plan = plan;
	block = kd->block_size = kd->pm.page_size;
	core->needs.pack_len = core->needs.page_size = block;
	core->needs.in_len = core->needs.codec == CODEC_NONE ? 0 : KDUMP_PIECE;
	kd->start = kd->job.start;
	kd->end = kd->job.end ? kd->job.end : UINT64_MAX;
	count_pages(kd);
	kd->notes_off = block + KDUMP_SUB_HEADER_SIZE;
	kd->notes_len = plan->crash->notes.len + CAPTURE_NOTE_LEN;
	kd->bitmap_off = round_up(kd->notes_off + kd->notes_len, block);
	kd->bitmap_len = round_up(bitmap_bytes(kd), block);
	kd->desc_off = kd->bitmap_off + 2 * kd->bitmap_len;
	kd->zero_off = round_up(kd->desc_off + kd->nr_pages * KDUMP_DESC_SIZE, block);
	kd->data_off = kd->zero_off + block;
	plan->data_len = kd->nr_pages * block;
	plan->file_size = kd->data_off + plan->data_len;
	if (kd->bitmap_len / block > UINT32_MAX / 2 || plan->file_size > INT64_MAX)
		return fail(err, -EOVERFLOW, "memory up to page frame 0x%llx is more than the format can say",
			    (unsigned long long)kd->pm.max_pfn);
	return 0;
}

static int write_header(struct core_kdump *kd, bool complete)
{
	const struct kernel *kernel = kd->job.kernel;
	struct kdump_header header = {
		.version = KDUMP_VERSION,
		.sysname = "Linux",
		.domainname = "(none)",
		.crashtime = kernel->crashtime,
		.status = kd->codec_flag | (complete ? 0 : KDUMP_INCOMPLETE),
		.block_size = kd->block_size,
		.sub_hdr_size = (kd->bitmap_off - kd->block_size) / kd->block_size,
		.bitmap_blocks = 2 * kd->bitmap_len / kd->block_size,
		.max_mapnr = min_u64(kd->pm.max_pfn, UINT32_MAX),
		.nr_cpus = kernel->crash->notes.nr_cpus,
	};
	uint8_t buf[KDUMP_HEADER_SIZE];

	/* What was incomplete before stays so in a copy. */
	if (kernel->crash->ehdr.flags & EF_DUMP_INCOMPLETE)
		header.status |= KDUMP_INCOMPLETE;
	memcpy(header.nodename, kernel->nodename, sizeof(header.nodename));
	memcpy(header.release, kernel->release, sizeof(header.release));
	memcpy(header.kernel_version, kernel->version, sizeof(header.kernel_version));
	memcpy(header.machine, kernel->machine, sizeof(header.machine));
	if (!header.machine[0] && kernel->arch)
		memcpy(header.machine, kernel->arch->name, strnlen(kernel->arch->name, sizeof(header.machine) - 1));
	kdump_header_encode(kernel->crash->ehdr.form.data, &header, buf);
	return sink_write(kd->sink, 0, buf, sizeof(buf));
}

static int write_sub_header(struct core_kdump *kd)
{
	const struct crash *crash = kd->job.kernel->crash;
	struct kdump_sub_header sub = {
		.phys_base = kd->job.kernel->phys_base,
		.dump_level = kd->pm.level_done | crash->dump_level,
		.split = kd->job.end != 0,
		.off_note = kd->notes_off,
		.size_note = kd->notes_len,
		.start_pfn = kd->job.start,
		.end_pfn = kd->job.end,
		.max_mapnr = kd->pm.max_pfn,
	};
	uint8_t buf[KDUMP_SUB_HEADER_SIZE];
	int rc;

	if (crash->vmcoreinfo.len) {
		sub.off_vmcoreinfo = kd->notes_off + crash->notes.vmcoreinfo_off;
		sub.size_vmcoreinfo = crash->vmcoreinfo.len;
	}
	kdump_sub_header_encode(crash->ehdr.form.data, &sub, buf);
	rc = sink_write(kd->sink, kd->block_size, buf, sizeof(buf));
	return rc ? rc : sink_write(kd->sink, kd->notes_off, crash->notes.buf, crash->notes.len);
}

static int write_own_note(struct core_kdump *kd, const struct core_result *result)
{
	const struct notes *notes = &kd->plan->crash->notes;

	return capture_note_write(kd->sink, kd->notes_off + notes->len, kd->plan, result, kd->desc);
}

static int write_zeros_page(struct core_kdump *kd)
{
	static const uint8_t zeros[4096];
	int rc = 0;

	for (uint64_t pos = 0; pos < kd->block_size && !rc; pos += sizeof(zeros))
		rc = sink_write(kd->sink, kd->zero_off + pos, zeros, sizeof(zeros));
	return rc;
}

static int kdump_begin(struct core *core, struct sink *sink, struct error *err)
{
	struct core_kdump *kd = container_of(core, struct core_kdump, core);
	int rc;

	kd->sink = sink;
	kd->window = kd->pfn = kd->run_end = 0;
	kd->nr_handed = kd->nr_put = kd->nr_held = kd->nr_reserved = kd->nr_skipped = 0;
	rc = write_header(kd, false);
	if (!rc)
		rc = write_sub_header(kd);
	if (!rc)
		rc = write_own_note(kd, NULL);
	/* What no window writes to are zeros, on a device too. */
	if (!rc)
		rc = sink_zero(sink, kd->bitmap_off, 2 * kd->bitmap_len);
	if (!rc)
		rc = write_zeros_page(kd);
	return rc ? fail(err, rc, "writing the headers to %s failed: %s", sink_name(sink), strerror(-rc)) : 0;
}

/* Decide the next window that has memory and write its part of the bitmaps. 0 = there is none. */
static int next_window(struct core_kdump *kd)
{
	struct pagemap *pm = &kd->pm;
	uint64_t off, len;
	int rc;

	while (kd->window < pm->max_pfn && !pagemap_window_exists(pm, kd->window))
		kd->window += pm->nr_pages;
	if (kd->window >= pm->max_pfn)
		return 0;
	pagemap_window_again(&kd->kept, pm, kd->window);
	off = kd->bitmap_off + kd->window / 8;
	len = min_u64(pm->nr_pages / 8, bitmap_bytes(kd) - kd->window / 8);
	rc = sink_write(kd->sink, off, pm->present, len);
	if (!rc)
		rc = sink_write(kd->sink, off + kd->bitmap_len, pm->wanted, len);
	kd->pfn = kd->run_end = max_u64(kd->window, kd->start);
	kd->window += pm->nr_pages;
	return rc ? rc : 1;
}

/* Have pages at hand. 1, or 0 = all are through. */
static int next_run(struct core_kdump *kd)
{
	while (kd->pfn == kd->run_end) {
		int rc;

		if (kd->window && kd->pfn < kd->end && pagemap_next_run(&kd->pm, &kd->pfn, &kd->run_end) && kd->pfn < kd->end) {
			kd->run_end = min_u64(kd->run_end, kd->end);
			return 1;
		}
		rc = next_window(kd);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

/* How far it is from paddr, which no PT_LOAD holds, to the next one. */
static uint64_t distance(const struct crash *crash, paddr_t paddr)
{
	uint64_t near = UINT64_MAX;

	for (unsigned int i = 0; i < crash->nr_segs; i++)
		if (crash->segs[i].paddr != PADDR_NONE && crash->segs[i].paddr > paddr && crash->segs[i].filesz)
			near = min_u64(near, crash->segs[i].paddr - paddr);
	return near;
}

/* A page that lies in pieces, or is not there in part. */
static void add_broken_page(const struct crash *crash, struct batch *batch, paddr_t paddr, uint64_t left)
{
	while (left) {
		maddr_t src = MADDR_ZEROS;
		uint64_t len;

		if (crash_find_paddr(crash, paddr, &src, &len))
			len = distance(crash, paddr);
		len = min_u64(len, left);
		if (!batch_add(batch, src, len)) {
			/* So many pieces in one page are nothing that a kernel made: the rest of it is lost. */
			batch->pieces[BATCH_PIECES - 1] = (struct batch_piece){ MADDR_ZEROS, batch->pieces[BATCH_PIECES - 1].len + left };
			batch->len += left;
			return;
		}
		paddr += len;
		left -= len;
	}
}

/* Pages of the run at hand; false = the batch is full. */
static bool add_pages(struct core_kdump *kd, struct batch *batch)
{
	const struct crash *crash = kd->job.kernel->crash;

	while (kd->pfn < kd->run_end) {
		uint64_t room = BATCH_LEN - batch->len, len, want = (kd->run_end - kd->pfn) * kd->block_size;
		paddr_t paddr = kd->pfn * kd->block_size;
		maddr_t src;

		if (!room || batch->nr_pieces + PIECES_SPARE > BATCH_PIECES)
			return false;
		if (!crash_find_paddr(crash, paddr, &src, &len) && len >= kd->block_size) {
			len = round_down(min_u64(min_u64(len, want), room), kd->block_size);
			batch_add(batch, src, len);
		} else {
			len = kd->block_size;
			add_broken_page(crash, batch, paddr, len);
		}
		kd->pfn += len / kd->block_size;
		kd->nr_handed += len / kd->block_size;
	}
	return true;
}

static int kdump_next(struct core *core, struct batch *batch)
{
	struct core_kdump *kd = container_of(core, struct core_kdump, core);
	int rc;

	batch_start(batch, kd->nr_handed);
	do {
		rc = next_run(kd);
	} while (rc > 0 && add_pages(kd, batch));
	return rc < 0 ? rc : batch->len != 0;
}

static size_t pack_page(struct core_kdump *kd, struct packer *packer, const uint8_t *page, uint8_t *out, size_t cap, uint32_t *flags)
{
	size_t n = codec_compress(&packer->codec, page, kd->block_size, out, cap);

	*flags = kd->codec_flag;
	if (n && n < kd->block_size)
		return n;
	*flags = 0;
	memcpy(out, page, kd->block_size);
	return kd->block_size;
}

/* What becomes of the page at `in`, number i of the batch. used: bytes of the batch's buffer that are filled. */
static size_t pack_one(struct core_kdump *kd, struct packer *packer, struct batch *batch, unsigned int i, const uint8_t *in, size_t used)
{
	struct batch_page *out = &batch->pages[i];
	size_t block = kd->block_size;

	*out = (struct batch_page){ 0 };
	if (mem_is_zero(in, block)) {
		batch->nr_zero_bytes += block;
		return 0;
	}
	out->back = page_share_find(&packer->share, in, batch->off + i);
	if (out->back)
		return 0;
	if (kd->core.needs.in_len)
		return out->size = pack_page(kd, packer, in, batch->buf + used, BATCH_BUF_LEN - used, &out->flags);
	batch_add_seg(batch, in, block);
	out->size = block;
	return 0;
}

/* In pieces that stay in the processor's cache from the reading to the packing of their last page. */
static void kdump_pack(const struct core *core, struct packer *packer, struct batch *batch)
{
	struct core_kdump *kd = container_of(core, struct core_kdump, core);
	struct batch_cursor cursor = { 0 };
	unsigned int page = 0;
	size_t used = 0;

	for (size_t pos = 0, len; pos < batch->len; pos += len) {
		uint8_t *in = core->needs.in_len ? packer->in : batch->buf + pos;

		len = min_u64(KDUMP_PIECE, batch->len - pos);
		batch_read(batch, packer->chain, &cursor, in, len);
		for (uint8_t *end = in + len; in < end; in += kd->block_size)
			used += pack_one(kd, packer, batch, page++, in, used);
	}
	if (used)
		batch_add_seg(batch, batch->buf, used);
}

static int flush_descs(struct core_kdump *kd)
{
	uint64_t first = kd->nr_put - kd->nr_held;
	int rc = sink_write(kd->sink, kd->desc_off + first * KDUMP_DESC_SIZE, kd->descs, kd->nr_held * KDUMP_DESC_SIZE);

	if (!rc)
		kd->nr_held = 0;
	return rc;
}

static int put_desc(struct core_kdump *kd, const struct batch_page *page)
{
	struct kdump_desc desc = { page->size ? kd->data_off : kd->zero_off, page->size ? page->size : kd->block_size, page->flags };

	if (page->back)
		desc = kd->latest[(kd->nr_put - page->back) % PAGE_SHARE_DISTANCE];
	kd->latest[kd->nr_put % PAGE_SHARE_DISTANCE] = desc;
	kdump_desc_encode(kd->plan->crash->ehdr.form.data, &desc, kd->descs + kd->nr_held * KDUMP_DESC_SIZE);
	kd->data_off += page->size;
	kd->nr_held++;
	kd->nr_put++;
	return kd->nr_held == KDUMP_DESCS_HELD ? flush_descs(kd) : 0;
}

/* An empty descriptor is what readers know of a page that was never written. */
static int zero_descs(struct core_kdump *kd, uint64_t nr)
{
	return sink_zero(kd->sink, kd->desc_off + kd->nr_put * KDUMP_DESC_SIZE, nr * KDUMP_DESC_SIZE);
}

/* Those that are held, and behind them those of pages that were left out. */
static int write_descs(struct core_kdump *kd)
{
	int rc = flush_descs(kd);

	if (!rc)
		rc = zero_descs(kd, kd->nr_skipped);
	if (!rc) {
		kd->nr_put += kd->nr_skipped;
		kd->nr_skipped = 0;
	}
	return rc;
}

/* The next nr descriptors and as many again as are held: seldom, in one piece. */
static int reserve_descs(struct core_kdump *kd, uint64_t nr)
{
	uint64_t from = max_u64(kd->nr_reserved, kd->nr_put), to = min_u64(kd->nr_put + nr + KDUMP_DESCS_HELD, kd->nr_pages);

	if (kd->nr_put + nr <= kd->nr_reserved || to <= from)
		return 0;
	kd->nr_reserved = to;
	return sink_reserve(kd->sink, kd->desc_off + from * KDUMP_DESC_SIZE, (to - from) * KDUMP_DESC_SIZE);
}

/* Data first: a descriptor is never ahead of what it tells of. */
static int kdump_put(struct core *core, const struct batch *batch)
{
	struct core_kdump *kd = container_of(core, struct core_kdump, core);
	uint64_t off = kd->data_off;
	int rc = kd->nr_skipped ? write_descs(kd) : 0;

	if (!rc)
		rc = reserve_descs(kd, batch->len / kd->block_size);
	for (unsigned int i = 0; i < batch->nr_segs && !rc; i += SINK_VECS_MAX) {
		unsigned int nr = min_u64(SINK_VECS_MAX, batch->nr_segs - i);

		rc = sink_writev(kd->sink, off, &batch->segs[i], nr);
		for (unsigned int j = i; j < i + nr; j++)
			off += batch->segs[j].len;
	}
	for (unsigned int i = 0; i < batch->len / kd->block_size && !rc; i++)
		rc = put_desc(kd, &batch->pages[i]);
	kd->nr_zero_bytes += batch->nr_zero_bytes;
	return rc;
}

static uint64_t kdump_skip(struct core *core, uint64_t len, maddr_t *src_ret)
{
	struct core_kdump *kd = container_of(core, struct core_kdump, core);
	uint64_t room, nr;

	if (next_run(kd) <= 0)
		return 0;
	if (crash_find_paddr(kd->job.kernel->crash, kd->pfn * kd->block_size, src_ret, &room) || room < kd->block_size) {
		*src_ret = kd->pfn * kd->block_size;
		room = kd->block_size;
	}
	nr = min_u64(max_u64(min_u64(len, room) / kd->block_size, 1), kd->run_end - kd->pfn);
	kd->pfn += nr;
	kd->nr_handed += nr;
	kd->nr_skipped += nr;
	return nr * kd->block_size;
}

/*
 * The last descriptors, as far as that can still be done: why a dump ended early is written in place and said whatever
 * becomes of these. Where those of pages that were handed out and not written would be, a device holds something else.
 */
static void save_descs(struct core_kdump *kd)
{
	flush_descs(kd);
	sink_retry(kd->sink);
	zero_descs(kd, kd->nr_handed - kd->nr_put);
	sink_retry(kd->sink);
}

static int kdump_end(struct core *core, const struct core_result *result, struct error *err)
{
	struct core_kdump *kd = container_of(core, struct core_kdump, core);
	int rc = 0;

	if (result->status)
		save_descs(kd);
	else
		rc = write_descs(kd);
	kd->plan->file_size = kd->data_off;
	if (!rc)
		rc = write_own_note(kd, result);
	if (!rc)
		rc = sink_sync(kd->sink);
	if (!rc)
		rc = write_header(kd, !result->status);
	return rc ? fail(err, rc, "writing the final header to %s failed: %s", sink_name(kd->sink), strerror(-rc)) : 0;
}

static void kdump_close(struct core *core)
{
	struct core_kdump *kd = container_of(core, struct core_kdump, core);

	free(kd->descs);
	free(kd->latest);
	kd->descs = NULL;
	kd->latest = NULL;
	pagemap_kept_deinit(&kd->kept);
	pagemap_deinit(&kd->pm);
}

static const struct core_ops core_kdump_ops = {
	.name = "kdump",
	.plan = kdump_plan,
	.begin = kdump_begin,
	.next = kdump_next,
	.pack = kdump_pack,
	.put = kdump_put,
	.skip = kdump_skip,
	.end = kdump_end,
	.close = kdump_close,
};

int core_kdump_init(struct core_kdump *kd, const struct core_kdump_job *job, struct core **ret, struct error *err)
{
	memset(kd, 0, sizeof(*kd));
	if (job->kernel->crash->ehdr.form.class != ELFCLASS64)
		return fail(err, -EOPNOTSUPP, "the kdump format is written for 64-bit machines only");
	kd->core.ops = &core_kdump_ops;
	kd->core.needs.codec = job->codec;
	kd->job = *job;
	kd->codec_flag = codec_find(job->codec)->kdump_flag;
	*ret = &kd->core;
	return 0;
}
