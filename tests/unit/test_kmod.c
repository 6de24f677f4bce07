/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The closure of kernel modules over a small tree made here; module files hold their own name as text. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/kmod.h"
#include "initramfs/target_modules.h"
#include "initramfs/tool.h"

/* Last: cmocka has a macro named fail(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define VER "6.1.0-test"

static char root[64];

static void make_dirs(const char *path)
{
	char copy[256];
	snprintf(copy, sizeof(copy), "%s", path);
	for (char *p = copy + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
}

static void put(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	make_dirs(path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void put_link(const char *name, const char *target)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", root, name);
	make_dirs(path);
	assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/kcapture-test-kmod.XXXXXX");
	if (!mkdtemp(root))
		return -1;
	put("lib/modules/" VER "/modules.dep",
	    "kernel/fs/ext4.ko: kernel/fs/jbd2.ko kernel/fs/mb-cache.ko kernel/lib/crc16.ko\n"
	    "kernel/fs/jbd2.ko: kernel/lib/crc16.ko\n"
	    "kernel/fs/mb-cache.ko:\n"
	    "kernel/lib/crc16.ko:\n"
	    "kernel/crypto/crc32c_generic.ko.gz:\n"
	    "kernel/crypto/crc32c-intel.ko: kernel/lib/crc16.ko\n"
	    "kernel/drivers/virtio_blk.ko:\n"
	    "kernel/drivers/virtio_pci.ko:\n"
	    "kernel/a.ko:\nkernel/b.ko:\n"
	    "kernel/odd.ko.lzma:\n");
	put("lib/modules/" VER "/modules.alias",
	    "# Aliases\n"
	    "alias crc32c crc32c_generic\n"
	    "alias crc32c crc32c_intel\n"
	    "alias pci:v00001AF4d*sv*sd*bc*sc*i* virtio_pci\n"
	    "alias virtio:d00000002v* virtio_blk\n");
	put("lib/modules/" VER "/modules.softdep",
	    "# Soft\nsoftdep ext4 pre: crc32c no_such_module\nsoftdep a pre: b\nsoftdep b pre: a post: ext4\n");
	put("lib/modules/" VER "/modules.builtin", "kernel/drivers/nvme/nvme-core.ko\nkernel/drivers/nvme/nvme.ko\n");
	put("lib/modules/" VER "/kernel/lib/crc16.ko", "crc16");
	put("lib/modules/" VER "/kernel/odd.ko.lzma", "odd");
	return 0;
}

static int teardown(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static void open_kmod(struct kmod *km)
{
	struct error err = { 0 };
	if (kmod_init(km, root, VER, &err))
		fail_msg("%s", err.text);
}

/* Position in the load order, -1 = not in it. */
static int position(const struct kmod *km, const char *name)
{
	int found = -1;
	for (size_t i = 0; i < km->nr_order; i++) {
		if (strcmp(kmod_order_name(km, i), name) == 0) {
			assert_int_equal(found, -1);	/* never twice */
			found = (int)i;
		}
	}
	return found;
}

static void test_dependencies_come_first(void **state)
{
	struct kmod km;
	struct error err = { 0 };
	(void)state;
	open_kmod(&km);
	assert_int_equal(kmod_add(&km, "ext4", &err), 0);
	assert_int_equal(km.nr_order, 6);
	assert_int_equal(position(&km, "ext4"), 5);
	assert_true(position(&km, "crc16") < position(&km, "jbd2"));
	assert_true(position(&km, "mb_cache") >= 0);
	assert_true(position(&km, "crc16") < position(&km, "crc32c_intel"));
	assert_true(position(&km, "crc32c_generic") >= 0);
	/* Once more changes nothing. */
	assert_int_equal(kmod_add(&km, "jbd2", &err), 0);
	assert_int_equal(km.nr_order, 6);
	kmod_deinit(&km);
}

static void test_names_are_normalised(void **state)
{
	struct kmod km;
	struct error err = { 0 };
	char path[PATH_MAX];
	(void)state;
	open_kmod(&km);
	assert_true(kmod_has(&km, "crc32c_intel"));
	assert_true(kmod_has(&km, "crc32c-intel"));
	assert_int_equal(kmod_add(&km, "mb_cache", &err), 0);
	/* The name is made even, the file keeps its own. */
	assert_int_equal(kmod_order_path(&km, 0, path, sizeof(path)), 0);
	assert_non_null(strstr(path, "/kernel/fs/mb-cache.ko"));
	kmod_deinit(&km);
}

static void test_built_in_needs_no_loading(void **state)
{
	struct kmod km;
	struct error err = { 0 };
	(void)state;
	open_kmod(&km);
	assert_int_equal(kmod_add(&km, "nvme", &err), 0);
	assert_int_equal(kmod_add(&km, "nvme_core", &err), 0);
	assert_int_equal(km.nr_order, 0);
	kmod_deinit(&km);
}

static void test_alias_and_missing(void **state)
{
	struct kmod km;
	struct error err = { 0 };
	(void)state;
	open_kmod(&km);
	assert_int_equal(kmod_add(&km, "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00", &err), 0);
	assert_int_equal(position(&km, "virtio_pci"), 0);
	assert_int_equal(kmod_add(&km, "frobnicate", &err), -ENOENT);
	assert_non_null(strstr(err.text, "frobnicate"));
	assert_non_null(strstr(err.text, VER));
	kmod_deinit(&km);
}

static void test_circle_of_softdeps_ends(void **state)
{
	struct kmod km;
	struct error err = { 0 };
	(void)state;
	open_kmod(&km);
	assert_int_equal(kmod_add(&km, "a", &err), 0);
	assert_int_equal(km.nr_order, 2);
	assert_int_equal(position(&km, "b"), 0);
	kmod_deinit(&km);
}

static void test_extract(void **state)
{
	struct kmod km;
	struct error err = { 0 };
	char command[256], path[96], *text;
	(void)state;
	put("lib/modules/" VER "/kernel/crypto/x", "");
	snprintf(command, sizeof(command), "printf generic | gzip >%s/lib/modules/%s/kernel/crypto/crc32c_generic.ko.gz",
		 root, VER);
	assert_int_equal(system(command), 0);
	open_kmod(&km);
	assert_int_equal(kmod_add(&km, "crc16", &err), 0);
	assert_int_equal(kmod_add(&km, "crc32c_generic", &err), 0);
	assert_int_equal(kmod_add(&km, "odd", &err), 0);
	assert_int_equal(kmod_add(&km, "jbd2", &err), 0);
	static const char *const expected[] = { "crc16", "generic" };
	snprintf(path, sizeof(path), "%s/out", root);
	for (size_t i = 0; i < 2; i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_int_equal(kmod_extract(&km, i, fd, &err), 0);
		close(fd);
		assert_int_equal(file_read(path, &text, NULL, &err), 0);
		assert_string_equal(text, expected[i]);
		free(text);
	}
	/* A compression that we do not know, and a file that is not there. */
	assert_int_equal(kmod_extract(&km, 2, 1, &err), -EINVAL);
	assert_int_equal(kmod_extract(&km, 3, 1, &err), -ENOENT);
	kmod_deinit(&km);
}

static void test_bad_versions(void **state)
{
	struct kmod km;
	struct error err = { 0 };
	(void)state;
	assert_int_equal(kmod_init(&km, root, "5.0-absent", &err), -ENOENT);
	assert_int_equal(kmod_init(&km, root, "../" VER, &err), -EINVAL);
	assert_int_equal(kmod_init(&km, root, "", &err), -EINVAL);
	put("boot/config-9.9-mono", "CONFIG_X=y\n# CONFIG_MODULES is not set\nCONFIG_Y=y\n");
	assert_int_equal(kmod_init(&km, root, "9.9-mono", &err), 0);
	assert_int_equal(kmod_add(&km, "ext4", &err), 0);
	assert_int_equal(km.nr_order, 0);
	kmod_deinit(&km);
}

static void test_target_by_name(void **state)
{
	struct kmod km;
	struct error err = { 0 };
	struct config cfg;
	(void)state;
	open_kmod(&km);
	config_init(&cfg);
	cfg.nr_targets = 1;
	cfg.targets[0].kind = TARGET_FS;
	strcpy(cfg.targets[0].word, "ext4");
	strcpy(cfg.targets[0].place, "/dev/vda1");
	assert_int_equal(target_modules_add(&km, &cfg, NULL, &err), 0);
	assert_true(position(&km, "virtio_blk") >= 0);
	assert_true(position(&km, "virtio_pci") >= 0);
	assert_true(position(&km, "ext4") >= 0);
	strcpy(cfg.targets[0].word, "xfs");
	assert_int_equal(target_modules_add(&km, &cfg, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.text, "xfs"));
	strcpy(cfg.targets[0].word, "ext4");
	strcpy(cfg.targets[0].place, "/dev/weird0");
	assert_int_equal(target_modules_add(&km, &cfg, NULL, &err), -ENODEV);
	strcpy(cfg.extra_modules, "a nothere");
	assert_int_equal(target_modules_add(&km, &cfg, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.text, "nothere"));
	strcpy(cfg.extra_modules, "a");
	assert_int_equal(target_modules_add(&km, &cfg, NULL, &err), 0);
	assert_true(position(&km, "a") >= 0);
	kmod_deinit(&km);
}

/* A stacked device over a partition of a virtio disk: dm-0 -> zda1 -> zda -> virtio0 -> PCI device. */
static void test_target_by_sysfs(void **state)
{
	struct kmod km;
	struct error err = { 0 };
	struct config cfg;
	char sysfs[96];
	(void)state;
	put("sys/devices/pci0/0:4/virtio0/block/zda/zda1/partition", "1\n");
	put("sys/devices/virtual/block/dm-0/size", "1\n");
	put_link("sys/devices/virtual/block/dm-0/slaves/zda1", "../../../../pci0/0:4/virtio0/block/zda/zda1");
	put("sys/bus/virtio/drivers/virtio_blk/x", "");
	put("sys/module/virtio_blk/x", "");
	put("sys/bus/pci/drivers/virtio-pci/x", "");
	put_link("sys/bus/virtio/drivers/virtio_blk/module", "../../../../module/virtio_blk");
	put_link("sys/devices/pci0/0:4/virtio0/driver", "../../../../bus/virtio/drivers/virtio_blk");
	/* No link to a module: found by its modalias. */
	put_link("sys/devices/pci0/0:4/driver", "../../../bus/pci/drivers/virtio-pci");
	put("sys/devices/pci0/0:4/modalias", "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00\n");
	put_link("sys/class/block/dm-0", "../../devices/virtual/block/dm-0");
	put_link("sys/class/block/zda1", "../../devices/pci0/0:4/virtio0/block/zda/zda1");
	snprintf(sysfs, sizeof(sysfs), "%s/sys", root);

	open_kmod(&km);
	config_init(&cfg);
	cfg.nr_targets = 1;
	cfg.targets[0].kind = TARGET_RAW;
	strcpy(cfg.targets[0].place, "/dev/zda1");
	assert_int_equal(target_modules_add(&km, &cfg, sysfs, &err), 0);
	assert_int_equal(km.nr_order, 2);
	assert_true(position(&km, "virtio_blk") >= 0);
	assert_true(position(&km, "virtio_pci") >= 0);
	kmod_deinit(&km);

	open_kmod(&km);
	strcpy(cfg.targets[0].place, "/dev/dm-0");
	/* dm_mod is missing in this kernel: an error that says so. */
	assert_int_equal(target_modules_add(&km, &cfg, sysfs, &err), -ENOENT);
	assert_non_null(strstr(err.text, "dm_mod"));
	kmod_deinit(&km);
	put("lib/modules/" VER "/modules.builtin", "kernel/drivers/md/dm-mod.ko\n");
	open_kmod(&km);
	assert_int_equal(target_modules_add(&km, &cfg, sysfs, &err), 0);
	assert_true(position(&km, "virtio_blk") >= 0);
	kmod_deinit(&km);
}

/* An interface found by MAC address, by its device and by name: its driver, that of the bus, and 8021q for a VLAN. */
static void test_network_by_sysfs(void **state)
{
	static const char *const lines[] = { "52:54:00:12:34:56 dhcp vlan 5", "0000:00:03.0 dhcp", "ens3 dhcp" };
	struct error err = { 0 };
	struct config cfg;
	struct kmod km;
	char sysfs[96];
	(void)state;
	put("lib/modules/" VER "/modules.dep", "kernel/e1000.ko:\nkernel/other.ko:\nkernel/8021q.ko: kernel/garp.ko\nkernel/garp.ko:\n");
	put("sys/devices/pci0/0000:00:03.0/net/ens3/address", "52:54:00:12:34:56\n");
	put("sys/bus/pci/drivers/e1000/x", "");
	put("sys/module/e1000/x", "");
	put_link("sys/bus/pci/drivers/e1000/module", "../../../../module/e1000");
	put_link("sys/devices/pci0/0000:00:03.0/driver", "../../../bus/pci/drivers/e1000");
	put_link("sys/devices/pci0/0000:00:03.0/net/ens3/device", "../../../0000:00:03.0");
	put_link("sys/class/net/ens3", "../../devices/pci0/0000:00:03.0/net/ens3");
	put("sys/devices/virtual/net/lo/address", "00:00:00:00:00:00\n");
	put_link("sys/class/net/lo", "../../devices/virtual/net/lo");
	snprintf(sysfs, sizeof(sysfs), "%s/sys", root);
	for (unsigned int i = 0; i < 3; i++) {
		config_init(&cfg);
		cfg.nr_targets = 1;
		cfg.targets[0].kind = TARGET_TCP;
		assert_int_equal(config_set_net(&cfg, "net", lines[i], &err), 0);
		open_kmod(&km);
		assert_int_equal(target_modules_add(&km, &cfg, sysfs, &err), 0);
		assert_true(position(&km, "e1000") >= 0);
		assert_int_equal(position(&km, "other"), -1);
		assert_int_equal(position(&km, "8021q") > position(&km, "garp"), !i);
		kmod_deinit(&km);
	}
	strcpy(cfg.nets[0].which, "00:11:22:33:44:55");
	open_kmod(&km);
	assert_int_equal(target_modules_add(&km, &cfg, sysfs, &err), -ENODEV);
	assert_non_null(strstr(err.text, "00:11:22:33:44:55"));
	kmod_deinit(&km);
}

/* On a machine with EFI firmware, where the last words go; without it, or without the module, nothing. */
static void test_firmware(void **state)
{
	struct error err = { 0 };
	struct config cfg;
	struct kmod km;
	char sysfs[96];
	(void)state;
	put("sys/firmware/acpi/x", "");
	snprintf(sysfs, sizeof(sysfs), "%s/sys", root);
	config_init(&cfg);
	for (int step = 0; step < 3; step++) {
		if (step == 1)
			put("sys/firmware/efi/runtime", "");
		if (step == 2)
			put("lib/modules/" VER "/modules.dep", "kernel/fs/efivarfs/efivarfs.ko:\n");
		open_kmod(&km);
		assert_int_equal(target_modules_add(&km, &cfg, sysfs, &err), 0);
		assert_int_equal(km.nr_order, step == 2);
		kmod_deinit(&km);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dependencies_come_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_are_normalised, setup, teardown),
		cmocka_unit_test_setup_teardown(test_built_in_needs_no_loading, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alias_and_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_circle_of_softdeps_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_extract, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_versions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_target_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_target_by_sysfs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_network_by_sysfs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_firmware, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
