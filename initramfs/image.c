/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/image.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "initramfs/net.h"
#include "initramfs/programs.h"
#include "initramfs/stack.h"
#include "initramfs/target_modules.h"
#include "initramfs/tool.h"
#include "src/device.h"

#ifndef KCAPTURE_PREFIX
#define KCAPTURE_PREFIX "/usr/local"
#endif

/* udev makes these links, and there is no udev in the capture kernel. Those of /dev/mapper are made by lvm and cryptsetup. */
static int check_names(const struct config *cfg, const char *path, struct error *err)
{
	for (unsigned int i = 0; i < cfg->nr_targets; i++) {
		const char *place = cfg->targets[i].place;

		if (strncmp(place, "/dev/disk/", 10) == 0)
			return fail(err, -EINVAL, "%s: %s is a name that udev makes; give UUID= or the kernel's own name (see "
				    "lsblk -o +UUID)", path, place);
	}
	return 0;
}

int image_read_config(const char *path, struct config *cfg, char **text, size_t *len, struct log *log, struct error *err)
{
	char *buf;
	size_t buf_len;
	int rc = file_read(path, &buf, &buf_len, err);
	if (rc)
		return rc;
	config_init(cfg);
	unsigned int nr_wrong = config_parse(cfg, buf, buf_len, path, log);
	if (nr_wrong)
		rc = fail(err, -EINVAL, "%s: %u wrong line%s", path, nr_wrong, nr_wrong == 1 ? "" : "s");
	else if (buf_len >= IMAGE_TEXT_MAX)
		rc = fail(err, -EFBIG, "%s: %zu bytes, /init reads no more than %d", path, buf_len, IMAGE_TEXT_MAX - 1);
	else if (config_check(cfg, err))
		rc = fail_prefix(err, "%s", path);
	else
		rc = check_names(cfg, path, err);
	if (rc || !text) {
		free(buf);
		return rc;
	}
	*text = buf;
	*len = buf_len;
	return 0;
}

static int check_codec(const struct image *img, struct error *err)
{
	char path[PATH_MAX], option[64], *text;
	struct error none;
	if (!img->codec->config)
		return 0;
	/* No configuration at hand: trust. */
	if (path_join(path, sizeof(path), img->root, "boot/config-%s", img->version) || file_read(path, &text, NULL, &none))
		return 0;
	snprintf(option, sizeof(option), "\n%s=y\n", img->codec->config);
	bool ok = strstr(text, option) != NULL;
	free(text);
	return ok ? 0 : fail(err, -EINVAL, "kernel %s cannot unpack %s: %s is not set", img->version, img->codec->name,
			     img->codec->config);
}

/* What of the targets userspace has to put together, as seen on this machine. */
static int derive_stacks(struct image *img, struct error *err)
{
	for (unsigned int i = 0; i < img->cfg.nr_targets && img->sysfs; i++) {
		struct target_config *target = &img->cfg.targets[i];
		char node[160], name[64];
		struct error none;
		if (target->kind == TARGET_TCP || device_look(target->place, NULL, node, sizeof(node), &none) ||
		    block_device_name(node, img->sysfs, name, sizeof(name)))
			continue;
		int rc = stack_derive(target, img->sysfs, name, err);
		if (rc)
			return fail_prefix(err, "target %s", target->place);
	}
	return 0;
}

/* What this machine knows about the network and the capture kernel will not. */
static int add_resolved(struct image *img, struct error *err)
{
	char *lines, *text;
	int rc = net_resolve(&img->cfg, &lines, err);
	if (rc)
		return rc;
	size_t len = strlen(lines);
	bool fits = img->config_len + len + 1 < IMAGE_TEXT_MAX;
	text = fits ? realloc(img->config_text, img->config_len + len + 2) : NULL;
	if (text) {
		img->config_text = text;
		if (len)
			img->config_len += sprintf(text + img->config_len, "\n%s", lines);
	}
	free(lines);
	return text ? 0 : fail(err, fits ? -ENOMEM : -EFBIG, "the configuration with \"net\" and \"host\" lines is too long");
}

int image_init(struct image *img, const char *config_path, struct log *log, struct error *err)
{
	img->config_text = NULL;
	memset(&img->km, 0, sizeof(img->km));
	int rc = image_read_config(config_path, &img->cfg, &img->config_text, &img->config_len, log, err);
	if (!rc)
		rc = kmod_init(&img->km, img->root, img->version, err);
	if (!rc)
		rc = check_codec(img, err);
	if (!rc && img->sysfs)
		rc = add_resolved(img, err);
	if (!rc)
		rc = derive_stacks(img, err);
	if (!rc)
		rc = target_modules_add(&img->km, &img->cfg, img->sysfs, err);
	if (rc)
		image_deinit(img);
	return rc;
}

void image_deinit(struct image *img)
{
	kmod_deinit(&img->km);
	free(img->config_text);
	img->config_text = NULL;
}

int image_find_init(char *ret, size_t size, struct error *err)
{
	char exe[PATH_MAX];
	const char *env = getenv("KCAPTURE_INIT");
	if (env && *env)
		return (size_t)snprintf(ret, size, "%s", env) < size ? 0 : fail(err, -ENAMETOOLONG, "KCAPTURE_INIT");
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(exe, '/');
	if (slash) {
		*slash = '\0';
		const char *dir = strrchr(exe, '/');
		/* /usr/sbin/init is the system's own: beside the executable only where that is no system directory. */
		bool is_bin = dir && (strcmp(dir, "/bin") == 0 || strcmp(dir, "/sbin") == 0);
		if (!is_bin && (size_t)snprintf(ret, size, "%s/init", exe) < size && access(ret, R_OK) == 0)
			return 0;
		if ((size_t)snprintf(ret, size, "%s/../lib/kcapture/init", exe) < size && access(ret, R_OK) == 0)
			return 0;
	}
	if ((size_t)snprintf(ret, size, "%s/lib/kcapture/init", KCAPTURE_PREFIX) < size && access(ret, R_OK) == 0)
		return 0;
	return fail(err, -ENOENT, "the capture program init is in none of its places; name it with --init");
}

/* A program that needs a dynamic loader would not even start: nothing else is in the image. */
static int check_init(const char *path, const char *text, size_t len, struct error *err)
{
	if (len < EI_NIDENT || memcmp(text, ELFMAG, SELFMAG) != 0)
		return fail(err, -ENOEXEC, "%s is not an ELF program", path);
	bool is_64 = text[EI_CLASS] == ELFCLASS64;
	/* Built by us for the machine that runs us, so in native byte order; another order has no phdrs that fit. */
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;
	if (len < (is_64 ? sizeof(e64) : sizeof(e32)))
		return fail(err, -ENOEXEC, "%s is cut short", path);
	memcpy(&e64, text, is_64 ? sizeof(e64) : sizeof(e32));
	memcpy(&e32, text, sizeof(e32));
	uint64_t phoff = is_64 ? e64.e_phoff : e32.e_phoff;
	uint64_t entsize = is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	unsigned int phnum = is_64 ? e64.e_phnum : e32.e_phnum;
	for (unsigned int i = 0; i < phnum && phoff <= len && (i + 1) * entsize <= len - phoff; i++) {
		uint32_t type;	/* first member in both classes */
		memcpy(&type, text + phoff + i * entsize, sizeof(type));
		if (type == PT_INTERP)
			return fail(err, -ENOEXEC, "%s is not a static program", path);
	}
	return 0;
}

static int add_init(const struct image *img, struct archive *ar, struct error *err)
{
	char found[PATH_MAX], *text;
	size_t len;
	const char *path = img->init;
	int rc = 0;
	if (!path) {
		rc = image_find_init(found, sizeof(found), err);
		path = found;
	}
	if (!rc)
		rc = file_read(path, &text, &len, err);
	if (rc)
		return rc;
	rc = check_init(path, text, len, err);
	if (!rc)
		rc = archive_add_text(ar, "init", 0755, text, len, err);
	free(text);
	return rc;
}

static int add_module(const struct image *img, struct archive *ar, size_t i, struct error *err)
{
	char name[300];
	snprintf(name, sizeof(name), "modules/%s.ko", kmod_order_name(&img->km, i));
	int fd = archive_create(ar, name, 0644, err);
	if (fd < 0)
		return fd;
	int rc = kmod_extract(&img->km, i, fd, err);
	if (close(fd) && !rc)
		rc = fail(err, -errno, "%s: %s", name, strerror(errno));
	return rc;
}

/* /modules/load names files, not modules, so that /init has nothing to know about names. */
static int add_modules(const struct image *img, struct archive *ar, struct error *err)
{
	size_t nr = img->km.nr_order, len = 0, size = 1;
	for (size_t i = 0; i < nr; i++)
		size += strlen(kmod_order_name(&img->km, i)) + sizeof(".ko\n") - 1;
	if (size > IMAGE_TEXT_MAX)
		return fail(err, -EFBIG, "%zu modules are more than /init can read", nr);
	char *load = malloc(size);
	if (!load)
		return fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < nr; i++)
		len += snprintf(load + len, size - len, "%s.ko\n", kmod_order_name(&img->km, i));
	int rc = archive_add_dir(ar, "modules", err);
	if (!rc)
		rc = archive_add_text(ar, "modules/load", 0644, load, len, err);
	free(load);
	for (size_t i = 0; i < nr && !rc; i++)
		rc = add_module(img, ar, i, err);
	return rc;
}

static int add_programs(const struct image *img, struct archive *ar, struct error *err)
{
	const char *lists[] = { img->cfg.kdump_pre, img->cfg.kdump_post, img->cfg.extra_bins };
	int rc = 0;
	for (size_t i = 0; i < ARRAY_SIZE(lists) && !rc; i++)
		rc = programs_add_list(ar, lists[i], err);
	return rc ? rc : stack_add_files(ar, &img->cfg, err);
}

static int add_all(const struct image *img, struct archive *ar, struct error *err)
{
	static const char *const dirs[] = { "dev", "etc", "mnt", "proc", "run", "sys" };
	int rc = 0;
	for (size_t i = 0; i < ARRAY_SIZE(dirs) && !rc; i++)
		rc = archive_add_dir(ar, dirs[i], err);
	if (!rc)
		rc = archive_add_text(ar, "etc/kcapture.conf", 0644, img->config_text, img->config_len, err);
	if (!rc && img->firmware_map)
		rc = archive_add_text(ar, "etc/firmware-map", 0644, img->firmware_map, strlen(img->firmware_map), err);
	if (!rc)
		rc = net_add_files(ar, &img->cfg, err);
	if (!rc)
		rc = add_init(img, ar, err);
	if (!rc)
		rc = add_modules(img, ar, err);
	return rc ? rc : add_programs(img, ar, err);
}

int image_write(struct image *img, const char *out, struct archive_size *ret, struct error *err)
{
	struct archive ar;
	int rc = archive_init(&ar, err);
	if (rc)
		return rc;
	rc = add_all(img, &ar, err);
	if (!rc)
		rc = archive_write(&ar, img->codec, out, ret, err);
	archive_deinit(&ar);
	return rc;
}
