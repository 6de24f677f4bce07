/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The name of a dump, from the dump itself: "<host name>-<YYYY-MM-DD-HH:MM:SS of the crash, UTC>".
 */
#ifndef SRC_IDENTITY_H
#define SRC_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#define IDENTITY_MAX 128

/* "2026-11-21-02:25:17" of seconds since 1970 UTC; klibc has no gmtime(3). */
void format_time(int64_t seconds, char ret[32]);

/* A missing name becomes "localhost", a missing time (0) the present one. */
void identity_name(const char *nodename, int64_t crashtime, char ret[IDENTITY_MAX]);

/* The time in such a name, also with '-' for ':' (vfat) and a number behind it; 0 = it is none. */
int64_t identity_time(const char *name);

#endif
