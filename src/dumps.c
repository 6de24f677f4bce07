// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/dumps.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/identity.h"

#define HOUR 3600

/* Deleting is in rounds of one, so there is no list that could grow; this many rounds are enough for one crash. */
#define PRUNE_MAX 1000

unsigned int dumps_lately(const char *base, const char *self, int64_t when)
{
	DIR *dir = opendir(base);
	struct dirent *entry;
	unsigned int nr = 0;

	while (dir && (entry = readdir(dir))) {
		int64_t time = identity_time(entry->d_name);

		nr += time && time <= when && when - time < HOUR && strcmp(entry->d_name, self);
	}
	if (dir)
		closedir(dir);
	return nr;
}

static bool is_core(const char *name)
{
	return !strcmp(name, "vmcore") || !strncmp(name, "vmcore.", 7);
}

/* The bytes that a dump takes; 0 = it is not a complete dump of ours. */
static uint64_t dump_size(const char *path)
{
	bool core = false, log = false;
	DIR *dir = opendir(path);
	struct dirent *entry;
	uint64_t size = 0;

	while (dir && (entry = readdir(dir))) {
		char file[640];
		struct stat st;

		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] == '.' || lstat(file, &st))
			continue;
		core |= is_core(entry->d_name);
		log |= !strcmp(entry->d_name, "kcapture.log");
		size += (uint64_t)st.st_blocks * 512;
	}
	if (dir)
		closedir(dir);
	return core && log ? size : 0;
}

static int remove_dump(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		char file[640];

		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			unlink(file);
	}
	closedir(dir);
	return rmdir(path) ? -errno : 0;
}

struct survey {
	unsigned int nr;
	uint64_t bytes;
	char oldest[256];
	int64_t oldest_time;
};

/* All complete dumps, and the oldest of those that may go. */
static void look_around(const char *base, const char *self, struct survey *s)
{
	DIR *dir = opendir(base);
	struct dirent *entry;

	memset(s, 0, sizeof(*s));
	while (dir && (entry = readdir(dir))) {
		int64_t time = identity_time(entry->d_name);
		char path[512];
		uint64_t size;

		snprintf(path, sizeof(path), "%s/%s", base, entry->d_name);
		size = time ? dump_size(path) : 0;
		if (!size)
			continue;
		s->nr++;
		s->bytes += size;
		if (!strcmp(entry->d_name, self) || (s->oldest[0] && time >= s->oldest_time))
			continue;
		snprintf(s->oldest, sizeof(s->oldest), "%s", entry->d_name);
		s->oldest_time = time;
	}
	if (dir)
		closedir(dir);
}

void dumps_prune(const char *base, const char *self, const struct dumps_limits *limits, struct log *log)
{
	struct survey s;

	for (int i = 0; i < PRUNE_MAX; i++) {
		char path[512];
		int rc;

		look_around(base, self, &s);
		if (!s.oldest[0] || !((limits->keep && s.nr > limits->keep) || (limits->keep_bytes && s.bytes > limits->keep_bytes)))
			return;
		snprintf(path, sizeof(path), "%s/%s", base, s.oldest);
		rc = remove_dump(path);
		if (rc) {
			log_warn(log, "the old dump %s cannot be deleted: %s", s.oldest, strerror(-rc));
			return;
		}
		log_info(log, "deleted the old dump %s", s.oldest);
	}
}
