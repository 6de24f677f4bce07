// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * makedumpfile's work under makedumpfile's command line: `kcapture dump`, and the program itself when it is called by that
 * name. The two differ in how they call themselves, in the exit codes of wrong use (2 and 1) and of a kernel that is not
 * the one of -i (1 and 2), and in what a dump that could not be finished is called (DUMPFILE-incomplete and DUMPFILE).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/cmd.h"
#include "src/dump_dmesg.h"
#include "src/dump_run.h"
#include "src/mem_usage.h"
#include "src/rearrange.h"

static const char help[] =
	"usage: %s [OPTIONS] VMCORE DUMPFILE\n"
	"       %s -F [OPTIONS] VMCORE > FLATTENED\n"
	"       %s -R DUMPFILE < FLATTENED\n"
	"       %s --split [OPTIONS] VMCORE DUMPFILE DUMPFILE...\n"
	"       %s --reassemble DUMPFILE DUMPFILE... DUMPFILE\n"
	"       %s --dump-dmesg [--partial-dmesg] VMCORE LOGFILE\n"
	"       %s --mem-usage /proc/kcore\n"
	"\n"
	"Make a small dump of VMCORE (/proc/vmcore, or any dump that kcapture reads) for crash, drgn and gdb. The options are\n"
	"those of makedumpfile(8); a link named makedumpfile to this program stands in for it.\n"
	"\n"
	"  -c, -l, -z           compress each page: zlib, lzo, zstd (-p, snappy, is answered with lzo)\n"
	"  -d N[,N...]          dump level 0..31, what is left out: 1 zero pages, 2 page cache, 4 page cache with private data\n"
	"                       too, 8 user memory, 16 free pages, or a sum of these; the next one when room is short\n"
	"  -E                   an ELF core, for gdb too, instead of the kdump-compressed format; -E -z is one in seekable zstd\n"
	"  -F                   flattened, to standard output; -R makes a file of it again\n"
	"  -f                   replace DUMPFILE\n"
	"  -L SIZE              no more than SIZE[K|M|G] bytes\n"
	"  --num-threads N      N workers compress\n"
	"  --message-level N    sum of 1 progress, 2 common, 4 error, 8 debug, 16 report (default 7); -D is 31\n"
	"  --show-stats         what was left out, in pages\n"
	"  --dry-run            everything but writing\n"
	"  --check-params       are the options good? nothing else\n"
	"  -i VMCOREINFO        what is dumped is refused unless it is of this kernel release\n"
	"  -b -x --cyclic-buffer --non-mmap --splitblock-size --work-dir   accepted, and not needed\n"
	"  -v, -h               versions, this text\n"
	"\n"
	"Exit code: 0 done, 1 failed; by the name of makedumpfile 2 when -i is of another release, else of wrong use.\n";

/* LOGFILE, new or by force, readable by its owner only: logs hold secrets. */
static FILE *open_log(const char *name, bool force, struct error *err)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | (force ? 0 : O_EXCL), 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		fail(err, -errno, "%s: %s", name, strerror(errno));
	return file;
}

static int save_dmesg(struct dump_run *run, struct error *err)
{
	static struct input in;
	const struct dump_options *opt = &run->opt;
	struct kernel kernel;
	FILE *file;
	int rc = dump_open_input(run, &in, err);

	if (rc)
		return rc;
	file = opt->flat ? stdout : open_log(opt->operands[1], opt->force, err);
	if (file) {
		kernel_init(&kernel, &in.crash, &in.chain.mem, &run->show.log);
		rc = dump_dmesg(&kernel, opt->partial_dmesg, file, err);
		if (file != stdout && fclose(file) && !rc)
			rc = fail(err, -errno, "%s: %s", opt->operands[1], strerror(errno));
	}
	input_close(&in);
	if (!file)
		return err->code;
	if (!rc)
		dump_say(&run->show, MESSAGE_COMMON, "\nThe dmesg log is saved to %s.\n", dump_output_name(run));
	return rc;
}

static int rearrange_stdin(struct dump_run *run, struct error *err)
{
	static struct output_path path;
	int rc = output_path_init(&path, run->opt.operands[0], NULL, run->opt.force, err);

	if (rc)
		return rc;
	if (run->opt.dry_run)
		path.kind = OUTPUT_NOWHERE;
	rc = rearrange(STDIN_FILENO, &path, err);
	if (rc)
		dump_name_incomplete(run, &path);
	else
		dump_say_saved(run, path.name);
	return rc;
}

static int print_help(const struct dump_run *run)
{
	const char *name = run->makedumpfile ? "makedumpfile" : "kcapture dump";

	printf(help, name, name, name, name, name, name, name);
	return 0;
}

/* Programs look for the version in the first line, people for the codecs in the others. */
static int print_version(void)
{
	puts("makedumpfile: version 1.7.2 (kcapture " KCAPTURE_VERSION " in its place)");
	puts("lzo\tenabled\nsnappy\tdisabled\nzstd\tenabled\n");
	return 0;
}

static int execute(struct dump_run *run, struct error *err)
{
	if (run->opt.snappy)
		dump_say(&run->show, MESSAGE_COMMON,
			 "'-p' is not available, snappy is not written any more: lzo instead.\n");
	switch (run->opt.mode) {
	case DUMP_MODE_DUMP: return run->opt.split ? dump_split(run, err) : dump_whole(run, err);
	case DUMP_MODE_DMESG: return save_dmesg(run, err);
	case DUMP_MODE_REARRANGE: return rearrange_stdin(run, err);
	case DUMP_MODE_MEM_USAGE:
		return mem_usage(run->opt.operands[0], run->show.messages & MESSAGE_COMMON ? stdout : NULL, &run->show.log, err);
	default: return dump_reassemble(run, err);
	}
}

static int wrong_use(const struct dump_run *run, int rc, const struct error *err)
{
	if (!run->makedumpfile)
		return rc == -EOPNOTSUPP ? cmd_fail("%s", err->text) : usage_error("dump", "%s", err->text);
	dump_say(&run->show, MESSAGE_ERROR, "makedumpfile: %s", err->text);
	if (run->opt.check_only)
		return 1;
	if (rc != -EOPNOTSUPP)
		dump_say(&run->show, MESSAGE_COMMON,
			 "Commandline parameter is invalid.\nTry `makedumpfile --help' for more information.\n");
	dump_say(&run->show, MESSAGE_COMMON, "\nmakedumpfile Failed.\n");
	return 1;
}

static int main_dump(int argc, char **argv, bool makedumpfile)
{
	static struct dump_run run;
	struct error err;
	int rc = dump_options_parse(&run.opt, argc, argv, &err);

	run.makedumpfile = makedumpfile;
	dump_show_init(&run.show, &run.opt);
	if (rc)
		return wrong_use(&run, rc, &err);
	if (run.opt.mode == DUMP_MODE_HELP)
		return print_help(&run);
	if (run.opt.mode == DUMP_MODE_VERSION)
		return print_version();
	if (run.opt.check_only)
		return 0;
	rc = execute(&run, &err);
	if (rc)
		dump_say(&run.show, MESSAGE_ERROR, "%s: %s", makedumpfile ? "makedumpfile" : "kcapture", err.text);
	if (makedumpfile && (rc || run.opt.mode != DUMP_MODE_MEM_USAGE))
		dump_say(&run.show, MESSAGE_COMMON, "\nmakedumpfile %s.\n", rc ? "Failed" : "Completed");
	return makedumpfile && run.other_release ? 2 : rc ? 1 : 0;
}

int cmd_dump(int argc, char **argv)
{
	return main_dump(argc, argv, false);
}

int cmd_makedumpfile(int argc, char **argv)
{
	return main_dump(argc, argv, true);
}
