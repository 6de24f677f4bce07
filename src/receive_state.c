// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How far a dump is, on record: what a connection needs that goes on with it, and whether it may.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/receive.h"
#include "src/sys.h"

#define STATE_DIR ".kcapture"
#define STATE_MAGIC "KCSTATE2"
#define STATE_MAX_AGE (24 * 3600)	/* s */

int store_open_dir(int parent_fd, const char *name)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Make a directory and open it; that it exists is not an error. The new name is on the medium then. */
int store_make_dir(int parent_fd, const char *name)
{
	if (!mkdirat(parent_fd, name, 0700))
		fsync(parent_fd);
	else if (errno != EEXIST)
		return -errno;
	return store_open_dir(parent_fd, name);
}

/* As kcapture's own local targets have it; the log grows under its name. */
void store_unfinished_name(enum wire_file file, char ret[FILE_NAME_LEN + 1])
{
	if (file == WIRE_LOG)
		strcpy(ret, wire_file_name(file));
	else
		unfinished_name(wire_file_name(file), FILE_NAME_LEN, ret);
}

static int open_state(struct store *store, int flags, struct error *err)
{
	int dir_fd = store_make_dir(store->r->dir_fd, STATE_DIR);

	if (dir_fd < 0)
		return fail(err, dir_fd, "%s/" STATE_DIR ": %s", store->r->dir, strerror(-dir_fd));
	store->state_fd = openat(dir_fd, store->id, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
	close(dir_fd);
	if (store->state_fd < 0)
		return fail(err, -errno, STATE_DIR "/%s: %s", store->id, strerror(errno));
	if (flock(store->state_fd, LOCK_EX | LOCK_NB)) {
		close(store->state_fd);
		store->state_fd = -1;
		return fail(err, -EBUSY, "another connection has the dump");
	}
	return 0;
}

static void read_boot_id(char ret[RECEIVE_BOOT_ID])
{
	memset(ret, 0, RECEIVE_BOOT_ID);
	if (read_text("/proc/sys/kernel/random/boot_id", ret, RECEIVE_BOOT_ID) < 0)
		ret[0] = 0;
}

int store_begin_state(struct store *store, struct error *err)
{
	int rc = open_state(store, O_CREAT | O_TRUNC, err);

	memcpy(store->state.magic, STATE_MAGIC, 8);
	read_boot_id(store->state.boot_id);
	return rc ? rc : store_record(store, err);
}

/*
 * An acknowledgement means the page cache: it outlives this process, not this machine. What the sender has been told about
 * before that it does not have any more, so the dump cannot go on, and has to begin anew.
 */
static int check_files(const struct store *store, struct error *err)
{
	const struct store_state *state = &store->state;
	char boot_id[RECEIVE_BOOT_ID], name[FILE_NAME_LEN + 1];

	read_boot_id(boot_id);
	if (memcmp(boot_id, state->boot_id, RECEIVE_BOOT_ID))
		return fail(err, -ENOENT, "%s/%s: this machine was started anew, what it had not synced may be lost", state->host,
			    state->name);
	for (unsigned int i = 0; i < NR_WIRE_FILES; i++) {
		struct stat st = { 0 };

		store_unfinished_name(i, name);
		/* A commit may have been made, and this not have been recorded. */
		if (state->extent[i] && fstatat(store->dump_fd, name, &st, AT_SYMLINK_NOFOLLOW))
			fstatat(store->dump_fd, wire_file_name(i), &st, AT_SYMLINK_NOFOLLOW);
		if ((uint64_t)st.st_size < state->extent[i])
			return fail(err, -ENOENT, "%s/%s/%s has %lld bytes, %llu were received", state->host, state->name, name,
				    (long long)st.st_size, (unsigned long long)state->extent[i]);
	}
	return 0;
}

void store_forget(const struct store *store)
{
	int dir_fd = store_open_dir(store->r->dir_fd, STATE_DIR);

	if (dir_fd < 0)
		return;
	unlinkat(dir_fd, store->id, 0);
	close(dir_fd);
}

int store_resume(struct store *store, struct error *err)
{
	struct store_state *state = &store->state;
	int rc = open_state(store, 0, err);

	if (rc)
		return rc;
	if (read_all_at(store->state_fd, 0, state, sizeof(*state)) || memcmp(state->magic, STATE_MAGIC, 8))
		return fail(err, -ENOENT, STATE_DIR "/%s is not whole", store->id);
	state->host[sizeof(state->host) - 1] = state->name[sizeof(state->name) - 1] = 0;
	store->host_fd = store_open_dir(store->r->dir_fd, state->host);
	store->dump_fd = store->host_fd < 0 ? -ENOENT : store_open_dir(store->host_fd, state->name);
	if (store->dump_fd < 0)
		return fail(err, -ENOENT, "%s/%s/%s: %s", store->r->dir, state->host, state->name, strerror(-store->dump_fd));
	rc = check_files(store, err);
	if (rc) {
		store_forget(store);
		return rc;
	}
	store->machine = quota_machine(store->r, state->host);
	if (quota_take(store->r, store->machine, RECEIVE_RESERVE))
		store->reserve = RECEIVE_RESERVE;
	return 0;
}

int store_record(struct store *store, struct error *err)
{
	int rc = write_all_at(store->state_fd, 0, &store->state, sizeof(store->state));

	return rc ? fail(err, rc, STATE_DIR "/%s: %s", store->id, strerror(-rc)) : 0;
}

void store_expire(const struct receive *r)
{
	int fd = store_open_dir(r->dir_fd, STATE_DIR);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct stat st;

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (!fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
		    st.st_mtime < time(NULL) - STATE_MAX_AGE)
			unlinkat(fd, entry->d_name, 0);
	closedir(dir);
}
