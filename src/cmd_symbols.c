// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "src/cmd.h"
#include "src/symbol_file.h"

static const char help[] =
	"usage: kcapture symbols [OPTIONS] CORE -o FILE\n"
	"\n"
	"Write the symbols of the crashed kernel and its modules as an ELF file, at the addresses that they had when it ran,\n"
	"with frame descriptions made of its ORC tables, so that gdb unwinds without vmlinux:\n"
	"  gdb -ex 'core CORE' -ex 'symbol-file FILE' -ex bt\n"
	"\n"
	"  -o, --output FILE   the file; - is standard output\n"
	"  -f, --force         replace FILE\n"
	"  -h, --help          this text\n";

static int write_file(struct session *s, const char *name, bool force)
{
	struct symbol_file_stats stats;
	struct error err;

	if (symbol_file_save(s, SYMBOL_FILE_KERNEL | SYMBOL_FILE_MODULES | SYMBOL_FILE_FRAMES, name, force, &stats, &err))
		return cmd_fail("%s", err.text);
	if (strcmp(name, "-"))
		printf("%s: %u symbols of the kernel, %u of its %u modules, %u frame descriptions\n", name, stats.nr_kernel,
		       stats.nr_modules, s->symbols.modules.nr, stats.nr_frames);
	return 0;
}

int cmd_symbols(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "force", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct session s;
	const char *name = NULL;
	struct error err;
	bool force = false;
	int opt, rc;

	while ((opt = cmd_getopt(argc, argv, ":o:fh", options, help, 1)) != -1) {
		switch (opt) {
		case 'o': name = optarg; break;
		case 'f': force = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	if (!name)
		return usage_error(argv[0], "-o FILE is missing");
	if (session_open(&s, argv[optind], SESSION_SYMBOLS, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	if (!(s.have & SESSION_MODULES))
		cmd_fail("%s: without modules: %s", s.path, s.missing.text);
	rc = write_file(&s, name, force);
	session_close(&s);
	return rc;
}
