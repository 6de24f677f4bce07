// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/config_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/page.h"
#include "elfcore/types.h"
#include "src/dump_options.h"

static const char *const formats[NR_FORMATS] = { "elf", "kdump" };

enum dump_format format_by_name(const char *name)
{
	enum dump_format format = 0;

	while (format < NR_FORMATS && strcmp(formats[format], name))
		format++;
	return format;
}

const char *format_name(enum dump_format format)
{
	return formats[format];
}

const char *format_refuses(enum dump_format format, enum codec codec)
{
	return format == FORMAT_ELF && codec != CODEC_NONE && codec != CODEC_ZSTD ?
	       "an ELF core is plain or zstd; zlib and lzo need the format kdump" : "";
}

unsigned int levels_parse(const char *text, unsigned int ret[LEVELS_MAX])
{
	for (unsigned int nr = 0; nr < LEVELS_MAX;) {
		char *end;
		unsigned long level = strtoul(text, &end, 10);

		if (end == text || *text < '0' || *text > '9' || level > DUMP_LEVEL_MAX || (*end && *end != ','))
			return 0;
		ret[nr++] = level;
		if (!*end)
			return nr;
		text = end + 1;
	}
	return 0;
}

int config_set_format(struct config *cfg, const char *word, const char *value, struct error *err)
{
	enum dump_format format = format_by_name(value);

	(void)word;
	if (format == NR_FORMATS)
		return fail(err, -EINVAL, "\"%s\" is none of elf, kdump", value);
	cfg->format = format;
	return 0;
}

int config_set_compress(struct config *cfg, const char *word, const char *value, struct error *err)
{
	const struct codec_ops *codec = codec_by_name(value);

	(void)word;
	if (!codec)
		return fail(err, -EINVAL, "\"%s\" is none of none, zlib, lzo, zstd", value);
	cfg->codec = codec->codec;
	return 0;
}

int config_set_levels(struct config *cfg, const char *word, const char *value, struct error *err)
{
	unsigned int levels[LEVELS_MAX], nr = levels_parse(value, levels);

	(void)word;
	if (!nr)
		return fail(err, -EINVAL, "\"%s\" is not a number from 0 to %d, or up to %d of them with commas", value,
			    DUMP_LEVEL_MAX, LEVELS_MAX);
	memcpy(cfg->levels, levels, nr * sizeof(levels[0]));
	cfg->nr_levels = nr;
	return 0;
}

int config_set_jobs(struct config *cfg, const char *word, const char *value, struct error *err)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	(void)word;
	if (end == value || *end || value[0] == '-' || n < 1 || n > JOBS_MAX)
		return fail(err, -EINVAL, "\"%s\" is not a number from 1 to %d", value, JOBS_MAX);
	cfg->jobs = n;
	return 0;
}

static int check_collector(const struct dump_options *opt, struct error *err)
{
	if (opt->mode != DUMP_MODE_DUMP || opt->dry_run || opt->check_only)
		return fail(err, -EINVAL, "its options make no dump");
	if (opt->nr_operands)
		return fail(err, -EINVAL, "\"%s\" is no option of makedumpfile", opt->operands[0]);
	return 0;
}

int config_set_collector(struct config *cfg, const char *word, const char *value, struct error *err)
{
	char copy[256], *argv[sizeof(copy) / 2], *save;
	struct dump_options opt;
	int argc = 0, rc;

	(void)word;
	if (strncmp(value, "makedumpfile", 12) || (value[12] && value[12] != ' '))
		return fail(err, -EINVAL, "\"%s\" is not makedumpfile", value);
	if (strlen(value) >= sizeof(copy))
		return fail(err, -EINVAL, "more than %zu bytes", sizeof(copy) - 1);
	strcpy(copy, value);
	for (char *next = strtok_r(copy, " ", &save); next; next = strtok_r(NULL, " ", &save))
		argv[argc++] = next;
	rc = dump_options_read(&opt, argc, argv, err);
	if (!rc)
		rc = check_collector(&opt, err);
	if (rc)
		return rc;
	cfg->format = opt.format;
	cfg->codec = opt.codec;
	memcpy(cfg->levels, opt.levels, sizeof(cfg->levels));
	cfg->nr_levels = opt.nr_levels;
	return 0;
}
