// SPDX-License-Identifier: GPL-2.0-or-later
/* Headers of a crash: good ones in every form, and the ways in which they lie. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

/* A header at address 0 of its own little memory. */
struct scene {
	struct fake_mem mem;
	struct header header;
	struct fake_log log;
	struct crash crash;
	struct error err;
	uint64_t size;		/* said of the header, 0 = unknown */
	uint64_t max_off;	/* 0 = the usual one */
	size_t cut;		/* bytes of the header that are there, 0 = all */
};

static void scene_init(struct scene *s, struct elf_form form)
{
	memset(s, 0, sizeof(*s));
	fake_mem_init(&s->mem);
	header_init(&s->header, form, EM_X86_64);
}

static int scene_read(struct scene *s)
{
	struct crash_source source = { .mem = &s->mem.mem,
				       .size = s->size, .max_off = s->max_off, .log = fake_log_init(&s->log) };
	struct bytes bytes = { 0 };

	header_build(&s->header, &bytes);
	bytes_add_zeros(&bytes, bytes.len < ELF_EHDR_MAX ? ELF_EHDR_MAX - bytes.len : 0);
	fake_mem_add(&s->mem, 0, bytes.p, s->cut ? s->cut : bytes.len);
	bytes_free(&bytes);
	return crash_read(&s->crash, &source, &s->err);
}

static void scene_free(struct scene *s)
{
	crash_deinit(&s->crash);
	fake_mem_free(&s->mem);
	header_free(&s->header);
}

/* Put notes where a PT_NOTE of the header says they are. */
static void scene_notes(struct scene *s, maddr_t at, const struct bytes *bytes)
{
	fake_mem_add(&s->mem, at, bytes->p, bytes->len);
	header_note(&s->header, at, bytes->len, 0);
}

static void check_segments(const struct crash *crash)
{
	static const struct segment expected[4] = {
		{ WRECK_TEXT_VADDR, WRECK_TEXT, WRECK_TEXT, WRECK_TEXT_SIZE, WRECK_TEXT_SIZE, 7, 0 },
		{ WRECK_DIRECT + WRECK_LOW, WRECK_LOW, WRECK_BACKUP, WRECK_LOW_SIZE, WRECK_LOW_SIZE, 7, 1 },
		{ WRECK_DIRECT + WRECK_RAM, WRECK_RAM, WRECK_RAM, WRECK_RAM_SIZE, WRECK_RAM_SIZE, 7, 2 },
		{ WRECK_DIRECT + WRECK_HIGH, WRECK_HIGH, WRECK_HIGH, WRECK_HIGH_SIZE, WRECK_HIGH_SIZE, 7, 3 },
	};

	assert_int_equal(crash->nr_segs, 4);
	assert_memory_equal(crash->segs, expected, sizeof(expected));
}

/* The result is the same whatever the class and the byte order. */
static void test_four_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		struct wreck wreck;
		struct crash crash;

		wreck_init(&wreck, FORMS[i], EM_X86_64);
		wreck_crash(&wreck, &crash);
		assert_memory_equal(&crash.ehdr.form, &FORMS[i], sizeof(FORMS[i]));
		assert_int_equal(crash.ehdr.machine, EM_X86_64);
		assert_int_equal(crash.nr_phdrs, 8);
		assert_int_equal(crash.nr_rejected, 0);
		check_segments(&crash);
		assert_int_equal(crash.notes.nr_cpus, 2);
		assert_int_equal(crash.notes.nr_empty, 1);
		assert_int_equal(crash.notes.cpus[0].cpu, 0);
		assert_int_equal(crash.notes.cpus[1].cpu, 2);
		assert_int_equal(crash.vmcoreinfo.len, strlen(WRECK_VMCOREINFO));
		assert_memory_equal(crash.vmcoreinfo.text, WRECK_VMCOREINFO, crash.vmcoreinfo.len);
		crash_deinit(&crash);
		wreck_free(&wreck);
	}
}

static void test_find(void **state)
{
	struct wreck wreck;
	struct crash crash;
	uint64_t len;
	maddr_t src;

	(void)state;
	wreck_init(&wreck, FORMS[0], EM_X86_64);
	wreck_crash(&wreck, &crash);
	assert_int_equal(crash_find_paddr(&crash, WRECK_LOW + 5, &src, &len), 0);
	assert_int_equal(src, WRECK_BACKUP + 5);
	assert_int_equal(len, WRECK_LOW_SIZE - 5);
	assert_int_equal(crash_find_paddr(&crash, WRECK_LOW + WRECK_LOW_SIZE - 1, &src, &len), 0);
	assert_int_equal(len, 1);
	assert_int_equal(crash_find_paddr(&crash, WRECK_LOW + WRECK_LOW_SIZE, &src, &len), -ENODATA);
	assert_int_equal(crash_find_paddr(&crash, WRECK_LOW - 1, &src, &len), -ENODATA);
	assert_int_equal(crash_find_paddr(&crash, PADDR_NONE, &src, &len), -ENODATA);
	assert_int_equal(crash_find_vaddr(&crash, WRECK_TEXT_VADDR + 0x10, &src, &len), 0);
	assert_int_equal(src, WRECK_TEXT + 0x10);
	assert_int_equal(len, WRECK_TEXT_SIZE - 0x10);
	assert_int_equal(crash_find_vaddr(&crash, WRECK_DIRECT + WRECK_HIGH, &src, &len), 0);
	assert_int_equal(src, WRECK_HIGH);
	assert_int_equal(crash_find_vaddr(&crash, WRECK_DIRECT, &src, &len), -ENODATA);
	crash_deinit(&crash);
	wreck_free(&wreck);
}

static void test_bad_headers(void **state)
{
	static const struct { size_t off, size; uint64_t value; const char *text; } cases[] = {
		{ 0, 1, 0, "no ELF magic" },
		{ 16, 2, 2, "e_type 2 is not ET_CORE" },
		{ 54, 2, 55, "e_phentsize 55 is not 56" },
		{ 56, 2, 0, "e_phnum is 0" },
		{ 32, 8, 0, "e_phoff 0x0 is out of range" },
		{ 32, 8, 63, "e_phoff 0x3f is out of range" },
		{ 32, 8, UINT64_MAX - 7, "e_phoff 0xfffffffffffffff8 is out of range" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct crash_source source = { .addr = WRECK_HEADER };
		struct wreck wreck;
		struct crash crash;
		struct error err;

		wreck_init(&wreck, FORMS[0], EM_X86_64);
		source.mem = &wreck.mem.mem;
		elf_put(ELFDATA2LSB, fake_mem_at(&wreck.mem, WRECK_HEADER) + cases[i].off, cases[i].size, cases[i].value);
		assert_int_equal(crash_read(&crash, &source, &err), -EINVAL);
		assert_text(err.text, cases[i].text);
		assert_text(err.text, "ELF header at 0x2000000: ");
		wreck_free(&wreck);
	}
}

static void test_unreadable_header(void **state)
{
	struct crash_source source = { .addr = WRECK_HEADER };
	struct wreck wreck;
	struct crash crash;
	struct error err;

	(void)state;
	wreck_init(&wreck, FORMS[0], EM_X86_64);
	source.mem = &wreck.mem.mem;
	fake_mem_refuse(&wreck.mem, WRECK_HEADER, WRECK_HEADER + 1, -EPERM);
	assert_int_equal(crash_read(&crash, &source, &err), -EPERM);
	assert_string_equal(err.text, "ELF header at 0x2000000 is not readable through fake: Operation not permitted");
	source.size = 63;
	assert_int_equal(crash_read(&crash, &source, &err), -EINVAL);
	assert_text(err.text, "too short");
	source.size = 0;
	source.addr = (1ULL << 52) + 1;
	assert_int_equal(crash_read(&crash, &source, &err), -EINVAL);
	assert_text(err.text, "out of range");
	wreck_free(&wreck);
}

/* What the size says wins over e_phnum. */
static void test_lying_phnum_with_size(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	header_load(&s.header, 0x2000, 0x2000, 0x2000, 0x1000, 0x1000);
	s.header.phnum_lies = true;
	s.header.ehdr.phnum = 0xfffe;
	s.size = 64 + 2 * 56 + 55;
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.nr_segs, 2);
	assert_int_equal(s.crash.nr_phdrs, 2);
	assert_string_equal(s.log.text, "e_phnum 65534, but the header of 231 bytes has room for 2\n");
	scene_free(&s);
}

/* Without a size, the end of what can be read is the end. */
static void test_lying_phnum_without_size(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[2]);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	header_load(&s.header, 0x2000, 0x2000, 0x2000, 0x1000, 0x1000);
	s.header.phnum_lies = true;
	s.header.ehdr.phnum = 0xfffe;
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.nr_segs, 2);
	assert_string_equal(s.log.text, "program headers from 2 on are not readable (of 65534)\n");
	assert_true(s.crash.cut);
	scene_free(&s);
}

static void test_truncated_phdrs(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	for (uint64_t i = 1; i <= 5; i++)
		header_load(&s.header, i << 12, i << 12, i << 12, 0x1000, 0x1000);
	s.cut = 64 + 3 * 56 + 20;
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.nr_segs, 3);
	assert_text(s.log.text, "from 3 on");
	scene_free(&s);
}

static void test_nothing_usable(void **state)
{
	struct bytes notes = { 0 };
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	bytes_note(&notes, ELFDATA2LSB, 4, "VMCOREINFO", 0, "A=1\n", 4);
	scene_notes(&s, 0x8000, &notes);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0, 0);
	assert_int_equal(scene_read(&s), -EINVAL);
	assert_string_equal(s.err.text, "no usable PT_LOAD among 2 program headers");
	bytes_free(&notes);
	scene_free(&s);
}

/* Each is rejected alone; the good ones before and behind it stay, with their numbers among all PT_LOADs. */
static void test_absurd_loads(void **state)
{
	static const struct { vaddr_t vaddr; paddr_t paddr; maddr_t off; uint64_t filesz, memsz; const char *text; } cases[] = {
		/* kexec-tools of Debian 12 on arm64, kexec -c */
		{ UINT64_MAX, 0x3a835de00000, 0x3a835de00000, 0xffffc57ce3ea0000, 0xffffc57ce3ea0000, "data beyond" },
		{ 0, 0x1000, 0x1000, 0x1001, 0x1000, "p_filesz > p_memsz" },
		{ 0, 0x1000, 0x1000, UINT64_MAX, UINT64_MAX, "data beyond" },
		{ 0, 0x1000, UINT64_MAX - 0xfff, 0x1000, 0x1000, "data beyond" },
		{ 0, 0x1000, UINT64_MAX - 0xfff, 0x2000, 0x2000, "data beyond" },
		{ 0, 0x1000, (1ULL << 52) - 0xfff, 0x1000, 0x1000, "data beyond" },
		{ 0, UINT64_MAX - 0xfff, 0x1000, 0x1000, 0x1000, "p_paddr beyond" },
		{ 0, UINT64_MAX - 1, 0x1000, 0x1000, 0x1000, "p_paddr beyond" },
		{ 0, 0x1000, 0x1000, 0x1000, UINT64_MAX, "p_paddr beyond" },
		{ 0, 0x1000, 0x1000, 0, UINT64_MAX - 0xfff, "p_paddr beyond" },
		{ 0, (1ULL << 52) - 0xfff, 0x1000, 0x1000, 0x1000, "p_paddr beyond" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene s;

		scene_init(&s, FORMS[0]);
		header_load(&s.header, 0x5000, 0x5000, 0x5000, 0x1000, 0x1000);
		header_load(&s.header, cases[i].vaddr, cases[i].paddr, cases[i].off, cases[i].filesz, cases[i].memsz);
		header_load(&s.header, 0x7000, 0x7000, 0x7000, 0x1000, 0x1000);
		assert_int_equal(scene_read(&s), 0);
		assert_int_equal(s.crash.nr_segs, 2);
		assert_int_equal(s.crash.nr_rejected, 1);
		assert_int_equal(s.crash.segs[0].ordinal, 0);
		assert_int_equal(s.crash.segs[1].ordinal, 2);
		assert_text(s.log.text, "PT_LOAD 1 rejected");
		assert_text(s.log.text, cases[i].text);
		scene_free(&s);
	}
}

/* What ends exactly at the limit is not absurd, nor is a virtual address of all ones (i386 highmem). */
static void test_loads_at_the_limit(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	header_load(&s.header, UINT64_MAX, (1ULL << 52) - 0x1000, (1ULL << 52) - 0x1000, 0x1000, 0x1000);
	header_load(&s.header, 0xffffc90000000000, PADDR_NONE, 0x1000, 0x1000, 0x1000);
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.nr_segs, 2);
	assert_int_equal(s.crash.nr_rejected, 0);
	assert_true(s.crash.segs[1].paddr == PADDR_NONE);
	scene_free(&s);
}

/* /proc/kcore: offsets are virtual addresses of 57 bits. */
static void test_offsets_of_kcore(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	s.max_off = 1ULL << 58;
	header_load(&s.header, 0xff37df1800001000, 0x1000, 0x37df1800005000, 0x9e000, 0x9e000);
	header_load(&s.header, 0xffdb78e0c0000000, PADDR_NONE, 0x5b78e0c0004000, 0x31ffffffffffff, 0x31ffffffffffff);
	header_load(&s.header, 0, PADDR_NONE, (1ULL << 58) - 0xfff, 0x1000, 0x1000);
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.nr_segs, 2);
	assert_text(s.log.text, "PT_LOAD 2 rejected");
	scene_free(&s);
}

static void test_other_types(void **state)
{
	struct elf_phdr null = { .type = PT_NULL }, dynamic = { .type = 2, .filesz = 1 };
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	header_phdr(&s.header, &null);
	header_phdr(&s.header, &dynamic);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x2000);
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.nr_segs, 1);
	assert_int_equal(s.crash.segs[0].filesz, 0x1000);
	assert_int_equal(s.crash.segs[0].memsz, 0x2000);
	assert_string_equal(s.log.text, "program header 1 of type 0x2 passed over\n");
	scene_free(&s);
}

static void test_xnum(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		struct scene s;

		scene_init(&s, FORMS[i]);
		for (uint64_t n = 0; n < 70000; n++)
			header_load(&s.header, n << 12, n << 12, n << 12, 0x800, 0x800);
		s.header.xnum = true;
		assert_int_equal(scene_read(&s), 0);
		assert_int_equal(s.crash.nr_phdrs, 70000);
		assert_int_equal(s.crash.nr_segs, 70000);
		assert_int_equal(s.crash.segs[69999].ordinal, 69999);
		assert_true(s.crash.segs[69999].src == 69999ULL << 12);
		scene_free(&s);
	}
}

static void test_xnum_lies(void **state)
{
	struct scene s;

	(void)state;
	/* PN_XNUM, and the section header is not there. */
	scene_init(&s, FORMS[0]);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	s.header.phnum_lies = true;
	s.header.ehdr.phnum = PN_XNUM;
	s.header.ehdr.shoff = 0x100000;
	assert_int_equal(scene_read(&s), -ENODATA);
	assert_text(s.err.text, "section header 0");
	scene_free(&s);
	/* PN_XNUM without a section header at all: 65,535 headers, as many as there are. */
	scene_init(&s, FORMS[0]);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	s.header.phnum_lies = true;
	s.header.ehdr.phnum = PN_XNUM;
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.nr_segs, 1);
	scene_free(&s);
	/* More than any core has. */
	scene_init(&s, FORMS[0]);
	uint8_t shdr[64];

	elf_shdr0_encode(FORMS[0], (1U << 21) + 1, shdr);
	fake_mem_add(&s.mem, 0x9000, shdr, sizeof(shdr));
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	s.header.phnum_lies = true;
	s.header.ehdr.phnum = PN_XNUM;
	s.header.ehdr.shoff = 0x9000;
	assert_int_equal(scene_read(&s), -EINVAL);
	assert_text(s.err.text, "2097153 program headers");
	scene_free(&s);
}

/* Notes that cannot be read cost their own CPU. */
static void test_unreadable_notes(void **state)
{
	struct crash_source source = { .addr = WRECK_HEADER };
	struct fake_log log;
	struct wreck wreck;
	struct crash crash;
	struct error err;

	(void)state;
	wreck_init(&wreck, FORMS[0], EM_X86_64);
	source.mem = &wreck.mem.mem;
	source.log = fake_log_init(&log);
	fake_mem_refuse(&wreck.mem, WRECK_NOTES + 0x100, WRECK_NOTES + 0x101, -EPERM);
	assert_int_equal(crash_read(&crash, &source, &err), 0);
	assert_int_equal(crash.notes.nr_cpus, 1);
	assert_int_equal(crash.notes.cpus[0].cpu, 2);
	assert_int_equal(crash.notes.nr_broken, 1);
	assert_int_equal(crash.vmcoreinfo.len, strlen(WRECK_VMCOREINFO));
	assert_string_equal(log.text, "PT_NOTE 0 at 0x2010000 is not readable (Operation not permitted), skipped\n");
	crash_deinit(&crash);
	wreck_free(&wreck);
}

/* A merged PT_NOTE, as /proc/vmcore has it, does not say by its place which CPU a note is from. */
static void test_single_note_segment(void **state)
{
	struct bytes notes = { 0 };
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	bytes_prstatus(&notes, FORMS[0], 1, 1);
	bytes_prstatus(&notes, FORMS[0], 2, 2);
	scene_notes(&s, 0x8000, &notes);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.notes.nr_cpus, 2);
	assert_true(s.crash.notes.cpus[0].cpu == CPU_UNKNOWN && s.crash.notes.cpus[1].cpu == CPU_UNKNOWN);
	bytes_free(&notes);
	scene_free(&s);
}

/* What /proc/vmcore could read of the notes and /dev/mem could not: taken over, with CPUs where there is no doubt. */
static void test_adopt_notes(void **state)
{
	(void)state;
	for (unsigned int all_online = 0; all_online < 2; all_online++) {
		struct bytes notes = { 0 };
		struct scene poor, rich;

		scene_init(&rich, FORMS[0]);
		for (unsigned int cpu = 0; cpu < 2 + all_online; cpu++)
			bytes_prstatus(&notes, FORMS[0], 100 + cpu, cpu);
		bytes_note(&notes, ELFDATA2LSB, 4, "VMCOREINFO", 0, "A=1\n", 4);
		scene_notes(&rich, 0x8000, &notes);
		header_load(&rich.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
		assert_int_equal(scene_read(&rich), 0);

		scene_init(&poor, FORMS[0]);
		for (unsigned int i = 0; i < 4; i++)
			header_note(&poor.header, 0x100000 + i * 0x1000, 500, 0);
		header_load(&poor.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
		assert_int_equal(scene_read(&poor), 0);
		assert_int_equal(poor.crash.notes.len, 0);
		assert_int_equal(poor.crash.nr_note_segs, 4);

		crash_adopt_notes(&poor.crash, &rich.crash);
		assert_int_equal(poor.crash.notes.len, notes.len);
		assert_int_equal(poor.crash.notes.nr_cpus, 2 + all_online);
		assert_true(poor.crash.notes.cpus[1].cpu == (all_online ? 1 : CPU_UNKNOWN));
		assert_int_equal(poor.crash.vmcoreinfo.len, 4);
		assert_memory_equal(poor.crash.vmcoreinfo.text, "A=1\n", 4);
		assert_int_equal(rich.crash.notes.len, 0);
		assert_int_equal(rich.crash.vmcoreinfo.len, 0);
		/* Nothing is taken from who has no more. */
		crash_adopt_notes(&poor.crash, &rich.crash);
		assert_int_equal(poor.crash.notes.len, notes.len);
		bytes_free(&notes);
		scene_free(&poor);
		scene_free(&rich);
	}
}

static void test_no_notes(void **state)
{
	const char *value;
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	header_note(&s.header, 0x8000, 0, 0);
	assert_int_equal(scene_read(&s), 0);
	assert_int_equal(s.crash.notes.len, 0);
	assert_int_equal(s.crash.vmcoreinfo.len, 0);
	assert_int_equal(vmcoreinfo_get(&s.crash.vmcoreinfo, "A", &value), -1);
	scene_free(&s);
}

/* A header full of PT_NOTEs that all point at the same large piece of memory must not eat all of ours. */
static void test_notes_are_bounded(void **state)
{
	enum { PIECE = 1 << 20 };
	struct bytes notes = { 0 };
	uint64_t nr_read = 0;
	struct scene s;

	(void)state;
	scene_init(&s, FORMS[0]);
	bytes_nhdr(&notes, ELFDATA2LSB, 4, PIECE - 16, 0x1234);
	bytes_add(&notes, "BIG", 4);
	bytes_add_zeros(&notes, PIECE - 16);
	fake_mem_add(&s.mem, 0x10000000, notes.p, notes.len);
	for (unsigned int i = 0; i < 1000; i++)
		header_note(&s.header, 0x10000000, PIECE, 0);
	header_load(&s.header, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000);
	assert_int_equal(scene_read(&s), 0);
	for (unsigned int i = 0; i < s.mem.nr_requests; i++)
		nr_read += s.mem.requests[i].len;
	assert_true(nr_read <= 65 << 20);
	assert_true(s.crash.notes.len <= 64 << 20 && s.crash.notes.len >= 63 << 20);
	assert_int_equal(s.crash.nr_segs, 1);
	assert_text(s.log.text, "more than 64 MiB of notes");
	bytes_free(&notes);
	scene_free(&s);
}

/* /proc/vmcore stores the kernel's image twice; in a core with VMCOREINFO both PT_LOADs shall read one copy. */
static void test_share_by_paddr(void **state)
{
	struct bytes notes = { 0 };

	(void)state;
	bytes_note(&notes, ELFDATA2LSB, 4, "VMCOREINFO", 0, "A=1\n", 4);
	for (int with_vmcoreinfo = 0; with_vmcoreinfo < 2; with_vmcoreinfo++) {
		struct scene s;

		scene_init(&s, FORMS[0]);
		if (with_vmcoreinfo)
			scene_notes(&s, 0x800000, &notes);
		header_load(&s.header, 0xffffffff81000000, 0x110000, 0x2000, 0x8000, 0x8000);	/* text, its own copy */
		header_load(&s.header, 0xffff888000001000, 0x1000, 0xa000, 0x9000, 0x9000);
		header_load(&s.header, 0xffff888000100000, 0x100000, 0x20000, 0x40000, 0x40000);
		header_load(&s.header, 0xffffc90000000000, PADDR_NONE, 0x21000, 0x1000, 0x1000);	/* an alias */
		header_load(&s.header, 0xffff88800013f000, 0x13f000, 0x90000, 0x2000, 0x2000);	/* reaches beyond */
		assert_int_equal(scene_read(&s), 0);
		assert_int_equal(s.crash.segs[0].src, with_vmcoreinfo ? 0x30000 : 0x2000);
		assert_int_equal(s.crash.segs[1].src, 0xa000);
		assert_int_equal(s.crash.segs[2].src, 0x20000);
		assert_int_equal(s.crash.segs[3].src, 0x21000);
		assert_int_equal(s.crash.segs[4].src, 0x90000);
		scene_free(&s);
	}
	bytes_free(&notes);
}

/* Every read may fail: the result is an error or a crash with fewer pieces, never a leak or a fault. */
static void test_nth_read_fails(void **state)
{
	struct crash_source source = { .addr = WRECK_HEADER };
	unsigned int nr_good = 0;

	(void)state;
	for (unsigned int n = 1; n <= 20; n++) {
		struct wreck wreck;
		struct crash crash;
		struct error err;

		wreck_init(&wreck, FORMS[1], EM_X86_64);
		source.mem = &wreck.mem.mem;
		wreck.mem.fail_at = n;
		wreck.mem.fail_error = -EIO;
		if (crash_read(&crash, &source, &err)) {
			assert_in_range(n, 1, 10);
		} else {
			nr_good++;
			assert_in_range(crash.nr_segs, 1, 4);
			crash_deinit(&crash);
		}
		if (n > 13)
			assert_int_equal(wreck.mem.nr_requests, 13);
		wreck_free(&wreck);
	}
	assert_true(nr_good >= 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_four_forms),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_unreadable_header),
		cmocka_unit_test(test_lying_phnum_with_size),
		cmocka_unit_test(test_lying_phnum_without_size),
		cmocka_unit_test(test_truncated_phdrs),
		cmocka_unit_test(test_nothing_usable),
		cmocka_unit_test(test_absurd_loads),
		cmocka_unit_test(test_loads_at_the_limit),
		cmocka_unit_test(test_offsets_of_kcore),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_xnum),
		cmocka_unit_test(test_xnum_lies),
		cmocka_unit_test(test_unreadable_notes),
		cmocka_unit_test(test_single_note_segment),
		cmocka_unit_test(test_adopt_notes),
		cmocka_unit_test(test_no_notes),
		cmocka_unit_test(test_notes_are_bounded),
		cmocka_unit_test(test_share_by_paddr),
		cmocka_unit_test(test_nth_read_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
