// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/dump_run.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "src/sys.h"

/* A file of -i without use is said and no more: nothing of it is needed for the dump. */
static int check_release(struct dump_run *run, const struct vmcoreinfo *info, struct error *err)
{
	static char text[1 << 16];
	const char *name = run->opt.vmcoreinfo;
	char wanted[65], release[65];
	ssize_t len = read_text(name, text, sizeof(text));
	const struct vmcoreinfo given = { text, len > 0 ? len : 0 };

	if (len < 0)
		dump_say(&run->show, MESSAGE_ERROR, "Can't read the vmcoreinfo file(%s). %s", name, strerror(-len));
	else if (!vmcoreinfo_string(&given, "OSRELEASE", wanted, sizeof(wanted)))
		dump_say(&run->show, MESSAGE_ERROR, "%s has no OSRELEASE.", name);
	else if (vmcoreinfo_string(info, "OSRELEASE", release, sizeof(release)) && strcmp(release, wanted))
		run->other_release = true;
	if (run->other_release)
		return fail(err, -EINVAL, "%s (kernel %s) and %s don't match.", name, wanted, run->opt.operands[0]);
	return 0;
}

int dump_open_input(struct dump_run *run, struct input *in, struct error *err)
{
	const char *name = run->opt.operands[0];
	int rc = strcmp(name, "/proc/vmcore") ? input_file_open(in, name, &run->show.log, err) :
						input_vmcore_open(in, &run->show.log, err);

	if (rc || !run->opt.vmcoreinfo)
		return rc;
	rc = check_release(run, &in->crash.vmcoreinfo, err);
	if (rc)
		input_close(in);
	return rc;
}

const char *dump_output_name(const struct dump_run *run)
{
	return run->opt.flat ? "STDOUT" : run->opt.operands[run->opt.nr_operands - 1];
}

void dump_say_saved(const struct dump_run *run, const char *name)
{
	if (!run->opt.dry_run)
		dump_say(&run->show, MESSAGE_COMMON, "\nThe dumpfile is saved to %s.\n", name);
}

void dump_name_incomplete(const struct dump_run *run, struct output_path *path)
{
	if (!path->opened || path->kind != OUTPUT_FILE)
		return;
	if (run->makedumpfile && !output_path_name_incomplete(path))
		dump_say(&run->show, MESSAGE_COMMON, "This is an incomplete dumpfile, but might analyzable.\n");
	else
		dump_say(&run->show, MESSAGE_COMMON, "What could be saved is in %s.\n", path->unfinished);
}

int dump_at_level(struct dump_run *run, struct input *in, struct output_path *path, unsigned int level, struct error *err)
{
	static struct capture c;
	int rc;

	c = (struct capture){
		.in = in,
		.out = &path->out,
		.log = &run->show.log,
		.progress = &run->show.progress,
		.max_aliases = CAPTURE_MAX_ALIASES,
		.levels = { level },
		.nr_levels = 1,
		.format = run->opt.format,
		.codec = run->opt.codec,
		.jobs = run->opt.jobs,
		.split_start = run->start,
		.split_end = run->end,
	};
	rc = capture(&c, err);
	if (!rc) {
		dump_show_done(&run->show);
		dump_show_stats(&run->show, &c);
	}
	if (c.holes.nr_bytes > c.nr_unwritten)
		dump_say(&run->show, MESSAGE_ERROR, "%llu bytes of the memory are not there, zero-filled",
			 (unsigned long long)(c.holes.nr_bytes - c.nr_unwritten));
	capture_deinit(&c);
	return rc;
}

bool dump_wants_next_level(const struct dump_run *run, unsigned int i, int rc, struct error *err)
{
	const struct dump_options *opt = &run->opt;

	if (rc != -ENOSPC)
		return false;
	if (opt->max_size)
		fail(err, rc, "Can't write the dump file(%s). Size limit(%llu) reached.", dump_output_name(run),
		     (unsigned long long)opt->max_size);
	else
		fail(err, rc, "Can't write the dump file(%s). %s", dump_output_name(run), strerror(ENOSPC));
	/* What has gone into a stream cannot be called back. */
	if (opt->flat || i + 1 == opt->nr_levels)
		return false;
	dump_say(&run->show, MESSAGE_COMMON, "\n%s\nRetry to create a dumpfile by dump_level(%u).\n", err->text,
		 opt->levels[i + 1]);
	return true;
}

int dump_whole(struct dump_run *run, struct error *err)
{
	static struct input in;
	static struct output_path path;
	const struct dump_options *opt = &run->opt;
	unsigned int level = 0;
	int rc = output_path_init(&path, opt->flat ? "-" : opt->operands[1], opt->operands[0], opt->force, err);

	if (!rc && path.kind == OUTPUT_STDOUT && isatty(STDOUT_FILENO))
		rc = fail(err, -EINVAL, "standard output is a terminal");
	if (rc)
		return rc;
	if (opt->dry_run)
		path.kind = OUTPUT_NOWHERE;
	path.max_size = opt->max_size;
	rc = dump_open_input(run, &in, err);
	if (rc)
		return rc;
	do
		rc = dump_at_level(run, &in, &path, opt->levels[level], err);
	while (dump_wants_next_level(run, level++, rc, err));
	input_close(&in);
	if (rc)
		dump_name_incomplete(run, &path);
	else if (opt->dry_run)
		dump_say(&run->show, MESSAGE_COMMON, "\nDry run: nothing is written; the dumpfile would have %llu bytes.\n",
			 (unsigned long long)path.null.size);
	else
		dump_say_saved(run, dump_output_name(run));
	return rc;
}
