/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "initramfs/net.h"
#include "initramfs/stack.h"
#include "initramfs/target_modules.h"
#include "initramfs/tool.h"
#include "src/device.h"

#define MIB (1024 * 1024)

/* Room for a distribution's general kernel with the drivers of one storage path, and no more. */
#define SUGGESTED_CRASHKERNEL "192M"

static void add(struct check_list *list, bool failed, const char *fmt, va_list args)
{
	if (failed)
		list->nr_failed++;
	if (list->nr == CHECK_MAX)
		return;
	list->found[list->nr].failed = failed;
	vsnprintf(list->found[list->nr].text, sizeof(list->found[0].text), fmt, args);
	list->nr++;
}

void check_failed(struct check_list *list, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	add(list, true, fmt, args);
	va_end(args);
}

void check_warn(struct check_list *list, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	add(list, false, fmt, args);
	va_end(args);
}

void check_root(struct check_list *list, bool only_warn)
{
	if (geteuid() == 0)
		return;
	if (only_warn)
		check_warn(list, "not root: arming needs it, and some checks could not be made");
	else
		check_failed(list, "not root: loading a capture kernel needs it");
}

void check_reserved(struct check_list *list, const struct machine *m)
{
	if (!m->has_kexec)
		check_failed(list, "the running kernel %s has no kexec (CONFIG_KEXEC, CONFIG_CRASH_DUMP)", m->release);
	else if (m->crash_size == 0)
		check_failed(list, "no memory is reserved for the capture kernel: add crashkernel=%s to the kernel command "
			     "line and reboot%s", SUGGESTED_CRASHKERNEL,
			     strstr(m->cmdline, "crashkernel=") ? " (the crashkernel= that is there was not granted)" : "");
}

/* Is device number major:minor mounted? Third field of each line of mountinfo. */
static bool is_mounted(const struct machine *m, dev_t dev)
{
	char path[PATH_MAX], wanted[32], *text;
	struct error none;
	bool found = false;
	if (path_join(path, sizeof(path), m->prefix, "proc/self/mountinfo") || file_read(path, &text, NULL, &none))
		return false;
	snprintf(wanted, sizeof(wanted), "%u:%u", major(dev), minor(dev));
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line && !found; line = strtok_r(NULL, "\n", &save)) {
		char number[32];
		found = sscanf(line, "%*s %*s %31s", number) == 1 && strcmp(number, wanted) == 0;
	}
	free(text);
	return found;
}

/* Does a disk have partitions, and is one of them mounted? */
static void look_at_partitions(const struct machine *m, dev_t dev, bool *any, bool *mounted)
{
	char path[PATH_MAX], *text;
	struct dirent *entry;
	struct error none;
	unsigned int ma, mi;

	*any = *mounted = false;
	if (path_join(path, sizeof(path), m->prefix, "sys/dev/block/%u:%u", major(dev), minor(dev)))
		return;
	DIR *dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char file[PATH_MAX];
		if (entry->d_name[0] == '.' ||
		    path_join(file, sizeof(file), path, "%s/partition", entry->d_name) || access(file, F_OK))
			continue;
		*any = true;
		if (path_join(file, sizeof(file), path, "%s/dev", entry->d_name) || file_read(file, &text, NULL, &none))
			continue;
		if (sscanf(text, "%u:%u", &ma, &mi) == 2 && is_mounted(m, makedev(ma, mi)))
			*mounted = true;
		free(text);
	}
	if (dir)
		closedir(dir);
}

/* What blkid sees on the device, "" = nothing. Returns false when blkid is not installed or may not look. */
static bool probe_type(const char *device, char *ret, size_t size)
{
	const char *argv[] = { "blkid", "-p", "-o", "value", "-s", "TYPE", device, NULL };
	char program[PATH_MAX], *text;
	struct error none;
	ret[0] = '\0';
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || tool_find(argv[0], program, sizeof(program))) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	close(fd);
	/* Its status says no more than that nothing was found. */
	if (tool_output(argv, &text, &none))
		return true;
	text[strcspn(text, "\n")] = '\0';
	snprintf(ret, size, "%s", text);
	free(text);
	return true;
}

static bool is_ext(const char *type)
{
	return strncmp(type, "ext", 3) == 0;
}

static void check_content(struct check_list *list, const struct machine *m, const struct target_config *cfg,
			  const char *path, dev_t dev)
{
	char type[64];
	bool probed = probe_type(path, type, sizeof(type));
	if (cfg->kind == TARGET_RAW) {
		bool partitions, mounted;
		look_at_partitions(m, dev, &partitions, &mounted);
		if (is_mounted(m, dev))
			check_failed(list, "%s is mounted, and a raw dump overwrites it", cfg->place);
		else if (mounted)
			check_failed(list, "%s has mounted partitions, and a raw dump overwrites the disk", cfg->place);
		else if (partitions)
			check_warn(list, "%s has partitions, which a raw dump overwrites", cfg->place);
		else if (type[0])
			check_warn(list, "%s holds %s, which a raw dump overwrites", cfg->place, type);
		return;
	}
	/* The ext4 driver mounts its ancestors, but "ext2" on a file system with extents fails. */
	if (type[0] && strcmp(type, cfg->word) != 0 && !(is_ext(type) && strcmp(cfg->word, "ext4") == 0))
		check_failed(list, "%s holds %s, the configuration says %s", cfg->place, type, cfg->word);
	else if (!type[0] && probed)
		check_failed(list, "%s: no filesystem found on it, the configuration says %s", cfg->place, cfg->word);
}

/* The path of the target's device on this machine; false when it was said that there is none. */
static bool find_target(struct check_list *list, const struct machine *m, const struct target_config *cfg, char path[PATH_MAX])
{
	char node[160];
	struct error err;
	if (cfg->place[0] == '/')
		return !path_join(path, PATH_MAX, m->prefix, "%s", cfg->place + 1);
	if (device_look(cfg->place, NULL, node, sizeof(node), &err)) {
		check_failed(list, "target %s: no device of this machine has it%s", cfg->place,
			     geteuid() ? " (only root can look into all of them)" : "");
		return false;
	}
	snprintf(path, PATH_MAX, "%s", node);
	return true;
}

static void check_one_target(struct check_list *list, const struct machine *m, const struct target_config *cfg)
{
	struct target_config target = *cfg;
	char path[PATH_MAX], name[64];
	struct error err;
	struct stat st;
	if (!find_target(list, m, cfg, path))
		return;
	if (stat(path, &st) < 0) {
		check_failed(list, "target %s: %s", cfg->place, strerror(errno));
		return;
	}
	if (!S_ISBLK(st.st_mode)) {
		check_failed(list, "target %s is not a block device", cfg->place);
		return;
	}
	if (block_device_name(path, m->sysfs, name, sizeof(name)) == 0 &&
	    (stack_derive(&target, m->sysfs, name, &err) || stack_check_luks(&target, m->crash_size, &err))) {
		check_failed(list, "%s", err.text);
		return;
	}
	if (target.luks_key[0] && access(target.luks_key, R_OK))
		check_failed(list, "luks_key %s: %s", target.luks_key, strerror(errno));
	check_content(list, m, cfg, path, st.st_rdev);
}

void check_targets(struct check_list *list, const struct machine *m, const struct config *cfg)
{
	for (unsigned int i = 0; i < cfg->nr_targets; i++)
		if (cfg->targets[i].kind == TARGET_TCP)
			net_check_target(list, cfg, &cfg->targets[i]);
		else
			check_one_target(list, m, &cfg->targets[i]);
}

void check_kexec(struct check_list *list, const struct machine *m, const struct config *cfg, enum load_method load)
{
	char path[PATH_MAX];
	bool has_vmcore = false;
	if (tool_find("kexec", path, sizeof(path)))
		check_failed(list, "the program kexec is not installed (package kexec-tools)");
	if (!machine_is_locked_down(m))
		return;
	if (load == LOAD_LEGACY)
		check_failed(list, "kernel lockdown (%s) allows only --load file", m->lockdown);
	for (unsigned int i = 0; i < cfg->nr_sources; i++)
		has_vmcore |= cfg->sources[i] == SOURCE_VMCORE;
	if (!has_vmcore)
		check_failed(list, "kernel lockdown (%s) forbids /dev/mem: add vmcore to source", m->lockdown);
}

void check_room(struct check_list *list, const struct machine *m, uint64_t memory, const struct archive_size *size)
{
	if (!m->crash_size)
		return;		/* said already */
	uint64_t minimum = memory + size->packed + size->unpacked;
	unsigned long long reserved_mib = m->crash_size / MIB;
	if (minimum > m->crash_size)
		check_failed(list, "kernel (%llu MiB in memory) and initramfs (%llu KiB) do not fit into the %llu MiB "
			     "reserved by crashkernel=", (unsigned long long)memory / MIB,
			     (unsigned long long)(size->packed + size->unpacked) / 1024, reserved_mib);
	else if (minimum + CHECK_RUN_MARGIN > m->crash_size)
		check_warn(list, "%llu MiB are reserved by crashkernel=, this kernel may need %llu MiB", reserved_mib,
			   (unsigned long long)(minimum + CHECK_RUN_MARGIN + MIB - 1) / MIB);
}
