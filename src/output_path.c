// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/output_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "src/interrupt.h"

static int open_file(struct output_path *path, struct sink **ret, struct error *err)
{
	char dir[4096] = ".";
	const char *slash = strrchr(path->name, '/');
	int rc;

	if (slash && (size_t)(slash - path->name) >= sizeof(dir))
		return fail(err, -ENAMETOOLONG, "%.100s...: %s", path->name, strerror(ENAMETOOLONG));
	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", slash == path->name ? 1 : (int)(slash - path->name), path->name);
	*ret = &path->file.sink;
	rc = sink_file_open(&path->file, dir, slash ? slash + 1 : path->name, err);
	snprintf(path->unfinished, sizeof(path->unfinished), "%.*s%s", slash ? (int)(slash + 1 - path->name) : 0, path->name,
		 path->file.unfinished);
	return rc;
}

static int open_sink(struct output_path *path, struct sink **ret, struct error *err)
{
	switch (path->kind) {
	case OUTPUT_STDOUT:
		sink_stream_init(&path->stream, STDOUT_FILENO);
		*ret = &path->stream.sink;
		return 0;
	case OUTPUT_NOWHERE:
		sink_null_init(&path->null);
		*ret = &path->null.sink;
		return 0;
	case OUTPUT_DEVICE:
		*ret = &path->block.sink;
		return sink_block_open(&path->block, path->name, err);
	default:
		return open_file(path, ret, err);
	}
}

static int path_open(struct output *out, const struct kernel *kernel, const struct plan *plan, struct sink **ret,
		     struct error *err)
{
	struct output_path *path = container_of(out, struct output_path, out);
	int rc = open_sink(path, ret, err);

	(void)kernel, (void)plan;
	path->opened = !rc;
	if (!rc && path->kind == OUTPUT_FILE)
		interrupt_leaves("what was written stays in %s", path->unfinished);
	else if (!rc && path->kind == OUTPUT_DEVICE)
		interrupt_leaves("%s holds the beginning of a dump", path->name);
	if (!rc && path->max_size)
		*ret = sink_limit_init(&path->limit, *ret, path->max_size);
	return rc;
}

static void path_close(struct output *out)
{
	(void)out;
	interrupt_leaves_nothing();
}

/* A block device can have several names. */
static bool same_file(const char *a, const struct stat *b)
{
	struct stat st;

	if (stat(a, &st))
		return false;
	if (S_ISBLK(st.st_mode) && S_ISBLK(b->st_mode))
		return st.st_rdev == b->st_rdev;
	return st.st_dev == b->st_dev && st.st_ino == b->st_ino;
}

int output_path_init(struct output_path *path, const char *name, const char *source, bool force, struct error *err)
{
	struct stat st;

	memset(path, 0, sizeof(*path));
	path->out.open = path_open;
	path->out.close = path_close;
	path->out.name = path->name = name;
	if (!strcmp(name, "-")) {
		path->kind = OUTPUT_STDOUT;
		return 0;
	}
	path->kind = OUTPUT_FILE;
	if (stat(name, &st))
		return 0;
	if (source && same_file(source, &st))
		return fail(err, -EINVAL, "%s and %s are the same file", source, name);
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) {
		path->kind = OUTPUT_NOWHERE;
		return 0;
	}
	/* A rename over a pipe or a terminal would replace it. */
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return fail(err, -EINVAL, "%s is neither a file nor a block device", name);
	if (S_ISBLK(st.st_mode))
		path->kind = OUTPUT_DEVICE;
	return force ? 0 : fail(err, -EEXIST, "%s exists; -f replaces it", name);
}

void output_path_discard(struct output_path *path, bool whole)
{
	struct error err;

	if (path->opened && path->kind == OUTPUT_FILE)
		unlink(whole ? path->name : path->unfinished);
	else if (path->opened && path->kind == OUTPUT_DEVICE && !sink_block_open(&path->block, path->name, &err))
		sink_close(&path->block.sink);
	path->opened = false;
}

int output_path_name_incomplete(struct output_path *path)
{
	return rename(path->unfinished, path->name) ? -errno : 0;
}
