/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/target_modules.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "initramfs/stack.h"
#include "initramfs/tool.h"
#include "src/device.h"

#define MAX_INTERFACES 64	/* of a machine that are looked at */
#define MAX_STACKED 16		/* devices below one stacked device that are followed */

/*
 * Need: one of the first names, else it is an error; wants: those that exist. Both are lists with one blank between.
 * The names of families are prefixes of the kernel's device names.
 */
struct module_rule {
	const char *match;
	const char *needs_one_of;
	const char *wants;
};

static const struct module_rule filesystems[] = {
	/* Debian's ext4 driver mounts all three (CONFIG_EXT4_USE_FOR_EXT2). */
	{ "ext2", "ext2 ext4", "" },
	{ "ext3", "ext3 ext4", "" },
	{ "ext4", "ext4", "" },
	{ "xfs", "xfs", "" },
	{ "btrfs", "btrfs", "" },
	/* vfat's default codepage and iocharset differ between kernels; without them mount fails. */
	{ "vfat", "vfat", "nls_cp437 nls_iso8859_1 nls_ascii nls_utf8" },
};

/*
 * The wants of sd and mmcblk are the host adapters that are common and small. Big ones (megaraid_sas, mpt3sas, hpsa) are
 * found through sysfs on the machine itself; an image made elsewhere names them in extra_modules.
 */
static const struct module_rule families[] = {
	{ "nvme", "nvme", "vmd" },
	{ "vd", "virtio_blk", "virtio_pci virtio_mmio" },
	{ "xvd", "xen_blkfront", "" },
	{ "sd", "sd_mod",
	  "ahci ata_piix virtio_scsi virtio_pci hv_storvsc vmw_pvscsi xhci_pci ehci_pci usb_storage uas" },
	{ "mmcblk", "mmc_block", "sdhci_pci sdhci_acpi" },
	{ "pmem", "nd_pmem", "nfit nd_e820" },
	{ "dm-", "dm_mod", "" },
	{ "md", "md_mod", "" },
};

/* Add the words of a list; optional: those that exist. one: stop after the first that exists. */
static int add_list(struct kmod *km, const char *list, bool optional, bool one, struct error *err)
{
	char words[1024], *save = NULL;
	snprintf(words, sizeof(words), "%s", list);
	for (char *word = strtok_r(words, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (optional && !kmod_has(km, word))
			continue;
		int rc = kmod_add(km, word, err);
		if (rc || one)
			return rc;
	}
	return 0;
}

static int add_rule(struct kmod *km, const struct module_rule *rule, const char *what, struct error *err)
{
	char words[256], *save = NULL;
	bool present = false;
	snprintf(words, sizeof(words), "%s", rule->needs_one_of);
	for (char *word = strtok_r(words, " ", &save); word && !present; word = strtok_r(NULL, " ", &save))
		present = kmod_has(km, word);
	if (!present)
		return fail(err, -ENOENT, "%s needs module %s, which kernel %s has neither as a module nor built in", what,
			    rule->needs_one_of, km->version);
	int rc = add_list(km, rule->needs_one_of, true, true, err);
	return rc ? rc : add_list(km, rule->wants, true, false, err);
}

static int add_filesystem(struct kmod *km, const char *fstype, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(filesystems); i++)
		if (strcmp(filesystems[i].match, fstype) == 0)
			return add_rule(km, &filesystems[i], fstype, err);
	/* A type that config knows and this table does not: the module has the name of the type. */
	const struct module_rule rule = { fstype, fstype, "" };
	return add_rule(km, &rule, fstype, err);
}

static int add_family(struct kmod *km, const char *device, struct error *err)
{
	const char *base = strrchr(device, '/');
	base = base ? base + 1 : device;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (strncmp(base, families[i].match, strlen(families[i].match)) == 0)
			return add_rule(km, &families[i], device, err);
	return fail(err, -ENODEV, "which driver is behind %s is not known here: name it in extra_modules", device);
}

int block_device_name(const char *device, const char *sysfs, char *ret, size_t size)
{
	char *real = realpath(device, NULL);
	const char *dev = real ? real : device;
	/* The kernel writes '!' for '/' in names such as cciss/c0d0. */
	const char *base = strncmp(dev, "/dev/", 5) == 0 ? dev + 5 : strrchr(dev, '/') ? strrchr(dev, '/') + 1 : dev;
	int rc = (size_t)snprintf(ret, size, "%s", base) < size ? 0 : -ENAMETOOLONG;
	free(real);
	for (char *p = ret; *p; p++)
		if (*p == '/')
			*p = '!';
	char path[PATH_MAX];
	struct stat st;
	if (!rc)
		rc = path_join(path, sizeof(path), sysfs, "class/block/%s", ret);
	if (!rc && stat(path, &st) < 0)
		rc = -ENOENT;
	return rc;
}

/* Last component of what a symbolic link points to. */
static int link_base(const char *path, char *ret, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	const char *base = strrchr(target, '/');
	return (size_t)snprintf(ret, size, "%s", base ? base + 1 : target) < size ? 0 : -ENAMETOOLONG;
}

/*
 * The driver of one device directory: the module that the running kernel used or, where the kernel of the image cuts its
 * drivers differently, whatever claims the device's modalias. *found counts the drivers met.
 */
static int add_driver(struct kmod *km, const char *dir, unsigned int *found, struct error *err)
{
	char path[PATH_MAX], name[256];
	struct stat st;
	if (path_join(path, sizeof(path), dir, "driver") || stat(path, &st) < 0)
		return 0;
	(*found)++;
	if (path_join(path, sizeof(path), dir, "driver/module") == 0 && link_base(path, name, sizeof(name)) == 0 &&
	    kmod_has(km, name))
		return kmod_add(km, name, err);
	/* PCI bridges (class 06) need no driver to be passed through, only hotplug drivers claim them. */
	if (path_join(path, sizeof(path), dir, "modalias") == 0 && file_read_line(path, name, sizeof(name)) == 0 &&
	    !strstr(name, "bc06sc") && kmod_has(km, name))
		return kmod_add(km, name, err);
	return 0;	/* built into the kernel without a trace in modules.builtin: most bus drivers */
}

/* One device and all of its parents. dir is cut shorter and shorter. */
static int add_parents(struct kmod *km, char *dir, const char *top, unsigned int *found, struct error *err)
{
	size_t top_len = strlen(top);
	while (strncmp(dir, top, top_len) == 0 && strlen(dir) > top_len) {
		int rc = add_driver(km, dir, found, err);
		if (rc)
			return rc;
		*strrchr(dir, '/') = '\0';
	}
	return 0;
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The names of a directory's entries, sorted, up to max, those with the wanted prefix. */
static unsigned int list_dir(const char *dir, const char *prefix, char (*ret)[64], unsigned int max)
{
	unsigned int nr = 0;
	DIR *d = opendir(dir);
	if (!d)
		return 0;
	for (struct dirent *entry; nr < max && (entry = readdir(d));)
		if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
		    strlen(entry->d_name) < sizeof(ret[0]))
			strcpy(ret[nr++], entry->d_name);
	closedir(d);
	qsort(ret, nr, sizeof(ret[0]), name_cmp);
	return nr;
}

/* Multipath-capable NVMe disks hang below a virtual subsystem, which has links to its controllers. */
static int add_nvme_controllers(struct kmod *km, const char *dir, const char *top, unsigned int *found, struct error *err)
{
	char path[PATH_MAX], parent[PATH_MAX], names[MAX_STACKED][64];
	snprintf(parent, sizeof(parent), "%s", dir);
	char *slash = strrchr(parent, '/');
	if (!slash || !strstr(parent, "/nvme-subsystem/"))
		return 0;
	*slash = '\0';
	unsigned int nr = list_dir(parent, "nvme", names, MAX_STACKED);
	for (unsigned int i = 0; i < nr; i++) {
		if (path_join(path, sizeof(path), parent, "%s", names[i]))
			continue;
		char *real = realpath(path, NULL);
		int rc = real ? add_parents(km, real, top, found, err) : 0;
		free(real);
		if (rc)
			return rc;
	}
	return 0;
}

/* One block device by its sysfs name; names of slaves go to the end of todo. */
static int add_block_device(struct kmod *km, const char *sysfs, const char *name, char (*todo)[64], unsigned int *nr_todo,
			    struct error *err)
{
	char path[PATH_MAX], top[PATH_MAX], real_top[PATH_MAX];
	if (path_join(path, sizeof(path), sysfs, "class/block/%s", name) ||
	    path_join(top, sizeof(top), sysfs, "devices") || !realpath(top, real_top))
		return 0;
	char *dir = realpath(path, NULL);
	if (!dir)
		return 0;
	unsigned int found = 0;
	/* A partition is a directory below its disk's. */
	struct stat st;
	if (path_join(path, sizeof(path), dir, "partition") == 0 && stat(path, &st) == 0)
		*strrchr(dir, '/') = '\0';
	if (path_join(path, sizeof(path), dir, "slaves") == 0)
		*nr_todo += list_dir(path, "", todo + *nr_todo, MAX_STACKED - *nr_todo);
	int rc = add_nvme_controllers(km, dir, real_top, &found, err);
	char disk[64];
	snprintf(disk, sizeof(disk), "%s", strrchr(dir, '/') + 1);
	if (!rc)
		rc = add_parents(km, dir, real_top, &found, err);
	/* Nothing on the way has a driver: stacked and virtual devices. What the name says is all there is. */
	if (!rc && !found) {
		rc = add_family(km, disk, err);
		if (rc == -ENODEV)
			rc = 0;
	}
	free(dir);
	return rc;
}

static int add_device(struct kmod *km, const struct config *cfg, const char *place, const char *sysfs, struct error *err)
{
	char todo[MAX_STACKED][64], node[160];
	unsigned int nr_todo = 1;
	struct error none;
	if (sysfs && place[0] != '/' && device_look(place, NULL, node, sizeof(node), &none) == 0)
		place = node;
	if (!sysfs || block_device_name(place, sysfs, todo[0], sizeof(todo[0]))) {
		int rc = add_family(km, place, err);
		/* An unknown name: the user knows better, but then he has to say it. */
		if (rc == -ENODEV && (cfg->extra_modules[0] || km->monolithic))
			rc = 0;
		return rc;
	}
	int rc = 0;
	for (unsigned int i = 0; i < nr_todo && !rc; i++)
		rc = add_block_device(km, sysfs, todo[i], todo, &nr_todo, err);
	return rc;
}

/* Is this the interface that a "net" line means? */
static bool is_interface(const char *sysfs, const char *name, const char *which)
{
	char path[PATH_MAX], text[64], *real;
	if (strcmp(name, which) == 0)
		return true;
	if (net_is_mac(which))
		return path_join(path, sizeof(path), sysfs, "class/net/%s/address", name) == 0 &&
		       file_read_line(path, text, sizeof(text)) == 0 && strcasecmp(text, which) == 0;
	if (path_join(path, sizeof(path), sysfs, "class/net/%s/device", name) || !(real = realpath(path, NULL)))
		return false;
	bool is_it = strstr(real, which) != NULL;
	free(real);
	return is_it;
}

/* The driver of an interface of this machine, and those of what it hangs on. */
static int add_interface(struct kmod *km, const char *sysfs, const char *which, unsigned int *found, struct error *err)
{
	char path[PATH_MAX], top[PATH_MAX], real_top[PATH_MAX], names[MAX_INTERFACES][64];
	if (path_join(path, sizeof(path), sysfs, "class/net") || path_join(top, sizeof(top), sysfs, "devices") ||
	    !realpath(top, real_top))
		return 0;
	unsigned int nr = list_dir(path, "", names, MAX_INTERFACES);
	for (unsigned int i = 0; i < nr; i++) {
		if (!is_interface(sysfs, names[i], which) ||
		    path_join(path, sizeof(path), sysfs, "class/net/%s/device", names[i]))
			continue;
		char *real = realpath(path, NULL);
		int rc = real ? add_parents(km, real, real_top, found, err) : 0;
		free(real);
		if (rc)
			return rc;
	}
	return 0;
}

/* af_packet for DHCP. An interface that is not here (an image for another machine): a virtual machine's, or extra_modules. */
static int add_network(struct kmod *km, const struct config *cfg, const char *sysfs, struct error *err)
{
	unsigned int found = 0;
	int rc = 0;
	for (unsigned int i = 0; i < cfg->nr_nets && sysfs && !rc; i++)
		rc = add_interface(km, sysfs, cfg->nets[i].which, &found, err);
	if (!rc && sysfs && cfg->nr_nets && !found && !cfg->extra_modules[0] && !km->monolithic)
		return fail(err, -ENODEV, "no interface with a driver is %s: name the driver in extra_modules", cfg->nets[0].which);
	if (!rc && !found)
		rc = add_list(km, "virtio_pci virtio_net", true, false, err);
	for (unsigned int i = 0; i < cfg->nr_nets && !rc; i++)
		if (cfg->nets[i].vlan)
			rc = kmod_add(km, "8021q", err);
	return rc ? rc : add_list(km, "af_packet ipv6", true, false, err);
}

static int add_target(struct kmod *km, const struct config *cfg, const struct target_config *target, const char *sysfs,
		      struct error *err)
{
	if (target->kind == TARGET_TCP)
		return add_network(km, cfg, sysfs, err);
	/* The bus first: a machine with a slow one has its disk ready the earlier. */
	int rc = add_device(km, cfg, target->place, sysfs, err);
	if (!rc)
		rc = stack_add_modules(km, target, err);
	if (!rc && target->kind == TARGET_FS)
		rc = add_filesystem(km, target->word, err);
	return rc;
}

/* The driver of the machine's first watchdog; without one, or without its module, there is none to feed. */
static int add_watchdog(struct kmod *km, const char *sysfs, struct error *err)
{
	char path[PATH_MAX], top[PATH_MAX], real_top[PATH_MAX];
	unsigned int found = 0;
	if (!sysfs || path_join(path, sizeof(path), sysfs, "class/watchdog/watchdog0/device") ||
	    path_join(top, sizeof(top), sysfs, "devices") || !realpath(top, real_top))
		return 0;
	char *dir = realpath(path, NULL);
	int rc = dir ? add_parents(km, dir, real_top, &found, err) : 0;
	free(dir);
	return rc;
}

/* Where the last words go when no target takes anything. */
static int add_firmware(struct kmod *km, const char *sysfs, struct error *err)
{
	char path[PATH_MAX];
	if (!sysfs || path_join(path, sizeof(path), sysfs, "firmware/efi") || access(path, F_OK))
		return 0;
	return add_list(km, "efivarfs", true, false, err);
}

int target_modules_add(struct kmod *km, const struct config *cfg, const char *sysfs, struct error *err)
{
	/* First, because it may be running. */
	int rc = cfg->watchdog[0] ? add_watchdog(km, sysfs, err) : 0;
	for (unsigned int i = 0; i < cfg->nr_targets && !rc; i++)
		rc = add_target(km, cfg, &cfg->targets[i], sysfs, err);
	if (!rc)
		rc = add_firmware(km, sysfs, err);
	if (rc)
		return rc;
	rc = add_list(km, cfg->extra_modules, false, false, err);
	return rc ? fail_prefix(err, "extra_modules") : 0;
}
