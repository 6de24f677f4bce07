// SPDX-License-Identifier: GPL-2.0-or-later
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

#define SAME_NAME_MAX 100
#define FLUSH_STEP (8U << 20)
#define SYNC_STEP (16ULL << 20)
#define BLOCK 4096			/* of the filesystem, about: what a byte costs */
#define DUMP_COST (4 * BLOCK)		/* directory, state, names */

static uint8_t buffer[1U << 20];

void store_init(struct store *store, const struct receive *r, const uint8_t dump_id[WIRE_DUMP_ID_LEN])
{
	memset(store, 0, sizeof(*store));
	store->r = r;
	store->state_fd = store->host_fd = store->dump_fd = -1;
	for (unsigned int i = 0; i < NR_WIRE_FILES; i++)
		store->fds[i] = -1;
	for (unsigned int i = 0; i < WIRE_DUMP_ID_LEN; i++)
		sprintf(store->id + 2 * i, "%02x", dump_id[i]);
}

/* Anything that a sender says becomes the name of one directory entry that is not hidden. */
static void safe_name(const char *name, const char *fallback, char *ret, size_t size)
{
	size_t len = 0;

	for (; *name && len + 1 < size; name++) {
		bool good = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
			    (*name >= '0' && *name <= '9') || strchr("_.:-", *name);

		if (len || *name != '.')
			ret[len++] = good ? *name : '_';
	}
	ret[len] = 0;
	if (!len)
		snprintf(ret, size, "%s", fallback);
}

static int make_dump_dir(struct store *store, const char *name)
{
	struct store_state *state = &store->state;

	for (int i = 0; i < SAME_NAME_MAX; i++) {
		snprintf(state->name, sizeof(state->name), i ? "%s.%d" : "%s", name, i);
		if (!mkdirat(store->host_fd, state->name, 0700)) {
			fsync(store->host_fd);
			return store_open_dir(store->host_fd, state->name);
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

int store_begin(struct store *store, const char *host, const char *name, struct error *err)
{
	struct store_state *state = &store->state;
	char safe[WIRE_NAME_MAX];

	safe_name(host, "unnamed", state->host, sizeof(state->host));
	safe_name(name, "dump", safe, sizeof(safe));
	store->machine = quota_machine(store->r, state->host);
	if (!store->machine)
		return fail(err, -ENOSPC, "more than %d machines", RECEIVE_MAX_MACHINES);
	if (!quota_take(store->r, store->machine, RECEIVE_RESERVE + DUMP_COST))
		return fail(err, -ENOSPC, "the quota is used up");
	store->reserve = RECEIVE_RESERVE;
	store->host_fd = store_make_dir(store->r->dir_fd, state->host);
	if (store->host_fd < 0)
		return fail(err, store->host_fd, "%s/%s: %s", store->r->dir, state->host, strerror(-store->host_fd));
	store->dump_fd = make_dump_dir(store, safe);
	if (store->dump_fd < 0)
		return fail(err, store->dump_fd, "%s/%s/%s: %s", store->r->dir, state->host, state->name,
			    strerror(-store->dump_fd));
	return store_begin_state(store, err);
}

static int open_file(struct store *store, enum wire_file file, struct error *err)
{
	char name[FILE_NAME_LEN + 1];

	if (store->fds[file] >= 0)
		return 0;
	store_unfinished_name(file, name);
	store->fds[file] = openat(store->dump_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	return store->fds[file] < 0 ? fail(err, -errno, "%s: %s", name, strerror(errno)) : 0;
}

/* From the quota or, for headers and small files, from what was set aside. */
static bool pay(struct store *store, enum wire_file file, uint64_t off, size_t len)
{
	int64_t cost = round_up(off + len, BLOCK) - round_down(off, BLOCK);

	if (quota_take(store->r, store->machine, cost))
		return true;
	if (store->reserve < cost || (file == WIRE_VMCORE && off + len > RECEIVE_RESERVE))
		return false;
	store->reserve -= cost;
	return true;
}

int store_write(struct store *store, enum wire_file file, uint64_t off, const void *buf, size_t len, struct error *err)
{
	int rc;

	/* A small file may come again, whole: the new one takes the place of the old by its commit. */
	if (store->state.committed & (1U << file) && file == WIRE_VMCORE)
		return fail(err, -EPROTO, "%s is finished already", wire_file_name(file));
	store->summed &= ~(1U << file);
	if (!pay(store, file, off, len))
		return fail(err, -ENOSPC, "the quota is used up");
	rc = open_file(store, file, err);
	if (rc)
		return rc;
	rc = write_all_at(store->fds[file], off, buf, len);
	if (rc)
		return fail(err, rc, "%s: %s", wire_file_name(file), strerror(-rc));
	store->state.nr_bytes += len;
	store->state.extent[file] = max_u64(store->state.extent[file], off + len);
	if (off + len >= store->flushed[file] + FLUSH_STEP) {
		sync_file_range(store->fds[file], store->flushed[file], off + len - store->flushed[file], SYNC_FILE_RANGE_WRITE);
		store->flushed[file] = off + len;
	}
	return 0;
}

/* In steps, so that the sender hears from us meanwhile. */
static int sync_file(struct store *store, enum wire_file file, struct error *err)
{
	int fd = store->fds[file];
	struct stat st;

	if (fstat(fd, &st))
		return fail(err, -errno, "%s: %s", wire_file_name(file), strerror(errno));
	for (uint64_t off = 0; off < (uint64_t)st.st_size; off += SYNC_STEP) {
		off_t data = lseek(fd, off, SEEK_DATA);

		if (data < 0)
			break;
		off = max_u64(off, round_down(data, SYNC_STEP));
		sync_file_range(fd, off, SYNC_STEP,
				SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
		store->alive(store);
	}
	return fsync(fd) ? fail(err, -errno, "%s: %s", wire_file_name(file), strerror(errno)) : 0;
}

int store_sync(struct store *store, struct error *err)
{
	int rc = 0;

	for (unsigned int i = 0; i < NR_WIRE_FILES && !rc; i++)
		if (store->fds[i] >= 0)
			rc = sync_file(store, i, err);
	/* Their names, too. */
	if (!rc && store->dump_fd >= 0 && fsync(store->dump_fd))
		rc = fail(err, -errno, "%s/%s: %s", store->state.host, store->state.name, strerror(errno));
	return rc;
}

/* Of what is on the disk, or of the cache before it. */
static int hash_file(struct store *store, int fd, uint8_t ret[DIGEST_LEN])
{
	struct digest digest;
	uint64_t off = 0;
	ssize_t n;

	digest_init(&digest);
	while ((n = pread(fd, buffer, sizeof(buffer), off)) > 0) {
		digest_update(&digest, buffer, n);
		off += n;
		store->alive(store);
	}
	digest_final(&digest, ret);
	return n < 0 ? -errno : 0;
}

static int check_hash(struct store *store, enum wire_file file, const struct wire_commit *commit, struct error *err)
{
	int rc;

	if (!(commit->flags & WIRE_HAS_SHA256))
		return 0;
	rc = hash_file(store, store->fds[file], store->sums[file]);
	if (rc)
		return fail(err, rc, "%s: %s", wire_file_name(file), strerror(-rc));
	if (!digest_equal(store->sums[file], commit->sha256, DIGEST_LEN))
		return fail(err, -EBADMSG, "%s: SHA-256 differs from the sender's", wire_file_name(file));
	store->summed |= 1U << file;
	return 0;
}

int store_commit(struct store *store, enum wire_file file, const struct wire_commit *commit, struct error *err)
{
	bool complete = commit->flags & WIRE_COMPLETE;
	char name[FILE_NAME_LEN + 1];
	struct stat st;
	int rc;

	store_unfinished_name(file, name);
	/* A commit that was made, but not acknowledged before the connection broke. */
	if (complete && fstatat(store->dump_fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	    !fstatat(store->dump_fd, wire_file_name(file), &st, AT_SYMLINK_NOFOLLOW)) {
		store->state.committed |= 1U << file;
		store->state.extent[file] = 0;
		return 0;
	}
	rc = open_file(store, file, err);
	if (!rc && ftruncate(store->fds[file], commit->size))
		rc = fail(err, -errno, "%s: size %llu: %s", name, (unsigned long long)commit->size, strerror(errno));
	else if (!rc)
		store->state.extent[file] = commit->size;
	if (!rc)
		rc = sync_file(store, file, err);
	if (!rc && complete)
		rc = check_hash(store, file, commit, err);
	if (rc || !complete)
		return rc;
	if (renameat(store->dump_fd, name, store->dump_fd, wire_file_name(file)) || fsync(store->dump_fd))
		return fail(err, -errno, "%s: %s", name, strerror(errno));
	store->state.committed |= 1U << file;
	store->state.extent[file] = 0;
	close(store->fds[file]);
	store->fds[file] = -1;
	return 0;
}

/* The sum of a file that has its name, read again unless that was done when it got it. */
static int sum_file(struct store *store, enum wire_file file)
{
	int fd, rc;

	if (store->summed & (1U << file))
		return 0;
	fd = openat(store->dump_fd, wire_file_name(file), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = hash_file(store, fd, store->sums[file]);
	close(fd);
	return rc;
}

/* What the sender says in its SHA256SUMS, if it has sent one. */
static bool sender_agrees(struct store *store, const char *theirs, const char *hex, const char *name)
{
	char line[DIGEST_HEX_SIZE + 64];
	const char *found;

	snprintf(line, sizeof(line), "  %s\n", name);
	found = strstr(theirs, line);
	if (!found || (found - theirs >= DIGEST_HEX_SIZE - 1 && !memcmp(found - (DIGEST_HEX_SIZE - 1), hex, DIGEST_HEX_SIZE - 1)))
		return true;
	receive_log("%s/%s: SHA-256 of %s differs from the sender's", store->state.host, store->state.name, name);
	return false;
}

/*
 * SHA256SUMS over what is on the disk, of which the tags have proved that it is what was sent: a sender does not know the
 * sums of all its files. Where it says another one, its own stays.
 */
static void make_sums(struct store *store)
{
	char text[NR_WIRE_FILES * (DIGEST_HEX_SIZE + 32)], theirs[4096] = "", hex[DIGEST_HEX_SIZE];
	struct wire_commit commit = { .flags = WIRE_COMPLETE };
	bool agree = true;
	struct error err;
	int fd = openat(store->dump_fd, wire_file_name(WIRE_SUMS), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && pread(fd, theirs, sizeof(theirs) - 1, 0) < 0)
		theirs[0] = 0;
	if (fd >= 0)
		close(fd);
	for (unsigned int i = 0; i < NR_WIRE_FILES; i++) {
		if (i == WIRE_SUMS || sum_file(store, i))
			continue;
		digest_hex(store->sums[i], hex);
		agree &= sender_agrees(store, theirs, hex, wire_file_name(i));
		commit.size += sprintf(text + commit.size, "%s  %s\n", hex, wire_file_name(i));
	}
	store->state.committed &= ~(1U << WIRE_SUMS);
	if (agree && commit.size && (store_write(store, WIRE_SUMS, 0, text, commit.size, &err) ||
				     store_commit(store, WIRE_SUMS, &commit, &err)))
		receive_log("%s/%s: no SHA256SUMS", store->state.host, store->state.name);
}

static void remove_dump(const struct store *store, const char *name)
{
	int fd = store_open_dir(store->host_fd, name);
	int64_t freed = 0;
	struct stat st;
	char unfinished[FILE_NAME_LEN + 1];

	if (fd < 0)
		return;
	for (unsigned int i = 0; i < NR_WIRE_FILES; i++) {
		store_unfinished_name(i, unfinished);
		if (!fstatat(fd, wire_file_name(i), &st, AT_SYMLINK_NOFOLLOW))
			freed += st.st_blocks * 512;
		unlinkat(fd, wire_file_name(i), 0);
		unlinkat(fd, unfinished, 0);
	}
	close(fd);
	if (unlinkat(store->host_fd, name, AT_REMOVEDIR))
		return;
	quota_take(store->r, store->machine, -freed);
	receive_log("%s/%s: removed, %u newer dumps are kept", store->state.host, name, store->r->keep);
}

static bool is_older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Remove complete dumps of this machine, the oldest first, down to keep. Only called when a new one is complete. */
static void apply_keep(struct store *store)
{
	for (;;) {
		DIR *dir = fdopendir(store_open_dir(store->host_fd, "."));
		char oldest[256] = "";
		struct timespec oldest_time = { 0 };
		unsigned int nr = 0;

		if (!dir)
			return;
		for (struct dirent *entry; (entry = readdir(dir));) {
			char path[300];
			struct stat st;

			snprintf(path, sizeof(path), "%s/%s", entry->d_name, wire_file_name(WIRE_VMCORE));
			if (entry->d_name[0] == '.' || fstatat(store->host_fd, path, &st, AT_SYMLINK_NOFOLLOW))
				continue;
			nr++;
			if (strcmp(entry->d_name, store->state.name) && (!oldest[0] || is_older(&st.st_mtim, &oldest_time))) {
				snprintf(oldest, sizeof(oldest), "%s", entry->d_name);
				oldest_time = st.st_mtim;
			}
		}
		closedir(dir);
		if (nr <= store->r->keep || !oldest[0])
			return;
		remove_dump(store, oldest);
		if (!faccessat(store->host_fd, oldest, F_OK, AT_SYMLINK_NOFOLLOW))
			return;		/* it holds what is not ours */
	}
}

void store_end(struct store *store)
{
	bool saved = store->state.committed & (1U << WIRE_VMCORE);

	if (saved)
		make_sums(store);
	store_forget(store);
	if (saved && store->r->keep)
		apply_keep(store);
}

void store_deinit(struct store *store)
{
	if (store->reserve)
		quota_take(store->r, store->machine, -store->reserve);
	for (unsigned int i = 0; i < NR_WIRE_FILES; i++)
		if (store->fds[i] >= 0)
			close(store->fds[i]);
	if (store->dump_fd >= 0)
		close(store->dump_fd);
	if (store->host_fd >= 0)
		close(store->host_fd);
	if (store->state_fd >= 0)
		close(store->state_fd);
}
