/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds of every configuration, whatever it was read from. */
#ifndef TESTS_FUZZ_CHECK_CONFIG_H
#define TESTS_FUZZ_CHECK_CONFIG_H

#include "src/config.h"
#include "tests/fuzz/fuzz.h"

static inline void check_config(const struct config *cfg)
{
	must(memchr(cfg->device, 0, sizeof(cfg->device)) && memchr(cfg->path, 0, sizeof(cfg->path)));
	must(memchr(cfg->fstype, 0, sizeof(cfg->fstype)) && memchr(cfg->extra_modules, 0, sizeof(cfg->extra_modules)));
	must(cfg->path[0] == '/' && !strstr(cfg->path, "/../"));
	must((cfg->target == TARGET_NONE) == !cfg->device[0]);
	must((cfg->target == TARGET_FS) == !!cfg->fstype[0]);
	must(!cfg->device[0] || (!strncmp(cfg->device, "/dev/", 5) && !strstr(cfg->device, "..")));
	must(action_name(cfg->final_action) && action_name(cfg->failure_action));
	must(cfg->timeout <= 604800 && cfg->stall_timeout <= 604800 && cfg->target_timeout <= 604800);
	must(cfg->nr_sources >= 1 && cfg->nr_sources <= NR_SOURCES);
	for (unsigned int i = 0; i < cfg->nr_sources; i++)
		must(cfg->sources[i] < NR_SOURCES && (!i || cfg->sources[i] != cfg->sources[i - 1]));
}

#endif
