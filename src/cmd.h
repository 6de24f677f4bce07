/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the host command. Each gets its own argv (argv[0] is the verb) and returns the exit code:
 * 0 done, 1 could not be done (one line on stderr says why), 2 wrong use (one line on stderr).
 */
#ifndef SRC_CMD_H
#define SRC_CMD_H

#include <getopt.h>
#include <stdbool.h>

#include "elfcore/log.h"

int cmd_arm(int argc, char **argv);
int cmd_disarm(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_initramfs(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_makedumpfile(int argc, char **argv);	/* the whole program, called by that name */
int cmd_estimate(int argc, char **argv);
int cmd_copy(int argc, char **argv);
int cmd_dmesg(int argc, char **argv);
int cmd_symbols(int argc, char **argv);
int cmd_sym(int argc, char **argv);
int cmd_bt(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_gdbserver(int argc, char **argv);
int cmd_gdb(int argc, char **argv);
int cmd_drgn(int argc, char **argv);
int cmd_crash(int argc, char **argv);
int cmd_receive(int argc, char **argv);
int cmd_struct(int argc, char **argv);
int cmd_rd(int argc, char **argv);
int cmd_vtop(int argc, char **argv);
int cmd_mods(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_mounts(int argc, char **argv);
int cmd_net(int argc, char **argv);
int cmd_irqs(int argc, char **argv);
int cmd_locks(int argc, char **argv);

/* "kcapture VERB: <text>" and a hint at --help on stderr; returns 2. */
int usage_error(const char *verb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "kcapture: <text>" on stderr; returns 1. */
int cmd_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * getopt_long() for a verb (":" first in shorts): "-h" and "--help" print help (returns 'h' then), what is unknown or
 * lacks its value is a usage_error() (returns '?'), and so is any number of operands but nr_operands at the end (-1); a negative number
 * means: so many or more.
 */
int cmd_getopt(int argc, char **argv, const char *shorts, const struct option *longs, const char *help, int nr_operands);

/* The options of a verb that has --json and --help only; nr_operands as above. -1 = go on, else the exit code. */
int cmd_only_json(int argc, char **argv, const char *help, int nr_operands, bool *json_ret);

/* Warnings and errors as "kcapture: <line>" on stderr; for the engine's functions. */
struct log *stderr_log(void);

#endif
