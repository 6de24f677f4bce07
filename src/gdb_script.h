/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory with what gdb needs to know of a dead kernel's symbols: "commands", to be read by gdb -x, and the files that
 * these name.
 *
 *   switches     frame descriptions of code that changes stacks; before vmlinux, whose own ones are wrong there
 *   symbols      symbols and frame descriptions from the core itself: with vmlinux only of what vmlinux knows nothing
 *   NAME.ko      copies of module files that gdb would not understand as they are
 */
#ifndef SRC_GDB_SCRIPT_H
#define SRC_GDB_SCRIPT_H

#include "src/session.h"

#define GDB_COMMANDS "commands"

struct gdb_script {
	const char *dir;
	const char *vmlinux;			/* NULL = none: all symbols come from the core */
	char **modules;				/* files of modules */
	int nr_modules;
	const char *const *debug_dirs;		/* where to look for more, NULL-terminated */
	unsigned int nr_found;			/* result: modules that have a file with debug information */
};

int gdb_script_write(struct session *s, struct gdb_script *script, struct error *err);

#endif
