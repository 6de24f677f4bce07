// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/core_elf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "elfcore/zero.h"

/* Holes are found in blocks of this size, whatever the dead kernel's page size: filesystems have none smaller. */
#define BLOCK 4096

/* A note header and the name KCAPTURE with its zero, padded. */
#define OWN_NOTE_HEADER (ELF_NHDR_SIZE + 12)

static int elf_plan(struct core *core, struct plan *plan, struct error *err)
{
	struct core_elf *elf = container_of(core, struct core_elf, core);

	elf->plan = plan;
	return plan_layout(plan, plan->crash->notes.len + OWN_NOTE_HEADER + CAPTURE_NOTE_SIZE, err);
}

static int write_ehdr(struct core_elf *elf, bool complete, struct error *err)
{
	const struct plan *plan = elf->plan;
	uint32_t nr_phdrs = 1 + plan->nr_loads;
	bool xnum = nr_phdrs >= PN_XNUM;
	uint8_t buf[ELF_EHDR_MAX];
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
	if (elf_ehdr_encode(&ehdr, buf))
		return fail(err, -EOVERFLOW, "ELF header does not fit its class");
	return sink_write(elf->sink, 0, buf, ehdr.ehsize);
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
	int rc = sink_write(batch->elf->sink, batch->off, batch->buf, batch->len);

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
		rc = sink_write(elf->sink, batch.off, shdr, elf_shdr_size(plan->form));
	}
	return rc;
}

static int write_own_note(struct core_elf *elf, const struct core_result *result)
{
	const struct notes *notes = &elf->plan->crash->notes;
	struct elf_nhdr nhdr = { sizeof(CAPTURE_NOTE_NAME), CAPTURE_NOTE_SIZE, CAPTURE_NOTE_TYPE };
	uint8_t header[OWN_NOTE_HEADER] = { 0 };
	uint64_t off = elf->plan->notes_off + notes->len;
	int rc;

	elf_nhdr_encode(notes->data, &nhdr, header);
	memcpy(header + ELF_NHDR_SIZE, CAPTURE_NOTE_NAME, sizeof(CAPTURE_NOTE_NAME));
	capture_note_format(elf->desc, elf->plan, result);
	rc = sink_write(elf->sink, off, header, sizeof(header));
	return rc ? rc : sink_write(elf->sink, off + sizeof(header), elf->desc, CAPTURE_NOTE_SIZE);
}

static int elf_begin(struct core *core, struct sink *sink, struct error *err)
{
	struct core_elf *elf = container_of(core, struct core_elf, core);
	const struct plan *plan = elf->plan;
	int rc;

	elf->sink = sink;
	err->code = 0;
	rc = write_ehdr(elf, false, err);
	if (!rc)
		rc = write_phdrs(elf, err);
	if (!rc)
		rc = sink_write(sink, plan->notes_off, plan->crash->notes.buf, plan->crash->notes.len);
	if (!rc)
		rc = write_own_note(elf, NULL);
	elf->pos = plan->notes_off + plan->notes_len;
	if (rc && !err->code)
		fail(err, rc, "writing the headers to %s failed: %s", sink->ops->name, strerror(-rc));
	return rc;
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

/* What lies between the ranges is padding: it is zeros as well. */
static int elf_pages(struct core *core, const struct plan_range *range, uint64_t pos, const uint8_t *buf, size_t len)
{
	struct core_elf *elf = container_of(core, struct core_elf, core);
	uint64_t off = range->off + pos;
	int rc = sink_zero(elf->sink, elf->pos, off - elf->pos);

	while (len && !rc) {
		bool zero;
		size_t run = scan_run(buf, len, off, &zero);

		rc = zero ? sink_zero(elf->sink, off, run) : sink_write(elf->sink, off, buf, run);
		if (zero)
			elf->nr_zero_bytes += run;
		off += run;
		buf += run;
		len -= run;
	}
	elf->pos = off;
	return rc;
}

static int elf_end(struct core *core, const struct core_result *result, struct error *err)
{
	struct core_elf *elf = container_of(core, struct core_elf, core);
	struct sink *sink = elf->sink;
	int rc;

	err->code = 0;
	rc = write_own_note(elf, result);
	if (!rc && !result->status)
		rc = sink_zero(sink, elf->pos, elf->plan->file_size - elf->pos);
	if (!rc)
		rc = sink_sync(sink);
	if (!rc)
		rc = write_ehdr(elf, !result->status, err);
	if (rc && !err->code)
		fail(err, rc, "writing the final header to %s failed: %s", sink->ops->name, strerror(-rc));
	return rc;
}

static const struct core_ops core_elf_ops = {
	.name = "elf",
	.plan = elf_plan,
	.begin = elf_begin,
	.pages = elf_pages,
	.end = elf_end,
};

struct core *core_elf_init(struct core_elf *elf)
{
	memset(elf, 0, sizeof(*elf));
	elf->core.ops = &core_elf_ops;
	return &elf->core;
}
