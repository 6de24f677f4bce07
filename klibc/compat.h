/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What klibc's library has and its headers do not declare.
 */
#ifndef KLIBC_COMPAT_H
#define KLIBC_COMPAT_H

extern int finit_module(int fd, const char *params, int flags);

#endif
