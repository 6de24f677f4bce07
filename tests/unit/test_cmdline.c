/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is carried over to the capture kernel's command line, and the checks of a machine made of files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "initramfs/check.h"
#include "initramfs/cmdline.h"
#include "initramfs/machine.h"

/* Last: cmocka has a macro named fail(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char line[CAPTURE_CMDLINE_SIZE];

static void compose(const char *running, const char *machine, const char *append)
{
	struct error err = { 0 };
	if (capture_cmdline(running, machine, append, line, sizeof(line), &err))
		fail_msg("%s", err.text);
}

static bool has_word(const char *word)
{
	size_t len = strlen(word);
	for (const char *p = line; (p = strstr(p, word)); p += len)
		if ((p == line || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

static void test_carry_over(void **state)
{
	static const char *const kept[] = {
		"console=tty0", "console=ttyS0,115200n8", "earlyprintk=ttyS0", "net.ifnames=0", "intel_iommu=on",
		"pci=nomsi",
		"acpi=off", "nvme_core.io_timeout=10", "i8042.noaux", "acpi_osi=Linux", "mce=off", "noefi", "efi=noruntime",
		"nvme.poll_queues=0",
	};
	static const char *const dropped[] = {
		"BOOT_IMAGE=/vmlinuz", "root=/dev/vda1", "ro", "rw", "quiet", "splash", "init=/bin/sh", "rdinit=/x",
		"initrd=a",
		"crashkernel=192M", "hugepages=512", "hugepagesz=1G", "default_hugepagesz=1G", "resume=/dev/x",
		"systemd.unit=rescue.target", "rd.break", "rd.luks.uuid=1", "panic_on_warn=1", "swiotlb=262144",
		"log_buf_len=16M", "mem=4G", "memmap=1G!4G", "single", "nr_cpus=8", "panic=1", "sysctl.vm.nr_hugepages=9",
		"x.y=1",
	};
	char running[2048];
	size_t len = 0;
	(void)state;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		len += snprintf(running + len, sizeof(running) - len, "%s ", kept[i]);
	/* The last of the dropped ones is past "--". */
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		len += snprintf(running + len, sizeof(running) - len, "%s%s ", strcmp(dropped[i], "x.y=1") ? "" : "-- ",
				dropped[i]);
	compose(running, "x86_64", NULL);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (!has_word(kept[i]))
			fail_msg("lost: %s", kept[i]);
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		if (has_word(dropped[i]))
			fail_msg("carried over: %s", dropped[i]);
}

static void test_fixed_words(void **state)
{
	(void)state;
	compose("console=ttyS0 root=/dev/x\n", "x86_64", "");
	assert_string_equal(line, "console=ttyS0 reset_devices nr_cpus=1 iomem=relaxed panic=10 acpi_no_memhotplug "
			    "transparent_hugepage=never cgroup_disable=memory irqpoll");
	compose("", "aarch64", "nr_cpus=4 foo");
	assert_false(has_word("irqpoll"));
	assert_true(has_word("reset_devices"));
	/* The user's words are the last. */
	assert_string_equal(line + strlen(line) - strlen(" nr_cpus=4 foo"), " nr_cpus=4 foo");
}

static void test_quotes(void **state)
{
	(void)state;
	compose("a.dyndbg=\"file b.c +p\" title=\"a console=ttyS9 b\" console=ttyS0", "x86_64", NULL);
	assert_non_null(strstr(line, "a.dyndbg=\"file b.c +p\""));
	assert_null(strstr(line, "ttyS9"));
	assert_true(has_word("console=ttyS0"));
	/* A quote that is never closed reaches to the end. */
	compose("title=\"console=ttyS0 x.y=1", "x86_64", NULL);
	assert_null(strstr(line, "ttyS0"));
}

static void test_too_long(void **state)
{
	char running[4096], small[8];
	struct error err = { 0 };
	(void)state;
	memset(running, 'x', sizeof(running));
	memcpy(running, "console=", 8);
	running[sizeof(running) - 1] = '\0';
	assert_int_equal(capture_cmdline(running, "x86_64", NULL, line, sizeof(line), &err), -E2BIG);
	/* Only what is carried over counts. */
	memcpy(running, "consolf=", 8);
	assert_int_equal(capture_cmdline(running, "x86_64", NULL, line, sizeof(line), &err), 0);
	assert_int_equal(capture_cmdline("", "x86_64", running, line, sizeof(line), &err), -E2BIG);
	assert_int_equal(capture_cmdline("", "x86_64", NULL, small, sizeof(small), &err), -E2BIG);
}

static char root[64];

static void put(const char *name, const char *text)
{
	char command[512];
	snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s/%s')\" && printf '%s' >'%s/%s'", root, name, text, root,
		 name);
	assert_int_equal(system(command), 0);
}

static void remove_root(void)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	assert_int_equal(system(command), 0);
}

static void test_machine(void **state)
{
	struct machine m;
	struct error err = { 0 };
	char *map;
	(void)state;
	snprintf(root, sizeof(root), "/tmp/kcapture-test-machine.XXXXXX");
	assert_non_null(mkdtemp(root));
	put("proc/cmdline", "crashkernel=64M console=ttyS0\\n");
	put("sys/kernel/kexec_crash_loaded", "1\\n");
	put("sys/kernel/kexec_crash_size", "67108864\\n");
	put("sys/kernel/security/lockdown", "none [integrity] confidentiality\\n");
	put("sys/firmware/memmap/0/start", "0x100000\\n");
	put("sys/firmware/memmap/0/end", "0x3fffffff\\n");
	put("sys/firmware/memmap/0/type", "System RAM\\n");
	put("sys/firmware/memmap/1/start", "0x0\\n");
	put("sys/firmware/memmap/1/end", "0x9fbff\\n");
	put("sys/firmware/memmap/1/type", "System RAM\\n");
	assert_int_equal(machine_init(&m, root, &err), 0);
	assert_true(m.crash_loaded);
	assert_int_equal(m.crash_size, 67108864);
	assert_true(machine_is_locked_down(&m));
	assert_string_equal(m.lockdown, "integrity");
	assert_int_equal(machine_firmware_map(&m, &map, &err), 0);
	assert_string_equal(map, "0x0-0x9fbff System RAM\n0x100000-0x3fffffff System RAM\n");
	free(map);

	struct check_list checks = { 0 };
	const struct archive_size size = { .packed = 1 << 20, .unpacked = 4 << 20 };
	check_reserved(&checks, &m);
	assert_int_equal(checks.nr, 0);
	check_room(&checks, &m, 20 << 20, &size);
	assert_int_equal(checks.nr, 0);
	check_room(&checks, &m, 51 << 20, &size);	/* tight */
	assert_int_equal(checks.nr, 1);
	assert_int_equal(checks.nr_failed, 0);
	check_room(&checks, &m, 60 << 20, &size);	/* impossible */
	assert_int_equal(checks.nr_failed, 1);
	machine_deinit(&m);

	put("sys/kernel/kexec_crash_size", "0\\n");
	assert_int_equal(machine_init(&m, root, &err), 0);
	memset(&checks, 0, sizeof(checks));
	check_reserved(&checks, &m);
	assert_int_equal(checks.nr_failed, 1);
	assert_non_null(strstr(checks.found[0].text, "crashkernel="));
	machine_deinit(&m);
	remove_root();
}

/* More CPUs than one, without the one that must not be started anew; what the user said stands. */
static void test_cpus(void **state)
{
	char line[CAPTURE_CMDLINE_SIZE];
	struct error err;

	(void)state;
	assert_int_equal(capture_cmdline("console=ttyS0", "x86_64", NULL, line, sizeof(line), &err), 0);
	assert_int_equal(capture_cmdline_cpus(line, sizeof(line), 4, 3, &err), 0);
	assert_non_null(strstr(line, " nr_cpus=4 disable_cpu_apicid=3 iomem=relaxed "));
	assert_null(strstr(line, "nr_cpus=1"));
	strcpy(line, "nr_cpus=1");
	assert_int_equal(capture_cmdline_cpus(line, sizeof(line), 2, -1, &err), 0);
	assert_string_equal(line, "nr_cpus=2");
	strcpy(line, "a nr_cpus=16");
	assert_int_equal(capture_cmdline_cpus(line, sizeof(line), 2, 0, &err), 0);
	assert_string_equal(line, "a nr_cpus=16");
	strcpy(line, "nr_cpus=1");
	assert_int_equal(capture_cmdline_cpus(line, 12, 2, 0, &err), -E2BIG);
	assert_string_equal(line, "nr_cpus=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_carry_over),
		cmocka_unit_test(test_fixed_words),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_cpus),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
