// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/capture.h"
#include "src/cmd.h"
#include "src/config_format.h"
#include "src/output_path.h"
#include "src/rearrange.h"

static const char help[] =
	"usage: kcapture copy [OPTIONS] IN... OUT\n"
	"\n"
	"Copy the dump IN to OUT. IN is an ELF core or a kdump-compressed dump, plain or flattened, in a file or on a device\n"
	"that it was written to; several are the pieces of one that was split. OUT is a file, which becomes sparse and gets\n"
	"its name only when it is whole; a block device; or \"-\" for standard output in makedumpfile's flattened form.\n"
	"\n"
	"  -d, --level N     dump level 0..31, what is left out: 2 page cache, 4 page cache with private data too, 8 user\n"
	"                    memory, 16 free pages, or a sum of these; zero pages (1) are holes in any case (default 0).\n"
	"                    What IN lacks stays out\n"
	"      --format F    elf (default) or kdump, the kdump-compressed format\n"
	"      --compress C  none (default), zlib, lzo or zstd; an ELF core only none or zstd\n"
	"  -j, --jobs N      so many processes read and compress (default 1)\n"
	"  -R, --rearrange   put the flattened IN (\"-\" = standard input) together again as it is, whatever it holds\n"
	"  -f, --force       replace OUT, or overwrite the block device OUT\n"
	"      --no-aliases  add no segments for vmalloc addresses (stacks and modules in gdb)\n"
	"      --all-aliases add them all, even if there are more program headers then than every reader takes (65534);\n"
	"                    stacks and modules come first\n"
	"  -q, --quiet       no progress\n"
	"  -h, --help        this text\n";

struct options {
	char **ins;
	unsigned int nr_ins;
	struct config cfg;		/* format, codec, jobs, levels */
	unsigned int max_aliases;
	bool many_headers, quiet, rearrange, force;
};

static void show(struct progress *progress, const char *line)
{
	(void)progress;
	fprintf(stderr, "\r%s ", line);
}

static int copy(struct options *opts, struct output_path *out)
{
	static struct capture c;
	static struct input in;
	struct progress progress = { .show = !opts->quiet && isatty(STDERR_FILENO) ? show : NULL };
	struct error err;
	int rc = input_files_open(&in, opts->ins, opts->nr_ins, stderr_log(), &err);

	if (rc)
		return cmd_fail("%s", err.text);
	c = (struct capture){
		.in = &in,
		.out = &out->out,
		.log = stderr_log(),
		.progress = &progress,
		.max_aliases = opts->max_aliases,
		.many_headers = opts->many_headers,
		.format = opts->cfg.format,
		.codec = opts->cfg.codec,
		.jobs = opts->cfg.jobs,
		.nr_levels = opts->cfg.nr_levels,
	};
	memcpy(c.levels, opts->cfg.levels, sizeof(c.levels));
	rc = capture(&c, &err);
	if (progress.shown_ms != progress.start_ms && progress.show)
		fputc('\n', stderr);
	if (c.holes.nr_ranges)
		fprintf(stderr, "kcapture: %s: %llu bytes in %llu ranges are not there, zero-filled\n", opts->ins[0],
			(unsigned long long)c.holes.nr_bytes, (unsigned long long)c.holes.nr_ranges);
	capture_deinit(&c);
	input_close(&in);
	return rc ? cmd_fail("%s", err.text) : 0;
}

static int rearrange_file(const char *in_name, struct output_path *out)
{
	bool is_stdin = !strcmp(in_name, "-");
	int fd = is_stdin ? STDIN_FILENO : open(in_name, O_RDONLY | O_CLOEXEC), rc;
	struct error err;

	if (fd < 0)
		return cmd_fail("%s: %s", in_name, strerror(errno));
	rc = rearrange(fd, out, &err);
	if (!is_stdin)
		close(fd);
	return rc ? cmd_fail("%s: %s", is_stdin ? "standard input" : in_name, err.text) : 0;
}

static int parse(int opt, struct options *opts)
{
	struct error err = { .text = "" };

	switch (opt) {
	case 'd':
		opts->cfg.nr_levels = levels_parse(optarg, opts->cfg.levels);
		return opts->cfg.nr_levels ? 0 : usage_error("copy", "dump level \"%s\" is not a number from 0 to 31", optarg);
	case 'F': return config_set_format(&opts->cfg, "format", optarg, &err) ? usage_error("copy", "%s", err.text) : 0;
	case 'C': return config_set_compress(&opts->cfg, "compress", optarg, &err) ? usage_error("copy", "%s", err.text) : 0;
	case 'j': return config_set_jobs(&opts->cfg, "jobs", optarg, &err) ? usage_error("copy", "%s", err.text) : 0;
	case 'R': opts->rearrange = true; return 0;
	case 'f': opts->force = true; return 0;
	case 'A': opts->max_aliases = 0; return 0;
	case 'X': opts->many_headers = true; return 0;
	case 'q': opts->quiet = true; return 0;
	default: return opt == 'h' ? 'h' : 2;
	}
}

static int check(const struct options *opts, const struct output_path *out)
{
	const char *refusal = format_refuses(opts->cfg.format, opts->cfg.codec);

	if (*refusal)
		return usage_error("copy", "%s", refusal);
	if (out->kind == OUTPUT_STDOUT && isatty(STDOUT_FILENO))
		return usage_error("copy", "standard output is a terminal");
	if (opts->rearrange && out->kind == OUTPUT_STDOUT)
		return usage_error("copy", "-R needs an output that can seek, a file or a block device");
	if (opts->rearrange && opts->nr_ins > 1)
		return usage_error("copy", "-R takes one input, unexpected argument \"%s\"", opts->ins[1]);
	return 0;
}

int cmd_copy(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "level", required_argument, NULL, 'd' },
		{ "format", required_argument, NULL, 'F' },
		{ "compress", required_argument, NULL, 'C' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "rearrange", no_argument, NULL, 'R' },
		{ "force", no_argument, NULL, 'f' },
		{ "no-aliases", no_argument, NULL, 'A' },
		{ "all-aliases", no_argument, NULL, 'X' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct output_path out;
	static struct options opts = { .max_aliases = UINT_MAX };
	struct error err;
	int opt, rc;

	while ((opt = cmd_getopt(argc, argv, ":d:j:Rfqh", longs, help, -2)) != -1) {
		rc = parse(opt, &opts);
		if (rc)
			return rc == 'h' ? 0 : rc;
	}
	opts.ins = argv + optind;
	opts.nr_ins = argc - optind - 1;
	for (unsigned int i = 0; i < opts.nr_ins; i++)
		if (output_path_init(&out, argv[argc - 1], opts.ins[i], opts.force, &err))
			return cmd_fail("%s", err.text);
	rc = check(&opts, &out);
	if (rc)
		return rc;
	return opts.rearrange ? rearrange_file(opts.ins[0], &out) : copy(&opts, &out);
}
