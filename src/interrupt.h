/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who ends the program in the middle of its work (Ctrl-C, kill, a terminal that closes) is told what that leaves behind.
 * There is one such text in a program; a process that it forks does not say it.
 */
#ifndef SRC_INTERRUPT_H
#define SRC_INTERRUPT_H

/* From now on; signals that are ignored stay so. */
void interrupt_leaves(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Nothing any more. */
void interrupt_leaves_nothing(void);

#endif
