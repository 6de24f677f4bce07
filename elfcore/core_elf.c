// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/core_elf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "elfcore/zero.h"

/* Holes are found in blocks of this size, whatever the dead kernel's page size: filesystems have none smaller. */
#define BLOCK 4096

static int elf_plan(struct core *core, struct plan *plan, struct error *err)
{
	struct core_elf *elf = container_of(core, struct core_elf, core);

	elf->plan = plan;
	return plan_layout(plan, plan_notes(plan)->len + CAPTURE_NOTE_LEN, err);
}

static int make_ehdr(struct core_elf *elf, bool complete, uint8_t buf[ELF_EHDR_MAX], struct error *err)
{
	const struct plan *plan = elf->plan;
	uint32_t nr_phdrs = 1 + plan->nr_loads;
	bool xnum = nr_phdrs >= PN_XNUM;
	struct elf_ehdr ehdr = {
		.form = plan->form,
		.osabi = plan->crash->ehdr.osabi,
		.type = ET_CORE,
		.machine = plan->crash->ehdr.machine,
		.version = EV_CURRENT,
		.phoff = elf_ehdr_size(plan->form),
		.flags = plan->crash->ehdr.flags,	/* what was incomplete before stays so in a copy */
		.ehsize = elf_ehdr_size(plan->form),
		.phentsize = elf_phdr_size(plan->form),
		.phnum = xnum ? PN_XNUM : nr_phdrs,
	};

	if (!complete)
		ehdr.flags |= EF_DUMP_INCOMPLETE;
	if (xnum) {
		ehdr.shoff = ehdr.phoff + (uint64_t)nr_phdrs * ehdr.phentsize;
		ehdr.shentsize = elf_shdr_size(plan->form);
		ehdr.shnum = 1;
	}
	return elf_ehdr_encode(&ehdr, buf) ? fail(err, -EOVERFLOW, "ELF header does not fit its class") : 0;
}

static int write_ehdr(struct core_elf *elf, bool complete, struct error *err)
{
	uint8_t buf[ELF_EHDR_MAX];
	int rc = make_ehdr(elf, complete, buf, err);

	return rc ? rc : sink_write(elf->out, 0, buf, elf_ehdr_size(elf->plan->form));
}

/* Program headers leave in batches: there may be tens of thousands. */
struct phdr_batch {
	struct core_elf *elf;
	uint64_t off;
	size_t len;
	uint8_t buf[1792];
};

static int flush_phdrs(struct phdr_batch *batch)
{
	int rc = sink_write(batch->elf->out, batch->off, batch->buf, batch->len);

	batch->off += batch->len;
	batch->len = 0;
	return rc;
}

static int add_phdr(struct phdr_batch *batch, const struct elf_phdr *phdr, struct error *err)
{
	struct elf_form form = batch->elf->plan->form;

	if (elf_phdr_encode(form, phdr, batch->buf + batch->len))
		return fail(err, -EOVERFLOW, "segment at 0x%llx does not fit the ELF class", (unsigned long long)phdr->vaddr);
	batch->len += elf_phdr_size(form);
	return batch->len + ELF_PHDR_MAX > sizeof(batch->buf) ? flush_phdrs(batch) : 0;
}

static int write_phdrs(struct core_elf *elf, struct error *err)
{
	const struct plan *plan = elf->plan;
	struct phdr_batch batch = { .elf = elf, .off = elf_ehdr_size(plan->form) };
	struct elf_phdr note = { .type = PT_NOTE, .offset = plan->notes_off, .filesz = plan->notes_len, .memsz = plan->notes_len };
	int rc = add_phdr(&batch, &note, err);

	for (unsigned int i = 0; i < plan->nr_loads && !rc; i++) {
		const struct plan_load *load = &plan->loads[i];
		struct elf_phdr phdr = {
			.type = PT_LOAD,
			.flags = load->seg.flags,
			.offset = load->off,
			.vaddr = load->seg.vaddr,
			.paddr = load->seg.paddr,
			.filesz = load->seg.filesz,
			.memsz = load->seg.memsz,
		};

		rc = add_phdr(&batch, &phdr, err);
	}
	if (!rc)
		rc = flush_phdrs(&batch);
	if (!rc && 1 + plan->nr_loads >= PN_XNUM) {
		uint8_t shdr[ELF_SHDR_MAX];

		elf_shdr0_encode(plan->form, 1 + plan->nr_loads, shdr);
		rc = sink_write(elf->out, batch.off, shdr, elf_shdr_size(plan->form));
	}
	return rc;
}

static uint64_t own_note_off(const struct core_elf *elf)
{
	return elf->plan->notes_off + plan_notes(elf->plan)->len;
}

static int write_own_note(struct core_elf *elf, const struct core_result *result)
{
	return capture_note_write(elf->out, own_note_off(elf), elf->plan, result, elf->desc);
}

/* How the pieces that are written again will look when all goes well. */
static void expect_clean_end(struct core_elf *elf)
{
	uint8_t ehdr[ELF_EHDR_MAX];
	struct error err;

	if (!make_ehdr(elf, true, ehdr, &err))
		sink_expect(elf->out, 0, ehdr, elf_ehdr_size(elf->plan->form));
	capture_note_expect(elf->out, own_note_off(elf), elf->plan, elf->desc);
}

static int elf_begin(struct core *core, struct sink *sink, struct error *err)
{
	struct core_elf *elf = container_of(core, struct core_elf, core);
	const struct plan *plan = elf->plan;
	int rc;

	elf->out = sink;
	if (elf->zseek) {
		rc = sink_zseek_init(elf->zseek, sink);
		if (rc)
			return fail(err, rc, "no memory for the table of frames");
		elf->out = &elf->zseek->sink;
	}
	elf->range = elf->done = 0;
	expect_clean_end(elf);
	err->code = 0;
	rc = write_ehdr(elf, false, err);
	if (!rc)
		rc = write_phdrs(elf, err);
	if (!rc)
		rc = sink_write(elf->out, plan->notes_off, plan_notes(plan)->buf, plan_notes(plan)->len);
	if (!rc)
		rc = write_own_note(elf, NULL);
	elf->pos = plan->notes_off + plan->notes_len;
	if (rc && !err->code)
		fail(err, rc, "writing the headers to %s failed: %s", sink_name(sink), strerror(-rc));
	return rc;
}

/* Leave out what the source does not hold: it reads as zeros, as what lies between the ranges does. */
static void pass_absent(struct core_elf *elf)
{
	const struct plan *plan = elf->plan;
	uint64_t run;

	while (elf->range < plan->nr_ranges) {
		const struct plan_range *r = &plan->ranges[elf->range];

		if (elf->done < r->len) {
			if (mem_present(elf->mem, r->src + elf->done, r->len - elf->done, &run))
				return;
			elf->done += min_u64(run, r->len - elf->done);
		} else {
			elf->range++;
			elf->done = 0;
		}
	}
}

/* A batch is one stretch of the file and ends at a multiple of its size there, so that writes are aligned. */
static int elf_next(struct core *core, struct batch *batch)
{
	struct core_elf *elf = container_of(core, struct core_elf, core);
	const struct plan *plan = elf->plan;

	pass_absent(elf);
	if (elf->range == plan->nr_ranges)
		return 0;
	batch_start(batch, plan->ranges[elf->range].off + elf->done);
	while (elf->range < plan->nr_ranges) {
		const struct plan_range *r = &plan->ranges[elf->range];
		uint64_t off = r->off + elf->done, room = BATCH_LEN - batch->len, run;

		if (off != batch->off + batch->len)
			break;
		if (elf->align)
			room = min_u64(room, BATCH_LEN - off % BATCH_LEN);
		mem_present(elf->mem, r->src + elf->done, r->len - elf->done, &run);
		run = min_u64(min_u64(run, r->len - elf->done), room);
		if (!batch_add(batch, r->src + elf->done, run))
			break;
		elf->done += run;
		if (run == room)
			break;
		pass_absent(elf);
	}
	return 1;
}

/* The length of the run of blocks from pos on that are all zero, or all not; blocks end where the file's blocks do. */
static size_t scan_run(const uint8_t *buf, size_t len, uint64_t off, bool *zero_ret)
{
	size_t pos = min_u64(len, BLOCK - off % BLOCK);

	*zero_ret = mem_is_zero(buf, pos);
	while (pos < len) {
		size_t block = min_u64(len - pos, BLOCK);

		if (mem_is_zero(buf + pos, block) != *zero_ret)
			break;
		pos += block;
	}
	return pos;
}

/* Plain: blocks of zeros are told from others. */
static void pack_plain(struct packer *packer, struct batch *batch)
{
	const uint8_t *buf = batch->buf;
	uint64_t off = batch->off;

	batch_read(batch, packer->chain, &(struct batch_cursor){ 0 }, batch->buf, batch->len);
	for (size_t left = batch->len; left;) {
		bool zero;
		size_t run = scan_run(buf, left, off, &zero);

		batch_add_seg(batch, zero ? NULL : buf, run);
		if (zero)
			batch->nr_zero_bytes += run;
		off += run;
		buf += run;
		left -= run;
	}
}

/* zstd: one frame. */
static void pack_zstd(struct packer *packer, struct batch *batch)
{
	batch_read(batch, packer->chain, &(struct batch_cursor){ 0 }, packer->in, batch->len);
	batch_add_seg(batch, batch->buf, codec_compress(&packer->codec, packer->in, batch->len, batch->buf, BATCH_BUF_LEN));
}

static void elf_pack(const struct core *core, struct packer *packer, struct batch *batch)
{
	if (core->needs.codec == CODEC_NONE)
		pack_plain(packer, batch);
	else
		pack_zstd(packer, batch);
}

static int put_plain(struct core_elf *elf, const struct batch *batch)
{
	uint64_t off = batch->off;
	int rc = 0;

	for (unsigned int i = 0; i < batch->nr_segs && !rc;) {
		const struct sink_vec *segs = &batch->segs[i];
		unsigned int nr = 1;
		uint64_t len = segs[0].len;

		if (segs[0].base)
			for (; i + nr < batch->nr_segs && nr < SINK_VECS_MAX && segs[nr].base; nr++)
				len += segs[nr].len;
		rc = segs[0].base ? sink_writev(elf->out, off, segs, nr) : sink_zero(elf->out, off, len);
		off += len;
		i += nr;
	}
	return rc;
}

/* What lies between the batches is padding, or was left out: it is zeros as well. */
static int elf_put_batch(struct core *core, const struct batch *batch)
{
	struct core_elf *elf = container_of(core, struct core_elf, core);
	int rc = sink_zero(elf->out, elf->pos, batch->off - elf->pos);

	if (!rc)
		rc = elf->zseek ? sink_zseek_frame(elf->zseek, batch->off, batch->len, &batch->segs[0]) : put_plain(elf, batch);
	elf->nr_zero_bytes += batch->nr_zero_bytes;
	elf->pos = batch->off + batch->len;
	return rc;
}

static uint64_t elf_skip(struct core *core, uint64_t len, maddr_t *src_ret)
{
	struct core_elf *elf = container_of(core, struct core_elf, core);
	const struct plan_range *r;

	pass_absent(elf);
	if (elf->range == elf->plan->nr_ranges)
		return 0;
	r = &elf->plan->ranges[elf->range];
	len = min_u64(len, r->len - elf->done);
	*src_ret = r->src + elf->done;
	elf->done += len;
	return len;
}

static int elf_end(struct core *core, const struct core_result *result, struct error *err)
{
	struct core_elf *elf = container_of(core, struct core_elf, core);
	struct sink *out = elf->out;
	int rc;

	err->code = 0;
	sink_retry(out);
	rc = write_own_note(elf, result);
	if (!rc && !result->status)
		rc = sink_zero(out, elf->pos, elf->plan->file_size - elf->pos);
	if (elf->zseek) {
		int table = sink_zseek_finish(elf->zseek);

		elf->plan->file_size = elf->zseek->pos;
		rc = rc ? rc : table;
	}
	if (!rc)
		rc = sink_sync(out);
	if (!rc)
		rc = write_ehdr(elf, !result->status, err);
	if (rc && !err->code)
		fail(err, rc, "writing the final header to %s failed: %s", out->ops->name, strerror(-rc));
	return rc;
}

static void elf_close(struct core *core)
{
	struct core_elf *elf = container_of(core, struct core_elf, core);

	if (elf->zseek)
		sink_zseek_deinit(elf->zseek);
}

static const struct core_ops core_elf_ops = {
	.name = "elf",
	.plan = elf_plan,
	.begin = elf_begin,
	.next = elf_next,
	.pack = elf_pack,
	.put = elf_put_batch,
	.skip = elf_skip,
	.end = elf_end,
	.close = elf_close,
};

struct core *core_elf_init(struct core_elf *elf, struct mem *mem, struct sink_zseek *zseek)
{
	memset(elf, 0, sizeof(*elf));
	elf->core.ops = &core_elf_ops;
	elf->core.needs = (struct packer_needs){ .codec = CODEC_NONE, .pack_len = BATCH_LEN };
	if (zseek) {
		elf->core.needs.codec = CODEC_ZSTD;
		elf->core.needs.in_len = BATCH_LEN;
	}
	elf->mem = mem;
	elf->zseek = zseek;
	elf->align = !zseek;
	return &elf->core;
}
