/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/kmod.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "initramfs/kmod_read.h"
#include "initramfs/tool.h"

/* How a module file is turned into a plain .ko, by the end of its name. */
static const struct {
	const char *suffix;
	const char *argv[4];
} unpackers[] = {
	{ ".ko", { "cat", NULL } },
	{ ".ko.gz", { "gzip", "-dc", NULL } },
	{ ".ko.xz", { "xz", "-dc", NULL } },
	{ ".ko.zst", { "zstd", "-dcq", NULL } },
};

int kmod_init(struct kmod *km, const char *root, const char *version, struct error *err)
{
	memset(km, 0, sizeof(*km));
	/* The version becomes part of path names. */
	if (!version[0] || version[0] == '.' || strchr(version, '/') || strlen(version) >= sizeof(km->version))
		return fail(err, -EINVAL, "\"%s\" is not a kernel version", version);
	snprintf(km->version, sizeof(km->version), "%s", version);
	int rc = kmod_read(km, root, err);
	if (!rc && km->nr_entries) {
		km->order = calloc(km->nr_entries, sizeof(*km->order));
		if (!km->order)
			rc = fail(err, -ENOMEM, "out of memory");
	}
	if (rc)
		kmod_deinit(km);
	return rc;
}

void kmod_deinit(struct kmod *km)
{
	for (size_t i = 0; i < km->nr_entries; i++)
		free((char *)km->entries[i].name);
	for (size_t i = 0; i < KMOD_NR_TEXTS; i++)
		free(km->texts[i]);
	free(km->entries);
	free(km->aliases);
	free(km->softdeps);
	free(km->order);
	memset(km, 0, sizeof(*km));
}

static struct kmod_entry *find_entry(const struct kmod *km, const char *name)
{
	char copy[512];
	if (!km->nr_entries || strlen(name) >= sizeof(copy))
		return NULL;
	strcpy(copy, name);
	kmod_normalise(copy);
	struct kmod_entry key = { .name = copy };
	return bsearch(&key, km->entries, km->nr_entries, sizeof(key), kmod_entry_cmp);
}

/*
 * The next entry, from position *pos on, that name stands for: the module of that name alone or, if there is none, the
 * modules of all aliases that match. Call with *pos 0 first; NULL = no more.
 */
static struct kmod_entry *resolve(const struct kmod *km, const char *name, size_t *pos)
{
	struct kmod_entry *entry = find_entry(km, name);
	if (entry)
		return (*pos)++ == 0 ? entry : NULL;
	char copy[512];
	if (strlen(name) >= sizeof(copy))
		return NULL;
	strcpy(copy, name);
	kmod_normalise(copy);
	while (*pos < km->nr_aliases) {
		const struct kmod_alias *alias = &km->aliases[(*pos)++];
		if (fnmatch(alias->pattern, copy, 0) == 0) {
			entry = find_entry(km, alias->target);
			if (entry)
				return entry;
		}
	}
	return NULL;
}

bool kmod_has(const struct kmod *km, const char *name)
{
	size_t pos = 0;
	return km->monolithic || resolve(km, name, &pos);
}

struct stack {
	struct kmod_entry **v;
	size_t nr, size;
};

static int push(struct stack *stack, struct kmod_entry *entry)
{
	if (!entry->path || entry->state != KMOD_UNUSED)
		return 0;
	if (stack->nr == stack->size) {
		size_t size = stack->size ? 2 * stack->size : 64;
		struct kmod_entry **v = realloc(stack->v, size * sizeof(*v));
		if (!v)
			return -ENOMEM;
		stack->v = v;
		stack->size = size;
	}
	stack->v[stack->nr++] = entry;
	return 0;
}

/* What modules.dep says. It lists paths, and the module that has to be loaded first is the last. */
static int push_deps(const struct kmod *km, struct stack *stack, const struct kmod_entry *entry)
{
	char name[256];
	int rc = 0;
	for (const char *p = entry->deps; *p && !rc;) {
		size_t len = strcspn(p, " ");
		const char *base = p;
		for (const char *c = p; c < p + len; c++)
			if (*c == '/')
				base = c + 1;
		snprintf(name, sizeof(name), "%.*s", (int)(p + len - base), base);
		char *suffix = strstr(name, ".ko");
		if (suffix)
			*suffix = '\0';
		struct kmod_entry *dep = len ? find_entry(km, name) : NULL;
		if (dep)
			rc = push(stack, dep);
		p += len;
		p += strspn(p, " ");
	}
	return rc;
}

/* "pre: a b post: c" of this module: a and b. One that the kernel does not have is no error, as for modprobe. */
static int push_softdeps(const struct kmod *km, struct stack *stack, const struct kmod_entry *entry)
{
	int rc = 0;
	for (size_t i = 0; i < km->nr_softdeps && !rc; i++) {
		if (strcmp(km->softdeps[i].pattern, entry->name) != 0)
			continue;
		char words[1024], *save = NULL;
		bool pre = false;
		snprintf(words, sizeof(words), "%s", km->softdeps[i].target);
		for (char *word = strtok_r(words, " ", &save); word && !rc; word = strtok_r(NULL, " ", &save)) {
			if (strcmp(word, "pre:") == 0 || strcmp(word, "post:") == 0) {
				pre = word[1] == 'r';
				continue;
			}
			size_t pos = 0;
			for (struct kmod_entry *dep; pre && !rc && (dep = resolve(km, word, &pos));)
				rc = push(stack, dep);
		}
	}
	return rc;
}

/*
 * Depth first with a stack of its own: an entry is opened when first seen on top, its unseen dependencies go above it,
 * and when it is on top again they are all in order. A circle (possible between soft dependencies) meets an open entry
 * and is cut there.
 */
static int add_closure(struct kmod *km, struct kmod_entry *entry)
{
	struct stack stack = { 0 };
	int rc = push(&stack, entry);
	while (!rc && stack.nr) {
		struct kmod_entry *top = stack.v[stack.nr - 1];
		if (top->state != KMOD_UNUSED) {
			stack.nr--;
			if (top->state == KMOD_OPEN)
				km->order[km->nr_order++] = (size_t)(top - km->entries);
			top->state = KMOD_ORDERED;
			continue;
		}
		top->state = KMOD_OPEN;
		rc = push_deps(km, &stack, top);
		if (!rc)
			rc = push_softdeps(km, &stack, top);
	}
	free(stack.v);
	return rc;
}

int kmod_add(struct kmod *km, const char *name, struct error *err)
{
	if (km->monolithic)
		return 0;
	size_t pos = 0, nr = 0;
	for (struct kmod_entry *entry; (entry = resolve(km, name, &pos)); nr++) {
		int rc = add_closure(km, entry);
		if (rc)
			return fail(err, rc, "module %s: %s", name, strerror(-rc));
	}
	if (!nr)
		return fail(err, -ENOENT, "kernel %s has no module %s, loadable or built in", km->version, name);
	return 0;
}

const char *kmod_order_name(const struct kmod *km, size_t i)
{
	return km->entries[km->order[i]].name;
}

int kmod_order_path(const struct kmod *km, size_t i, char *ret, size_t size)
{
	const char *path = km->entries[km->order[i]].path;
	/* An absolute path in modules.dep is one below the root; there are none since module-init-tools 3.x. */
	return path_join(ret, size, km->dir, "%s", path);
}

int kmod_extract(const struct kmod *km, size_t i, int fd, struct error *err)
{
	char path[PATH_MAX];
	if (kmod_order_path(km, i, path, sizeof(path)))
		return fail(err, -ENAMETOOLONG, "module %s: path too long", kmod_order_name(km, i));
	const char *suffix = strstr(strrchr(path, '/'), ".ko");
	for (size_t k = 0; suffix && k < ARRAY_SIZE(unpackers); k++) {
		if (strcmp(suffix, unpackers[k].suffix) != 0)
			continue;
		int in = open(path, O_RDONLY | O_CLOEXEC);
		if (in < 0)
			return fail(err, -errno, "%s: %s", path, strerror(errno));
		struct tool_io io = { .in = in, .out = fd };
		int rc = tool_run(unpackers[k].argv, &io, err);
		close(in);
		return rc ? fail_prefix(err, "%s", path) : 0;
	}
	return fail(err, -EINVAL, "%s: neither .ko nor .ko.gz, .ko.xz or .ko.zst", path);
}
