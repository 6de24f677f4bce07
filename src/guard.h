/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Touching memory that may not be there: a poisoned page, a device page, a file that shrank. A fault inside a guarded
 * copy is an error of that copy; any other fault goes to the handler that the program gave.
 */
#ifndef SRC_GUARD_H
#define SRC_GUARD_H

#include <stddef.h>
#include <stdint.h>

/*
 * Catch SIGBUS and SIGSEGV from now on. fatal(signal) is called for faults outside a guarded copy; NULL leaves those
 * to the default action.
 */
void guard_init(void (*fatal)(int sig));

/*
 * Copy by aligned words where both sides allow it: device memory (/dev/mem on arm64) takes nothing else. -EIO when
 * the source faulted; dst is then undefined.
 */
int guard_copy(void *dst, const void *src, size_t len);

/* fn(arg, p) may touch what is at p; -EIO when it faulted: it has been left in the middle. */
int guard_look(void (*fn)(void *arg, const uint8_t *p), void *arg, const uint8_t *p);

#endif
