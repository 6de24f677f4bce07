// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "src/sinks.h"
#include "src/sys.h"

#define SUFFIX "-incomplete"

void unfinished_name(const char *name, size_t max, char ret[FILE_NAME_LEN + 1])
{
	size_t len = strlen(name), ending = len > 4 && !strcmp(name + len - 4, ".txt") ? 4 : 0, cut = 0;

	len -= ending;
	if (len + strlen(SUFFIX) + ending > max)
		cut = min_u64(len, len + strlen(SUFFIX) + ending - max);
	/* Not in the middle of a character of UTF-8. */
	while (cut && ((unsigned char)name[cut] & 0xc0) == 0x80)
		cut++;
	snprintf(ret, FILE_NAME_LEN + 1, "%.*s" SUFFIX "%s", (int)(len - cut), name + cut, name + len);
}

static int file_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct sink_file *file = container_of(sink, struct sink_file, sink);
	int rc = write_all_at(file->fd, off, buf, len);

	file->end = max_u64(file->end, off + len);
	return rc ? rc : writeback_advance(&file->writeback, file->fd, file->end);
}

static int file_writev(struct sink *sink, uint64_t off, const struct sink_vec *vecs, unsigned int nr)
{
	struct sink_file *file = container_of(sink, struct sink_file, sink);
	int rc = write_vecs_at(file->fd, off, vecs, nr);

	for (unsigned int i = 0; i < nr; i++)
		off += vecs[i].len;
	file->end = max_u64(file->end, off);
	return rc ? rc : writeback_advance(&file->writeback, file->fd, file->end);
}

static int file_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	(void)sink, (void)off, (void)len;
	return 0;
}

/* A hole has no room on the disk, zeros that were written have. */
static int file_reserve(struct sink *sink, uint64_t off, uint64_t len)
{
	return sink_write_zeros(sink, off, len);
}

static int file_sync(struct sink *sink)
{
	return fsync(container_of(sink, struct sink_file, sink)->fd) ? -errno : 0;
}

static int finish(struct sink_file *file, uint64_t size)
{
	int rc = ftruncate(file->fd, size) ? -errno : 0;

	if (fsync(file->fd) && !rc)
		rc = -errno;
	return rc;
}

static int file_commit(struct sink *sink, uint64_t size)
{
	struct sink_file *file = container_of(sink, struct sink_file, sink);
	int rc = finish(file, size);

	if (rc)
		return rc;
	if (renameat(file->dir_fd, file->unfinished, file->dir_fd, file->name))
		return -errno;
	file->kept = true;
	return fsync(file->dir_fd) ? -errno : 0;
}

static int file_keep(struct sink *sink, uint64_t size)
{
	struct sink_file *file = container_of(sink, struct sink_file, sink);

	file->kept = true;
	return finish(file, size);
}

static void file_close(struct sink *sink)
{
	struct sink_file *file = container_of(sink, struct sink_file, sink);

	if (!file->kept)
		unlinkat(file->dir_fd, file->unfinished, 0);
	close(file->fd);
	close(file->dir_fd);
}

static const struct sink_ops file_ops = {
	.name = "file",
	.caps = SINK_SEEK,
	.write = file_write,
	.writev = file_writev,
	.zero = file_zero,
	.reserve = file_reserve,
	.sync = file_sync,
	.commit = file_commit,
	.keep = file_keep,
	.close = file_close,
};

/* How long names in the directory can be, as far as is of interest. */
static size_t name_max(int dir_fd)
{
	struct statfs st;

	return fstatfs(dir_fd, &st) || st.f_namelen <= 0 ? FILE_NAME_LEN : min_u64(st.f_namelen, FILE_NAME_LEN);
}

static int open_unfinished(struct sink_file *file, const char *dir, struct error *err)
{
	file->fd = openat(file->dir_fd, file->unfinished, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return fail(err, -errno, "%s/%s: %s", dir, file->unfinished, strerror(errno));
	/* It may be another's who is still writing; and what is left from earlier may have been readable by everybody. */
	if (flock(file->fd, LOCK_EX | LOCK_NB) || ftruncate(file->fd, 0)) {
		int rc = fail(err, -errno, "%s/%s: %s", dir, file->unfinished, strerror(errno));

		close(file->fd);
		return rc;
	}
	fchmod(file->fd, 0600);
	return 0;
}

int sink_file_open(struct sink_file *file, const char *dir, const char *name, struct error *err)
{
	size_t max;
	int rc;

	memset(file, 0, sizeof(*file));
	sink_init(&file->sink, &file_ops);
	file->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->dir_fd < 0)
		return fail(err, -errno, "%s: %s", dir, strerror(errno));
	max = name_max(file->dir_fd);
	if (strlen(name) > max) {
		rc = fail(err, -ENAMETOOLONG, "%.100s...: %s", name, strerror(ENAMETOOLONG));
	} else {
		strcpy(file->name, name);
		unfinished_name(name, max, file->unfinished);
		rc = open_unfinished(file, dir, err);
	}
	if (rc)
		close(file->dir_fd);
	return rc;
}
