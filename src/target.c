// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "src/dmesg_file.h"
#include "src/identity.h"
#include "src/sys.h"

#define POLL_US 20000

/* Dumps of one host and one second are told apart by a number. */
#define SAME_NAME_MAX 100

static int wait_for_device(const char *device, uint64_t deadline_ms, struct log *log, struct error *err)
{
	bool said = false;
	struct stat st;

	for (;;) {
		if (!stat(device, &st)) {
			if (S_ISBLK(st.st_mode))
				return 0;
			return fail(err, -ENOTBLK, "target %s is not a block device", device);
		}
		if (now_ms() >= deadline_ms)
			return fail(err, -ETIMEDOUT, "target %s did not appear", device);
		if (!said)
			log_info(log, "waiting for %s", device);
		said = true;
		usleep(POLL_US);
	}
}

/* A device may be there before it answers; an error of content or of configuration will not go away. */
static bool worth_waiting(int error)
{
	return error == ENXIO || error == ENOMEDIUM || error == EIO || error == EBUSY || error == ENOENT;
}

static int mount_target(struct target *target, uint64_t deadline_ms, struct error *err)
{
	const struct config *cfg = target->cfg;

	while (mount(cfg->device, TARGET_MOUNT_POINT, cfg->fstype, MS_NOATIME | MS_NODEV | MS_NOSUID | MS_NOEXEC, NULL)) {
		if (errno == ENODEV)
			return fail(err, -ENODEV, "this kernel has no %s (module missing in the initramfs?)", cfg->fstype);
		if (!worth_waiting(errno) || now_ms() >= deadline_ms)
			return fail(err, -errno, "mounting %s as %s failed: %s", cfg->device, cfg->fstype, strerror(errno));
		usleep(POLL_US);
	}
	target->mounted = true;
	return 0;
}

static int open_sink(struct target *target, struct sink **ret, struct error *err)
{
	int rc;

	if (target->cfg->target == TARGET_RAW) {
		rc = sink_block_open(&target->block, target->cfg->device, err);
		*ret = &target->block.sink;
	} else {
		rc = sink_file_open(&target->file, target->dir, "vmcore", err);
		*ret = &target->file.sink;
	}
	return rc;
}

static void say_room(const struct target *target, const struct plan *plan)
{
	struct log *log = &target->ring->log;
	struct statfs st;
	uint64_t room;

	if (target->cfg->target == TARGET_RAW || statfs(target->dir, &st))
		return;
	room = (uint64_t)st.f_bavail * st.f_bsize;
	if (room < plan->file_size)
		log_warn(log, "%llu MB free for up to %llu MB: it fits only if enough pages are zero",
			 (unsigned long long)(room / 1000000), (unsigned long long)(plan->file_size / 1000000));
}

/* Before any memory: if nothing else can be saved, this was. Its failure costs nothing else. */
static void save_dmesg(struct target *target, const struct kernel *kernel)
{
	struct log *log = &target->ring->log;
	struct dmesg_summary summary;
	struct kernel copy = *kernel;
	struct error err;

	if (!target->dir[0])
		return;
	if (dmesg_file_write(target->dir, &copy, &summary, &err))
		log_warn(log, "no whole vmcore-dmesg.txt: %s", err.text);
	else
		log_info(log, "wrote vmcore-dmesg.txt, %u records", summary.nr_records);
	if (summary.panic[0])
		log_info(log, "the last words: %s", summary.panic);
}

static int target_open_sink(struct output *out, const struct kernel *kernel, const struct plan *plan, struct sink **ret,
			    struct error *err)
{
	struct target *target = container_of(out, struct target, out);
	int rc = target_make_dir(target, kernel->nodename, kernel->crashtime, err);

	if (rc)
		return rc;
	save_dmesg(target, kernel);
	say_room(target, plan);
	if (target->cfg->target == TARGET_RAW) {
		snprintf(target->path, sizeof(target->path), "%s", target->cfg->device);
		snprintf(target->name, sizeof(target->name), "%s", target->cfg->device);
	} else {
		snprintf(target->path, sizeof(target->path), "%s/vmcore", target->dir);
		snprintf(target->name, sizeof(target->name), "%s:%s/vmcore", target->cfg->device,
			 target->dir + strlen(TARGET_MOUNT_POINT));
	}
	log_info(&target->ring->log, "saving to %s", target->name);
	target_save_log(target);
	rc = open_sink(target, ret, err);
	if (rc)
		target->path[0] = 0;
	return rc;
}

/* The target outlives the dump: its log is written after it. */
static void target_close_sink(struct output *out)
{
	(void)out;
}

void target_init(struct target *target, const struct config *cfg, struct log_ring *ring)
{
	memset(target, 0, sizeof(*target));
	target->out.open = target_open_sink;
	target->out.close = target_close_sink;
	target->cfg = cfg;
	target->ring = ring;
	target->log_fd = -1;
}

int target_open(struct target *target, struct error *err)
{
	const struct config *cfg = target->cfg;
	uint64_t deadline_ms = now_ms() + 1000ULL * cfg->target_timeout;
	int rc = wait_for_device(cfg->device, deadline_ms, &target->ring->log, err);

	if (!rc && cfg->target == TARGET_FS)
		rc = mount_target(target, deadline_ms, err);
	return rc;
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

/* A symbolic link in the path may lead out of the target, into this kernel's own memory. */
static bool on_target(const char *dir)
{
	struct stat st, top;

	return !stat(dir, &st) && !stat(TARGET_MOUNT_POINT, &top) && st.st_dev == top.st_dev;
}

/* A directory of the dump's own below base, which is made as well. */
static int make_dir_below(struct target *target, const char *base, char *name)
{
	int rc;

	snprintf(target->dir, sizeof(target->dir), "%s", base);
	rc = make_dirs(target->dir, 0755);
	if (!rc && !on_target(target->dir))
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

int target_make_dir(struct target *target, const char *nodename, int64_t crashtime, struct error *err)
{
	char name[IDENTITY_MAX], base[sizeof(target->cfg->path) + sizeof(TARGET_MOUNT_POINT)];
	int rc;

	if (target->cfg->target == TARGET_RAW || target->dir[0])
		return 0;
	identity_name(nodename, crashtime, name);
	snprintf(base, sizeof(base), TARGET_MOUNT_POINT "%s", target->cfg->path);
	rc = make_dir_below(target, base, name);
	/* Any place is better than none. */
	if (rc && rc != -EROFS && rc != -ENOSPC) {
		log_warn(&target->ring->log, "making %s failed: %s; using the top of %s instead", target->dir, strerror(-rc),
			 target->cfg->device);
		rc = make_dir_below(target, TARGET_MOUNT_POINT, name);
	}
	if (rc) {
		fail(err, rc, "making %.200s failed: %s", target->dir, strerror(-rc));
		target->dir[0] = 0;
		return rc;
	}
	open_log(target);
	return 0;
}

/* Returns the length of the text, 0 when it was not written. */
static size_t write_log(struct target *target)
{
	const char *piece[2];
	size_t len[2], total;

	if (target->log_fd < 0)
		return 0;
	total = log_ring_text(target->ring, piece, len);
	if (write_all_at(target->log_fd, 0, piece[0], len[0]) || write_all_at(target->log_fd, len[0], piece[1], len[1]))
		return 0;
	return total;
}

void target_save_log(struct target *target)
{
	write_log(target);
}

static void close_log(struct target *target)
{
	size_t total = write_log(target);

	if (target->log_fd < 0)
		return;
	if (total && !ftruncate(target->log_fd, total))
		fsync(target->log_fd);
	close(target->log_fd);
	target->log_fd = -1;
}

void target_close(struct target *target)
{
	close_log(target);
	if (target->mounted && umount2(TARGET_MOUNT_POINT, 0))
		log_warn(&target->ring->log, "unmounting %s failed: %s", target->cfg->device, strerror(errno));
	target->mounted = false;
}
