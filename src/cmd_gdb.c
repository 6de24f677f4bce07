// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The debuggers, started on a core with the arguments that they need: gdb, drgn, crash.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/cmd.h"
#include "src/debug_files.h"
#include "src/gdb_script.h"

static const char help_gdb[] =
	"usage: kcapture gdb [OPTIONS] CORE [VMLINUX [MODULE.ko...]] [-- GDB-ARGUMENT...]\n"
	"\n"
	"Start gdb on a core of any format: symbols where the kernel ran, every task a thread. VMLINUX and MODULE.ko are files\n"
	"with debug information; without VMLINUX the symbols and frame descriptions come from the core itself (kcapture symbols).\n"
	"Files of other modules are looked for by build id below /usr/lib/debug/.build-id, and by name below\n"
	"/usr/lib/debug/lib/modules/RELEASE and /lib/modules/RELEASE.\n"
	"\n"
	"  -D, --debug-dir DIR  look for files of modules here first: by build id below DIR/.build-id, by name anywhere below DIR\n"
	"  -k, --keep DIR       start nothing: leave the commands and symbols in DIR, for gdb -ex 'core CORE' -x DIR/commands\n"
	"  -h, --help           this text\n";

static const char help_drgn[] =
	"usage: kcapture drgn CORE [VMLINUX [MODULE.ko...]] [-- DRGN-ARGUMENT...]\n"
	"\n"
	"Start drgn on a core.\n"
	"\n"
	"  -h, --help       this text\n";

static const char help_crash[] =
	"usage: kcapture crash CORE VMLINUX [-- CRASH-ARGUMENT...]\n"
	"\n"
	"Start crash on a core.\n"
	"\n"
	"  -h, --help       this text\n";

#define ARGS_MAX 1024

/* An argument vector that owns its strings. */
struct args {
	char *argv[ARGS_MAX];
	unsigned int nr;
};

static void add(struct args *args, const char *text)
{
	if (args->nr < ARGS_MAX - 1)
		args->argv[args->nr++] = strdup(text);
	args->argv[args->nr] = NULL;
}

static void add_command(struct args *args, const char *command)
{
	add(args, "-ex");
	add(args, command);
}

/* gdb reads its commands as a shell would: quotes around a name, and escapes in it. */
static void quote_name(const char *name, char *ret, size_t size)
{
	size_t len = 0;

	for (; *name && len + 3 < size; name++) {
		if (strchr(" \\\"'$`&|;<>()", *name))
			ret[len++] = '\\';
		ret[len++] = *name;
	}
	ret[len] = 0;
}

/* --- starting ----------------------------------------------------------------------------------------------------------- */

static int self(char *ret, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", ret, size - 1);

	if (len < 0)
		return cmd_fail("/proc/self/exe: %s", strerror(errno));
	ret[len] = 0;
	return 0;
}

/* Run it and wait; its exit code. */
static int run(char *const argv[])
{
	pid_t child = fork();
	int status;

	if (!child) {
		execvp(argv[0], argv);
		_exit(cmd_fail("%s: %s", argv[0], strerror(errno)));
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return cmd_fail("%s: %s", argv[0], strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void add_target(struct args *args, const char *program, const char *core)
{
	char command[8400] = "target remote | exec ";

	quote_name(program, command + strlen(command), 4096);
	strcat(command, " gdbserver ");
	quote_name(core, command + strlen(command), 4096);
	add_command(args, command);
}

/* What a directory of ours holds, and itself. */
static void remove_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(path);
}

/* The symbols into script->dir. */
static int write_script(const char *core, struct gdb_script *script)
{
	static struct session s;
	struct error err;
	unsigned int nr;
	int rc;

	if (session_open(&s, core, script->vmlinux ? 0 : SESSION_SYMBOLS, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	rc = gdb_script_write(&s, script, &err);
	nr = s.symbols.modules.nr;
	session_close(&s);
	if (rc)
		return cmd_fail("%s", err.text);
	if (script->nr_found < nr && script->vmlinux)
		fprintf(stderr, "kcapture: debug information of %u modules of %u\n", script->nr_found, nr);
	return 0;
}

static int keep_script(const char *core, struct gdb_script *script)
{
	if (mkdir(script->dir, 0777) && errno != EEXIST)
		return cmd_fail("%s: %s", script->dir, strerror(errno));
	if (write_script(core, script))
		return 1;
	printf("gdb -ex 'core %s' -x %s/" GDB_COMMANDS "\n", core, script->dir);
	return 0;
}

static int start_gdb(char **files, char **more, struct gdb_script *script)
{
	static struct args args;
	char dir[] = "/tmp/kcapture-XXXXXX", program[4096], commands[64];
	int rc;

	if (self(program, sizeof(program)))
		return 1;
	script->dir = mkdtemp(dir);
	if (!script->dir)
		return cmd_fail("%s: %s", dir, strerror(errno));
	rc = write_script(files[0], script);
	snprintf(commands, sizeof(commands), "%s/" GDB_COMMANDS, dir);
	add(&args, "gdb");
	add(&args, "-q");
	add(&args, "-x");
	add(&args, commands);
	add_target(&args, program, files[0]);
	for (; *more; more++)
		add(&args, *more);
	if (!rc)
		rc = run(args.argv);
	remove_dir(dir);
	for (unsigned int i = 0; i < args.nr; i++)
		free(args.argv[i]);
	return rc;
}

static int start_drgn(char **files, int nr, char **more)
{
	static struct args args;

	add(&args, "drgn");
	add(&args, "-c");
	add(&args, files[0]);
	for (int i = 1; i < nr; i++) {
		add(&args, "-s");
		add(&args, files[i]);
	}
	for (; *more; more++)
		add(&args, *more);
	execvp("drgn", args.argv);
	return cmd_fail("drgn: %s", strerror(errno));
}

static int start_crash(char **files, int nr, char **more)
{
	static struct args args;

	if (nr != 2)
		return usage_error("crash", "CORE and VMLINUX are needed");
	add(&args, "crash");
	add(&args, files[1]);
	add(&args, files[0]);
	for (; *more; more++)
		add(&args, *more);
	execvp("crash", args.argv);
	return cmd_fail("crash: %s", strerror(errno));
}

/* Where "--" stands, or argc: what is behind it is for the tool. */
static int find_end(int argc, char **argv)
{
	int end = 1;

	while (end < argc && strcmp(argv[end], "--"))
		end++;
	return end;
}

int cmd_gdb(int argc, char **argv)
{
	static const struct option options[] = {
		{ "debug-dir", required_argument, NULL, 'D' },
		{ "keep", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *dirs[DEBUG_DIRS_MAX + 1] = { NULL };
	int end = find_end(argc, argv), nr_dirs = 0, opt;
	struct gdb_script script = { .debug_dirs = dirs };
	char **more = argv + (end < argc ? end + 1 : end);

	argv[end] = NULL;
	while ((opt = cmd_getopt(end, argv, ":D:k:h", options, help_gdb, -1)) != -1) {
		switch (opt) {
		case 'D':
			if (nr_dirs == DEBUG_DIRS_MAX)
				return usage_error(argv[0], "more than %d directories", DEBUG_DIRS_MAX);
			dirs[nr_dirs++] = optarg;
			break;
		case 'k': script.dir = optarg; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	script.vmlinux = argv[optind + 1];
	script.modules = argv + optind + 2;
	script.nr_modules = end - optind > 2 ? end - optind - 2 : 0;
	return script.dir ? keep_script(argv[optind], &script) : start_gdb(argv + optind, more, &script);
}

/* drgn's and crash's options are behind "--" all. */
static int start(int argc, char **argv, const char *help, int (*tool)(char **files, int nr, char **more))
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	int end = find_end(argc, argv), opt;
	char **more = argv + (end < argc ? end + 1 : end);

	argv[end] = NULL;
	opt = cmd_getopt(end, argv, ":h", options, help, -1);
	if (opt != -1)
		return opt == 'h' ? 0 : 2;
	return tool(argv + optind, end - optind, more);
}

int cmd_drgn(int argc, char **argv)
{
	return start(argc, argv, help_drgn, start_drgn);
}

int cmd_crash(int argc, char **argv)
{
	return start(argc, argv, help_crash, start_crash);
}
