// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A directory on a filesystem. A filesystem that the crash left dirty is replayed by mount(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "src/sys.h"
#include "src/target.h"

#define POLL_US 20000

/* Dumps of one host and one second are told apart by a number. */
#define SAME_NAME_MAX 100

/* A device may be there before it answers; an error of content or of configuration will not go away. */
static bool worth_waiting(int error)
{
	return error == ENXIO || error == ENOMEDIUM || error == EIO || error == EBUSY || error == ENOENT;
}

static int mount_fs(struct target *target, uint64_t deadline_ms, struct error *err)
{
	const char *fstype = target->cfg->word;
	char options[sizeof(target->cfg->subvol) + 8] = "";

	if (target->cfg->subvol[0])
		snprintf(options, sizeof(options), "subvol=%s", target->cfg->subvol);
	mkdir(target->mount_point, 0700);
	while (mount(target->device, target->mount_point, fstype, MS_NOATIME | MS_NODEV | MS_NOSUID | MS_NOEXEC, options)) {
		if (errno == ENODEV)
			return fail(err, -ENODEV, "this kernel has no %s (module missing in the initramfs?)", fstype);
		if (!worth_waiting(errno) || now_ms() >= deadline_ms)
			return fail(err, -errno, "mounting %s as %s failed: %s", target->device, fstype, strerror(errno));
		usleep(POLL_US);
	}
	target->mounted = true;
	return 0;
}

static int fs_open(struct target *target, struct error *err)
{
	uint64_t deadline_ms = now_ms() + 1000ULL * target->cfg->target_timeout;
	int rc = target_find_device(target, deadline_ms, err);

	return rc ? rc : mount_fs(target, deadline_ms, err);
}

/* The log's blocks are taken before the dump can fill the disk. */
static void open_log(struct target *target)
{
	static char blanks[LOG_RING_SIZE];	/* not const: a constant would lie in the file */
	char path[sizeof(target->dir) + 16];

	memset(blanks, '\n', sizeof(blanks));
	snprintf(path, sizeof(path), "%s/kcapture.log", target->dir);
	target->log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (target->log_fd < 0)
		log_warn(&target->ring->log, "%s: %s", path, strerror(errno));
	else if (write_all_at(target->log_fd, 0, blanks, sizeof(blanks)))
		log_warn(&target->ring->log, "no room for kcapture.log on the target");
}

/* vfat takes no colons in names. */
static void plain_time(char *name)
{
	for (char *p = name; *p; p++)
		if (*p == ':')
			*p = '-';
}

/*
 * A symbolic link in the path may lead out of the target, into this kernel's own memory. Not by st_dev: that of a btrfs
 * subvolume is its own.
 */
static bool on_target(const struct target *target)
{
	struct statfs st, top;

	return !statfs(target->dir, &st) && !statfs(target->mount_point, &top) && st.f_type == top.f_type;
}

/* A directory of the dump's own below base, which is made as well. */
static int make_dir_below(struct target *target, const char *base, char *name)
{
	int rc;

	snprintf(target->dir, sizeof(target->dir), "%s", base);
	rc = make_dirs(target->dir, 0755);
	if (!rc && !on_target(target))
		rc = -EXDEV;
	for (int i = 0; i < SAME_NAME_MAX && !rc; i++) {
		snprintf(target->dir, sizeof(target->dir), i ? "%s/%s.%d" : "%s/%s", base, name, i);
		if (!mkdir(target->dir, 0700))
			return 0;
		if (errno == EINVAL && strchr(name, ':')) {
			plain_time(name);
			i--;
		} else if (errno != EEXIST) {
			rc = -errno;
		}
	}
	return rc ? rc : -EEXIST;
}

static int fs_make_dir(struct target *target, char *name, struct error *err)
{
	char base[sizeof(target->cfg->path) + sizeof(target->mount_point)];
	int rc;

	snprintf(base, sizeof(base), "%s%s", target->mount_point, target->cfg->path);
	rc = make_dir_below(target, base, name);
	/* Any place is better than none. */
	if (rc && rc != -EROFS && rc != -ENOSPC) {
		log_warn(&target->ring->log, "making %s failed: %s; using the top of %s instead", target->dir, strerror(-rc),
			 target->device);
		rc = make_dir_below(target, target->mount_point, name);
	}
	if (rc) {
		fail(err, rc, "making %.200s failed: %s", target->dir, strerror(-rc));
		target->dir[0] = 0;
		return rc;
	}
	snprintf(target->name, sizeof(target->name), "%s:%s/vmcore", target->device, target->dir + strlen(target->mount_point));
	open_log(target);
	return 0;
}

static int fs_open_file(struct target *target, const char *name, struct sink **ret, struct error *err)
{
	bool is_core = !strcmp(name, "vmcore");
	struct sink_file *file = is_core ? &target->file : &target->small;
	int rc = sink_file_open(file, target->dir, name, err);

	*ret = &file->sink;
	if (!rc && is_core)
		snprintf(target->path, sizeof(target->path), "%s/%s", target->dir, name);
	return rc;
}

static int fs_rewrite(struct target *target, const char *name, const char *text, size_t len)
{
	char path[sizeof(target->dir) + 64];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/%s", target->dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = write_all_at(fd, 0, text, len);
	if (!rc && (ftruncate(fd, len) || fsync(fd)))
		rc = -errno;
	close(fd);
	return rc;
}

static void fs_distrust(struct target *target)
{
	char unfinished[sizeof(target->dir) + sizeof(target->file.unfinished) + 1];

	snprintf(unfinished, sizeof(unfinished), "%s/%s", target->dir, target->file.unfinished);
	rename(target->path, unfinished);
}

/* The directory that all dumps lie in, and the new one's name there. */
static const char *split_dir(const struct target *target, char base[sizeof(target->dir)])
{
	char *slash;

	strcpy(base, target->dir);
	slash = strrchr(base, '/');
	*slash = 0;
	return slash + 1;
}

static unsigned int fs_lately(struct target *target, int64_t crashtime)
{
	char base[sizeof(target->dir)];
	const char *self = split_dir(target, base);

	return dumps_lately(base, self, crashtime);
}

static void fs_prune(struct target *target, const struct dumps_limits *limits)
{
	char base[sizeof(target->dir)];
	const char *self = split_dir(target, base);

	dumps_prune(base, self, limits, &target->ring->log);
}

static uint64_t fs_room(struct target *target)
{
	struct statfs st;

	return statfs(target->dir, &st) ? UINT64_MAX : (uint64_t)st.f_bavail * st.f_bsize;
}

static void fs_save_log(struct target *target, bool last)
{
	const char *piece[2];
	size_t len[2], total;
	bool written;

	if (target->log_fd < 0)
		return;
	total = log_ring_text(target->ring, piece, len);
	written = !write_all_at(target->log_fd, 0, piece[0], len[0]) && !write_all_at(target->log_fd, len[0], piece[1], len[1]);
	if (!last)
		return;
	if (written && total && !ftruncate(target->log_fd, total))
		fsync(target->log_fd);
	close(target->log_fd);
	target->log_fd = -1;
}

static void fs_close(struct target *target)
{
	if (target->mounted && umount2(target->mount_point, 0))
		log_warn(&target->ring->log, "unmounting %s failed: %s", target->device, strerror(errno));
	target->mounted = false;
}

const struct target_ops target_fs = {
	.open = fs_open,
	.make_dir = fs_make_dir,
	.open_file = fs_open_file,
	.rewrite = fs_rewrite,
	.distrust = fs_distrust,
	.lately = fs_lately,
	.prune = fs_prune,
	.room = fs_room,
	.save_log = fs_save_log,
	.close = fs_close,
};
