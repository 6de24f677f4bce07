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

#include "initramfs/target_modules.h"
#include "initramfs/tool.h"

#define MIB (1024 * 1024)

/*
 * What a capture kernel takes besides its image and the initramfs: page tables, struct pages, slabs, drivers' queues and
 * /init. Debian's 6.1 cloud kernel was measured to start with 71 MiB in all (51 of them its image); drivers of real
 * machines want more.
 */
#define RUN_MARGIN (24 * MIB)

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

static void check_content(struct check_list *list, const struct machine *m, const struct config *cfg, const char *path,
			  dev_t dev)
{
	char type[64];
	bool probed = probe_type(path, type, sizeof(type));
	if (cfg->target == TARGET_RAW) {
		bool partitions, mounted;
		look_at_partitions(m, dev, &partitions, &mounted);
		if (is_mounted(m, dev))
			check_failed(list, "%s is mounted, and a raw dump overwrites it", cfg->device);
		else if (mounted)
			check_failed(list, "%s has mounted partitions, and a raw dump overwrites the disk", cfg->device);
		else if (partitions)
			check_warn(list, "%s has partitions, which a raw dump overwrites", cfg->device);
		else if (type[0])
			check_warn(list, "%s holds %s, which a raw dump overwrites", cfg->device, type);
		return;
	}
	/* The ext4 driver mounts its ancestors, but "ext2" on a file system with extents fails. */
	if (type[0] && strcmp(type, cfg->fstype) != 0 && !(is_ext(type) && strcmp(cfg->fstype, "ext4") == 0))
		check_failed(list, "%s holds %s, the configuration says %s", cfg->device, type, cfg->fstype);
	else if (!type[0] && probed)
		check_failed(list, "%s: no filesystem found on it, the configuration says %s", cfg->device, cfg->fstype);
}

void check_target(struct check_list *list, const struct machine *m, const struct config *cfg)
{
	char path[PATH_MAX], name[64];
	struct stat st;
	if (path_join(path, sizeof(path), m->prefix, "%s", cfg->device + 1))
		return;
	if (stat(path, &st) < 0) {
		check_failed(list, "target %s: %s", cfg->device, strerror(errno));
		return;
	}
	if (!S_ISBLK(st.st_mode)) {
		check_failed(list, "target %s is not a block device", cfg->device);
		return;
	}
	if (block_device_name(path, m->sysfs, name, sizeof(name)) == 0 &&
	    (strncmp(name, "dm-", 3) == 0 || strncmp(name, "md", 2) == 0)) {
		check_failed(list, "target %s is assembled by userspace (%s), which the capture kernel does not have: use a "
			     "plain disk or partition", cfg->device, name);
		return;
	}
	check_content(list, m, cfg, path, st.st_rdev);
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
	else if (minimum + RUN_MARGIN > m->crash_size)
		check_warn(list, "%llu MiB are reserved by crashkernel=, this kernel may need %llu MiB", reserved_mib,
			   (unsigned long long)(minimum + RUN_MARGIN + MIB - 1) / MIB);
}
