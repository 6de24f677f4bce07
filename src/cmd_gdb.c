// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The debuggers, started on a core with the arguments that they need: gdb, drgn, crash.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/cmd.h"
#include "src/kobject.h"

static const char help_gdb[] =
	"usage: kcapture gdb CORE [VMLINUX [MODULE.ko...]] [-- GDB-ARGUMENT...]\n"
	"\n"
	"Start gdb on a core of any format: symbols where the kernel ran, every task a thread. VMLINUX and MODULE.ko are files\n"
	"with debug information; without VMLINUX the symbols and frame descriptions come from the core itself (kcapture symbols).\n"
	"\n"
	"  -h, --help       this text\n";

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
#define SECTIONS_MAX 128
#define NAME_CHARS "._-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

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

/* --- where a module's sections were --------------------------------------------------------------------------------------- */

/* Since 6.14 an attribute's address is its "private"; before it had a structure around it. */
static bool read_section(struct session *s, vaddr_t attr, bool old, char *name, size_t size, vaddr_t *addr_ret)
{
	if (old)
		return kobject_string(s, attr, "module_sect_attr", "battr.attr.name", name, size) &&
		       kobject_uint(s, attr, "module_sect_attr", "address", addr_ret);
	return kobject_string(s, attr, "bin_attribute", "attr.name", name, size) &&
	       kobject_uint(s, attr, "bin_attribute", "private", addr_ret);
}

static void add_sections(struct session *s, const struct module *mod, char *command, size_t size)
{
	bool old = btf_size(&s->btf, "struct module_sect_attr");
	uint64_t stride = btf_size(&s->btf, old ? "struct module_sect_attr" : "struct bin_attribute");
	vaddr_t attrs = kobject_get(s, mod->addr, "module", "sect_attrs"), addr;
	uint64_t nr;
	char name[64];

	if (!attrs || !stride)
		return;
	/* Without a number, a name that is missing ends them. */
	if (!kobject_uint(s, attrs, "module_sect_attrs", "nsections", &nr))
		nr = SECTIONS_MAX;
	attrs = kobject_member(s, attrs, "module_sect_attrs", "attrs");
	for (uint64_t i = 0; attrs && i < min_u64(nr, SECTIONS_MAX); i++, attrs += stride) {
		size_t len = strlen(command);

		if (!read_section(s, attrs, old, name, sizeof(name), &addr))
			return;
		/* What has no such name is no section of the file, and would be more than a name to gdb. */
		if (name[0] == '.' && strspn(name, NAME_CHARS) == strlen(name) && !strstr(name, "strtab") && !strstr(name, "symtab"))
			snprintf(command + len, size - len, " -s %s 0x%llx", name, (unsigned long long)addr);
	}
}

/* "dir/virtio_net.ko.debug" is of the module virtio_net; '-' and '_' are the same. */
static const struct module *module_of(struct session *s, const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t len = strcspn(name, ".");

	for (unsigned int i = 0; i < s->symbols.modules.nr; i++) {
		const struct module *mod = &s->symbols.modules.list[i];
		size_t j = 0;

		while (j < len && (mod->name[j] == name[j] || (mod->name[j] == '_' && name[j] == '-')))
			j++;
		if (j == len && !mod->name[len])
			return mod;
	}
	return NULL;
}

static int add_module(struct session *s, const char *path, struct args *args)
{
	const struct module *mod = module_of(s, path);
	char command[8192];

	if (!mod)
		return cmd_fail("%s: no module of that name was loaded", path);
	strcpy(command, "add-symbol-file ");
	quote_name(path, command + strlen(command), 4096);
	add_sections(s, mod, command, sizeof(command));
	add_command(args, command);
	return 0;
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
static int run(char *const argv[], bool quiet)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (quiet)
			dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(cmd_fail("%s: %s", argv[0], strerror(errno)));
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return cmd_fail("%s: %s", argv[0], strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The symbols of the core itself, in a file that lives as long as gdb does. */
static int make_symbols(const char *program, const char *core, char dir[], char *path, size_t size)
{
	char *argv[] = { (char *)program, "symbols", "-f", "-o", path, (char *)core, NULL };

	if (!mkdtemp(dir))
		return cmd_fail("%s: %s", dir, strerror(errno));
	snprintf(path, size, "%s/symbols", dir);
	return run(argv, true);
}

static int add_debug_files(struct session *s, char **files, int nr, struct args *args)
{
	char command[4200] = "symbol-file ";
	int rc = 0;

	quote_name(files[0], command + strlen(command), 4096);
	snprintf(command + strlen(command), 64, " -o 0x%llx", (unsigned long long)s->kernel.kaslr_offset);
	add_command(args, command);
	for (int i = 1; i < nr && !rc; i++)
		rc = add_module(s, files[i], args);
	return rc;
}

static void add_target(struct args *args, const char *program, const char *core)
{
	char command[8400] = "target remote | exec ";

	quote_name(program, command + strlen(command), 4096);
	strcat(command, " gdbserver ");
	quote_name(core, command + strlen(command), 4096);
	add_command(args, command);
}

static int start_gdb(char **files, int nr, char **more)
{
	static struct session s;
	static struct args args;
	char dir[] = "/tmp/kcapture-XXXXXX", symbols[64] = "", program[4096];
	struct error err;
	int rc;

	if (self(program, sizeof(program)))
		return 1;
	if (session_open(&s, files[0], SESSION_TYPES, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	add(&args, "gdb");
	add(&args, "-q");
	add_command(&args, "set confirm off");
	if (nr > 1) {
		rc = add_debug_files(&s, files + 1, nr - 1, &args);
	} else {
		char command[80];

		rc = make_symbols(program, files[0], dir, symbols, sizeof(symbols));
		snprintf(command, sizeof(command), "symbol-file %s", symbols);
		add_command(&args, command);
	}
	session_close(&s);
	add_target(&args, program, files[0]);
	for (; *more; more++)
		add(&args, *more);
	if (!rc)
		rc = run(args.argv, false);
	if (symbols[0]) {
		unlink(symbols);
		rmdir(dir);
	}
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

/* Options are for the tool, and behind "--"; what stands before are files. */
static int start(int argc, char **argv, const char *help, int (*tool)(char **files, int nr, char **more))
{
	int nr = 1;

	while (nr < argc && strcmp(argv[nr], "--")) {
		if (!strcmp(argv[nr], "-h") || !strcmp(argv[nr], "--help")) {
			fputs(help, stdout);
			return 0;
		}
		if (argv[nr][0] == '-' && argv[nr][1])
			return usage_error(argv[0], "unknown option %s", argv[nr]);
		nr++;
	}
	if (nr == 1)
		return usage_error(argv[0], "an argument is missing");
	return tool(argv + 1, nr - 1, argv + (nr < argc ? nr + 1 : nr));
}

int cmd_gdb(int argc, char **argv)
{
	return start(argc, argv, help_gdb, start_gdb);
}

int cmd_drgn(int argc, char **argv)
{
	return start(argc, argv, help_drgn, start_drgn);
}

int cmd_crash(int argc, char **argv)
{
	return start(argc, argv, help_crash, start_crash);
}
