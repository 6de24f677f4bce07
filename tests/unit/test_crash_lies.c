// SPDX-License-Identifier: GPL-2.0-or-later
/* Headers of a crash, and the ways in which they lie. */
#include <errno.h>

#include "tests/lib/crash_scene.h"

#include "tests/lib/unit.h"

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

/* What is saved before any memory can be looked at; with a PT_LOAD that had to be dropped it would be another thing. */
static void test_notes_alone(void **state)
{
	struct bytes notes = { 0 };

	(void)state;
	bytes_note(&notes, ELFDATA2LSB, 4, "VMCOREINFO", 0, "A=1\n", 4);
	for (unsigned int nr_loads = 0; nr_loads < 2; nr_loads++) {
		struct scene s;

		scene_init(&s, FORMS[0]);
		scene_notes(&s, 0x8000, &notes);
		for (unsigned int i = 0; i < nr_loads; i++)
			header_load(&s.header, 0x1000, 0x1000, 0x1000, UINT64_MAX, UINT64_MAX);
		s.notes_will_do = true;
		assert_int_equal(scene_read(&s), nr_loads ? -EINVAL : 0);
		assert_int_equal(s.crash.nr_segs, 0);
		assert_int_equal(s.crash.vmcoreinfo.len, nr_loads ? 0 : 4);
		scene_free(&s);
	}
	bytes_free(&notes);
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

/* A file that was filtered may have left out nearly all of a machine, but no more; what a crash left has nothing left out. */
static void test_left_out(void **state)
{
	static const struct { bool unfiltered; uint64_t memsz; bool cut; } cases[] = {
		{ false, 0x1000000, false }, { false, 1ULL << 34, false }, { false, 1ULL << 35, true }, { false, 1ULL << 51, true },
		{ true, 0x1000001, true }, { true, 1ULL << 51, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene s;

		scene_init(&s, FORMS[0]);
		s.unfiltered = cases[i].unfiltered;
		header_load(&s.header, 0x5000, 0x5000, 0x5000, 0x1000, 0x1000);
		header_load(&s.header, 0x7000, 0x1000000, 0x7000, 0x1000000, cases[i].memsz);
		header_load(&s.header, 0, 0x9000, 0, 0, 0x1000);
		header_load(&s.header, 0, 0x8000, 0x8000, 0x1000, 0x1000);
		assert_int_equal(scene_read(&s), 0);
		assert_int_equal(s.crash.nr_rejected, cases[i].unfiltered);
		assert_int_equal(s.crash.segs[1].filesz, 0x1000000);
		assert_true(s.crash.segs[1].memsz == (cases[i].cut ? 0x1000000 : cases[i].memsz));
		assert_int_equal(s.crash.segs[s.crash.nr_segs - 1].ordinal, 3);
		assert_int_equal(s.log.nr[LOG_LEVEL_WARN], cases[i].cut);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_unreadable_header),
		cmocka_unit_test(test_lying_phnum_with_size),
		cmocka_unit_test(test_lying_phnum_without_size),
		cmocka_unit_test(test_truncated_phdrs),
		cmocka_unit_test(test_nothing_usable),
		cmocka_unit_test(test_notes_alone),
		cmocka_unit_test(test_absurd_loads),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_xnum_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
