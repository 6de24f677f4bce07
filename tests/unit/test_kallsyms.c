// SPDX-License-Identifier: GPL-2.0-or-later
/* A kernel's symbol table made by hand, in all its forms: found by name and by address; broken ones are refused. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/symbols.h"
#include "tests/lib/small_kernel.h"

#include "tests/lib/unit.h"

#define BASE 0xffffffff81000000ULL	/* virtual address of the one segment, which lies at 0 of the source */
#define SIZE 0x10000
#define NR 600

#define AT_NUM 0x100
#define AT_RELATIVE 0x108
#define AT_INDEX 0x200
#define AT_TOKENS 0x1000
#define AT_OFFSETS 0x2000
#define AT_NAMES 0x4000
#define TOKEN_SYM 1			/* stands for "Tsym_" */
#define LONG_ONE 300			/* a symbol with a two-byte length */

struct machine {
	struct small_kernel k;
	char info[1024];
};

static const char info[] =
	"PAGESIZE=4096\nSYMBOL(kallsyms_names)=ffffffff81004000\nSYMBOL(kallsyms_num_syms)=ffffffff81000100\n"
	"SYMBOL(kallsyms_token_table)=ffffffff81001000\nSYMBOL(kallsyms_token_index)=ffffffff81000200\n"
	"SYMBOL(kallsyms_offsets)=ffffffff81002000\n";
static const char info_relative[] = "SYMBOL(kallsyms_relative_base)=ffffffff81000108\n";

static void put(struct machine *m, size_t off, size_t size, uint64_t value)
{
	small_kernel_put(&m->k, off, size, value);
}

/* Symbol i is "sym_<i>", 16 bytes after the one before; each ASCII character is its own token. */
static vaddr_t address(unsigned int i)
{
	return BASE + 0x8000 + 16 * i;
}

static size_t put_name(struct machine *m, size_t at, unsigned int i)
{
	uint8_t name[160];
	size_t len = 0;
	char digits[12];

	name[len++] = TOKEN_SYM;
	snprintf(digits, sizeof(digits), "%u", i);
	for (const char *p = digits; *p; p++)
		name[len++] = *p;
	while (i == LONG_ONE && len < 150)
		name[len++] = 'l';
	if (len > 127)
		put(m, at++, 1, 0x80 | (len & 0x7f));
	put(m, at++, 1, len > 127 ? len >> 7 : len);
	memcpy(fake_mem_at(&m->k.mem, at), name, len);
	return at + len;
}

/* The table at this place; its index at AT_INDEX, or behind the table when that is elsewhere. */
static void put_tokens(struct machine *m, size_t table)
{
	uint16_t index[KSYM_TOKENS];
	size_t at = table;

	for (unsigned int i = 0; i < KSYM_TOKENS; i++) {
		char text[8] = { i >= 0x20 && i < 0x7f ? i : '?' };

		if (i == TOKEN_SYM)
			strcpy(text, "Tsym_");
		index[i] = at - table;
		memcpy(fake_mem_at(&m->k.mem, at), text, strlen(text) + 1);
		at += strlen(text) + 1;
	}
	at = table == AT_TOKENS ? AT_INDEX : round_up(at, 8);
	for (unsigned int i = 0; i < KSYM_TOKENS; i++)
		put(m, at + 2 * i, 2, index[i]);
}

static void machine_init(struct machine *m, enum kallsyms_form form)
{
	size_t at = AT_NAMES;

	snprintf(m->info, sizeof(m->info), "%s%s", info, form == KALLSYMS_PLACE ? "" : info_relative);
	small_kernel_init(&m->k, BASE, SIZE, m->info);
	put(m, AT_NUM, 4, NR);
	put(m, AT_RELATIVE, 8, BASE);
	put_tokens(m, AT_TOKENS);
	for (unsigned int i = 0; i < NR; i++) {
		at = put_name(m, at, i);
		if (form == KALLSYMS_PLACE)
			put(m, AT_OFFSETS + 4 * i, 4, address(i) - (BASE + AT_OFFSETS + 4 * i));
		else if (form == KALLSYMS_BASE)
			put(m, AT_OFFSETS + 4 * i, 4, address(i) - BASE);
		else
			put(m, AT_OFFSETS + 4 * i, 4, i < 8 ? i : BASE - 1 - address(i));
	}
}

static void test_form(void **state, enum kallsyms_form form)
{
	char name[200] = "sym_300", found[KSYM_NAME_MAX];
	struct kallsyms_pos pos;
	struct symbols syms;
	struct machine m;
	struct error err;
	uint64_t off;
	vaddr_t addr;

	(void)state;
	machine_init(&m, form);
	assert_int_equal(symbols_init(&syms, &m.k.kernel, &err), 0);
	assert_int_equal(syms.kallsyms.form, form);
	assert_int_equal(symbols_find(&syms, "sym_599", &addr), 0);
	assert_true(addr == address(599));
	assert_int_equal(symbols_find(&syms, "sym_600", &addr), -ENOENT);
	assert_int_equal(symbols_find(&syms, "sym_59", &addr), 0);
	assert_true(addr == address(59));
	memset(name + 7, 'l', 150 - 4);
	assert_int_equal(symbols_find(&syms, name, &addr), 0);
	assert_true(addr == address(LONG_ONE));
	assert_string_equal(symbols_at(&syms, address(300) + 15, &off), name);
	assert_int_equal(off, 15);
	assert_string_equal(symbols_at(&syms, address(301), &off), "sym_301");
	assert_null(symbols_at(&syms, address(0) - 1, &off));
	assert_null(symbols_at(&syms, address(600), &off));
	pos = kallsyms_seek(&syms.kallsyms, 511);
	assert_int_equal(kallsyms_next(&syms.kallsyms, &pos, found), 'T');
	assert_string_equal(found, "sym_511");
	assert_int_equal(pos.i, 512);
	symbols_deinit(&syms);
	fake_mem_free(&m.k.mem);
}

static void test_base(void **state)
{
	test_form(state, KALLSYMS_BASE);
}

static void test_percpu(void **state)
{
	test_form(state, KALLSYMS_PERCPU);
}

static void test_place(void **state)
{
	test_form(state, KALLSYMS_PLACE);
}

/* Two names of one address: the first is told, and the size is up to the next other address. */
static void test_alias(void **state)
{
	struct symbols syms;
	struct machine m;
	struct symbol sym;
	struct error err;

	(void)state;
	machine_init(&m, KALLSYMS_BASE);
	put(&m, AT_OFFSETS + 4 * 21, 4, address(20) - BASE);
	assert_int_equal(symbols_init(&syms, &m.k.kernel, &err), 0);
	assert_int_equal(symbols_resolve(&syms, address(20) + 1, &sym), 0);
	assert_string_equal(sym.name, "sym_20");
	assert_int_equal(sym.size, 32);
	symbols_deinit(&syms);
	fake_mem_free(&m.k.mem);
}

static void refused(struct machine *m, const char *wanted)
{
	struct symbols syms;
	struct error err;

	assert_true(symbols_init(&syms, &m->k.kernel, &err) < 0);
	assert_text(err.text, wanted);
	fake_mem_free(&m->k.mem);
}

/* As a kernel before 6.0 has them, one behind the other, and nothing tells where. */
static void make_unexported(struct machine *m)
{
	size_t at = 0x3000, names, markers[3], nr_markers = 0;

	machine_init(m, KALLSYMS_BASE);
	strcpy(m->info, "PAGESIZE=4096\nSYMBOL(_stext)=ffffffff81000000\n");
	m->k.crash.vmcoreinfo.len = strlen(m->info);
	memset(fake_mem_at(&m->k.mem, 0), 0, SIZE);
	for (unsigned int i = 0; i < NR; i++, at += 4)
		put(m, at, 4, address(i) - BASE);
	at = round_up(at, 8);
	put(m, at, 8, BASE);
	put(m, at + 8, 4, NR);
	at = names = at + 16;
	for (unsigned int i = 0; i < NR; i++) {
		if (i % 256 == 0)
			markers[nr_markers++] = at - names;
		at = put_name(m, at, i == LONG_ONE ? 7 : i);		/* lengths of two bytes came with 6.1 */
	}
	at = round_up(at, 8);
	for (size_t i = 0; i < nr_markers; i++, at += 4)
		put(m, at, 4, markers[i]);
	put_tokens(m, round_up(at, 8));
}

static void test_search(void **state)
{
	struct symbols syms;
	struct machine m;
	struct error err;
	vaddr_t addr;

	(void)state;
	make_unexported(&m);
	assert_int_equal(symbols_init(&syms, &m.k.kernel, &err), 0);
	assert_int_equal(syms.kallsyms.nr, NR);
	assert_int_equal(symbols_find(&syms, "sym_599", &addr), 0);
	assert_true(addr == address(599));
	symbols_deinit(&syms);
	put(&m, 0x3000 + 4 * NR + 8, 4, NR + 256);	/* num_syms and markers disagree */
	refused(&m, "no symbol table was found");
}

/* What the kernel gave back between text and data is not in a filtered core: the image is several segments. */
static void test_search_in_parts(void **state)
{
	struct segment segs[] = {
		{ .vaddr = BASE, .paddr = 0x1000000, .filesz = 0x1000, .memsz = 0x1000 },
		{ .vaddr = BASE + 0x2800, .paddr = 0x1002800, .src = 0x2800, .filesz = SIZE - 0x2800, .memsz = SIZE - 0x2800 },
		{ .vaddr = BASE + 0x20000000, .paddr = PADDR_NONE, .filesz = 0x1000, .memsz = 0x1000 },
	};
	struct symbols syms;
	struct machine m;
	struct error err;

	(void)state;
	make_unexported(&m);
	m.k.crash.segs = segs;
	m.k.crash.nr_segs = ARRAY_SIZE(segs);
	assert_int_equal(symbols_init(&syms, &m.k.kernel, &err), 0);
	assert_int_equal(syms.kallsyms.nr, NR);
	symbols_deinit(&syms);
	fake_mem_free(&m.k.mem);
}

static void test_refused(void **state)
{
	struct machine m;

	(void)state;
	machine_init(&m, KALLSYMS_BASE);
	put(&m, AT_NUM, 4, 0x7fffffff);
	refused(&m, "kallsyms_num_syms at 0xffffffff81000100 is 2147483647");
	machine_init(&m, KALLSYMS_BASE);
	put(&m, AT_NUM, 4, 100000);
	refused(&m, "kallsyms_offsets at 0xffffffff81002000");
	machine_init(&m, KALLSYMS_BASE);
	put(&m, AT_NUM, 4, NR + 4000);		/* names end in zeros */
	refused(&m, "symbol 600 of 4600 has length 0");
	machine_init(&m, KALLSYMS_BASE);
	put(&m, AT_INDEX + 20, 2, 0);
	refused(&m, "does not ascend");
	machine_init(&m, KALLSYMS_BASE);
	strcpy(m.info, "PAGESIZE=4096\n");
	m.k.crash.vmcoreinfo.len = strlen(m.info);
	refused(&m, "no symbol table was found");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_percpu),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_search_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
