// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/sinks.h"
#include "src/sys.h"

#define SUFFIX "-incomplete"

/* NAME-incomplete, or NAME-incomplete.txt: what people open by its ending keeps it. */
static void unfinished_name(const struct sink_file *file, char *ret, size_t size)
{
	const char *ending = strstr(file->name, ".txt");
	int len = ending && !ending[4] ? ending - file->name : (int)strlen(file->name);

	snprintf(ret, size, "%.*s" SUFFIX "%s", len, file->name, file->name + len);
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

static int file_sync(struct sink *sink)
{
	return fsync(container_of(sink, struct sink_file, sink)->fd) ? -errno : 0;
}

static int file_keep(struct sink *sink, uint64_t size)
{
	struct sink_file *file = container_of(sink, struct sink_file, sink);
	int rc = ftruncate(file->fd, size) ? -errno : 0;

	if (fsync(file->fd) && !rc)
		rc = -errno;
	return rc;
}

static int file_commit(struct sink *sink, uint64_t size)
{
	struct sink_file *file = container_of(sink, struct sink_file, sink);
	char unfinished[sizeof(file->name) + sizeof(SUFFIX)];
	int rc = file_keep(sink, size);

	if (rc)
		return rc;
	unfinished_name(file, unfinished, sizeof(unfinished));
	if (renameat(file->dir_fd, unfinished, file->dir_fd, file->name) || fsync(file->dir_fd))
		return -errno;
	return 0;
}

static void file_close(struct sink *sink)
{
	struct sink_file *file = container_of(sink, struct sink_file, sink);

	close(file->fd);
	close(file->dir_fd);
}

static const struct sink_ops file_ops = {
	.name = "file",
	.caps = SINK_SEEK,
	.write = file_write,
	.writev = file_writev,
	.zero = file_zero,
	.sync = file_sync,
	.commit = file_commit,
	.keep = file_keep,
	.close = file_close,
};

int sink_file_open(struct sink_file *file, const char *dir, const char *name, struct error *err)
{
	char unfinished[sizeof(file->name) + sizeof(SUFFIX)];

	memset(file, 0, sizeof(*file));
	if (strlen(name) >= sizeof(file->name))
		return fail(err, -ENAMETOOLONG, "%s: file name too long", name);
	strcpy(file->name, name);
	sink_init(&file->sink, &file_ops);
	file->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->dir_fd < 0)
		return fail(err, -errno, "%s: %s", dir, strerror(errno));
	unfinished_name(file, unfinished, sizeof(unfinished));
	file->fd = openat(file->dir_fd, unfinished, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file->fd < 0) {
		int rc = fail(err, -errno, "%s/%s: %s", dir, unfinished, strerror(errno));

		close(file->dir_fd);
		return rc;
	}
	/* It may be another's who is still writing; and what is left from earlier may have been readable by everybody. */
	if (flock(file->fd, LOCK_EX | LOCK_NB) || ftruncate(file->fd, 0)) {
		int rc = fail(err, -errno, "%s/%s: %s", dir, unfinished, strerror(errno));

		file_close(&file->sink);
		return rc;
	}
	fchmod(file->fd, 0600);
	return 0;
}
