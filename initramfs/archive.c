/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "initramfs/tool.h"

/*
 * The kernel's xz has only CRC32. Dictionary and window stay at 1 MiB: the capture kernel has to allocate them. One
 * thread, as the number of threads changes the bytes.
 */
static const struct archive_codec codecs[] = {
	{ "none", NULL, { NULL } },
	{ "gzip", "CONFIG_RD_GZIP", { "gzip", "-n", "-9", "-c", NULL } },
	{ "xz", "CONFIG_RD_XZ", { "xz", "--check=crc32", "--lzma2=preset=9e,dict=1MiB", "-T1", "-c", NULL } },
	{ "zstd", "CONFIG_RD_ZSTD", { "zstd", "-19", "--zstd=wlog=20", "--single-thread", "-q", "-c", NULL } },
};

const struct archive_codec *archive_codec_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
		if (strcmp(codecs[i].name, name) == 0)
			return &codecs[i];
	return NULL;
}

int archive_init(struct archive *ar, struct error *err)
{
	memset(ar, 0, sizeof(*ar));
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	if (epoch && *epoch) {
		char *end;
		errno = 0;
		ar->mtime = strtoll(epoch, &end, 10);
		/* The field of a newc header is 32 bit wide. */
		if (errno || *end || ar->mtime < 0 || ar->mtime > UINT32_MAX)
			return fail(err, -EINVAL, "SOURCE_DATE_EPOCH=%s is not a time in seconds", epoch);
	}
	char root[PATH_MAX];
	int rc = tool_temp("kcapture", false, ar->work, sizeof(ar->work) - 64, err);
	if (rc)
		return rc;
	if (path_join(root, sizeof(root), ar->work, "root") || mkdir(root, 0755)) {
		rc = fail(err, -errno, "%s: %s", root, strerror(errno));
		archive_deinit(ar);
		return rc;
	}
	return 0;
}

void archive_deinit(struct archive *ar)
{
	static const char *const own[] = { "root", "names", "cpio" };
	char path[PATH_MAX];
	/* Backwards: what is in a directory was added after it. remove() takes files and empty directories. */
	for (size_t i = ar->nr_names; i-- > 0;) {
		if (path_join(path, sizeof(path), ar->work, "root/%s", ar->names[i]) == 0)
			remove(path);
		free(ar->names[i]);
	}
	free(ar->names);
	if (ar->work[0]) {
		for (size_t i = 0; i < ARRAY_SIZE(own); i++)
			if (path_join(path, sizeof(path), ar->work, "%s", own[i]) == 0)
				remove(path);
		rmdir(ar->work);
	}
	memset(ar, 0, sizeof(*ar));
}

/* Note the name first: deinit then removes even what was only half made. */
static int add_name(struct archive *ar, const char *name, char *path, size_t size, struct error *err)
{
	if (tool_interrupted())
		return fail(err, -EINTR, "interrupted");
	if (path_join(path, size, ar->work, "root/%s", name))
		return fail(err, -ENAMETOOLONG, "%s: name too long", name);
	char **names = realloc(ar->names, (ar->nr_names + 1) * sizeof(*names));
	if (!names)
		return fail(err, -ENOMEM, "out of memory");
	ar->names = names;
	names[ar->nr_names] = strdup(name);
	if (!names[ar->nr_names])
		return fail(err, -ENOMEM, "out of memory");
	ar->nr_names++;
	return 0;
}

int archive_add_dir(struct archive *ar, const char *name, struct error *err)
{
	char path[PATH_MAX];
	int rc = add_name(ar, name, path, sizeof(path), err);
	if (rc)
		return rc;
	/* chmod: whatever the umask says. */
	if (mkdir(path, 0755) || chmod(path, 0755))
		return fail(err, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

int archive_create(struct archive *ar, const char *name, mode_t mode, struct error *err)
{
	char path[PATH_MAX];
	int rc = add_name(ar, name, path, sizeof(path), err);
	if (rc)
		return rc;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(err, -errno, "%s: %s", path, strerror(errno));
	if (fchmod(fd, mode)) {
		rc = fail(err, -errno, "%s: %s", path, strerror(errno));
		close(fd);
		return rc;
	}
	return fd;
}

int archive_add_text(struct archive *ar, const char *name, mode_t mode, const char *text, size_t len, struct error *err)
{
	int fd = archive_create(ar, name, mode, err);
	if (fd < 0)
		return fd;
	int rc = fd_write_all(fd, text, len);
	if (close(fd) && !rc)
		rc = -errno;
	return rc ? fail(err, rc, "%s: %s", name, strerror(-rc)) : 0;
}

int archive_add_copy(struct archive *ar, const char *name, mode_t mode, const char *source, struct error *err)
{
	char *text;
	size_t len;
	int rc = file_read(source, &text, &len, err);
	if (rc)
		return rc;
	rc = archive_add_text(ar, name, mode, text, len, err);
	free(text);
	return rc;
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The sorted list that cpio reads, and one time for everything: directories last, as their own changes with content. */
static int write_names(struct archive *ar, const char *list, struct error *err)
{
	const struct timespec times[2] = { { .tv_sec = ar->mtime }, { .tv_sec = ar->mtime } };
	char path[PATH_MAX];
	qsort(ar->names, ar->nr_names, sizeof(*ar->names), name_cmp);
	FILE *f = fopen(list, "we");
	if (!f)
		return fail(err, -errno, "%s: %s", list, strerror(errno));
	int rc = 0;
	for (size_t i = ar->nr_names; i-- > 0 && !rc;)
		if (path_join(path, sizeof(path), ar->work, "root/%s", ar->names[i]) ||
		    utimensat(AT_FDCWD, path, times, 0))
			rc = fail(err, -errno, "%s: %s", path, strerror(errno));
	for (size_t i = 0; i < ar->nr_names && !rc; i++)
		if (fwrite(ar->names[i], strlen(ar->names[i]) + 1, 1, f) != 1)
			rc = fail(err, -EIO, "%s: %s", list, strerror(errno));
	if (fclose(f) && !rc)
		rc = fail(err, -errno, "%s: %s", list, strerror(errno));
	return rc;
}

static int run_cpio(struct archive *ar, const char *list, const char *cpio, struct error *err)
{
	static const char *const argv[] = { "cpio", "-o", "-0", "-H", "newc", "--reproducible", "--owner=+0:+0", "--quiet",
					    NULL };
	char root[PATH_MAX];
	if (path_join(root, sizeof(root), ar->work, "root"))
		return fail(err, -ENAMETOOLONG, "%s: name too long", ar->work);
	int in = open(list, O_RDONLY | O_CLOEXEC);
	int out = open(cpio, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = 0;
	if (in < 0 || out < 0)
		rc = fail(err, -errno, "%s: %s", cpio, strerror(errno));
	struct tool_io io = { .dir = root, .in = in, .out = out };
	if (!rc)
		rc = tool_run(argv, &io, err);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}

static int compress_to(const struct archive_codec *codec, const char *cpio, int fd, struct error *err)
{
	const char *argv[ARRAY_SIZE(codec->argv) + 1];
	unsigned int argc = 0;
	while (codec->argv[argc]) {
		argv[argc] = codec->argv[argc];
		argc++;
	}
	if (argc == 0)
		argv[argc++] = "cat";
	argv[argc++] = cpio;
	argv[argc] = NULL;
	struct tool_io io = { .in = -1, .out = fd };
	return tool_run(argv, &io, err);
}

/* Complete, on the disk, and under its name; or not there at all. */
static int write_output(const struct archive_codec *codec, const char *cpio, const char *out, struct archive_size *ret,
			struct error *err)
{
	struct stat st;
	char tmp[PATH_MAX];
	/* Renaming over /dev/null would replace it. */
	if (stat(out, &st) == 0 && !S_ISREG(st.st_mode))
		return fail(err, -EINVAL, "%s is not a regular file", out);
	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.XXXXXX", out) >= sizeof(tmp))
		return fail(err, -ENAMETOOLONG, "%s: name too long", out);
	int fd = mkstemp(tmp);
	if (fd < 0)
		return fail(err, -errno, "%s: %s", out, strerror(errno));
	int rc = compress_to(codec, cpio, fd, err);
	if (!rc && (fchmod(fd, 0600) || fsync(fd) || fstat(fd, &st)))
		rc = fail(err, -errno, "%s: %s", tmp, strerror(errno));
	ret->packed = rc ? 0 : (uint64_t)st.st_size;
	if (close(fd) && !rc)
		rc = fail(err, -errno, "%s: %s", tmp, strerror(errno));
	if (!rc && rename(tmp, out))
		rc = fail(err, -errno, "%s: %s", out, strerror(errno));
	if (rc)
		unlink(tmp);
	return rc;
}

int archive_write(struct archive *ar, const struct archive_codec *codec, const char *out, struct archive_size *ret,
		  struct error *err)
{
	char list[PATH_MAX], cpio[PATH_MAX];
	struct stat st;
	if (path_join(list, sizeof(list), ar->work, "names") || path_join(cpio, sizeof(cpio), ar->work, "cpio"))
		return fail(err, -ENAMETOOLONG, "%s: name too long", ar->work);
	int rc = write_names(ar, list, err);
	if (!rc)
		rc = run_cpio(ar, list, cpio, err);
	if (!rc && stat(cpio, &st))
		rc = fail(err, -errno, "%s: %s", cpio, strerror(errno));
	if (rc)
		return rc;
	ret->unpacked = (uint64_t)st.st_size;
	return write_output(codec, cpio, out, ret, err);
}
