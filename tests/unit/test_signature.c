// SPDX-License-Identifier: GPL-2.0-or-later
/* Signatures of stacks: what counts, what does not, and that the same crash gives the same one. */
#include <stdio.h>
#include <string.h>

#include "elfcore/crash_facts.h"

#include "tests/lib/unit.h"

struct line {
	const char *name, *module;
	enum bt_boundary boundary;
	bool user;
};

static void sign(struct signature *sig, const struct line *lines, unsigned int nr, uint64_t slide)
{
	signature_init(sig);
	for (unsigned int i = 0; i < nr; i++) {
		struct bt_frame frame = { .boundary = lines[i].boundary, .cause = "" };

		frame.unwind.ip = 0xffffffff81000000ULL + slide + 0x100 * i;
		frame.unwind.user = lines[i].user;
		frame.offset = slide / 16;
		snprintf(frame.name, sizeof(frame.name), "%s", lines[i].name);
		snprintf(frame.module, sizeof(frame.module), "%s", lines[i].module ? lines[i].module : "");
		signature_add(sig, &frame);
	}
}

static void expect(const struct line *lines, unsigned int nr, const char *wanted)
{
	struct signature sig;
	char text[1024] = "";

	sign(&sig, lines, nr, 0);
	for (unsigned int i = 0; i < sig.nr; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), i ? " %s" : "%s", sig.names[i]);
	assert_string_equal(text, wanted);
}

#define EXPECT(lines, wanted) expect(lines, ARRAY_SIZE(lines), wanted)

static const struct line sysrq[] = {
	{ "__crash_kexec", NULL, BT_CALL, false }, { "panic", NULL, BT_CALL, false }, { "sysrq_handle_crash", NULL, BT_CALL, false },
	{ "__handle_sysrq.cold", NULL, BT_CALL, false }, { "ksys_write", NULL, BT_CALL, false },
	{ "do_syscall_64", NULL, BT_CALL, false }, { "entry_SYSCALL_64_after_hwframe", NULL, BT_CALL, false },
	{ "", NULL, BT_SYSCALL, true },
};

static void test_plain(void **state)
{
	(void)state;
	EXPECT(sysrq, "sysrq_handle_crash __handle_sysrq ksys_write");
}

/* An NMI in the first steps of an interrupt, which are those of every one: what that interrupted is what counts. */
static void test_nmi_on_the_way(void **state)
{
	static const struct line lines[] = {
		{ "panic", NULL, BT_CALL, false }, { "nmi_panic.cold", NULL, BT_CALL, false }, { "unknown_nmi_error.cold", NULL, BT_CALL, false },
		{ "end_repeat_nmi", NULL, BT_CALL, false }, { "__sysvec_apic_timer_interrupt", NULL, BT_NMI, false },
		{ "asm_sysvec_apic_timer_interrupt", NULL, BT_CALL, false }, { "native_safe_halt", NULL, BT_INTERRUPT, false },
		{ "do_idle", NULL, BT_CALL, false },
	};
	static const struct line from_user[] = {
		{ "unknown_nmi_error.cold", NULL, BT_CALL, false }, { "end_repeat_nmi", NULL, BT_CALL, false },
		{ "asm_exc_page_fault", NULL, BT_NMI, false }, { "", NULL, BT_EXCEPTION, true },
	};

	(void)state;
	EXPECT(lines, "native_safe_halt do_idle");
	EXPECT(from_user, "unknown_nmi_error end_repeat_nmi");
}

/* The same stack elsewhere in memory signs the same, another one differently, none not at all. */
static void test_stable(void **state)
{
	struct signature one, two;
	char first[SIGNATURE_LEN], second[SIGNATURE_LEN];

	(void)state;
	sign(&one, sysrq, ARRAY_SIZE(sysrq), 0);
	sign(&two, sysrq, ARRAY_SIZE(sysrq), 0x3200000);
	signature_text(&one, first);
	signature_text(&two, second);
	assert_string_equal(first, second);
	sign(&two, sysrq, 4, 0);
	signature_text(&two, second);
	assert_string_not_equal(first, second);
	signature_init(&two);
	signature_text(&two, second);
	assert_string_equal(second, "");
}

/* The handler of an exception says nothing; recursion counts once; a module's function bears its name. */
static void test_exception(void **state)
{
	static const struct line lines[] = {
		{ "__crash_kexec", NULL, BT_CALL, false }, { "page_fault_oops", NULL, BT_CALL, false },
		{ "asm_exc_page_fault", NULL, BT_CALL, false }, { "touch.constprop.0", "kcrash", BT_EXCEPTION, false },
		{ "again.isra.0", "kcrash", BT_CALL, false }, { "again.isra.0", "kcrash", BT_CALL, false },
		{ "do_one_initcall", NULL, BT_CALL, false },
	};

	(void)state;
	EXPECT(lines, "kcrash:touch kcrash:again do_one_initcall");
}

/* What an interrupt interrupted is not its fault, unless it is a watchdog's. */
static void test_interrupt(void **state)
{
	struct line lines[] = {
		{ "panic", NULL, BT_CALL, false }, { "bad_driver", "disk", BT_CALL, false },
		{ "asm_sysvec_apic_timer_interrupt", NULL, BT_CALL, false }, { "innocent", NULL, BT_INTERRUPT, false },
		{ "do_idle", NULL, BT_CALL, false },
	};

	(void)state;
	EXPECT(lines, "disk:bad_driver");
	lines[1] = (struct line){ "watchdog_timer_fn", NULL, BT_CALL, false };
	EXPECT(lines, "innocent do_idle");
}

static void test_depth(void **state)
{
	struct line lines[SIGNATURE_DEPTH + 5];
	struct signature sig;
	char names[SIGNATURE_DEPTH + 5][16];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(names[i], sizeof(names[i]), "function_%u", i);
		lines[i] = (struct line){ names[i], NULL, BT_CALL, false };
	}
	sign(&sig, lines, ARRAY_SIZE(lines), 0);
	assert_int_equal(sig.nr, SIGNATURE_DEPTH);
}

static void test_taint(void **state)
{
	char text[TAINT_TEXT_MAX];

	(void)state;
	taint_text(0, text);
	assert_string_equal(text, "-");
	taint_text(1 << 9 | 1 << 12 | 1 << 13, text);
	assert_string_equal(text, "WOE");
	taint_text(UINT64_MAX, text);
	assert_int_equal(strlen(text), 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_nmi_on_the_way),
		cmocka_unit_test(test_stable),
		cmocka_unit_test(test_exception),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_taint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
