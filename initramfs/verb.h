/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs that deal with a machine have in common. */
#ifndef INITRAMFS_VERB_H
#define INITRAMFS_VERB_H

#include <getopt.h>
#include <stdbool.h>

#include "elfcore/log.h"
#include "initramfs/check.h"
#include "initramfs/image.h"

#define DEFAULT_CONFIG "/etc/kcapture.conf"

/* A log whose lines go to stderr as "kcapture: LINE". */
extern struct log verb_log;

/*
 * getopt_long() that answers "-h"/"--help" by printing help (returns 'h' then) and everything unknown or incomplete by
 * usage_error() (returns '?'). Returns -1 at the end of the options; operands left over are wrong use, too.
 */
int verb_getopt(int argc, char **argv, const char *shorts, const struct option *longs, const char *help);

/* Is root "/", however it is spelled? Then sysfs tells about the machine that the image is for. */
bool verb_is_this_machine(const char *root);

#endif
