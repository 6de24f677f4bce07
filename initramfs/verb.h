/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs that deal with a machine have in common. */
#ifndef INITRAMFS_VERB_H
#define INITRAMFS_VERB_H

#include <stdbool.h>

#include "initramfs/check.h"
#include "initramfs/image.h"

#define DEFAULT_CONFIG "/etc/kcapture.conf"

/* Is root "/", however it is spelled? Then sysfs tells about the machine that the image is for. */
bool verb_is_this_machine(const char *root);

#endif
