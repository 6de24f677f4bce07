// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/config_target.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/types.h"

#define SECONDS_MAX (86400 * 7)

void config_init_targets(struct config *cfg)
{
	strcpy(cfg->defaults.path, "/var/crash");
	cfg->defaults.target_timeout = 30;
	cfg->defaults.stall_timeout = 120;
}

static int add_target(struct config *cfg, enum target_kind kind, const char *word, const char *place, struct error *err)
{
	struct target_config *target;

	if (strlen(place) >= sizeof(target->place))
		return fail(err, -EINVAL, "longer than %zu bytes", sizeof(target->place) - 1);
	if (cfg->overriding) {
		memset(cfg->targets, 0, sizeof(cfg->targets));
		cfg->nr_targets = 0;
		cfg->overriding = false;
	}
	if (cfg->nr_targets == CONFIG_MAX_TARGETS)
		return fail(err, -EINVAL, "more than %d targets", CONFIG_MAX_TARGETS);
	target = &cfg->targets[cfg->nr_targets++];
	*target = cfg->defaults;
	target->kind = kind;
	strcpy(target->word, word);
	strcpy(target->place, place);
	return 0;
}

/* A device by name, or by what is on it: that stays the same when the kernel counts its disks in another order. */
static int check_place(const char *value, struct error *err)
{
	static const char *const keys[] = { "UUID=", "LABEL=", "PARTUUID=", "ID=" };

	if (strchr(value, ' '))
		return fail(err, -EINVAL, "\"%s\" is more than one word", value);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(keys[i]);

		if (!strncmp(value, keys[i], len))
			return value[len] ? 0 : fail(err, -EINVAL, "\"%s\" is empty", value);
	}
	if (strncmp(value, "/dev/", 5) || !value[5] || strstr(value, ".."))
		return fail(err, -EINVAL, "\"%s\" is neither a device below /dev nor UUID=, LABEL=, PARTUUID= or ID=", value);
	return 0;
}

int config_set_filesystem(struct config *cfg, const char *word, const char *value, struct error *err)
{
	int rc = check_place(value, err);

	return rc ? rc : add_target(cfg, TARGET_FS, word, value, err);
}

int config_set_raw(struct config *cfg, const char *word, const char *value, struct error *err)
{
	int rc = check_place(value, err);

	return rc ? rc : add_target(cfg, TARGET_RAW, word, value, err);
}

int config_set_tcp(struct config *cfg, const char *word, const char *value, struct error *err)
{
	if (value[strspn(value, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:[]%_-")])
		return fail(err, -EINVAL, "\"%s\" is not HOST[:PORT]", value);
	return add_target(cfg, TARGET_TCP, word, value, err);
}

/* The last target's, or before there is one everybody's. */
static void set_option(struct config *cfg, size_t offset, const void *value, size_t len)
{
	unsigned int first = cfg->overriding ? 0 : cfg->nr_targets ? cfg->nr_targets - 1 : 0;

	for (unsigned int i = first; i < cfg->nr_targets; i++)
		memcpy((char *)&cfg->targets[i] + offset, value, len);
	if (cfg->overriding || !cfg->nr_targets)
		memcpy((char *)&cfg->defaults + offset, value, len);
}

int config_set_path(struct config *cfg, const char *word, const char *value, struct error *err)
{
	char path[sizeof(cfg->defaults.path)] = "";

	(void)word;
	if (value[0] != '/' || strstr(value, "/../") || (strlen(value) >= 3 && !strcmp(value + strlen(value) - 3, "/..")))
		return fail(err, -EINVAL, "\"%s\" is not an absolute path without \"..\"", value);
	if (strlen(value) >= sizeof(path))
		return fail(err, -EINVAL, "path longer than %zu bytes", sizeof(path) - 1);
	strcpy(path, value);
	set_option(cfg, offsetof(struct target_config, path), path, sizeof(path));
	return 0;
}

int config_set_subvol(struct config *cfg, const char *word, const char *value, struct error *err)
{
	char subvol[sizeof(cfg->defaults.subvol)] = "";

	(void)word;
	/* It becomes a part of the mount options, which have commas between them. */
	if (strlen(value) >= sizeof(subvol) || strpbrk(value, ", "))
		return fail(err, -EINVAL, "\"%.80s\" is no name of a subvolume of up to %zu bytes without comma and blank", value,
			    sizeof(subvol) - 1);
	strcpy(subvol, value);
	set_option(cfg, offsetof(struct target_config, subvol), subvol, sizeof(subvol));
	return 0;
}

static bool is_step(const char *step)
{
	static const char *const kinds[] = { "md:", "lvm:", "luks:" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strncmp(step, kinds[i], strlen(kinds[i])) && step[strlen(kinds[i])] != ' ' && step[strlen(kinds[i])])
			return true;
	return false;
}

int config_set_assemble(struct config *cfg, const char *word, const char *value, struct error *err)
{
	char steps[sizeof(cfg->defaults.assemble)] = "";

	(void)word;
	if (strlen(value) >= sizeof(steps))
		return fail(err, -EINVAL, "list longer than %zu bytes", sizeof(steps) - 1);
	for (const char *step = value; step; step = strchr(step, ' ') ? strchr(step, ' ') + 1 : NULL)
		if (!is_step(step))
			return fail(err, -EINVAL, "\"%.60s\" is none of md:UUID, lvm:VG/LV, luks:UUID", step);
	strcpy(steps, value);
	set_option(cfg, offsetof(struct target_config, assemble), steps, sizeof(steps));
	return 0;
}

int config_set_luks_key(struct config *cfg, const char *word, const char *value, struct error *err)
{
	char key[sizeof(cfg->defaults.luks_key)] = "";

	(void)word;
	if (value[0] != '/' || strlen(value) >= sizeof(key))
		return fail(err, -EINVAL, "\"%.80s\" is no absolute path of up to %zu bytes", value, sizeof(key) - 1);
	strcpy(key, value);
	set_option(cfg, offsetof(struct target_config, luks_key), key, sizeof(key));
	return 0;
}

int config_seconds(const char *value, unsigned int *ret, struct error *err)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (end == value || *end || value[0] == '-' || n > SECONDS_MAX)
		return fail(err, -EINVAL, "\"%s\" is not a number of seconds from 0 to %d", value, SECONDS_MAX);
	*ret = n;
	return 0;
}

int config_set_limit(struct config *cfg, const char *word, const char *value, struct error *err)
{
	static const struct {
		const char *word;
		size_t offset;
	} limits[] = {
		{ "target_timeout", offsetof(struct target_config, target_timeout) },
		{ "stall_timeout", offsetof(struct target_config, stall_timeout) },
		{ "target_limit", offsetof(struct target_config, target_limit) },
	};
	unsigned int seconds;
	int rc = config_seconds(value, &seconds, err);

	for (size_t i = 0; i < ARRAY_SIZE(limits) && !rc; i++)
		if (!strcmp(word, limits[i].word))
			set_option(cfg, limits[i].offset, &seconds, sizeof(seconds));
	return rc;
}
