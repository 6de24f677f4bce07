// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "src/receive.h"

/* The bytes of all files of a directory: blocks, or the size where that is less (delayed allocation). */
static int64_t count_files(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int64_t used = 0;
	struct stat st;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		if (!fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
			used += st.st_blocks * 512;
	closedir(dir);
	return used;
}

/* DIR/HOST: its dumps are one level below. */
static int64_t count_machine(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int64_t used = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			used += count_files(fd, entry->d_name);
	closedir(dir);
	return used;
}

void quota_count(const struct receive *r)
{
	DIR *dir = fdopendir(openat(r->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	unsigned int nr = 0;
	int64_t total = 0;

	if (!dir)
		return;
	memset(r->shared->machines, 0, sizeof(r->shared->machines));
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct receive_machine *machine = &r->shared->machines[nr];
		int64_t used;

		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof(machine->name))
			continue;
		used = count_machine(r->dir_fd, entry->d_name);
		total += used;
		if (!used || nr == RECEIVE_MAX_MACHINES)
			continue;
		strcpy(machine->name, entry->d_name);
		machine->used = used;
		nr++;
	}
	closedir(dir);
	r->shared->used = total;
}

struct receive_machine *quota_machine(const struct receive *r, const char *name)
{
	/* A lock that goes with its process: the descriptor is this call's own. */
	int fd = openat(r->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct receive_machine *found = NULL;

	if (fd < 0 || flock(fd, LOCK_EX)) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	for (unsigned int i = 0; i < RECEIVE_MAX_MACHINES && !found; i++) {
		struct receive_machine *machine = &r->shared->machines[i];

		if (!machine->name[0])
			strcpy(machine->name, name);
		if (!strcmp(machine->name, name))
			found = machine;
	}
	close(fd);
	return found;
}

static bool take_one(int64_t *used, int64_t bytes, uint64_t limit)
{
	int64_t now = __atomic_add_fetch(used, bytes, __ATOMIC_SEQ_CST);

	if (bytes <= 0 || !limit || now <= (int64_t)limit)
		return true;
	__atomic_sub_fetch(used, bytes, __ATOMIC_SEQ_CST);
	return false;
}

bool quota_take(const struct receive *r, struct receive_machine *machine, int64_t bytes)
{
	if (!take_one(&r->shared->used, bytes, r->quota))
		return false;
	if (!machine || take_one(&machine->used, bytes, r->machine_quota))
		return true;
	take_one(&r->shared->used, -bytes, 0);
	return false;
}

static uint64_t left(int64_t used, uint64_t limit)
{
	if (!limit)
		return UINT64_MAX;
	return used < 0 ? limit : (uint64_t)used < limit ? limit - used : 0;
}

uint64_t quota_room(const struct receive *r, const struct receive_machine *machine)
{
	uint64_t room = left(r->shared->used, r->quota);
	struct statvfs st;

	if (machine)
		room = min_u64(room, left(machine->used, r->machine_quota));
	else if (r->machine_quota)
		room = min_u64(room, r->machine_quota);
	if (!fstatvfs(r->dir_fd, &st))
		room = min_u64(room, (uint64_t)st.f_bavail * st.f_frsize);
	return room;
}
