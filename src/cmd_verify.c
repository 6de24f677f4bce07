// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/cmd.h"
#include "src/input.h"
#include "src/sys.h"
#include "src/verify.h"
#include "src/verify_dir.h"

static const char help[] =
	"usage: kcapture verify [OPTIONS] CORE...|DIR\n"
	"\n"
	"Check that CORE conforms to its format, that gdb, crash, drgn and makedumpfile open it, and that it is complete:\n"
	"an ELF core or a kdump-compressed dump, also flattened. Of a compressed one all data is decoded, and a seek table is\n"
	"held against what it is about. Several are the pieces of a dump that was split. Of a dump's directory DIR every file\n"
	"is compared with SHA256SUMS as well; so is a CORE that has one beside it.\n"
	"One line for each defect, then the verdict. Exit code 0: it can be trusted; 1: it cannot.\n"
	"\n"
	"      --quick      no page data, the headers and descriptors alone\n"
	"  -q, --quiet      only the exit code\n"
	"  -h, --help       this text\n";

/* A dump that lost a disk block has thousands. */
#define DEFECTS_SHOWN 20

void verify_defect(struct verify *v, const char *fmt, ...)
{
	size_t len = strlen(v->path);
	char text[512];
	va_list ap;

	if (v->nr_defects++ >= DEFECTS_SHOWN || v->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* The engine's errors may name the file already. */
	if (!strncmp(text, v->path, len) && text[len] == ':')
		puts(text);
	else
		printf("%s: %s\n", v->path, text);
}

/* What is wrong with the file as a whole shows in other ways: what is said before the data is read is not repeated. */
static void emit_defect(struct log *log, enum log_level level, const char *line)
{
	struct verify *v = container_of(log, struct verify, log);

	if (v->reading && level <= LOG_LEVEL_WARN)
		verify_defect(v, "%s", line);
}

/* What was written is not what is there, whatever it looks like. Without a sum nothing is known, and nothing said. */
static void check_sum(struct verify *v)
{
	int rc = verify_sum(v->path);

	if (rc && rc != -ENOENT)
		verify_defect(v, "%s", rc == -EILSEQ ? "has changed since it was written (SHA256SUMS)" : strerror(-rc));
}

static bool is_plain_elf(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t magic[4];
	bool is_elf = fd >= 0 && !read_all_at(fd, 0, magic, sizeof(magic)) && !memcmp(magic, "\177ELF", 4);

	if (fd >= 0)
		close(fd);
	return is_elf;
}

/* Headers that our own reader refuses are left to libelf's opinion. */
static int verify_plain(struct verify *v)
{
	int fd = open(v->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return cmd_fail("%s: %s", v->path, strerror(errno));
	verify_elf(v, fd);
	close(fd);
	return 0;
}

static int verify_input(struct verify *v, char *const *paths, unsigned int nr)
{
	static struct input in;
	struct error err;
	struct mem *source;

	if (access(v->path, R_OK))
		return cmd_fail("%s: %s", v->path, strerror(errno));
	v->log.emit = emit_defect;
	if (input_files_open(&in, paths, nr, &v->log, &err)) {
		verify_defect(v, "%s", err.text);
		return 0;
	}
	for (unsigned int i = 0; (source = input_source(&in, i)); i++) {
		if (mem_check_whole(source, &err))
			verify_defect(v, "%s", err.text);
		if (mem_check(source, &err))
			verify_defect(v, "%s", err.text);
	}
	v->reading = true;
	if (in.kdump)
		verify_kdump(v, &in);
	else
		verify_wrapped_elf(v, &in);
	input_close(&in);
	return 0;
}

static int verdict(const struct verify *v)
{
	if (v->quiet)
		return v->nr_defects != 0;
	if (v->nr_defects > DEFECTS_SHOWN)
		printf("%s: ... and %u more\n", v->path, v->nr_defects - DEFECTS_SHOWN);
	if (v->nr_defects)
		printf("%s: NOT trustworthy: %u defect%s\n", v->path, v->nr_defects, v->nr_defects == 1 ? "" : "s");
	else
		printf("%s: conforming and complete: %s\n", v->path, v->summary);
	return v->nr_defects != 0;
}

static int verify_paths(struct verify *v, char *const *paths, unsigned int nr)
{
	int rc;

	v->path = paths[0];
	if (nr == 1 && is_plain_elf(v->path))
		rc = verify_plain(v);
	else
		rc = verify_input(v, paths, nr);
	return rc ? rc : verdict(v);
}

int verify_core(const char *path, bool quiet)
{
	struct verify v = { .quiet = quiet };

	return verify_paths(&v, (char *const *)&path, 1);
}

int cmd_verify(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quick", no_argument, NULL, 'Q' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct verify v = { .quiet = false };
	struct stat st;
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":qh", options, help, -1)) != -1) {
		switch (opt) {
		case 'Q': v.quick = true; break;
		case 'q': v.quiet = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	if (!stat(argv[optind], &st) && S_ISDIR(st.st_mode) && argc - optind == 1)
		return verify_dir(argv[optind], v.quiet);
	for (int i = optind; i < argc; i++) {
		v.path = argv[i];
		check_sum(&v);
	}
	return verify_paths(&v, argv + optind, argc - optind);
}
