// SPDX-License-Identifier: GPL-2.0-or-later
/* Types made by hand: members by path, anonymous ones, bit fields, arrays, a module's BTF; broken, cut and circular ones. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/btfbuilder.h"

#include "tests/lib/unit.h"

#define KIND_FLAG (1U << 31)

enum { T_LONG = 1, T_CHAR, T_LIST, T_LIST_PTR, T_COMM, T_INNER, T_UINT, T_TASK, T_STATE, T_PID, T_CONST, T_LOOP, T_DEEP, T_PROTO,
       T_FN, T_WIDE };

static void add_types(struct btf_builder *b)
{
	btf_add_int(b, "long unsigned int", 8, 0);
	btf_add_int(b, "char", 1, BTF_INT_SIGNED);
	btf_add(b, "list_head", BTF_STRUCT, 2, 16);
	btf_add_member(b, "next", T_LIST_PTR, 0);
	btf_add_member(b, "prev", T_LIST_PTR, 64);
	btf_add(b, "", BTF_PTR, 0, T_LIST);
	btf_add_array(b, T_CHAR, 16);
	btf_add(b, "", BTF_UNION, 2, 16);		/* anonymous, inside the next */
	btf_add_member(b, "run", T_LIST, 0);
	btf_add_member(b, "word", T_LONG, 0);
	btf_add_int(b, "unsigned int", 4, 0);
	btf_add(b, "task", BTF_STRUCT | KIND_FLAG, 5, 56);
	btf_add_member(b, "state", T_STATE, 0);
	btf_add_member(b, "low", T_UINT, 3U << 24 | 32);
	btf_add_member(b, "high", T_UINT, 7U << 24 | 35);
	btf_add_member(b, "", T_INNER, 64);
	btf_add_member(b, "comm", T_COMM, 192);
	btf_add(b, "state", BTF_ENUM, 3, 4);
	btf_add_value(b, "RUNNING", 0);
	btf_add_value(b, "SLEEPING", 2);
	btf_add_value(b, "GONE", -1);
	btf_add(b, "pid_t", BTF_TYPEDEF, 0, T_CONST);
	btf_add(b, "", BTF_CONST, 0, T_UINT);
	btf_add(b, "loop", BTF_TYPEDEF, 0, T_LOOP);
	btf_add_array(b, T_DEEP, 3);			/* an array of itself */
	btf_add(b, "", BTF_FUNC_PROTO, 0, T_UINT);
	btf_add(b, "", BTF_PTR, 0, T_PROTO);
	btf_add(b, "wide", BTF_STRUCT | KIND_FLAG, 1, 16);
	btf_add_member(b, "bits", T_LONG, 60U << 24 | 7);
}

static void init(struct btf *btf, uint8_t data)
{
	struct btf_builder b = { .data = data };
	struct bytes all;
	struct error err;

	add_types(&b);
	btf_build(&b, &all);
	assert_int_equal(btf_init(btf, NULL, data, all.p, all.len, &err), 0);
	btf_builder_free(&b);
}

static void test_members(void **state)
{
	struct btf_field field;
	struct btf btf;

	(void)state;
	init(&btf, ELFDATA2LSB);
	assert_int_equal(btf_size(&btf, "struct task"), 56);
	assert_int_equal(btf_size(&btf, "pid_t"), 4);
	assert_int_equal(btf_size(&btf, "union task"), 0);
	assert_int_equal(btf_member(&btf, "task", "comm", &field), 0);
	assert_int_equal(field.off, 24);
	assert_int_equal(field.size, 16);
	assert_int_equal(btf_offset(&btf, "struct task", "comm[3]"), 27);
	assert_int_equal(btf_offset(&btf, "task", "comm[16]"), -1);
	assert_int_equal(btf_offset(&btf, "task", "comm[x]"), -1);
	assert_int_equal(btf_offset(&btf, "task", "run.prev"), 16);	/* through the anonymous union */
	assert_int_equal(btf_offset(&btf, "task", "word"), 8);
	assert_int_equal(btf_offset(&btf, "task", "com"), -1);
	assert_int_equal(btf_offset(&btf, "task", "run.prev.next"), -1);	/* pointers are not followed */
	assert_int_equal(btf_offset(&btf, "task", ""), 0);
	assert_int_equal(btf_offset(&btf, "task", "."), -1);
	assert_int_equal(btf_offset(&btf, "none", "x"), -1);
	btf_deinit(&btf);
}

static void test_bit_fields(void **state)
{
	const uint8_t object[16] = { 0, 0, 0, 0, 0xfd, 0x03, 0 }, big[16] = { 0, 0, 0, 0, 0xbf, 0xc0, 0 };
	const uint8_t ones[16] = { 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07 };
	struct btf_field low, high, wide;
	struct btf btf;

	(void)state;
	init(&btf, ELFDATA2LSB);
	assert_int_equal(btf_member(&btf, "task", "low", &low), 0);
	assert_int_equal(btf_member(&btf, "task", "high", &high), 0);
	assert_int_equal(low.bit_size, 3);
	assert_int_equal(btf_get(&btf, &low, object, sizeof(object)), 5);
	assert_int_equal(btf_get(&btf, &high, object, sizeof(object)), 0x7f);
	assert_int_equal(btf_get(&btf, &high, object, 5), 0);		/* does not lie in what was read */
	assert_int_equal(btf_member(&btf, "wide", "bits", &wide), 0);
	assert_int_equal(wide.size, 9);
	assert_true(btf_get(&btf, &wide, ones, sizeof(ones)) == (1ULL << 60) - 1);
	btf_deinit(&btf);
	init(&btf, ELFDATA2MSB);
	assert_int_equal(btf_member(&btf, "task", "low", &low), 0);
	assert_int_equal(btf_member(&btf, "task", "high", &high), 0);
	assert_int_equal(btf_get(&btf, &low, big, sizeof(big)), 5);
	assert_int_equal(btf_get(&btf, &high, big, sizeof(big)), 0x7f);
	btf_deinit(&btf);
}

static void test_enums(void **state)
{
	struct btf btf;
	uint32_t id;
	int64_t value;

	(void)state;
	init(&btf, ELFDATA2LSB);
	assert_int_equal(btf_find(&btf, "enum state", &id), 0);
	assert_string_equal(btf_enum_name(&btf, id, 2), "SLEEPING");
	assert_string_equal(btf_enum_name(&btf, id, 0xffffffff), "GONE");
	assert_null(btf_enum_name(&btf, id, 7));
	assert_int_equal(btf_enum_value(&btf, "state", "GONE", &value), 0);
	assert_int_equal(value, -1);
	assert_int_equal(btf_enum_value(&btf, NULL, "SLEEPING", &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(btf_enum_value(&btf, "state", "SLEEP", &value), -ENOENT);
	btf_deinit(&btf);
}

static void test_declarations(void **state)
{
	char text[64];
	struct btf btf;

	(void)state;
	init(&btf, ELFDATA2LSB);
	btf_declare(&btf, T_LIST_PTR, "next", text, sizeof(text));
	assert_string_equal(text, "struct list_head *next");
	btf_declare(&btf, T_COMM, "comm", text, sizeof(text));
	assert_string_equal(text, "char comm[16]");
	btf_declare(&btf, T_CONST, "", text, sizeof(text));
	assert_string_equal(text, "const unsigned int");
	btf_declare(&btf, T_FN, "fn", text, sizeof(text));
	assert_string_equal(text, "unsigned int (*fn)(void)");
	btf_declare(&btf, T_COMM, "comm", text, 6);
	assert_string_equal(text, "char ");
	btf_declare(&btf, 12345, "x", text, sizeof(text));
	assert_string_equal(text, "void x");
	btf_deinit(&btf);
}

/* Types that lead back to themselves end. */
static void test_circles(void **state)
{
	struct btf_field field;
	char text[64];
	struct btf btf;

	(void)state;
	init(&btf, ELFDATA2LSB);
	assert_int_equal(btf_size(&btf, "loop"), 0);
	assert_int_equal(btf_type_size(&btf, T_DEEP), 0);
	assert_int_equal(btf_member(&btf, "loop", "x", &field), -ENOENT);
	btf_declare(&btf, T_DEEP, "x", text, sizeof(text));
	btf_deinit(&btf);
}

/* A module's ids and strings go on where the kernel's end. */
static void test_module(void **state)
{
	struct btf_builder b = { .data = ELFDATA2LSB };
	struct btf btf, mod;
	struct bytes all;
	struct error err;
	uint32_t id;

	(void)state;
	init(&btf, ELFDATA2LSB);
	b.base_strings = btf.strings_len;
	btf_add(&b, "private", BTF_STRUCT, 2, 24);
	btf_add_member(&b, "list", T_LIST, 0);
	btf_add_member(&b, "number", T_LONG, 128);
	btf_build(&b, &all);
	assert_int_equal(btf_init(&mod, &btf, ELFDATA2LSB, all.p, all.len, &err), 0);
	assert_int_equal(btf_find(&mod, "private", &id), 0);
	assert_int_equal(id, T_WIDE + 1);
	assert_int_equal(btf_offset(&mod, "private", "list.prev"), 8);
	assert_int_equal(btf_offset(&mod, "private", "number"), 16);
	assert_int_equal(btf_offset(&mod, "struct task", "comm"), 24);
	assert_int_equal(btf_find(&btf, "private", &id), -ENOENT);
	btf_builder_free(&b);
	btf_deinit(&mod);
	btf_deinit(&btf);
}

/* Cut anywhere, or with any byte of its header wrong, it is refused or harmless. */
static void test_broken(void **state)
{
	struct btf_builder b = { .data = ELFDATA2LSB };
	struct btf_field field;
	struct bytes all;
	struct error err;
	struct btf btf;

	(void)state;
	add_types(&b);
	btf_build(&b, &all);
	for (size_t len = 0; len < all.len; len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, all.p, len);
		assert_int_equal(btf_init(&btf, NULL, ELFDATA2LSB, copy, len, &err), -EINVAL);
	}
	for (size_t off = 0; off < 24 + b.types.len; off++) {
		uint8_t *copy = malloc(all.len);

		memcpy(copy, all.p, all.len);
		copy[off] ^= 0xff;
		if (btf_init(&btf, NULL, ELFDATA2LSB, copy, all.len, &err))
			continue;
		btf_member(&btf, "task", "run.next", &field);
		btf_size(&btf, "pid_t");
		btf_deinit(&btf);
	}
	btf_builder_free(&b);
	bytes_free(&all);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_bit_fields),
		cmocka_unit_test(test_enums),
		cmocka_unit_test(test_declarations),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_module),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
