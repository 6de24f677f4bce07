/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of this system in the image, under the same names: with the shared libraries and the dynamic loader that they
 * need, and a script with its interpreter.
 */
#ifndef INITRAMFS_PROGRAMS_H
#define INITRAMFS_PROGRAMS_H

#include "initramfs/archive.h"

/* path is absolute. What is in the archive already is not added again. */
int programs_add(struct archive *ar, const char *path, struct error *err);

/* By name, as tool_find() finds it; the path goes to ret, which may be NULL. */
int programs_add_tool(struct archive *ar, const char *name, struct error *err);

/* All of a list of paths with one blank between. */
int programs_add_list(struct archive *ar, const char *list, struct error *err);

#endif
