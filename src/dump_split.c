// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dump in several files that are written at once, each by a process of its own: they may lie on different disks. And one
 * file of them again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elfcore/kdump_format.h"
#include "elfcore/mem_kdump.h"
#include "src/dump_run.h"
#include "src/split.h"

/* In memory that the processes share: what one does to its part the first one sees. */
struct part {
	struct output_path path;
	pid_t pid;
	int rc;
	struct error err;
};

struct parts {
	struct part *list;
	pfn_t *bounds;			/* nr + 1 of them */
	unsigned int nr;
	unsigned int level;		/* its number among those of the options */
};

/* The process of the i-th part. */
static void dump_part(struct dump_run *run, struct input *in, const struct parts *parts, unsigned int i)
{
	struct part *part = &parts->list[i];

	run->start = parts->bounds[i];
	run->end = max_u64(parts->bounds[i + 1], 1);
	if (i)
		run->show.progress.show = NULL;
	part->rc = dump_at_level(run, in, &part->path, run->opt.levels[parts->level], &part->err);
}

/* The file is read by offsets, so the processes share it. */
static void start_parts(struct dump_run *run, struct input *in, const struct parts *parts)
{
	fflush(NULL);
	for (unsigned int i = 0; i < parts->nr; i++) {
		struct part *part = &parts->list[i];
		pid_t pid;

		part->path.opened = false;
		part->rc = fail(&part->err, -ECHILD, "its process ended early");
		pid = fork();
		if (!pid) {
			dump_part(run, in, parts, i);
			fflush(NULL);
			_exit(0);
		}
		part->pid = pid;
		if (pid < 0)
			part->rc = fail(&part->err, -errno, "no process for it: %s", strerror(errno));
	}
	for (unsigned int i = 0; i < parts->nr; i++)
		if (parts->list[i].pid > 0)
			waitpid(parts->list[i].pid, NULL, 0);
}

/* Whatever was written of it makes room for the next level: the parts of a dump are all of one level. */
static void discard_parts(const struct parts *parts)
{
	for (unsigned int i = 0; i < parts->nr; i++)
		output_path_discard(&parts->list[i].path, !parts->list[i].rc);
}

static void tell_failures(const struct dump_run *run, const struct parts *parts)
{
	for (unsigned int i = 0; i < parts->nr; i++) {
		struct part *part = &parts->list[i];

		if (!part->rc)
			continue;
		dump_say(&run->show, MESSAGE_ERROR, "%s: %s", part->path.name, part->err.text);
		dump_name_incomplete(run, &part->path);
	}
}

/* 0; -ENOSPC: another level may help; -EIO: parts have failed. */
static int run_parts(struct dump_run *run, struct input *in, const struct parts *parts, struct error *err)
{
	unsigned int nr_failed = 0, nr_short = 0;

	start_parts(run, in, parts);
	for (unsigned int i = 0; i < parts->nr; i++) {
		nr_failed += parts->list[i].rc != 0;
		nr_short += parts->list[i].rc == -ENOSPC;
	}
	if (!nr_failed)
		return 0;
	if (nr_failed == nr_short && parts->level + 1 < run->opt.nr_levels) {
		discard_parts(parts);
		return -ENOSPC;
	}
	tell_failures(run, parts);
	return fail(err, -EIO, "%u of %u parts could not be saved", nr_failed, parts->nr);
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

/* None is written before all may be. */
static int name_parts(struct dump_run *run, struct parts *parts, struct error *err)
{
	for (unsigned int i = 0; i < parts->nr; i++) {
		struct output_path *path = &parts->list[i].path;
		int rc = output_path_init(path, run->opt.operands[i + 1], run->opt.operands[0], run->opt.force, err);

		if (!rc && path->kind == OUTPUT_STDOUT)
			rc = fail(err, -EINVAL, "a part cannot go to standard output");
		if (rc)
			return rc;
		if (run->opt.dry_run)
			path->kind = OUTPUT_NOWHERE;
	}
	return 0;
}

static int make_parts(struct dump_run *run, struct parts *parts, struct error *err)
{
	static struct input in;
	int rc = name_parts(run, parts, err);

	if (!rc)
		rc = dump_open_input(run, &in, err);
	if (rc)
		return rc;
	rc = split_input(run, &in, parts, err);
	input_close(&in);
	return rc;
}

int dump_split(struct dump_run *run, struct error *err)
{
	char *const *names = run->opt.operands + 1;
	struct parts parts = { .nr = run->opt.nr_operands - 1 };
	size_t len = parts.nr * sizeof(*parts.list);
	int rc;

	parts.bounds = calloc(parts.nr + 1, sizeof(*parts.bounds));
	parts.list = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!parts.bounds || parts.list == MAP_FAILED)
		rc = fail(err, -ENOMEM, "no memory for %u parts", parts.nr);
	else
		rc = make_parts(run, &parts, err);
	if (parts.list != MAP_FAILED)
		munmap(parts.list, len);
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
