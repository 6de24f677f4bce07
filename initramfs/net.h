/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tcp targets need of the machine that arms: names resolved, the interface that leads to the receiver, the key and
 * ipconfig in the image, and a look whether the receiver answers.
 */
#ifndef INITRAMFS_NET_H
#define INITRAMFS_NET_H

#include "initramfs/archive.h"
#include "initramfs/check.h"
#include "src/config.h"

bool net_has_targets(const struct config *cfg);

/*
 * Add to cfg the addresses of the hosts that tcp targets name and, if it has no "net" line, the interface that leads to the
 * first of them as it is set up now; *ret is what was added as lines of a configuration, to be freed. Nothing when there is
 * no tcp target.
 */
int net_resolve(struct config *cfg, char **ret, struct error *err);

/* etc/kcapture.key, and bin/ipconfig with its library when an interface needs it. */
int net_add_files(struct archive *ar, const struct config *cfg, struct error *err);

/* The key can be read, the names resolved, and a receiver answers that knows the key: what cannot be used fails, a receiver
   that does not answer now is a warning. */
void net_check_target(struct check_list *list, const struct config *cfg, const struct target_config *target);

#endif
