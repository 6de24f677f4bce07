// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/verify_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/cmd.h"
#include "src/sums.h"

/* Each line has this many digits, two blanks and a name. */
#define NR_DIGITS (2 * DIGEST_LEN)

static int hash_file(const char *path, char ret[DIGEST_HEX_SIZE])
{
	static uint8_t buf[1 << 20];
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	uint8_t bytes[DIGEST_LEN];
	struct digest digest;
	ssize_t n;

	if (fd < 0)
		return -errno;
	digest_init(&digest);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		digest_update(&digest, buf, n);
	rc = n < 0 ? -errno : 0;
	close(fd);
	digest_final(&digest, bytes);
	digest_hex(bytes, ret);
	return rc;
}

static int compare(const char *path, const char *hex)
{
	char found[DIGEST_HEX_SIZE];
	int rc = hash_file(path, found);

	if (rc)
		return rc;
	return strncmp(found, hex, NR_DIGITS) ? -EILSEQ : 0;
}

/* The name in a line of SHA256SUMS, or NULL: a file in the same directory and nothing else. */
static const char *name_in(char *line)
{
	char *name = line + NR_DIGITS + 2;

	line[strcspn(line, "\n")] = 0;
	if (strspn(line, "0123456789abcdef") != NR_DIGITS || line[NR_DIGITS] != ' ' || !strchr(" *", line[NR_DIGITS + 1]) ||
	    !*name || strchr(name, '/'))
		return NULL;
	return name;
}

int verify_sum(const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *name;
	char sums[PATH_MAX], line[512];
	int rc = -ENOENT;
	FILE *f;

	snprintf(sums, sizeof(sums), "%.*s" SUMS_FILE_NAME, (int)(base - path), path);
	f = fopen(sums, "re");
	if (!f)
		return -errno;
	while (rc == -ENOENT && fgets(line, sizeof(line), f)) {
		name = name_in(line);
		if (name && !strcmp(name, base))
			rc = compare(path, line);
	}
	fclose(f);
	return rc;
}

struct look {
	const char *dir;
	bool quiet;
	unsigned int nr_defects, nr_good;
	char core[PATH_MAX];		/* "" = none */
	bool core_summed;
};

static void defect(struct look *look, const char *name, const char *what)
{
	look->nr_defects++;
	if (!look->quiet)
		printf("%s/%s: %s\n", look->dir, name, what);
}

static void check_sums(struct look *look)
{
	char path[PATH_MAX], line[512];
	const char *core = strrchr(look->core, '/');
	FILE *f;

	snprintf(path, sizeof(path), "%s/" SUMS_FILE_NAME, look->dir);
	f = fopen(path, "re");
	if (!f) {
		defect(look, SUMS_FILE_NAME, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		const char *name = name_in(line);
		int rc;

		if (!name) {
			defect(look, SUMS_FILE_NAME, "has a line that is none of sha256sum's");
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s", look->dir, name);
		rc = compare(path, line);
		if (rc)
			defect(look, name, rc == -EILSEQ ? "has changed since it was written (SHA-256)" : strerror(-rc));
		else
			look->nr_good++;
		look->core_summed |= core && !strcmp(core + 1, name);
	}
	fclose(f);
}

/* The core: a file called vmcore, with an ending or without one. */
static void find_core(struct look *look)
{
	DIR *dir = opendir(look->dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (strstr(name, "-incomplete"))
			defect(look, name, "was not finished");
		else if (!strcmp(name, "vmcore") || !strncmp(name, "vmcore.", 7))
			snprintf(look->core, sizeof(look->core), "%s/%s", look->dir, name);
	}
	if (dir)
		closedir(dir);
	else
		defect(look, ".", strerror(errno));
}

int verify_dir(const char *dir, bool quiet)
{
	struct look look = { .dir = dir, .quiet = quiet };

	find_core(&look);
	check_sums(&look);
	if (look.core[0] && !look.core_summed)
		defect(&look, SUMS_FILE_NAME, "does not name the core");
	if (!look.core[0])
		defect(&look, "vmcore", "there is no complete core");
	else
		look.nr_defects += verify_core(look.core, quiet);
	if (!quiet && look.nr_defects)
		printf("%s: NOT trustworthy: %u defect%s\n", dir, look.nr_defects, look.nr_defects == 1 ? "" : "s");
	else if (!quiet)
		printf("%s: can be trusted: complete, and its %u files are as they were written\n", dir, look.nr_good);
	return look.nr_defects != 0;
}
