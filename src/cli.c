// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host command: one verb, one function (cmd.h).
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "src/cmd.h"
#include "src/guard.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} verbs[] = {
	{ "arm", cmd_arm, "check this machine, build the image and load it with kexec -p" },
	{ "disarm", cmd_disarm, "unload the capture kernel" },
	{ "status", cmd_status, "is this machine armed, and if not, what is missing" },
	{ "initramfs", cmd_initramfs, "write the image of the capture kernel" },
	{ "info", cmd_info, "what a core holds: identity, CPUs, segments, holes, completeness" },
	{ "dmesg", cmd_dmesg, "the crashed kernel's log, out of a core" },
	{ "bt", cmd_bt, "the stacks of CPUs and tasks" },
	{ "gdb", cmd_gdb, "gdb on a core, with symbols in place and every task a thread" },
	{ "gdbserver", cmd_gdbserver, "the other end of gdb's \"target remote |\"" },
	{ "drgn", cmd_drgn, "drgn on a core" },
	{ "crash", cmd_crash, "crash on a core" },
	{ "report", cmd_report, "one page about a crash, to look at" },
	{ "symbols", cmd_symbols, "write a symbol file for gdb, at run-time addresses" },
	{ "sym", cmd_sym, "the symbol at an address, or the address of a symbol" },
	{ "struct", cmd_struct, "the layout of a type, or the object at an address" },
	{ "rd", cmd_rd, "memory as numbers and text" },
	{ "vtop", cmd_vtop, "an address through the page tables" },
	{ "ps", cmd_ps, "the tasks, their states and what they wait for" },
	{ "mods", cmd_mods, "the modules that were loaded" },
	{ "mounts", cmd_mounts, "what was mounted" },
	{ "net", cmd_net, "network devices and their addresses" },
	{ "irqs", cmd_irqs, "interrupts and their handlers" },
	{ "locks", cmd_locks, "tasks that were blocked on a lock, and who held it" },
	{ "log", cmd_dmesg, "the same as dmesg" },
	{ "verify", cmd_verify, "check that a core conforms and is complete" },
	{ "dump", cmd_dump, "make a small dump with makedumpfile's options" },
	{ "estimate", cmd_estimate, "what a dump of this machine would take, and what crashkernel= it needs" },
	{ "copy", cmd_copy, "copy a core: from a device, to a stream, sparse again" },
	{ "receive", cmd_receive, "receive dumps over the network" },
};

static void print_help(FILE *out)
{
	fputs("usage: kcapture VERB [OPTIONS]\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\n\"kcapture VERB --help\" tells the options of a verb; the manual is kcapture(8).\n", out);
}

/* Is this the name that the program was called by? */
static bool called(const char *name, const char *wanted)
{
	const char *slash = strrchr(name, '/');

	return !strcmp(slash ? slash + 1 : name, wanted);
}

/* Who reads from a pipe and stops has what he wanted: that is no error. */
static bool reader_left(void)
{
	struct pollfd pipe = { .fd = STDOUT_FILENO };

	return poll(&pipe, 1, 0) == 1 && pipe.revents & POLLERR;
}

static int run(int argc, char **argv)
{
	if (argc > 0 && called(argv[0], "makedumpfile"))
		return cmd_makedumpfile(argc, argv);
	if (argc < 2) {
		fputs("kcapture: no verb given; \"kcapture --help\" lists them\n", stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("kcapture " KCAPTURE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	fprintf(stderr, "kcapture: unknown verb \"%s\"; \"kcapture --help\" lists them\n", argv[1]);
	return 2;
}

int main(int argc, char **argv)
{
	int rc;

	signal(SIGPIPE, SIG_IGN);
	guard_init(NULL);
	rc = run(argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && !reader_left())
		return cmd_fail("standard output could not be written, what it got is not all");
	return rc;
}
