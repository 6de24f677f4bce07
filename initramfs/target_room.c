// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/target_room.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "src/device.h"

static int device_size(const char *node, uint64_t *ret, struct error *err)
{
	int fd = open(node, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return fail(err, -errno, "%s: %s", node, strerror(errno));
	if (ioctl(fd, BLKGETSIZE64, ret))
		rc = fail(err, -errno, "%s: size unknown: %s", node, strerror(errno));
	close(fd);
	return rc;
}

/* Where the device is mounted; a filesystem tells its own device better than the name in the table does. */
static bool find_mount(const char *node, char *ret, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	struct stat dev, root;
	bool found = false;

	if (stat(node, &dev) || !mounts)
		return false;
	while (!found && (entry = getmntent(mounts))) {
		found = !stat(entry->mnt_dir, &root) && (root.st_dev == dev.st_rdev || !strcmp(entry->mnt_fsname, node));
		if (found)
			snprintf(ret, size, "%s", entry->mnt_dir);
	}
	endmntent(mounts);
	return found;
}

int target_room(const struct target_config *target, uint64_t *ret, bool *whole, struct error *err)
{
	char node[160], dir[1024];
	struct statvfs st;
	int rc;

	if (target->kind == TARGET_TCP)
		return fail(err, -ENODATA, "%s %s is no disk", target->word, target->place);
	err->text[0] = 0;
	rc = device_look(target->place, NULL, node, sizeof(node), err);
	if (rc)
		return err->text[0] ? rc : fail(err, rc, "%s is not there", target->place);
	*whole = target->kind != TARGET_FS || !find_mount(node, dir, sizeof(dir));
	if (*whole)
		return device_size(node, ret, err);
	if (statvfs(dir, &st))
		return fail(err, -errno, "%s: %s", dir, strerror(errno));
	*ret = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}
