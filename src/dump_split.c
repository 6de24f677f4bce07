// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dump in several files that are written at once, each by a process of its own: they may lie on different disks. And one
 * file of them again.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elfcore/kdump_format.h"
#include "elfcore/mem_kdump.h"
#include "src/dump_run.h"
#include "src/split.h"

/* What the process of a part tells by its exit code. */
enum { PART_SAVED, PART_FAILED, PART_SHORT_OF_ROOM };

struct parts {
	pfn_t *bounds;			/* nr + 1 of them */
	unsigned int nr;
	unsigned int level;		/* its number among those of the options */
};

static int dump_part(struct dump_run *run, struct input *in, const char *name, unsigned int level)
{
	static struct output_path path;
	struct error err;
	int rc = output_path_init(&path, name, run->opt.operands[0], run->opt.force || level, &err);

	if (!rc && run->opt.dry_run)
		path.kind = OUTPUT_NOWHERE;
	if (!rc)
		rc = dump_at_level(run, in, &path, run->opt.levels[level], &err);
	if (!rc)
		return PART_SAVED;
	if (rc == -ENOSPC && level + 1 < run->opt.nr_levels)
		return PART_SHORT_OF_ROOM;
	dump_say(&run->show, MESSAGE_ERROR, "%s: %s", name, err.text);
	dump_name_incomplete(run, &path);
	return PART_FAILED;
}

/* The file is read by offsets, so the processes share it. The number of processes that were started. */
static unsigned int start_parts(struct dump_run *run, struct input *in, const struct parts *parts)
{
	fflush(NULL);
	for (unsigned int i = 0; i < parts->nr; i++) {
		pid_t pid = fork();
		int code;

		if (pid < 0)
			return i;
		if (pid)
			continue;
		run->start = parts->bounds[i];
		run->end = max_u64(parts->bounds[i + 1], 1);
		if (i)
			run->show.progress.show = NULL;
		code = dump_part(run, in, run->opt.operands[i + 1], parts->level);
		fflush(NULL);
		_exit(code);
	}
	return parts->nr;
}

/* 0; -ENOSPC: another level may help; -EIO: parts have failed. */
static int run_parts(struct dump_run *run, struct input *in, const struct parts *parts, struct error *err)
{
	unsigned int nr_started = start_parts(run, in, parts), nr_failed = parts->nr - nr_started, nr_short = 0;

	for (unsigned int i = 0; i < nr_started; i++) {
		int status;

		if (wait(&status) < 0 || !WIFEXITED(status))
			nr_failed++;
		else if (WEXITSTATUS(status) == PART_SHORT_OF_ROOM)
			nr_short++;
		else if (WEXITSTATUS(status) != PART_SAVED)
			nr_failed++;
	}
	if (nr_failed)
		return fail(err, -EIO, "%u of %u parts could not be saved", nr_failed, parts->nr);
	return nr_short ? -ENOSPC : 0;
}

static int split_input(struct dump_run *run, struct input *in, struct parts *parts, struct error *err)
{
	struct kernel kernel;
	int rc;

	kernel_init(&kernel, &in->crash, &in->chain.mem, &run->show.log);
	do {
		rc = split_bounds(&kernel, run->opt.levels[parts->level], parts->bounds, parts->nr, &run->show.log, err);
		if (!rc)
			rc = run_parts(run, in, parts, err);
	} while (dump_wants_next_level(run, parts->level++, rc, err));
	return rc;
}

int dump_split(struct dump_run *run, struct error *err)
{
	static struct input in;
	char *const *names = run->opt.operands + 1;
	struct parts parts = { .nr = run->opt.nr_operands - 1 };
	int rc;

	parts.bounds = calloc(parts.nr + 1, sizeof(*parts.bounds));
	if (!parts.bounds)
		return fail(err, -ENOMEM, "no memory for %u parts", parts.nr);
	rc = dump_open_input(run, &in, err);
	if (!rc) {
		rc = split_input(run, &in, &parts, err);
		input_close(&in);
	}
	free(parts.bounds);
	if (rc || run->opt.dry_run)
		return rc;
	dump_say(&run->show, MESSAGE_COMMON, "\nThe dumpfiles are saved to ");
	for (unsigned int i = 0; i < parts.nr; i++)
		dump_say(&run->show, MESSAGE_COMMON, "%s%s",
			 !i ? "" : i + 1 < parts.nr ? ", " : parts.nr > 2 ? ", and " : " and ", names[i]);
	dump_say(&run->show, MESSAGE_COMMON, ".\n");
	return 0;
}

/* The codec of a dump's pages, for writing them again; lzo for one that nobody writes any more. */
static enum codec codec_of(const struct input *in)
{
	const struct codec_ops *ops = NULL;

	if (in->kdump)
		ops = codec_by_kdump_flag(in->kdump->pieces[0].info.status & KDUMP_CODEC_FLAGS);
	return !ops ? CODEC_NONE : ops->compress ? ops->codec : CODEC_LZO;
}

int dump_reassemble(struct dump_run *run, struct error *err)
{
	static struct input in;
	static struct output_path path;
	const struct dump_options *opt = &run->opt;
	int rc = output_path_init(&path, dump_output_name(run), opt->operands[0], opt->force, err);

	if (!rc)
		rc = input_files_open(&in, opt->operands, opt->nr_operands - 1, &run->show.log, err);
	if (rc)
		return rc;
	run->opt.codec = codec_of(&in);
	rc = dump_at_level(run, &in, &path, 0, err);
	input_close(&in);
	if (rc)
		dump_name_incomplete(run, &path);
	else
		dump_say_saved(run, path.name);
	return rc;
}
