// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfcore/page.h"
#include "src/capture.h"
#include "src/cmd.h"
#include "src/sinks.h"

static const char help[] =
	"usage: kcapture copy [OPTIONS] IN OUT\n"
	"\n"
	"Copy the core IN (a file, or a device that a dump was written to) to OUT: a file, which becomes sparse and gets\n"
	"its name only when it is whole; a block device; or \"-\" for standard output in makedumpfile's flattened form.\n"
	"\n"
	"  -d, --level N     dump level 0..31, what is left out: 2 page cache, 4 page cache with private data too, 8 user\n"
	"                    memory, 16 free pages, or a sum of these; zero pages (1) are holes in any case (default 0)\n"
	"  -f, --force       replace OUT, or overwrite the block device OUT\n"
	"      --no-aliases  add no segments for vmalloc addresses (stacks and modules in gdb)\n"
	"  -q, --quiet       no progress\n"
	"  -h, --help        this text\n";

struct copy {
	struct output out;
	const char *name;
	struct stat st;
	bool exists;
	struct sink_file file;
	struct sink_block block;
	struct sink_stream stream;
};

static int open_file(struct copy *copy, struct sink **ret, struct error *err)
{
	char dir[4096] = ".";
	const char *slash = strrchr(copy->name, '/');

	if (slash && (size_t)(slash - copy->name) >= sizeof(dir))
		return fail(err, -ENAMETOOLONG, "%.100s...: %s", copy->name, strerror(ENAMETOOLONG));
	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", slash == copy->name ? 1 : (int)(slash - copy->name), copy->name);
	*ret = &copy->file.sink;
	return sink_file_open(&copy->file, dir, slash ? slash + 1 : copy->name, err);
}

static int copy_open(struct output *out, const struct kernel *kernel, const struct plan *plan, struct sink **ret,
		     struct error *err)
{
	struct copy *copy = container_of(out, struct copy, out);

	(void)kernel, (void)plan;
	if (!strcmp(copy->name, "-")) {
		sink_stream_init(&copy->stream, STDOUT_FILENO);
		*ret = &copy->stream.sink;
		return 0;
	}
	if (copy->exists && S_ISBLK(copy->st.st_mode)) {
		*ret = &copy->block.sink;
		return sink_block_open(&copy->block, copy->name, err);
	}
	return open_file(copy, ret, err);
}

static void copy_close(struct output *out)
{
	(void)out;
}

static void show(struct progress *progress, const char *line)
{
	(void)progress;
	fprintf(stderr, "\r%s ", line);
}

static int run(const char *in_name, struct copy *copy, bool aliases, unsigned int level, bool quiet)
{
	static struct capture c;
	static struct input in;
	struct progress progress = { .show = !quiet && isatty(STDERR_FILENO) ? show : NULL };
	struct error err;
	int rc = input_file_open(&in, in_name, stderr_log(), &err);

	if (rc)
		return cmd_fail("%s", err.text);
	c = (struct capture){
		.in = &in,
		.out = &copy->out,
		.log = stderr_log(),
		.progress = &progress,
		.aliases = aliases,
		.level = level,
	};
	rc = capture(&c, &err);
	if (progress.shown_ms != progress.start_ms && progress.show)
		fputc('\n', stderr);
	if (c.holes.nr_ranges)
		fprintf(stderr, "kcapture: %s: %llu bytes in %llu ranges are not there, zero-filled\n", in_name,
			(unsigned long long)c.holes.nr_bytes, (unsigned long long)c.holes.nr_ranges);
	capture_deinit(&c);
	input_close(&in);
	return rc ? cmd_fail("%s", err.text) : 0;
}

/* A block device can have several names. */
static bool same_file(const char *a, const struct stat *b)
{
	struct stat st;

	if (stat(a, &st))
		return false;
	if (S_ISBLK(st.st_mode) && S_ISBLK(b->st_mode))
		return st.st_rdev == b->st_rdev;
	return st.st_dev == b->st_dev && st.st_ino == b->st_ino;
}

static bool parse_level(const char *text, unsigned int *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*ret = n;
	return end != text && !*end && n <= DUMP_LEVEL_MAX;
}

int cmd_copy(int argc, char **argv)
{
	static const struct option options[] = {
		{ "level", required_argument, NULL, 'd' },
		{ "force", no_argument, NULL, 'f' },
		{ "no-aliases", no_argument, NULL, 'A' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct copy copy;
	bool force = false, aliases = true, quiet = false;
	unsigned int level = 0;
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":d:fqh", options, help, 2)) != -1) {
		switch (opt) {
		case 'd':
			if (!parse_level(optarg, &level))
				return usage_error("copy", "dump level \"%s\" is not a number from 0 to 31", optarg);
			break;
		case 'f': force = true; break;
		case 'A': aliases = false; break;
		case 'q': quiet = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	copy.out.open = copy_open;
	copy.out.close = copy_close;
	copy.name = argv[optind + 1];
	if (!strcmp(copy.name, "-")) {
		if (isatty(STDOUT_FILENO))
			return usage_error("copy", "standard output is a terminal");
		return run(argv[optind], &copy, aliases, level, quiet);
	}
	copy.exists = !stat(copy.name, &copy.st);
	if (copy.exists && same_file(argv[optind], &copy.st))
		return cmd_fail("%s and %s are the same file", argv[optind], copy.name);
	/* A rename over /dev/null would replace it. */
	if (copy.exists && !S_ISREG(copy.st.st_mode) && !S_ISBLK(copy.st.st_mode))
		return cmd_fail("%s is neither a file nor a block device", copy.name);
	if (copy.exists && !force)
		return cmd_fail("%s exists; --force replaces it", copy.name);
	return run(argv[optind], &copy, aliases, level, quiet);
}
