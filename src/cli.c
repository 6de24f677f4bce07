// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host command: one verb, one function (cmd.h).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

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
	{ "verify", cmd_verify, "check that a core conforms and is complete" },
	{ "copy", cmd_copy, "copy a core: from a device, to a stream, sparse again" },
};

static void print_help(FILE *out)
{
	fputs("usage: kcapture VERB [OPTIONS]\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
	fputs("\n\"kcapture VERB --help\" tells the options of a verb; the manual is kcapture(8).\n", out);
}

int main(int argc, char **argv)
{
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
	signal(SIGPIPE, SIG_IGN);
	guard_init(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	fprintf(stderr, "kcapture: unknown verb \"%s\"; \"kcapture --help\" lists them\n", argv[1]);
	return 2;
}
