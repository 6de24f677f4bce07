/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds of every configuration, whatever it was read from. */
#ifndef TESTS_FUZZ_CHECK_CONFIG_H
#define TESTS_FUZZ_CHECK_CONFIG_H

#include "src/config.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_ENDS(array) must(memchr(array, 0, sizeof(array)))

static inline void check_target(const struct target_config *target)
{
	const char *place = target->place;

	TEXT_ENDS(target->word);
	TEXT_ENDS(target->place);
	TEXT_ENDS(target->path);
	TEXT_ENDS(target->subvol);
	TEXT_ENDS(target->assemble);
	TEXT_ENDS(target->luks_key);
	must(target->path[0] == '/' && !strstr(target->path, "/../"));
	must(!strchr(target->subvol, ','));
	must(target->word[0] && place[0]);
	must(target->kind == TARGET_TCP || strchr(place, '=') || (!strncmp(place, "/dev/", 5) && !strstr(place, "..")));
	must(target->target_limit <= 604800 && target->stall_timeout <= 604800 && target->target_timeout <= 604800);
}

static inline void check_config(const struct config *cfg)
{
	must(cfg->nr_targets <= CONFIG_MAX_TARGETS);
	for (unsigned int i = 0; i < cfg->nr_targets; i++)
		check_target(&cfg->targets[i]);
	TEXT_ENDS(cfg->watchdog);
	TEXT_ENDS(cfg->extra_modules);
	TEXT_ENDS(cfg->extra_bins);
	TEXT_ENDS(cfg->kdump_pre);
	TEXT_ENDS(cfg->kdump_post);
	must(action_name(cfg->final_action) && action_name(cfg->failure_action));
	must(cfg->timeout <= 604800 && cfg->jobs >= 1 && cfg->jobs <= JOBS_MAX && !cfg->overriding);
	must(cfg->format < NR_FORMATS && cfg->codec < NR_CODECS && cfg->nr_levels >= 1 && cfg->nr_levels <= LEVELS_MAX);
	for (unsigned int i = 0; i < cfg->nr_levels; i++)
		must(cfg->levels[i] <= 31);
	must(cfg->nr_nets <= CONFIG_MAX_NETS && cfg->nr_hosts <= CONFIG_MAX_HOSTS);
	for (unsigned int i = 0; i < cfg->nr_nets; i++) {
		const struct net_config *net = &cfg->nets[i];

		TEXT_ENDS(net->which);
		TEXT_ENDS(net->address);
		TEXT_ENDS(net->gateway);
		must(net->which[0] && !strchr(net->which, '/') && net->vlan <= 4094 && net->prefix <= 128);
		must(net->method != NET_STATIC || (net->address[0] && net->prefix >= 1));
	}
	for (unsigned int i = 0; i < cfg->nr_hosts; i++) {
		TEXT_ENDS(cfg->hosts[i].name);
		TEXT_ENDS(cfg->hosts[i].address);
		must(config_host_address(cfg, cfg->hosts[i].name));
	}
	TEXT_ENDS(cfg->key);
	must(cfg->nr_sources >= 1 && cfg->nr_sources <= NR_SOURCES);
	for (unsigned int i = 0; i < cfg->nr_sources; i++)
		must(cfg->sources[i] < NR_SOURCES && (!i || cfg->sources[i] != cfg->sources[i - 1]));
}

#endif
