// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/page.h"
#include "elfcore/types.h"

#define LINE_MAX_LEN 1024

static const char *const actions[] = { "reboot", "halt", "poweroff" };
static const char *const sources[] = { "devmem", "vmcore" };

const char *action_name(enum action action)
{
	return actions[action];
}

const char *source_name(enum source_kind source)
{
	return sources[source];
}

void config_init(struct config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	strcpy(cfg->path, "/var/crash");
	cfg->target_timeout = 30;
	cfg->stall_timeout = 120;
	cfg->aliases = true;
	cfg->sources[cfg->nr_sources++] = SOURCE_DEVMEM;
	cfg->sources[cfg->nr_sources++] = SOURCE_VMCORE;
}

static int word_index(const char *const *words, size_t nr, const char *word)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

static int set_device(struct config *cfg, const char *value, struct error *err)
{
	if (strncmp(value, "/dev/", 5) || strstr(value, ".."))
		return fail(err, -EINVAL, "\"%s\" is not a device below /dev", value);
	if (strlen(value) >= sizeof(cfg->device))
		return fail(err, -EINVAL, "device name longer than %zu bytes", sizeof(cfg->device) - 1);
	strcpy(cfg->device, value);
	return 0;
}

static int set_filesystem(struct config *cfg, const char *word, const char *value, struct error *err)
{
	int rc = set_device(cfg, value, err);

	if (rc)
		return rc;
	cfg->target = TARGET_FS;
	strcpy(cfg->fstype, word);
	return 0;
}

static int set_raw(struct config *cfg, const char *word, const char *value, struct error *err)
{
	int rc = set_device(cfg, value, err);

	(void)word;
	if (rc)
		return rc;
	cfg->target = TARGET_RAW;
	cfg->fstype[0] = 0;
	return 0;
}

static int set_path(struct config *cfg, const char *word, const char *value, struct error *err)
{
	(void)word;
	if (value[0] != '/' || strstr(value, "/../") || (strlen(value) >= 3 && !strcmp(value + strlen(value) - 3, "/..")))
		return fail(err, -EINVAL, "\"%s\" is not an absolute path without \"..\"", value);
	if (strlen(value) >= sizeof(cfg->path))
		return fail(err, -EINVAL, "path longer than %zu bytes", sizeof(cfg->path) - 1);
	strcpy(cfg->path, value);
	return 0;
}

static int set_action(struct config *cfg, const char *word, const char *value, struct error *err)
{
	int action = word_index(actions, ARRAY_SIZE(actions), value);

	if (action < 0)
		return fail(err, -EINVAL, "\"%s\" is none of reboot, halt, poweroff", value);
	if (!strcmp(word, "final_action"))
		cfg->final_action = action;
	else
		cfg->failure_action = action;
	return 0;
}

static int set_seconds(struct config *cfg, const char *word, const char *value, struct error *err)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (end == value || *end || value[0] == '-' || n > 86400 * 7)
		return fail(err, -EINVAL, "\"%s\" is not a number of seconds from 0 to %d", value, 86400 * 7);
	if (!strcmp(word, "timeout"))
		cfg->timeout = n;
	else if (!strcmp(word, "stall_timeout"))
		cfg->stall_timeout = n;
	else
		cfg->target_timeout = n;
	return 0;
}

static int set_sources(struct config *cfg, const char *word, const char *value, struct error *err)
{
	enum source_kind list[NR_SOURCES];
	unsigned int nr = 0;
	char copy[64];

	(void)word;
	if (strlen(value) >= sizeof(copy))
		return fail(err, -EINVAL, "\"%.40s...\" is too long", value);
	strcpy(copy, value);
	for (char *save, *name = strtok_r(copy, " ,", &save); name; name = strtok_r(NULL, " ,", &save)) {
		int source = word_index(sources, ARRAY_SIZE(sources), name);

		if (source < 0)
			return fail(err, -EINVAL, "\"%s\" is none of devmem, vmcore", name);
		if (nr == NR_SOURCES)
			return fail(err, -EINVAL, "\"%s\" names a source twice", value);
		list[nr++] = source;
	}
	if (!nr || (nr == 2 && list[0] == list[1]))
		return fail(err, -EINVAL, "\"%s\" does not name each source once", value);
	memcpy(cfg->sources, list, nr * sizeof(list[0]));
	cfg->nr_sources = nr;
	return 0;
}

static int set_switch(struct config *cfg, const char *word, const char *value, struct error *err)
{
	bool on = !strcmp(value, "yes");

	if (!on && strcmp(value, "no"))
		return fail(err, -EINVAL, "\"%s\" is neither yes nor no", value);
	if (!strcmp(word, "crosscheck"))
		cfg->crosscheck = on;
	else
		cfg->aliases = on;
	return 0;
}

static int set_dump_level(struct config *cfg, const char *word, const char *value, struct error *err)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	(void)word;
	if (end == value || *end || value[0] == '-' || n > DUMP_LEVEL_MAX)
		return fail(err, -EINVAL, "\"%s\" is not a number from 0 to %d", value, DUMP_LEVEL_MAX);
	cfg->dump_level = n;
	return 0;
}

static int set_extra_modules(struct config *cfg, const char *word, const char *value, struct error *err)
{
	(void)word;
	if (strlen(value) >= sizeof(cfg->extra_modules))
		return fail(err, -EINVAL, "list longer than %zu bytes", sizeof(cfg->extra_modules) - 1);
	strcpy(cfg->extra_modules, value);
	return 0;
}

static const struct directive {
	const char *word;
	int (*set)(struct config *cfg, const char *word, const char *value, struct error *err);
} directives[] = {
	{ "ext2", set_filesystem },
	{ "ext3", set_filesystem },
	{ "ext4", set_filesystem },
	{ "xfs", set_filesystem },
	{ "btrfs", set_filesystem },
	{ "vfat", set_filesystem },
	{ "raw", set_raw },
	{ "path", set_path },
	{ "final_action", set_action },
	{ "failure_action", set_action },
	{ "timeout", set_seconds },
	{ "stall_timeout", set_seconds },
	{ "target_timeout", set_seconds },
	{ "source", set_sources },
	{ "crosscheck", set_switch },
	{ "aliases", set_switch },
	{ "dump_level", set_dump_level },
	{ "extra_modules", set_extra_modules },
};

static int apply(struct config *cfg, const char *word, const char *value, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
		if (strcmp(directives[i].word, word))
			continue;
		if (!*value)
			return fail(err, -EINVAL, "%s needs a value", word);
		if (directives[i].set(cfg, word, value, err))
			return fail_prefix(err, "%s", word);
		return 0;
	}
	return fail(err, -EINVAL, "unknown directive \"%s\"", word);
}

/* Fold runs of blanks to one and drop comment and surrounding blanks, in place. */
static void normalise(char *line)
{
	char *out = line;

	for (const char *in = line; *in && *in != '#'; in++) {
		char c = *in == '\t' || *in == '\r' ? ' ' : *in;

		if (c != ' ' || (out > line && out[-1] != ' '))
			*out++ = c;
	}
	if (out > line && out[-1] == ' ')
		out--;
	*out = 0;
}

static int parse_line(struct config *cfg, char *line, struct error *err)
{
	char *value;

	normalise(line);
	if (!*line)
		return 0;
	value = strchr(line, ' ');
	if (value)
		*value++ = 0;
	return apply(cfg, line, value ? value : "", err);
}

unsigned int config_parse(struct config *cfg, const char *text, size_t len, const char *name, struct log *log)
{
	unsigned int wrong = 0, number = 0;
	const char *end = text + len;

	while (text < end) {
		const char *eol = memchr(text, '\n', end - text);
		size_t n = (eol ? eol : end) - text;
		char line[LINE_MAX_LEN];
		struct error err;

		number++;
		if (n >= sizeof(line)) {
			log_warn(log, "%s:%u: line longer than %zu bytes, ignored", name, number, sizeof(line) - 1);
			wrong++;
		} else {
			memcpy(line, text, n);
			line[n] = 0;
			if (parse_line(cfg, line, &err)) {
				log_warn(log, "%s:%u: %s", name, number, err.text);
				wrong++;
			}
		}
		text += n + 1;
	}
	return wrong;
}

unsigned int config_parse_cmdline(struct config *cfg, const char *cmdline, struct log *log)
{
	static const char prefix[] = "kcapture.";
	unsigned int wrong = 0;

	while (*cmdline) {
		size_t n = strcspn(cmdline, " \n");
		char param[LINE_MAX_LEN];
		struct error err;

		if (n >= sizeof(prefix) - 1 && !strncmp(cmdline, prefix, sizeof(prefix) - 1)) {
			char *value;

			if (n >= sizeof(param)) {
				log_warn(log, "kernel command line: %.40s... is too long, ignored", cmdline);
				wrong++;
				cmdline += n;
				continue;
			}
			memcpy(param, cmdline, n);
			param[n] = 0;
			value = strchr(param, '=');
			if (value)
				*value++ = 0;
			if (apply(cfg, param + sizeof(prefix) - 1, value ? value : "", &err)) {
				log_warn(log, "kernel command line: %s", err.text);
				wrong++;
			}
		}
		cmdline += n + (cmdline[n] != 0);
	}
	return wrong;
}

int config_check(const struct config *cfg, struct error *err)
{
	if (cfg->target == TARGET_NONE)
		return fail(err, -EINVAL, "no target: one line like \"ext4 /dev/nvme0n1p1\" or \"raw /dev/sdb1\" is needed");
	return 0;
}
