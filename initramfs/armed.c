/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/armed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "initramfs/tool.h"
#include "src/sys.h"

#define DIR "/run/kcapture"
#define RECORD DIR "/armed"

static const struct {
	const char *key;
	size_t off;
} fields[] = {
	{ "time", offsetof(struct armed, time) },
	{ "kernel", offsetof(struct armed, kernel) },
	{ "image", offsetof(struct armed, image) },
	{ "method", offsetof(struct armed, method) },
	{ "initramfs", offsetof(struct armed, initramfs) },
	{ "initramfs_sha256", offsetof(struct armed, initramfs_sha256) },
	{ "config", offsetof(struct armed, config) },
	{ "cmdline", offsetof(struct armed, cmdline) },
	{ "targets", offsetof(struct armed, targets) },
};

static const char **field_of(struct armed *armed, size_t i)
{
	return (const char **)((char *)armed + fields[i].off);
}

int armed_digest(const char *path, char ret[DIGEST_HEX_SIZE], struct error *err)
{
	uint8_t buf[16384], sum[DIGEST_LEN];
	struct digest digest;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	digest_init(&digest);
	while (fd >= 0 && ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR)))
		digest_update(&digest, buf, n > 0 ? n : 0);
	int rc = n < 0 ? fail(err, -errno, "%s: %s", path, strerror(errno)) : 0;
	if (fd >= 0)
		close(fd);
	digest_final(&digest, sum);
	digest_hex(sum, ret);
	return rc;
}

void armed_add_input(struct armed *armed, const char *path)
{
	struct armed_input *input = &armed->inputs[armed->nr_inputs];
	struct error none;
	if (!path[0] || armed->nr_inputs == ARMED_MAX_INPUTS || armed_digest(path, input->sha256, &none))
		return;
	input->path = path;
	armed->nr_inputs++;
}

/* A value is one line, whatever it came from. */
static void put_line(FILE *file, const char *key, const char *value)
{
	fprintf(file, "%s ", key);
	for (; value && *value; value++)
		putc(*value == '\n' ? ' ' : *value, file);
	putc('\n', file);
}

int armed_write(const struct armed *armed, const char *prefix, struct error *err)
{
	char path[PATH_MAX], unfinished[PATH_MAX + 4];
	snprintf(path, sizeof(path), "%s" DIR, prefix);
	int rc = make_dirs(path, 0755);
	if (rc)
		return fail(err, rc, "%s: %s", path, strerror(-rc));
	snprintf(path, sizeof(path), "%s" RECORD, prefix);
	snprintf(unfinished, sizeof(unfinished), "%s.new", path);
	FILE *file = fopen(unfinished, "we");
	if (!file)
		return fail(err, -errno, "%s: %s", unfinished, strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		put_line(file, fields[i].key, *(const char *const *)((const char *)armed + fields[i].off));
	for (unsigned int i = 0; i < armed->nr_inputs; i++)
		fprintf(file, "input %s  %s\n", armed->inputs[i].sha256, armed->inputs[i].path);
	bool failed = ferror(file);
	if (fclose(file) || failed || rename(unfinished, path)) {
		rc = fail(err, -errno, "%s: %s", path, strerror(errno));
		unlink(unfinished);
	}
	return rc;
}

static void take_line(struct armed *armed, char *line)
{
	char *value = strchr(line, ' ');
	if (!value)
		return;
	*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(line, fields[i].key))
			*field_of(armed, i) = value;
	if (strcmp(line, "input") || armed->nr_inputs == ARMED_MAX_INPUTS || strlen(value) < DIGEST_HEX_SIZE + 2)
		return;
	struct armed_input *input = &armed->inputs[armed->nr_inputs++];
	snprintf(input->sha256, sizeof(input->sha256), "%.*s", DIGEST_HEX_SIZE - 1, value);
	input->path = value + DIGEST_HEX_SIZE + 1;
}

int armed_read(struct armed *armed, const char *prefix, struct error *err)
{
	char path[PATH_MAX];
	memset(armed, 0, sizeof(*armed));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		*field_of(armed, i) = "";
	snprintf(path, sizeof(path), "%s" RECORD, prefix);
	ssize_t len = read_text(path, armed->text, sizeof(armed->text));
	if (len < 0)
		return fail(err, (int)len, "%s: %s", path, strerror((int)-len));
	for (char *save, *line = strtok_r(armed->text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		take_line(armed, line);
	return 0;
}

void armed_forget(const char *prefix)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s" RECORD, prefix);
	unlink(path);
}
