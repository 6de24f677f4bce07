// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/tasks.h"
#include "src/cmd.h"
#include "src/json.h"
#include "src/kobject.h"

static const char help[] =
	"usage: kcapture mounts [OPTIONS] CORE\n"
	"\n"
	"List what was mounted, as PID 1 saw it, in the form of /proc/mounts without the options of single filesystems.\n"
	"\n"
	"  -p, --pid PID    as that process saw it\n"
	"      --json       one array\n"
	"  -h, --help       this text\n";

#define PATH_LEN 4096
#define NAME_LEN 256
#define COMPONENTS_MAX 256

struct mount_info {
	vaddr_t addr;		/* of its struct mount */
	char device[PATH_LEN], path[PATH_LEN], type[NAME_LEN], options[128];
};

struct show {
	struct session session;
	struct json json;
	bool as_json;
	int pid;
	vaddr_t task;
	vaddr_t root_mount, root_dentry;	/* the process's root directory */
};

/* --- one mount -------------------------------------------------------------------------------------------------------- */

/* Put "/name" in front of what stands at *start of buf. */
static bool prepend(char *buf, size_t *start, const char *name)
{
	size_t len = strlen(name);

	if (*start < len + 1)
		return false;
	*start -= len + 1;
	buf[*start] = '/';
	memcpy(buf + *start + 1, name, len);
	return true;
}

/*
 * From the root of the mount upwards, over mount points, to the process's own root (prepend_path(), fs/d_path.c). False:
 * the process cannot see it. What cannot be read on the way is "?".
 */
static bool read_path(struct show *show, vaddr_t mount, char ret[PATH_LEN])
{
	struct session *s = &show->session;
	size_t start = PATH_LEN - 1;
	vaddr_t dentry = kobject_get(s, mount, "mount", "mnt.mnt_root");
	char buf[PATH_LEN], name[NAME_LEN];
	bool seen = false;

	buf[start] = 0;
	for (unsigned int i = 0; i < COMPONENTS_MAX && mount && dentry; i++) {
		vaddr_t parent, up;

		seen = mount == show->root_mount && dentry == show->root_dentry;
		if (seen)
			break;
		if (dentry == kobject_get(s, mount, "mount", "mnt.mnt_root")) {
			parent = kobject_get(s, mount, "mount", "mnt_parent");
			if (parent == mount)
				return false;
			dentry = kobject_get(s, mount, "mount", "mnt_mountpoint");
			mount = parent;
			continue;
		}
		up = kobject_get(s, dentry, "dentry", "d_parent");
		if (up == dentry || !kobject_string(s, dentry, "dentry", "d_name.name", name, sizeof(name)) ||
		    !prepend(buf, &start, name))
			break;
		dentry = up;
	}
	if (!seen)
		prepend(buf, &start, "?");
	strcpy(ret, buf[start] ? buf + start : "/");
	return true;
}

static void add_word(char *text, const char *word)
{
	strcat(strcat(text, text[0] ? "," : ""), word);
}

/* MNT_ flags (include/linux/mount.h), in the order of show_mnt_opts() (fs/proc_namespace.c). */
static void read_options(struct session *s, vaddr_t mount, vaddr_t sb, char *ret)
{
	static const struct { unsigned int flag; const char *name; } words[] = {
		{ 0x01, "nosuid" }, { 0x02, "nodev" }, { 0x04, "noexec" }, { 0x08, "noatime" }, { 0x10, "nodiratime" },
		{ 0x20, "relatime" }, { 0x80, "nosymfollow" },
	};
	uint64_t flags = kobject_get(s, mount, "mount", "mnt.mnt_flags");
	uint64_t sb_flags = kobject_get(s, sb, "super_block", "s_flags");

	ret[0] = 0;
	add_word(ret, flags & 0x40 || sb_flags & 1 ? "ro" : "rw");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (flags & words[i].flag)
			add_word(ret, words[i].name);
}

/* Cursors of readers stand in the list, too: they have no filesystem. */
static bool read_mount(struct show *show, vaddr_t mount, struct mount_info *ret)
{
	struct session *s = &show->session;
	vaddr_t sb = kobject_get(s, mount, "mount", "mnt.mnt_sb");
	char subtype[64];

	if (!sb || !read_path(show, mount, ret->path))
		return false;
	ret->addr = mount;
	if (!kobject_string(s, mount, "mount", "mnt_devname", ret->device, sizeof(ret->device)))
		strcpy(ret->device, "none");
	kobject_string(s, kobject_get(s, sb, "super_block", "s_type"), "file_system_type", "name", ret->type, sizeof(ret->type) - 66);
	if (kobject_string(s, sb, "super_block", "s_subtype", subtype, sizeof(subtype)))
		strcat(strcat(ret->type, "."), subtype);
	read_options(s, mount, sb, ret->options);
	return true;
}

/* --- all of them ------------------------------------------------------------------------------------------------------ */

/* Blanks as /proc/mounts escapes them. */
static void print_escaped(const char *text)
{
	for (; *text; text++)
		if (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\\' || *text == '#')
			printf("\\%03o", (unsigned int)*text);
		else
			putchar(*text);
	putchar(' ');
}

static void show_mount(struct show *show, vaddr_t addr)
{
	static struct mount_info mount;

	if (!read_mount(show, addr, &mount))
		return;
	if (!show->as_json) {
		print_escaped(mount.device);
		print_escaped(mount.path);
		print_escaped(mount.type);
		puts(mount.options);
		return;
	}
	json_object(&show->json, NULL);
	json_string(&show->json, "device", mount.device);
	json_string(&show->json, "path", mount.path);
	json_string(&show->json, "type", mount.type);
	json_string(&show->json, "options", mount.options);
	json_address(&show->json, "struct", mount.addr);
	json_end_object(&show->json);
}

/* Since 6.8 (2eea9ce4310d) the mounts of a namespace are a tree, before they were a list. */
static int show_namespace(struct show *show, vaddr_t ns)
{
	struct session *s = &show->session;
	vaddr_t list = kobject_member(s, ns, "mnt_namespace", "list"), at;
	struct list_walk walk;
	struct rb_walk tree;

	if (list) {
		list_walk_init(&walk, &s->kernel, list);
		while (list_walk_next(&walk, &at))
			show_mount(show, kobject_container(s, at, "mount", "mnt_list"));
		return walk.error;
	}
	rb_walk_init(&tree, &s->kernel, kobject_get(s, ns, "mnt_namespace", "mounts.rb_node"));
	while (rb_walk_next(&tree, &at))
		show_mount(show, kobject_container(s, at, "mount", "mnt_node"));
	return tree.error;
}

static int take_task(void *arg, const struct task *task)
{
	struct show *show = arg;

	if (task->pid != show->pid)
		return 0;
	show->task = task->addr;
	return 1;
}

static int find_namespace(struct show *show, vaddr_t *ret, struct error *err)
{
	struct session *s = &show->session;
	struct tasks tasks;
	vaddr_t fs;
	int rc = tasks_init(&tasks, &s->symbols, &s->btf, err);

	if (rc)
		return rc;
	tasks_each(&tasks, take_task, show);
	if (!show->task)
		return fail(err, -1, "no task with PID %d", show->pid);
	fs = kobject_get(s, show->task, "task_struct", "fs");
	show->root_mount = kobject_container(s, kobject_get(s, fs, "fs_struct", "root.mnt"), "mount", "mnt");
	show->root_dentry = kobject_get(s, fs, "fs_struct", "root.dentry");
	*ret = kobject_get(s, kobject_get(s, show->task, "task_struct", "nsproxy"), "nsproxy", "mnt_ns");
	return *ret ? 0 : fail(err, -1, "PID %d has no mount namespace, or it is not in the dump", show->pid);
}

static int run(struct show *show, const char *path)
{
	struct error err;
	vaddr_t ns;
	int rc = 0;

	if (session_open(&show->session, path, SESSION_TYPES, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	if (find_namespace(show, &ns, &err)) {
		session_close(&show->session);
		return cmd_fail("%s: %s", path, err.text);
	}
	json_init(&show->json, stdout);
	if (show->as_json)
		json_array(&show->json, NULL);
	rc = show_namespace(show, ns);
	if (show->as_json) {
		json_end_array(&show->json);
		json_newline(&show->json);
	}
	session_close(&show->session);
	return rc ? cmd_fail("%s: the list of mounts is broken behind these: %s", path, strerror(-rc)) : 0;
}

int cmd_mounts(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct show show = { .pid = 1 };
	char *end;
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":p:h", options, help, 1)) != -1) {
		switch (opt) {
		case 'p':
			show.pid = strtol(optarg, &end, 10);
			if (*end || end == optarg || show.pid < 1)
				return usage_error(argv[0], "\"%s\" is no PID", optarg);
			break;
		case 'j': show.as_json = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	return run(&show, argv[optind]);
}
