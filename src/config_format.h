/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directives that say what the dump looks like; for the table in config.c.
 */
#ifndef SRC_CONFIG_FORMAT_H
#define SRC_CONFIG_FORMAT_H

#include "src/config.h"

/* word is the directive, value its text, not empty. 0 or -EINVAL with what is wrong; then nothing has changed. */
int config_set_format(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_compress(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_levels(struct config *cfg, const char *word, const char *value, struct error *err);
int config_set_jobs(struct config *cfg, const char *word, const char *value, struct error *err);

/*
 * "makedumpfile -l --message-level 7 -d 31": what it says, and what it says by leaving an option out, of format, compress
 * and dump_level. What makedumpfile refuses, and what `kcapture dump` does, is wrong.
 */
int config_set_collector(struct config *cfg, const char *word, const char *value, struct error *err);

/* "31" or "11,31", as makedumpfile's -d takes it: returns how many levels, 0 = it is no such list. */
unsigned int levels_parse(const char *text, unsigned int ret[LEVELS_MAX]);

/* NR_CODECS, NR_FORMATS: unknown. */
enum dump_format format_by_name(const char *name);
const char *format_name(enum dump_format format);

/* "" or why the format cannot have the codec: ELF is plain or zstd. */
const char *format_refuses(enum dump_format format, enum codec codec);

#endif
