/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files with debug information of the dead kernel's modules on this machine: by build id below DIR/.build-id/, as gdb and
 * drgn find theirs, and by name. A file with another build id than the module had is none of it.
 */
#ifndef SRC_DEBUG_FILES_H
#define SRC_DEBUG_FILES_H

#include "src/session.h"

#define DEBUG_DIRS_MAX 16
#define BUILD_ID_MAX 20

/* The build id that a module carried in its memory; its length, 0 = unknown. */
size_t debug_module_build_id(struct session *s, const struct module *mod, uint8_t ret[BUILD_ID_MAX]);

/* Where a module's sections were: fn for each that is in its memory still. */
void debug_each_section(struct session *s, const struct module *mod, void (*fn)(void *arg, const char *name, vaddr_t addr),
			void *arg);

/* The loaded module that a file belongs to by its name, NULL = none; '-' and '_' are the same. */
const struct module *debug_module_of(struct session *s, const char *path);

/*
 * Look for the files of all modules: below each of dirs (NULL-terminated), then where distributions have them. paths_ret[i]
 * is for module i, NULL = nothing found; free() each.
 */
void debug_files_find(struct session *s, const char *const *dirs, char **paths_ret);

/*
 * Does gdb need a copy with section addresses of 0? A relocatable file in which only some sections have one (Linux 6.12's
 * linker script) gdb puts together at the address of .text.
 */
bool debug_file_misleads(const char *path);

/* Make that copy. 0 or -errno. */
int debug_file_straighten(const char *path, const char *copy);

#endif
