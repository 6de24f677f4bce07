// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF headers in both classes and byte orders, against bytes spelled out by hand. */
#include <errno.h>
#include <string.h>

#include "elfcore/elf_codec.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

static const struct elf_ehdr ehdr_model = {
	.osabi = 3, .type = ET_CORE, .machine = EM_X86_64, .version = 1, .entry = 0x01020304, .phoff = 0x11121314,
	.shoff = 0x21222324, .flags = 0x31323334, .ehsize = 0x4142, .phentsize = 0x5152, .phnum = 0x6162, .shentsize = 0x7172,
	.shnum = 0x0102, .shstrndx = 0x0304,
};

static const struct elf_phdr phdr_model = {
	.type = PT_LOAD, .flags = 5, .offset = 0x01020304, .vaddr = 0x11121314, .paddr = 0x21222324, .filesz = 0x31323334,
	.memsz = 0x41424344, .align = 0x1000,
};

static void test_roundtrip(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		struct elf_ehdr ehdr = ehdr_model, ehdr_again;
		struct elf_phdr phdr_again;
		uint8_t buf[ELF_EHDR_MAX] = { 0 };
		struct error err;

		ehdr.form = FORMS[i];
		assert_int_equal(elf_ehdr_encode(&ehdr, buf), 0);
		assert_int_equal(elf_ehdr_decode(buf, &ehdr_again, &err), 0);
		assert_memory_equal(&ehdr, &ehdr_again, sizeof(ehdr));
		assert_int_equal(elf_phdr_encode(FORMS[i], &phdr_model, buf), 0);
		elf_phdr_decode(FORMS[i], buf, &phdr_again);
		assert_memory_equal(&phdr_model, &phdr_again, sizeof(phdr_model));
	}
}

static void test_sizes(void **state)
{
	(void)state;
	assert_int_equal(elf_ehdr_size(FORMS[0]), 64);
	assert_int_equal(elf_ehdr_size(FORMS[2]), 52);
	assert_int_equal(elf_phdr_size(FORMS[0]), 56);
	assert_int_equal(elf_phdr_size(FORMS[2]), 32);
	assert_int_equal(elf_shdr_size(FORMS[0]), 64);
	assert_int_equal(elf_shdr_size(FORMS[2]), 40);
}

static void test_bytes_of_ehdr64_lsb(void **state)
{
	static const uint8_t expected[64] = {
		0x7f, 'E', 'L', 'F', 2, 1, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0,
		4, 0, 62, 0, 1, 0, 0, 0,
		4, 3, 2, 1, 0, 0, 0, 0,
		0x14, 0x13, 0x12, 0x11, 0, 0, 0, 0,
		0x24, 0x23, 0x22, 0x21, 0, 0, 0, 0,
		0x34, 0x33, 0x32, 0x31,
		0x42, 0x41, 0x52, 0x51, 0x62, 0x61, 0x72, 0x71, 2, 1, 4, 3,
	};
	struct elf_ehdr ehdr = ehdr_model;
	uint8_t buf[64];

	(void)state;
	ehdr.form = FORMS[0];
	assert_int_equal(elf_ehdr_encode(&ehdr, buf), 0);
	assert_memory_equal(buf, expected, sizeof(expected));
}

static void test_bytes_of_ehdr32_msb(void **state)
{
	static const uint8_t expected[52] = {
		0x7f, 'E', 'L', 'F', 1, 2, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 4, 0, 62, 0, 0, 0, 1,
		1, 2, 3, 4, 0x11, 0x12, 0x13, 0x14, 0x21, 0x22, 0x23, 0x24, 0x31, 0x32, 0x33, 0x34,
		0x41, 0x42, 0x51, 0x52, 0x61, 0x62, 0x71, 0x72, 1, 2, 3, 4,
	};
	struct elf_ehdr ehdr = ehdr_model;
	uint8_t buf[64];

	(void)state;
	ehdr.form = FORMS[3];
	memset(buf, 0xaa, sizeof(buf));
	assert_int_equal(elf_ehdr_encode(&ehdr, buf), 0);
	assert_memory_equal(buf, expected, sizeof(expected));
	assert_int_equal(buf[52], 0xaa);
}

static void test_bytes_of_phdr(void **state)
{
	static const uint8_t wide[56] = {
		1, 0, 0, 0, 5, 0, 0, 0, 4, 3, 2, 1, 0, 0, 0, 0, 0x14, 0x13, 0x12, 0x11, 0, 0, 0, 0,
		0x24, 0x23, 0x22, 0x21, 0, 0, 0, 0, 0x34, 0x33, 0x32, 0x31, 0, 0, 0, 0,
		0x44, 0x43, 0x42, 0x41, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0,
	};
	static const uint8_t narrow[32] = {
		0, 0, 0, 1, 1, 2, 3, 4, 0x11, 0x12, 0x13, 0x14, 0x21, 0x22, 0x23, 0x24, 0x31, 0x32, 0x33, 0x34,
		0x41, 0x42, 0x43, 0x44, 0, 0, 0, 5, 0, 0, 0x10, 0,
	};
	uint8_t buf[56];

	(void)state;
	assert_int_equal(elf_phdr_encode(FORMS[0], &phdr_model, buf), 0);
	assert_memory_equal(buf, wide, sizeof(wide));
	assert_int_equal(elf_phdr_encode(FORMS[3], &phdr_model, buf), 0);
	assert_memory_equal(buf, narrow, sizeof(narrow));
}

/* What does not fit ELF32 is refused, field by field; what just fits is not. */
static void test_overflow(void **state)
{
	static const size_t fields[] = {
		offsetof(struct elf_phdr, offset), offsetof(struct elf_phdr, vaddr), offsetof(struct elf_phdr, paddr),
		offsetof(struct elf_phdr, filesz), offsetof(struct elf_phdr, memsz), offsetof(struct elf_phdr, align),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		struct elf_phdr phdr = phdr_model;
		uint64_t *field = (uint64_t *)((char *)&phdr + fields[i]);
		uint8_t buf[56];

		*field = 1ULL << 32;
		assert_int_equal(elf_phdr_encode(FORMS[2], &phdr, buf), -EOVERFLOW);
		assert_int_equal(elf_phdr_encode(FORMS[3], &phdr, buf), -EOVERFLOW);
		assert_int_equal(elf_phdr_encode(FORMS[0], &phdr, buf), 0);
		*field = UINT32_MAX;
		assert_int_equal(elf_phdr_encode(FORMS[2], &phdr, buf), 0);
	}
	struct elf_ehdr ehdr = ehdr_model;
	uint8_t buf[64];

	ehdr.form = FORMS[2];
	ehdr.phoff = 1ULL << 32;
	assert_int_equal(elf_ehdr_encode(&ehdr, buf), -EOVERFLOW);
}

static void test_paddr_none(void **state)
{
	struct elf_phdr phdr = phdr_model, again;
	uint8_t buf[56];

	(void)state;
	phdr.paddr = PADDR_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		assert_int_equal(elf_phdr_encode(FORMS[i], &phdr, buf), 0);
		elf_phdr_decode(FORMS[i], buf, &again);
		assert_true(again.paddr == PADDR_NONE);
	}
	/* Only the physical address: the virtual one of i386's high memory is all ones too, and stays 32 bit. */
	phdr.vaddr = UINT32_MAX;
	assert_int_equal(elf_phdr_encode(FORMS[2], &phdr, buf), 0);
	elf_phdr_decode(FORMS[2], buf, &again);
	assert_true(again.vaddr == UINT32_MAX);
}

static void test_bad_ident(void **state)
{
	static const struct { uint8_t off, value; const char *text; } cases[] = {
		{ 0, 0, "no ELF magic" }, { 3, 'f', "no ELF magic" }, { EI_CLASS, 0, "class 0" }, { EI_CLASS, 3, "class 3" },
		{ EI_DATA, 0, "byte order 0" }, { EI_DATA, 3, "byte order 3" }, { EI_VERSION, 0, "version 0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct elf_ehdr ehdr = ehdr_model;
		uint8_t buf[64];
		struct error err;

		ehdr.form = FORMS[0];
		assert_int_equal(elf_ehdr_encode(&ehdr, buf), 0);
		buf[cases[i].off] = cases[i].value;
		assert_int_equal(elf_ehdr_decode(buf, &ehdr, &err), -EINVAL);
		assert_text(err.text, cases[i].text);
	}
}

static void test_shdr0(void **state)
{
	static const size_t info_at[4] = { 44, 44, 28, 28 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		uint8_t buf[64];

		memset(buf, 0xaa, sizeof(buf));
		elf_shdr0_encode(FORMS[i], 70004, buf);
		assert_int_equal(elf_shdr0_info(FORMS[i], buf), 70004);
		assert_int_equal(elf_get(FORMS[i].data, buf + info_at[i], 4), 70004);
		elf_put(FORMS[i].data, buf + info_at[i], 4, 0);
		for (size_t j = 0; j < elf_shdr_size(FORMS[i]); j++)
			assert_int_equal(buf[j], 0);
	}
}

static void test_integers(void **state)
{
	uint8_t buf[8];

	(void)state;
	elf_put(ELFDATA2LSB, buf, 8, 0x0102030405060708);
	assert_memory_equal(buf, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
	elf_put(ELFDATA2MSB, buf, 8, 0x0102030405060708);
	assert_memory_equal(buf, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	assert_int_equal(elf_get(ELFDATA2MSB, buf, 1), 1);
	assert_int_equal(elf_get(ELFDATA2MSB, buf, 2), 0x0102);
	assert_int_equal(elf_get(ELFDATA2LSB, buf, 4), 0x04030201);
	assert_true(elf_get(ELFDATA2LSB, buf, 8) == 0x0807060504030201);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roundtrip),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_bytes_of_ehdr64_lsb),
		cmocka_unit_test(test_bytes_of_ehdr32_msb),
		cmocka_unit_test(test_bytes_of_phdr),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_paddr_none),
		cmocka_unit_test(test_bad_ident),
		cmocka_unit_test(test_shdr0),
		cmocka_unit_test(test_integers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
