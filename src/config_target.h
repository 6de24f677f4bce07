/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directives that make targets and those that are options of one; for the table in config.c.
 */
#ifndef SRC_CONFIG_TARGET_H
#define SRC_CONFIG_TARGET_H

#include "src/config.h"

void config_init_targets(struct config *cfg);

/* word is the directive, value its text, not empty. 0 or -EINVAL with what is wrong; then nothing has changed. */
int config_set_filesystem(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_raw(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_tcp(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_path(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_subvol(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_assemble(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_luks_key(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_limit(struct config *cfg, const char *word, const char *value, struct error *err);

/* A number of seconds up to a week. */
int config_seconds(const char *value, unsigned int *ret, struct error *err);

#endif
