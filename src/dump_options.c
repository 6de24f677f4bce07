// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/dump_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/mem_kdump.h"
#include "src/config_format.h"
#include "src/option_walk.h"

/* Long options that have no letter. */
enum {
	OPT_SPLIT = 256, OPT_REASSEMBLE, OPT_THREADS, OPT_MESSAGE_LEVEL, OPT_DMESG, OPT_PARTIAL_DMESG, OPT_MEM_USAGE,
	OPT_CHECK_PARAMS, OPT_DRY_RUN, OPT_SHOW_STATS, OPT_IGNORED, OPT_IGNORED_VALUE, OPT_REFUSED, OPT_REFUSED_VALUE,
};

static const struct option long_options[] = {
	{ "split", no_argument, NULL, OPT_SPLIT },
	{ "reassemble", no_argument, NULL, OPT_REASSEMBLE },
	{ "num-threads", required_argument, NULL, OPT_THREADS },
	{ "message-level", required_argument, NULL, OPT_MESSAGE_LEVEL },
	{ "dump-dmesg", no_argument, NULL, OPT_DMESG },
	{ "partial-dmesg", no_argument, NULL, OPT_PARTIAL_DMESG },
	{ "mem-usage", no_argument, NULL, OPT_MEM_USAGE },
	{ "check-params", no_argument, NULL, OPT_CHECK_PARAMS },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "show-stats", no_argument, NULL, OPT_SHOW_STATS },
	{ "help", no_argument, NULL, 'h' },
	/* How memory is read and where the bitmap lies: kcapture needs no such help. */
	{ "non-mmap", no_argument, NULL, OPT_IGNORED },
	{ "cyclic-buffer", required_argument, NULL, OPT_IGNORED_VALUE },
	{ "work-dir", required_argument, NULL, OPT_IGNORED_VALUE },
	{ "splitblock-size", required_argument, NULL, OPT_IGNORED_VALUE },
	{ "vtop", required_argument, NULL, OPT_REFUSED_VALUE },
	{ "config", required_argument, NULL, OPT_REFUSED_VALUE },
	{ "eppic", required_argument, NULL, OPT_REFUSED_VALUE },
	{ "extension", required_argument, NULL, OPT_REFUSED_VALUE },
	{ "diskset", required_argument, NULL, OPT_REFUSED_VALUE },
	{ "xen-syms", required_argument, NULL, OPT_REFUSED_VALUE },
	{ "xen-vmcoreinfo", required_argument, NULL, OPT_REFUSED_VALUE },
	{ "xen_phys_start", required_argument, NULL, OPT_REFUSED_VALUE },
	{ 0 },
};

/* What makedumpfile does and kcapture does not, and the reason. */
static const struct refusal {
	const char *name;
	const char *reason;
} refusals[] = {
	{ "-e", "the memmap is never left out, debuggers need it" },
	{ "-g", "VMCOREINFO comes from the dump itself" },
	{ "-X", "Xen dumps are not supported" },
	{ "--xen-syms", "Xen dumps are not supported" },
	{ "--xen-vmcoreinfo", "Xen dumps are not supported" },
	{ "--xen_phys_start", "Xen dumps are not supported" },
	{ "--diskset", "sadump is not supported" },
	{ "--config", "erasing data by rules is not supported: nothing was written, so that no secret gets out" },
	{ "--eppic", "erasing data by macros is not supported: nothing was written, so that no secret gets out" },
	{ "--extension", "extensions are not supported" },
	{ "--vtop", "use kcapture vtop" },
};

static int refuse(const char *name, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (!strcmp(refusals[i].name, name))
			return fail(err, -EOPNOTSUPP, "'%s' is not available: %s.", name, refusals[i].reason);
	return fail(err, -EOPNOTSUPP, "'%s' is not available.", name);
}

static bool parse_number(const char *text, unsigned long max, unsigned int *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*ret = n;
	return *text >= '0' && *text <= '9' && !*end && n <= max;
}

static int parse_size(struct dump_options *opt, const char *text, struct error *err)
{
	static const char suffixes[] = "KkMmGg";
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	const char *suffix = *end ? strchr(suffixes, *end) : NULL;
	unsigned int shift = suffix ? 10 * ((suffix - suffixes) / 2 + 1) : 0;

	if (*text < '0' || *text > '9' || !n || (*end && (!suffix || end[1])) || n > UINT64_MAX >> shift)
		return fail(err, -EINVAL, "Limit size(%s) is invalid.", text);
	opt->max_size = n << shift;
	return 0;
}

static int set_codec(struct dump_options *opt, enum codec codec, struct error *err)
{
	if (opt->compressed && opt->codec != codec)
		return fail(err, -EINVAL, "More than one compression is given.");
	opt->compressed = true;
	opt->codec = codec;
	return 0;
}

static int take_letter(struct dump_options *opt, int c, const char *value, struct error *err)
{
	const char refused[] = { '-', c, 0 };

	switch (c) {
	case 'c': return set_codec(opt, CODEC_ZLIB, err);
	case 'l': return set_codec(opt, CODEC_LZO, err);
	case 'z': return set_codec(opt, CODEC_ZSTD, err);
	case 'p':
		opt->snappy = true;
		return set_codec(opt, CODEC_LZO, err);
	case 'd':
		opt->nr_levels = levels_parse(value, opt->levels);
		return opt->nr_levels ? 0 : fail(err, -EINVAL, "Dump_level(%s) is invalid.", value);
	case 'L': return parse_size(opt, value, err);
	case 'D': opt->messages |= MESSAGE_COMMON | MESSAGE_ERROR | MESSAGE_DEBUG | MESSAGE_REPORT; return 0;
	case 'E': opt->format = FORMAT_ELF; return 0;
	case 'F': opt->flat = true; return 0;
	case 'f': opt->force = true; return 0;
	case 'h': opt->mode = DUMP_MODE_HELP; return 0;
	case 'R': opt->mode = DUMP_MODE_REARRANGE; return 0;
	case 'v': opt->mode = DUMP_MODE_VERSION; return 0;
	case 'i': opt->vmcoreinfo = value; return 0;
	case 'b': case 'x': return 0;	/* buffers, and where layouts would come from */
	default: return refuse(refused, err);
	}
}

static int take_long(struct dump_options *opt, const struct option_walk *walk, struct error *err)
{
	const char *value = walk->value;
	char refused[32] = "--";

	switch (walk->option) {
	case OPT_SPLIT: opt->split = true; return 0;
	case OPT_REASSEMBLE: opt->mode = DUMP_MODE_REASSEMBLE; return 0;
	case OPT_DMESG: opt->mode = DUMP_MODE_DMESG; return 0;
	case OPT_PARTIAL_DMESG: opt->partial_dmesg = true; return 0;
	case OPT_MEM_USAGE: opt->mode = DUMP_MODE_MEM_USAGE; return 0;
	case OPT_CHECK_PARAMS: opt->check_only = true; return 0;
	case OPT_DRY_RUN: opt->dry_run = true; return 0;
	case OPT_SHOW_STATS: opt->messages |= MESSAGE_REPORT; return 0;
	case OPT_THREADS:
		if (!parse_number(value, 1024, &opt->jobs))
			return fail(err, -EINVAL, "num-threads(%s) is invalid.", value);
		return 0;
	case OPT_MESSAGE_LEVEL:
		if (!parse_number(value, MESSAGE_MAX, &opt->messages)) {
			opt->messages = MESSAGE_DEFAULT;
			return fail(err, -EINVAL, "Message_level(%s) is invalid.", value);
		}
		return 0;
	case OPT_REFUSED: case OPT_REFUSED_VALUE:
		strncat(refused, walk->name, sizeof(refused) - 3);
		return refuse(refused, err);
	default: return 0;
	}
}

/* Options that exclude each other, each pair in words. */
static int check_combination(const struct dump_options *opt, struct error *err)
{
	bool dumps = opt->mode == DUMP_MODE_DUMP;

	if (opt->format == FORMAT_ELF && opt->compressed && opt->codec != CODEC_ZSTD)
		return fail(err, -EINVAL, "The ELF format can be compressed with -z only.");
	if (opt->split && opt->format == FORMAT_ELF)
		return fail(err, -EINVAL, "Options for splitting dumpfile cannot be used with Elf format.");
	if (opt->split && (opt->flat || !dumps))
		return fail(err, -EINVAL, "--split makes files, and dumps only.");
	if (opt->flat && opt->mode == DUMP_MODE_REASSEMBLE)
		return fail(err, -EINVAL, "--reassemble makes a file, it cannot be used with -F.");
	if (opt->dry_run && (opt->mode == DUMP_MODE_DMESG || opt->mode == DUMP_MODE_REASSEMBLE))
		return fail(err, -EINVAL, "--dry-run cannot be used with %s.",
			    opt->mode == DUMP_MODE_DMESG ? "--dump-dmesg" : "--reassemble");
	if (opt->max_size && (opt->flat || !dumps || opt->split))
		return fail(err, -EINVAL, "-L limits a single dumpfile only.");
	if (opt->partial_dmesg && opt->mode != DUMP_MODE_DMESG)
		return fail(err, -EINVAL, "--partial-dmesg goes with --dump-dmesg.");
	return 0;
}

static int check_operands(const struct dump_options *opt, struct error *err)
{
	bool parts = opt->split || opt->mode == DUMP_MODE_REASSEMBLE;
	int min = 2, max = 2;

	if (opt->mode == DUMP_MODE_HELP || opt->mode == DUMP_MODE_VERSION)
		return 0;
	if (parts)
		min = 3, max = 1 + KDUMP_PIECES_MAX;
	else if (opt->flat || opt->mode == DUMP_MODE_REARRANGE || opt->mode == DUMP_MODE_MEM_USAGE)
		min = max = 1;
	if (opt->nr_operands < min)
		return fail(err, -EINVAL, "A file name is missing.");
	if (opt->nr_operands > max && parts)
		return fail(err, -EINVAL, "%d parts are more than %d.", opt->nr_operands - 1, KDUMP_PIECES_MAX);
	if (opt->nr_operands > max)
		return fail(err, -EINVAL, "\"%s\" is one file name too many.", opt->operands[max]);
	return 0;
}

int dump_options_read(struct dump_options *ret, int argc, char **argv, struct error *err)
{
	struct option_walk walk = { .letters = "b:cDd:eEFfg:hi:lL:pRvXx:z", .names = long_options, .argc = argc, .argv = argv, .at = 1 };
	int rc;

	*ret = (struct dump_options){ .format = FORMAT_KDUMP, .codec = CODEC_NONE, .nr_levels = 1, .messages = MESSAGE_DEFAULT };
	while ((rc = option_walk_next(&walk, err)) > 0) {
		rc = walk.option < 256 ? take_letter(ret, walk.option, walk.value, err) : take_long(ret, &walk, err);
		if (rc)
			return rc;
	}
	if (rc)
		return rc;
	ret->operands = argv + 1;
	ret->nr_operands = walk.nr_operands;
	return check_combination(ret, err);
}

int dump_options_parse(struct dump_options *ret, int argc, char **argv, struct error *err)
{
	int rc = dump_options_read(ret, argc, argv, err);

	return rc ? rc : check_operands(ret, err);
}
