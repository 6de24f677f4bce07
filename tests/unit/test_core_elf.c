// SPDX-License-Identifier: GPL-2.0-or-later
/* The ELF core as it goes into a sink, and as crash_read() and libelf find it there again. */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

/* libelf brings the system's elf.h, which takes the place of ours. */
#define ELFCORE_ELFDEF_H
#define EF_DUMP_INCOMPLETE 0x1
#include "elfcore/core_elf.h"
#include "elfcore/mem_chain.h"
#include "elfcore/zero.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

struct scene {
	struct wreck wreck;
	struct crash crash;
	struct plan plan;
	struct core_elf elf;
	struct core *core;
	struct fake_sink fake;
	struct sink *sink;
	struct holes holes;
	struct core_result result;
	struct error err;
};

static struct scene s;

static void scene_init(struct elf_form form)
{
	memset(&s, 0, sizeof(s));
	wreck_init(&s.wreck, form, EM_X86_64);
	wreck_crash(&s.wreck, &s.crash);
	assert_int_equal(plan_init(&s.plan, &s.crash, 4096, &s.err), 0);
	s.core = core_elf_init(&s.elf, &s.wreck.mem.mem, NULL);
	assert_int_equal(s.core->ops->plan(s.core, &s.plan, &s.err), 0);
	s.sink = fake_sink_init(&s.fake, SINK_SEEK);
	s.result = (struct core_result){ .holes = &s.holes, .duration_ms = 7, .sources = "fake:1" };
}

static void scene_free(void)
{
	plan_deinit(&s.plan);
	crash_deinit(&s.crash);
	wreck_free(&s.wreck);
	fake_sink_free(&s.fake);
}

/* What pump.c does, with batches of a size that divides nothing. */
static int pump(size_t chunk)
{
	static struct batch wanted, batch;
	static uint8_t buf[BATCH_BUF_LEN];
	struct mem_chain chain;
	struct packer packer;
	int rc = 0;

	mem_chain_init(&chain, 4096);
	mem_chain_add(&chain, &s.wreck.mem.mem);
	assert_int_equal(packer_init(&packer, &chain, &s.core->needs, 0, PAGE_SHARE_ALONE), 0);
	batch.buf = buf;
	while (!rc && s.core->ops->next(s.core, &wanted)) {
		uint64_t off = wanted.off;

		for (unsigned int i = 0; i < wanted.nr_pieces; i++) {
			for (uint64_t pos = 0; pos < wanted.pieces[i].len && !rc; pos += batch.len, off += batch.len) {
				batch_start(&batch, off);
				batch_add(&batch, wanted.pieces[i].src + pos, min_u64(chunk, wanted.pieces[i].len - pos));
				batch.nr_segs = batch.nr_zero_bytes = 0;
				memset(&batch.holes, 0, sizeof(batch.holes));
				s.core->ops->pack(s.core, &packer, &batch);
				for (unsigned int hole = 0; hole < batch.holes.nr; hole++)
					holes_add(&s.holes, batch.holes.list[hole].start,
						  batch.holes.list[hole].end - batch.holes.list[hole].start, batch.holes.list[hole].error);
				rc = s.core->ops->put(s.core, &batch);
			}
		}
	}
	packer_deinit(&packer);
	return rc;
}

static int write_all_of_it(size_t chunk)
{
	int rc = s.core->ops->begin(s.core, s.sink, &s.err);

	if (!rc)
		rc = pump(chunk);
	if (!rc)
		rc = s.core->ops->end(s.core, &s.result, &s.err);
	return rc ? rc : sink_commit(s.sink, s.plan.file_size);
}

/* What was written, as a file of its full size. */
static void as_file(struct fake_mem *file)
{
	fake_mem_init(file);
	if (s.fake.data.len < s.plan.file_size)
		bytes_add_zeros(&s.fake.data, s.plan.file_size - s.fake.data.len);
	fake_mem_add(file, 0, s.fake.data.p, s.fake.data.len);
}

static int reread(struct fake_mem *file, struct crash *ret)
{
	struct crash_source source = { .mem = &file->mem };

	return crash_read(ret, &source, &s.err);
}

/* Segment by segment the same labels and the same bytes as the memory of the machine. */
static void compare_segments(struct fake_mem *file, const struct crash *again)
{
	static uint8_t a[WRECK_RAM_SIZE], b[WRECK_RAM_SIZE];

	assert_int_equal(again->nr_segs, s.crash.nr_segs);
	for (unsigned int i = 0; i < again->nr_segs; i++) {
		const struct segment *x = &s.crash.segs[i], *y = &again->segs[i];

		assert_true(x->vaddr == y->vaddr && x->paddr == y->paddr && x->filesz == y->filesz && x->memsz == y->memsz);
		assert_int_equal(x->flags, y->flags);
		assert_int_equal(mem_read(&s.wreck.mem.mem, x->src, a, x->filesz), 0);
		assert_int_equal(mem_read(&file->mem, y->src, b, y->filesz), 0);
		assert_memory_equal(a, b, x->filesz);
		assert_int_equal(y->src % 4096, y->paddr % 4096);
	}
}

static void test_roundtrip(void **state)
{
	static const size_t chunks[] = { 65536, 4096, 5000, 12345 };

	(void)state;
	for (size_t form = 0; form < ARRAY_SIZE(FORMS); form++) {
		for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
			struct vmcoreinfo lines;
			struct fake_mem file;
			struct crash again;
			char text[32];

			scene_init(FORMS[form]);
			assert_int_equal(write_all_of_it(chunks[i]), 0);
			assert_true(s.fake.committed);
			assert_true(s.fake.size == s.plan.file_size);
			as_file(&file);
			assert_int_equal(reread(&file, &again), 0);
			assert_memory_equal(&again.ehdr.form, &FORMS[form], sizeof(FORMS[form]));
			assert_int_equal(again.ehdr.flags, 0);
			assert_int_equal(again.ehdr.type, ET_CORE);
			assert_int_equal(again.ehdr.phoff, elf_ehdr_size(FORMS[form]));
			assert_int_equal(again.ehdr.shnum, 0);
			compare_segments(&file, &again);
			/* The notes of the crash verbatim, ours behind them. */
			assert_memory_equal(again.notes.buf, s.crash.notes.buf, s.crash.notes.len);
			assert_int_equal(again.notes.len, s.crash.notes.len + 24 + CAPTURE_NOTE_SIZE);
			assert_int_equal(again.notes.nr_cpus, 2);
			assert_true(capture_note_find(&again.notes, &lines));
			assert_true(vmcoreinfo_string(&lines, "STATUS", text, sizeof(text)));
			assert_string_equal(text, "complete");
			assert_true(again.notes.cpus[0].cpu == CPU_UNKNOWN);
			capture_note_attribute_cpus(&again.notes);
			assert_int_equal(again.notes.cpus[0].cpu, 0);
			assert_int_equal(again.notes.cpus[1].cpu, 2);
			crash_deinit(&again);
			fake_mem_free(&file);
			scene_free();
		}
	}
}

/* PT_NOTE first, p_align 0, data behind the notes: what crash wants. */
static void test_headers(void **state)
{
	struct elf_phdr phdr;

	(void)state;
	scene_init(FORMS[0]);
	assert_int_equal(write_all_of_it(65536), 0);
	elf_phdr_decode(FORMS[0], s.fake.data.p + 64, &phdr);
	assert_int_equal(phdr.type, PT_NOTE);
	assert_int_equal(phdr.offset, 64 + 5 * 56);
	assert_int_equal(phdr.filesz, s.crash.notes.len + 24 + CAPTURE_NOTE_SIZE);
	assert_int_equal(phdr.memsz, phdr.filesz);
	assert_int_equal(phdr.align, 0);
	assert_int_equal(phdr.paddr, 0);
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t notes_end = s.plan.notes_off + s.plan.notes_len;

		elf_phdr_decode(FORMS[0], s.fake.data.p + 64 + (i + 1) * 56, &phdr);
		assert_int_equal(phdr.type, PT_LOAD);
		assert_int_equal(phdr.align, 0);
		assert_int_equal(phdr.flags, PF_R | PF_W | PF_X);
		assert_true(phdr.offset >= notes_end);
	}
	scene_free();
}

/* Zero pages are never written, everything else is, and nothing twice but the final headers. */
static void test_zero_pages_are_holes(void **state)
{
	const struct plan_range *ram;
	uint64_t zeros;

	(void)state;
	scene_init(FORMS[0]);
	assert_int_equal(write_all_of_it(65536), 0);
	ram = plan_find(&s.plan, WRECK_ZEROS);
	zeros = ram->off + (WRECK_ZEROS - ram->src);
	assert_int_equal(fake_sink_count(&s.fake, zeros, WRECK_ZEROS_SIZE, 'z'), WRECK_ZEROS_SIZE);
	assert_int_equal(fake_sink_count(&s.fake, ram->off, ram->len, 'w'), ram->len - WRECK_ZEROS_SIZE);
	assert_int_equal(s.elf.nr_zero_bytes, WRECK_ZEROS_SIZE);
	/* From the first byte to the last nothing is forgotten but what aligns the program headers' end. */
	assert_int_equal(fake_sink_count(&s.fake, 0, s.plan.file_size, 0), 0);
	assert_int_equal(s.fake.nr_overwritten, 64 + 24 + CAPTURE_NOTE_SIZE);
	scene_free();
}

static void test_zero_parts_of_pages(void **state)
{
	const struct plan_range *low;

	(void)state;
	scene_init(FORMS[0]);
	/* The backup region ends with 0xc00 bytes of a page; one zero block, and that end. */
	memset(fake_mem_at(&s.wreck.mem, WRECK_BACKUP + 0x1000), 0, 0x1000);
	memset(fake_mem_at(&s.wreck.mem, WRECK_BACKUP + 0x4000), 0, 0xc00);
	memset(fake_mem_at(&s.wreck.mem, WRECK_BACKUP + 0x2800), 0, 0x1000);	/* no whole block: written */
	assert_int_equal(write_all_of_it(0x3333), 0);
	low = plan_find(&s.plan, WRECK_BACKUP);
	assert_int_equal(fake_sink_count(&s.fake, low->off + 0x1000, 0x1000, 'z'), 0x1000);
	assert_int_equal(fake_sink_count(&s.fake, low->off + 0x4000, 0xc00, 'z'), 0xc00);
	assert_int_equal(fake_sink_count(&s.fake, low->off + 0x2000, 0x800, 'w'), 0x800);
	scene_free();
}

/* The mark of incompleteness is in the first header written and goes with the last write of all, after a sync. */
static void test_order(void **state)
{
	unsigned int last;

	(void)state;
	scene_init(FORMS[1]);
	assert_int_equal(write_all_of_it(65536), 0);
	assert_int_equal(s.fake.events[0].call, CALL_WRITE);
	assert_int_equal(s.fake.events[0].off, 0);
	assert_int_equal(s.fake.events[0].len, 64);
	assert_int_equal(elf_get(ELFDATA2MSB, s.fake.events[0].head + 48, 4), EF_DUMP_INCOMPLETE);
	last = s.fake.nr_events - 1;
	assert_int_equal(s.fake.events[last].call, CALL_COMMIT);
	assert_int_equal(s.fake.events[last - 1].call, CALL_WRITE);
	assert_int_equal(s.fake.events[last - 1].off, 0);
	assert_int_equal(elf_get(ELFDATA2MSB, s.fake.events[last - 1].head + 48, 4), 0);
	assert_int_equal(s.fake.events[last - 2].call, CALL_SYNC);
	for (unsigned int i = 1; i < last - 1; i++)
		assert_true(s.fake.events[i].call != CALL_WRITE || s.fake.events[i].off >= 64);
	scene_free();
}

/* What was incomplete before stays so in a copy. */
static void test_incomplete_source(void **state)
{
	(void)state;
	scene_init(FORMS[0]);
	s.crash.ehdr.flags = EF_DUMP_INCOMPLETE;
	assert_int_equal(write_all_of_it(65536), 0);
	assert_int_equal(elf_get(ELFDATA2LSB, s.fake.data.p + 48, 4), EF_DUMP_INCOMPLETE);
	scene_free();
}

/* As capture() goes on after an error: whatever fails, what is there says that it is incomplete. */
static void finish(int status)
{
	struct error later;

	s.result.status = status;
	if (!status)
		status = s.result.status = s.core->ops->end(s.core, &s.result, &s.err);
	if (!status)
		status = s.result.status = sink_commit(s.sink, s.plan.file_size);
	if (status) {
		sink_retry(s.sink);
		s.core->ops->end(s.core, &s.result, &later);
		sink_keep(s.sink, s.plan.file_size);
	}
}

static bool nth_write_fails(unsigned int n, bool all_later, bool partial)
{
	struct fake_mem file;
	struct crash again;
	bool committed;
	int rc;

	scene_init(FORMS[0]);
	s.fake.fail_at = n;
	s.fake.fail_on = all_later;
	s.fake.partial = partial;
	s.fake.fail_error = -ENOSPC;
	rc = s.core->ops->begin(s.core, s.sink, &s.err);
	if (!rc)
		rc = pump(4096);
	finish(rc);
	committed = s.fake.committed;
	assert_int_equal(committed, n > s.fake.nr_writes);
	assert_int_equal(s.fake.kept, !committed);
	as_file(&file);
	rc = reread(&file, &again);
	if (committed) {
		assert_int_equal(rc, 0);
		assert_int_equal(again.ehdr.flags, 0);
	} else if (!rc) {
		assert_int_equal(again.ehdr.flags, EF_DUMP_INCOMPLETE);
	} else {
		/* Only where the headers themselves could not be written, there is nothing to open. */
		assert_true(all_later ? n <= 4 : n <= 2);
	}
	if (!rc && !all_later && n > 4) {
		struct vmcoreinfo lines;
		char text[32];

		assert_true(capture_note_find(&again.notes, &lines));
		assert_true(vmcoreinfo_string(&lines, "STATUS", text, sizeof(text)));
		assert_string_equal(text, committed ? "complete" : "incomplete 28");
	}
	if (!rc)
		crash_deinit(&again);
	fake_mem_free(&file);
	scene_free();
	return committed;
}

static void test_nth_write_fails(void **state)
{
	(void)state;
	for (unsigned int mode = 0; mode < 4; mode++) {
		unsigned int n = 1;

		while (!nth_write_fails(n, mode & 1, mode & 2))
			n++;
		assert_in_range(n, 20, 200);
	}
}

/* More headers than e_phnum counts: both readers must find the real number. */
static void test_xnum(void **state)
{
	static const unsigned int counts[] = { 65533, 65534, 65600 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct segment *segs = calloc(counts[i], sizeof(*segs));
		struct fake_mem file;
		struct crash again;
		size_t nr_phdrs;
		GElf_Phdr phdr;
		Elf *libelf;

		scene_init(FORMS[i % 2]);
		plan_deinit(&s.plan);
		free(s.crash.segs);
		for (uint64_t n = 0; n < counts[i]; n++)
			segs[n] = (struct segment){ 0xffffc90000000000 + n * 8192, WRECK_RAM, WRECK_RAM, 4096, 4096, 7, n };
		s.crash.segs = segs;
		s.crash.nr_segs = counts[i];
		assert_int_equal(plan_init(&s.plan, &s.crash, 4096, &s.err), 0);
		s.core = core_elf_init(&s.elf, &s.wreck.mem.mem, NULL);
		assert_int_equal(s.core->ops->plan(s.core, &s.plan, &s.err), 0);
		assert_int_equal(write_all_of_it(65536), 0);
		as_file(&file);
		assert_int_equal(reread(&file, &again), 0);
		assert_int_equal(again.nr_segs, counts[i]);
		assert_int_equal(again.ehdr.phnum, counts[i] + 1 >= PN_XNUM ? PN_XNUM : counts[i] + 1);
		assert_int_equal(again.ehdr.shnum, counts[i] + 1 >= PN_XNUM);
		assert_true(again.segs[counts[i] - 1].vaddr == 0xffffc90000000000 + (counts[i] - 1) * 8192ULL);

		elf_version(EV_CURRENT);
		libelf = elf_memory((char *)s.fake.data.p, s.fake.data.len);
		assert_non_null(libelf);
		assert_int_equal(elf_getphdrnum(libelf, &nr_phdrs), 0);
		assert_int_equal(nr_phdrs, counts[i] + 1);
		assert_non_null(gelf_getphdr(libelf, counts[i], &phdr));
		assert_true(phdr.p_vaddr == 0xffffc90000000000 + (counts[i] - 1) * 8192ULL);
		assert_true(phdr.p_paddr == WRECK_RAM);
		elf_end(libelf);
		crash_deinit(&again);
		fake_mem_free(&file);
		scene_free();
	}
}

static void test_too_large_for_elf32(void **state)
{
	(void)state;
	scene_init(FORMS[2]);
	s.plan.loads[1].seg.vaddr = 1ULL << 32;
	assert_int_equal(s.core->ops->begin(s.core, s.sink, &s.err), -EOVERFLOW);
	assert_string_equal(s.err.text, "segment at 0x100000000 does not fit the ELF class");
	scene_free();
}

static void test_is_zero(void **state)
{
	(void)state;
	for (size_t len = 0; len < 200; len++) {
		uint8_t *p = calloc(1, len + 1);

		assert_true(mem_is_zero(p + 1, len));
		for (size_t i = 1; i <= len; i++) {
			p[i] = 1;
			assert_false(mem_is_zero(p + 1, len));
			p[i] = 0;
		}
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roundtrip),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_zero_pages_are_holes),
		cmocka_unit_test(test_zero_parts_of_pages),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_incomplete_source),
		cmocka_unit_test(test_nth_write_fails),
		cmocka_unit_test(test_xnum),
		cmocka_unit_test(test_too_large_for_elf32),
		cmocka_unit_test(test_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
