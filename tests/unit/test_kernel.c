// SPDX-License-Identifier: GPL-2.0-or-later
/* Who crashed: names out of dead memory, which may hold anything. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/kernel.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

static struct wreck wreck;
static struct crash crash;
static struct kernel kernel;
static struct fake_log log_;

static void init(uint16_t machine)
{
	wreck_init(&wreck, FORMS[0], machine);
	wreck_crash(&wreck, &crash);
}

static void identify(void)
{
	kernel_init(&kernel, &crash, &wreck.mem.mem, fake_log_init(&log_));
}

static void set_info(const char *text)
{
	crash.vmcoreinfo = (struct vmcoreinfo){ text, strlen(text) };
}

static int teardown(void **state)
{
	(void)state;
	crash_deinit(&crash);
	wreck_free(&wreck);
	return 0;
}

static void test_identity(void **state)
{
	(void)state;
	init(EM_AARCH64);
	identify();
	assert_string_equal(kernel.release, "6.1.0-test");
	assert_string_equal(kernel.nodename, "node-1");
	assert_string_equal(kernel.version, "#1 SMP");
	assert_string_equal(kernel.machine, "x86_64");
	assert_int_equal(kernel.page_size, 4096);
	assert_int_equal(kernel.crashtime, 1763691917);
	assert_int_equal(kernel.kaslr_offset, 0x1f000000);
	assert_null(kernel.arch);
	assert_false(kernel.can_translate);
	assert_string_equal(log_.text, "no address translation for aarch64\n");
}

static void test_missing_translation_is_named(void **state)
{
	(void)state;
	init(EM_X86_64);
	identify();
	assert_false(kernel.can_translate);
	assert_string_equal(log_.text, "no address translation: VMCOREINFO has no NUMBER(phys_base)\n");
	assert_string_equal(kernel.nodename, "node-1");
}

/* OFFSET(uts_namespace.name) is there since 5.11 only. */
static void test_old_uts_namespace(void **state)
{
	(void)state;
	init(EM_AARCH64);
	set_info("PAGESIZE=4096\nSYMBOL(init_uts_ns)=80108004\n");
	identify();
	assert_string_equal(kernel.nodename, "node-1");
	assert_string_equal(kernel.release, "6.1.0-test");
}

static void test_no_vmcoreinfo(void **state)
{
	(void)state;
	init(EM_X86_64);
	set_info("");
	identify();
	assert_string_equal(kernel.release, "");
	assert_string_equal(kernel.nodename, "");
	assert_int_equal(kernel.page_size, 0);
	assert_int_equal(kernel.crashtime, 0);
	assert_false(kernel.can_translate);
	assert_string_equal(log_.text, "no VMCOREINFO: the crashed kernel stays unnamed\n");
}

static void test_bad_page_sizes(void **state)
{
	static const char *const sizes[] = { "0", "-4096", "4095", "5000", "2048", "2097152", "x", "99999999999999999999" };

	(void)state;
	init(EM_X86_64);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char text[64];

		snprintf(text, sizeof(text), "PAGESIZE=%s\n", sizes[i]);
		set_info(text);
		identify();
		assert_int_equal(kernel.page_size, 0);
		assert_string_equal(log_.text, "no address translation: VMCOREINFO has no valid PAGESIZE\n");
	}
	set_info("PAGESIZE=65536\n");
	identify();
	assert_int_equal(kernel.page_size, 65536);
}

/* Nothing of a name reaches a console or a path but what a host name may have. */
static void test_hostile_names(void **state)
{
	char *nodename;

	(void)state;
	init(EM_AARCH64);
	nodename = (char *)fake_mem_at(&wreck.mem, WRECK_UTS + 65);
	strcpy(nodename, "a\033[31m\n\r\t;$`'\"\\|&<>*?{}\x7f\x80\xff" "b.c-d_e");
	identify();
	assert_string_equal(kernel.nodename, "a__31m____________________b.c-d_e");
	/* Without an end: as long as the field, and no longer. */
	memset(nodename, 'x', 6 * 65 - 65);
	identify();
	assert_int_equal(strlen(kernel.nodename), 64);
	assert_int_equal(strlen(kernel.machine), 64);
	/* OSRELEASE is text of the dump as well. */
	set_info("OSRELEASE=6.1\033]0;x\a/../etc\nPAGESIZE=4096\n");
	identify();
	assert_string_equal(kernel.release, "6.1__0_x_/../etc");
}

static void test_unreadable_names(void **state)
{
	(void)state;
	init(EM_AARCH64);
	fake_mem_refuse(&wreck.mem, WRECK_UTS + 100, WRECK_UTS + 101, -EIO);
	identify();
	assert_string_equal(kernel.nodename, "");
	assert_string_equal(kernel.release, "6.1.0-test");
	assert_text(log_.text, "host name of the crashed kernel not readable at 0x80108008\n");
	teardown(NULL);
	/* No Linux there. */
	init(EM_AARCH64);
	memcpy(fake_mem_at(&wreck.mem, WRECK_UTS), "Minix", 5);
	identify();
	assert_string_equal(kernel.nodename, "");
	set_info("OSRELEASE=1\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=ffffffffffffffff\nOFFSET(uts_namespace.name)=9223372036854775807\n");
	identify();
	assert_string_equal(kernel.nodename, "");
}

static void test_read_paddr(void **state)
{
	uint8_t buf[16];

	(void)state;
	init(EM_AARCH64);
	identify();
	assert_int_equal(kernel_read_paddr(&kernel, WRECK_LOW + 0x10, buf, sizeof(buf)), 0);
	assert_true(pattern_is(buf, WRECK_BACKUP + 0x10, sizeof(buf)));
	assert_int_equal(kernel_read_paddr(&kernel, WRECK_LOW + WRECK_LOW_SIZE - 16, buf, 16), 0);
	assert_int_equal(kernel_read_paddr(&kernel, WRECK_LOW + WRECK_LOW_SIZE - 15, buf, 16), -ENODATA);
	assert_int_equal(kernel_read_paddr(&kernel, 0, buf, 1), -ENODATA);
	/* Not beyond the end of a PT_LOAD, also where the source has more. */
	crash.segs[3].filesz -= 16;
	assert_int_equal(kernel_read_paddr(&kernel, WRECK_HIGH + WRECK_HIGH_SIZE - 32, buf, 16), 0);
	assert_int_equal(kernel_read_paddr(&kernel, WRECK_HIGH + WRECK_HIGH_SIZE - 31, buf, 16), -ENODATA);
	assert_int_equal(kernel_read_vaddr(&kernel, WRECK_DIRECT + WRECK_HIGH, buf, 16), 0);
	assert_true(pattern_is(buf, WRECK_HIGH, 16));
	assert_int_equal(kernel_read_vaddr(&kernel, 0xffffc90000000000, buf, 16), -ENODATA);
}

/* Through page tables, over the edge between two pages that are apart in memory. */
static int vtop(struct kernel *k, vaddr_t vaddr, paddr_t *ret, uint64_t *len_ret)
{
	(void)k;
	if (vaddr < 0xffffc90000000000 || vaddr >= 0xffffc90000002000)
		return -ENODATA;
	*len_ret = 0x1000 - (vaddr & 0xfff);
	*ret = (vaddr & 0x1000 ? WRECK_HIGH + 0x3000 : WRECK_RAM) + (vaddr & 0xfff);
	return 0;
}

static void test_read_vmalloc(void **state)
{
	static const struct arch_ops arch = { .name = "test", .vtop = vtop };
	uint8_t buf[0x1000];

	(void)state;
	init(EM_AARCH64);
	identify();
	kernel.arch = &arch;
	kernel.can_translate = true;
	assert_int_equal(kernel_read_vaddr(&kernel, 0xffffc90000000800, buf, sizeof(buf)), 0);
	assert_true(pattern_is(buf, WRECK_RAM + 0x800, 0x800));
	assert_true(pattern_is(buf + 0x800, WRECK_HIGH + 0x3000, 0x800));
	assert_int_equal(kernel_read_vaddr(&kernel, 0xffffc90000001800, buf, sizeof(buf)), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_identity, teardown),
		cmocka_unit_test_teardown(test_missing_translation_is_named, teardown),
		cmocka_unit_test_teardown(test_old_uts_namespace, teardown),
		cmocka_unit_test_teardown(test_no_vmcoreinfo, teardown),
		cmocka_unit_test_teardown(test_bad_page_sizes, teardown),
		cmocka_unit_test_teardown(test_hostile_names, teardown),
		cmocka_unit_test_teardown(test_unreadable_names, teardown),
		cmocka_unit_test_teardown(test_read_paddr, teardown),
		cmocka_unit_test_teardown(test_read_vmalloc, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
