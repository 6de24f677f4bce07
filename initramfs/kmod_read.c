/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All four files are kept in memory as they were read and cut into terminated strings in place:
 *
 *   modules.dep      kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/fs/mbcache.ko
 *   modules.alias    alias fs-ext4 ext4
 *   modules.softdep  softdep ext4 pre: crc32c
 *   modules.builtin  kernel/drivers/nvme/host/nvme.ko
 *
 * The lines tell themselves apart, so the output of "depmod -n", which is all files after one another, needs no cutting.
 */
#include "initramfs/kmod_read.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "initramfs/tool.h"

void kmod_normalise(char *name)
{
	bool in_brackets = false;
	for (; *name; name++) {
		if (*name == '[')
			in_brackets = true;
		else if (*name == ']')
			in_brackets = false;
		else if (*name == '-' && !in_brackets)
			*name = '_';
	}
}

int kmod_entry_cmp(const void *a, const void *b)
{
	return strcmp(((const struct kmod_entry *)a)->name, ((const struct kmod_entry *)b)->name);
}

/* Make room for one more element; the array doubles at every power of two. */
static void *grow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1) || (nr && nr < 16))
		return array;
	if (nr == 0)
		return realloc(array, 16 * size);
	return realloc(array, 2 * nr * size);
}

/* path stays as it is; the name is made in a copy, as '-' in a file name must survive. */
static int add_entry(struct kmod *km, char *path, const char *deps, bool builtin)
{
	char *base = strrchr(path, '/');
	char *name = strdup(base ? base + 1 : path);
	if (!name)
		return -ENOMEM;
	char *suffix = strstr(name, ".ko");
	if (suffix)
		*suffix = '\0';
	kmod_normalise(name);
	struct kmod_entry *entries = grow(km->entries, km->nr_entries, sizeof(*entries));
	if (!entries) {
		free(name);
		return -ENOMEM;
	}
	km->entries = entries;
	entries[km->nr_entries++] = (struct kmod_entry){ .name = name, .path = builtin ? NULL : path, .deps = deps };
	return 0;
}

static int add_alias(struct kmod_alias **array, size_t *nr, char *pattern, const char *target)
{
	struct kmod_alias *bigger = grow(*array, *nr, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	kmod_normalise(pattern);
	bigger[(*nr)++] = (struct kmod_alias){ .pattern = pattern, .target = target };
	return 0;
}

/* "<word> <a> <rest>" with the leading word already known. */
static int parse_pair(struct kmod_alias **array, size_t *nr, char *line)
{
	char *save = NULL;
	strtok_r(line, " ", &save);
	char *pattern = strtok_r(NULL, " ", &save);
	if (!pattern || !save || !*save)
		return 0;	/* a line that says nothing */
	return add_alias(array, nr, pattern, save);
}

static int parse_line(struct kmod *km, char *line, bool builtin)
{
	if (line[0] == '#' || line[0] == '\0')
		return 0;
	if (strncmp(line, "alias ", 6) == 0) {
		/* depmod -n adds "alias symbol:X": thousands of lines that no one asks for here. */
		if (strncmp(line + 6, "symbol:", 7) == 0)
			return 0;
		return parse_pair(&km->aliases, &km->nr_aliases, line);
	}
	if (strncmp(line, "softdep ", 8) == 0)
		return parse_pair(&km->softdeps, &km->nr_softdeps, line);
	if (builtin)
		return strstr(line, ".ko") ? add_entry(km, line, "", true) : 0;
	char *colon = strchr(line, ':');
	/* depmod -n also prints weak dependencies and device nodes; only modules.dep has "path.ko: ..." */
	if (!colon || strcspn(line, " ") < (size_t)(colon - line) || !strstr(line, ".ko"))
		return 0;
	*colon = '\0';
	return add_entry(km, line, colon + 1, false);
}

static int parse_text(struct kmod *km, char *text, bool builtin)
{
	int rc = 0;
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line && !rc; line = strtok_r(NULL, "\n", &save))
		rc = parse_line(km, line, builtin);
	return rc;
}

/* One entry a name: what is in modules.builtin, too (a kernel rebuilt over an old tree), is really built in. */
static void sort_entries(struct kmod *km)
{
	qsort(km->entries, km->nr_entries, sizeof(*km->entries), kmod_entry_cmp);
	size_t kept = 0;
	for (size_t i = 0; i < km->nr_entries; i++) {
		struct kmod_entry *last = kept ? &km->entries[kept - 1] : NULL;
		if (!last || strcmp(last->name, km->entries[i].name) != 0) {
			km->entries[kept++] = km->entries[i];
			continue;
		}
		if (!km->entries[i].path || (last->path && strcmp(km->entries[i].path, last->path) < 0)) {
			free((char *)last->name);
			*last = km->entries[i];
		} else {
			free((char *)km->entries[i].name);
		}
	}
	km->nr_entries = kept;
}

/*
 * depmod -b wants BASE/lib/modules/VER (or, newer ones, BASE/usr/lib/modules/VER) whatever ROOT looks like: a temporary
 * base with symbolic links serves both.
 */
static int depmod_print(const struct kmod *km, char **ret, struct error *err)
{
	char base[PATH_MAX], lib[PATH_MAX], modules[PATH_MAX], usr[PATH_MAX], usr_lib[PATH_MAX], link[PATH_MAX];
	int rc = tool_temp("kcapture-depmod", false, base, sizeof(base) - 256, err);
	if (rc)
		return rc;
	path_join(lib, sizeof(lib), base, "lib");
	path_join(modules, sizeof(modules), base, "lib/modules");
	path_join(usr, sizeof(usr), base, "usr");
	path_join(usr_lib, sizeof(usr_lib), base, "usr/lib");
	path_join(link, sizeof(link), base, "lib/modules/%s", km->version);
	char *dir = realpath(km->dir, NULL);
	if (!dir || mkdir(lib, 0700) || mkdir(modules, 0700) || mkdir(usr, 0700) || symlink("../lib", usr_lib) ||
	    symlink(dir, link))
		rc = fail(err, -errno, "%s: %s", base, strerror(errno));
	if (!rc) {
		const char *argv[] = { "depmod", "-n", "-b", base, km->version, NULL };
		rc = tool_output(argv, ret, err);
		if (rc)
			fail_prefix(err, "%s has no modules.dep", km->dir);
	}
	free(dir);
	const char *const made[] = { link, usr_lib, usr, modules, lib, base };
	for (unsigned int i = 0; i < ARRAY_SIZE(made); i++)
		remove(made[i]);
	return rc;
}

/* 0 = read, -ENOENT = there is none. */
static int read_text(struct kmod *km, unsigned int slot, const char *name, struct error *err)
{
	char path[PATH_MAX];
	if (path_join(path, sizeof(path), km->dir, "%s", name))
		return fail(err, -ENAMETOOLONG, "%s: name too long", km->dir);
	return file_read(path, &km->texts[slot], NULL, err);
}

static int read_dep_files(struct kmod *km, struct error *err)
{
	static const char *const optional[] = { "modules.alias", "modules.softdep" };
	int rc = read_text(km, 0, "modules.dep", err);
	if (rc == -ENOENT)
		return depmod_print(km, &km->texts[0], err);
	for (unsigned int i = 0; i < 2 && !rc; i++) {
		rc = read_text(km, 1 + i, optional[i], err);
		if (rc == -ENOENT)
			rc = 0;
	}
	return rc;
}

/* A kernel built without CONFIG_MODULES has no directory of modules, and needs none. */
static bool config_says_monolithic(const char *root, const char *version)
{
	char path[PATH_MAX], *text = NULL;
	struct error none;
	if (path_join(path, sizeof(path), root, "boot/config-%s", version) || file_read(path, &text, NULL, &none))
		return false;
	bool monolithic = strstr(text, "\n# CONFIG_MODULES is not set\n") != NULL;
	free(text);
	return monolithic;
}

static int find_dir(struct kmod *km, const char *root, struct error *err)
{
	static const char *const places[] = { "lib/modules", "usr/lib/modules" };
	struct stat st;
	for (unsigned int i = 0; i < 2; i++) {
		if (path_join(km->dir, sizeof(km->dir), root, "%s/%s", places[i], km->version))
			return fail(err, -ENAMETOOLONG, "%s: name too long", root);
		if (stat(km->dir, &st) == 0 && S_ISDIR(st.st_mode))
			return 0;
	}
	km->monolithic = config_says_monolithic(root, km->version);
	if (km->monolithic)
		return 0;
	return fail(err, -ENOENT, "kernel %s has no modules in %s%slib/modules or usr/lib/modules", km->version, root,
		    root[0] && root[strlen(root) - 1] == '/' ? "" : "/");
}

int kmod_read(struct kmod *km, const char *root, struct error *err)
{
	int rc = find_dir(km, root, err);
	if (rc || km->monolithic)
		return rc;
	rc = read_dep_files(km, err);
	if (rc)
		return rc;
	rc = read_text(km, 3, "modules.builtin", err);
	if (rc && rc != -ENOENT)
		return rc;
	rc = 0;
	for (unsigned int i = 0; i < KMOD_NR_TEXTS && !rc; i++)
		if (km->texts[i])
			rc = parse_text(km, km->texts[i], i == 3);
	if (rc)
		return fail(err, rc, "%s: %s", km->dir, strerror(-rc));
	sort_entries(km);
	return 0;
}
