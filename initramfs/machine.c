/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/machine.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "initramfs/tool.h"

#define MAX_MAP_ENTRIES 4096

static int read_line(const struct machine *m, const char *name, char *ret, size_t size)
{
	char path[PATH_MAX];
	int rc = path_join(path, sizeof(path), m->sysfs, "%s", name);
	return rc ? rc : file_read_line(path, ret, size);
}

/* "none [integrity] confidentiality": the one in brackets holds. */
static void read_lockdown(struct machine *m)
{
	char line[128];
	snprintf(m->lockdown, sizeof(m->lockdown), "none");
	if (read_line(m, "kernel/security/lockdown", line, sizeof(line)))
		return;
	char *open = strchr(line, '[');
	char *close = open ? strchr(open, ']') : NULL;
	if (close)
		snprintf(m->lockdown, sizeof(m->lockdown), "%.*s", (int)(close - open - 1), open + 1);
}

void machine_update(struct machine *m)
{
	/* Newer kernels have these in a directory of their own. */
	static const char *const sizes[] = { "kernel/kexec_crash_size", "kernel/kexec/crash_size" };
	static const char *const loaded[] = { "kernel/kexec_crash_loaded", "kernel/kexec/crash_loaded" };
	char line[64];
	m->has_kexec = false;
	m->crash_loaded = false;
	m->crash_size = 0;
	for (unsigned int i = 0; i < 2; i++) {
		if (read_line(m, loaded[i], line, sizeof(line)) == 0) {
			m->has_kexec = true;
			m->crash_loaded = strtoul(line, NULL, 10) == 1;
		}
		if (read_line(m, sizes[i], line, sizeof(line)) == 0)
			m->crash_size = strtoull(line, NULL, 10);
	}
}

int machine_init(struct machine *m, const char *prefix, struct error *err)
{
	struct utsname uts;
	char path[PATH_MAX];
	memset(m, 0, sizeof(*m));
	if ((size_t)snprintf(m->prefix, sizeof(m->prefix), "%s", prefix) >= sizeof(m->prefix) ||
	    path_join(m->sysfs, sizeof(m->sysfs), prefix, "sys") || path_join(path, sizeof(path), prefix, "proc/cmdline"))
		return fail(err, -ENAMETOOLONG, "%s: name too long", prefix);
	uname(&uts);
	snprintf(m->release, sizeof(m->release), "%s", uts.release);
	snprintf(m->arch, sizeof(m->arch), "%s", uts.machine);
	int rc = file_read(path, &m->cmdline, NULL, err);
	if (rc)
		return rc;
	read_lockdown(m);
	machine_update(m);
	return 0;
}

void machine_deinit(struct machine *m)
{
	free(m->cmdline);
	memset(m, 0, sizeof(*m));
}

bool machine_is_locked_down(const struct machine *m)
{
	return strcmp(m->lockdown, "none") != 0;
}

struct map_entry {
	uint64_t start, end;
	char type[64];
};

static int map_cmp(const void *a, const void *b)
{
	const struct map_entry *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

static int read_map_entry(const char *dir, const char *name, struct map_entry *ret)
{
	char path[PATH_MAX], line[64];
	int rc = path_join(path, sizeof(path), dir, "%s/start", name);
	if (!rc)
		rc = file_read_line(path, line, sizeof(line));
	if (rc)
		return rc;
	ret->start = strtoull(line, NULL, 0);
	rc = path_join(path, sizeof(path), dir, "%s/end", name);
	if (!rc)
		rc = file_read_line(path, line, sizeof(line));
	if (rc)
		return rc;
	ret->end = strtoull(line, NULL, 0);
	rc = path_join(path, sizeof(path), dir, "%s/type", name);
	return rc ? rc : file_read_line(path, ret->type, sizeof(ret->type));
}

static int print_map(struct map_entry *map, size_t nr, char **ret)
{
	size_t size = nr * (sizeof(map->type) + 48) + 1, len = 0;
	char *text = malloc(size);
	if (!text)
		return -ENOMEM;
	qsort(map, nr, sizeof(*map), map_cmp);
	text[0] = '\0';
	for (size_t i = 0; i < nr; i++)
		len += snprintf(text + len, size - len, "0x%llx-0x%llx %s\n", (unsigned long long)map[i].start,
				(unsigned long long)map[i].end, map[i].type);
	*ret = text;
	return 0;
}

int machine_firmware_map(const struct machine *m, char **ret, struct error *err)
{
	char path[PATH_MAX];
	*ret = NULL;
	if (path_join(path, sizeof(path), m->sysfs, "firmware/memmap"))
		return fail(err, -ENAMETOOLONG, "%s: name too long", m->sysfs);
	DIR *dir = opendir(path);
	if (!dir)
		return 0;
	struct map_entry *map = calloc(MAX_MAP_ENTRIES, sizeof(*map));
	size_t nr = 0;
	int rc = map ? 0 : fail(err, -ENOMEM, "out of memory");
	for (struct dirent *entry; !rc && nr < MAX_MAP_ENTRIES && (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		rc = read_map_entry(path, entry->d_name, &map[nr]);
		if (rc)
			rc = fail(err, rc, "%s/%s: %s", path, entry->d_name, strerror(-rc));
		nr++;
	}
	closedir(dir);
	if (!rc && nr && print_map(map, nr, ret))
		rc = fail(err, -ENOMEM, "out of memory");
	free(map);
	return rc;
}
