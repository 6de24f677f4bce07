// SPDX-License-Identifier: GPL-2.0-or-later
/* Lookups in VMCOREINFO text: absent is not zero, and nothing is read behind its end. */
#include <stdlib.h>
#include <string.h>

#include "elfcore/vmcoreinfo.h"

#include "tests/lib/unit.h"

static const char text[] =
	"OSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(prb)=ffffffff82a51b28\nEMPTY=\nKERNELOFFSET=0\nNUMBER(a)=-5\n"
	"NUMBER(b)=0x10\nNUMBER(c)=12x\nNUMBER(min)=-9223372036854775808\nDUP=1\nDUP=2\nno equals sign\n=novalue\nLAST=end";

/* Without a terminator and without room behind it. */
static struct vmcoreinfo info;

static int setup(void **state)
{
	char *p = malloc(sizeof(text) - 1);

	(void)state;
	memcpy(p, text, sizeof(text) - 1);
	info = (struct vmcoreinfo){ p, sizeof(text) - 1 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free((char *)info.text);
	return 0;
}

static void test_get(void **state)
{
	const char *value;

	(void)state;
	assert_int_equal(vmcoreinfo_get(&info, "OSRELEASE", &value), 5);
	assert_memory_equal(value, "6.1.0", 5);
	assert_int_equal(vmcoreinfo_get(&info, "EMPTY", &value), 0);
	assert_int_equal(vmcoreinfo_get(&info, "LAST", &value), 3);
	assert_memory_equal(value, "end", 3);
	assert_int_equal(vmcoreinfo_get(&info, "SYMBOL(prb)", &value), 16);
	assert_int_equal(vmcoreinfo_get(&info, "DUP", &value), 1);
	assert_int_equal(value[0], '1');
}

static void test_absent(void **state)
{
	static const char *const keys[] = { "OSRELEAS", "OSRELEASE=6.1.", "RELEASE", "LAST=en", "no equals sign", "LASTX", "X" };
	uint64_t hex = 7;
	int64_t number = 7;
	const char *value;
	char copy[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		assert_int_equal(vmcoreinfo_get(&info, keys[i], &value), -1);
	assert_false(vmcoreinfo_string(&info, "X", copy, sizeof(copy)));
	assert_false(vmcoreinfo_hex(&info, "X", &hex));
	assert_false(vmcoreinfo_number(&info, "X", &number));
	assert_int_equal(hex, 7);
	assert_int_equal(number, 7);
	assert_int_equal(vmcoreinfo_get(&(struct vmcoreinfo){ "", 0 }, "X", &value), -1);
	assert_int_equal(vmcoreinfo_get(&(struct vmcoreinfo){ NULL, 0 }, "X", &value), -1);
}

static void test_string(void **state)
{
	char copy[6];

	(void)state;
	assert_true(vmcoreinfo_string(&info, "OSRELEASE", copy, sizeof(copy)));
	assert_string_equal(copy, "6.1.0");
	assert_true(vmcoreinfo_string(&info, "OSRELEASE", copy, 5));
	assert_string_equal(copy, "6.1.");
	assert_true(vmcoreinfo_string(&info, "EMPTY", copy, sizeof(copy)));
	assert_string_equal(copy, "");
}

static void test_numbers(void **state)
{
	uint64_t hex;
	int64_t number;

	(void)state;
	assert_true(vmcoreinfo_hex(&info, "SYMBOL(prb)", &hex));
	assert_true(hex == 0xffffffff82a51b28);
	assert_true(vmcoreinfo_hex(&info, "KERNELOFFSET", &hex));
	assert_int_equal(hex, 0);
	assert_false(vmcoreinfo_hex(&info, "EMPTY", &hex));
	assert_false(vmcoreinfo_hex(&info, "LAST", &hex));
	assert_true(vmcoreinfo_number(&info, "PAGESIZE", &number));
	assert_int_equal(number, 4096);
	assert_true(vmcoreinfo_number(&info, "NUMBER(a)", &number));
	assert_true(number == -5);
	assert_true(vmcoreinfo_number(&info, "NUMBER(b)", &number));
	assert_int_equal(number, 16);
	assert_false(vmcoreinfo_number(&info, "NUMBER(c)", &number));
	assert_false(vmcoreinfo_number(&info, "EMPTY", &number));
	assert_true(vmcoreinfo_number(&info, "NUMBER(min)", &number));
	assert_true(number == INT64_MIN);
}

/* What is no number leaves what the caller had: half a number is not used by accident. */
static void test_wrong_number_changes_nothing(void **state)
{
	int64_t number = 7;
	uint64_t hex = 7;

	(void)state;
	assert_false(vmcoreinfo_number(&info, "NUMBER(c)", &number));
	assert_int_equal(number, 7);
	assert_false(vmcoreinfo_hex(&info, "LAST", &hex));
	assert_int_equal(hex, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_string),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_wrong_number_changes_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
