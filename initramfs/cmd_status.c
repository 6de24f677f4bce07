/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kcapture status: would a panic be captured now, and what is missing? Exit code 0 = armed, 1 = not. */
#include "src/cmd.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/types.h"
#include "initramfs/armed.h"
#include "initramfs/check.h"
#include "initramfs/image.h"
#include "initramfs/machine.h"
#include "initramfs/verb.h"

static const char help[] =
	"usage: kcapture status [--json] [--config FILE]\n"
	"\n"
	"Say whether a capture kernel is loaded, and what stands in the way of one. Exit code 0 = armed, 1 = not.\n"
	"\n"
	"      --json           the same for programs\n"
	"      --config FILE    configuration (default: " DEFAULT_CONFIG ")\n"
	"  -h, --help           this text\n";

static const struct option longs[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct status {
	struct machine machine;
	struct config cfg;
	bool has_config;
	const char *config;
	struct check_list checks;
	bool known;			/* kcapture arm has left a record of what is loaded */
	bool stale;			/* what it was made of has changed since */
	struct armed armed;
};

static void print_json_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			printf("\\u%04x", (unsigned char)*s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void print_json_findings(const struct check_list *list, const char *key, bool failed)
{
	const char *comma = "";
	printf(",\"%s\":[", key);
	for (unsigned int i = 0; i < list->nr; i++) {
		if (list->found[i].failed != failed)
			continue;
		fputs(comma, stdout);
		print_json_string(list->found[i].text);
		comma = ",";
	}
	putchar(']');
}

static void print_json_targets(const struct config *cfg)
{
	fputs(",\"targets\":[", stdout);
	for (unsigned int i = 0; i < cfg->nr_targets; i++) {
		const struct target_config *target = &cfg->targets[i];
		fputs(i ? ",{\"kind\":" : "{\"kind\":", stdout);
		print_json_string(target->word);
		fputs(",\"place\":", stdout);
		print_json_string(target->place);
		if (target->kind == TARGET_FS) {
			fputs(",\"path\":", stdout);
			print_json_string(target->path);
		}
		putchar('}');
	}
	putchar(']');
}

static void print_json_loaded(const struct status *st)
{
	const struct armed *armed = &st->armed;
	const char *const pairs[][2] = {
		{ "time", armed->time }, { "kernel", armed->kernel }, { "image", armed->image }, { "method", armed->method },
		{ "initramfs", armed->initramfs }, { "initramfs_sha256", armed->initramfs_sha256 }, { "config", armed->config },
		{ "cmdline", armed->cmdline }, { "targets", armed->targets },
	};
	if (!st->known) {
		fputs(",\"loaded\":null", stdout);
		return;
	}
	printf(",\"stale\":%s,\"loaded\":", st->stale ? "true" : "false");
	for (unsigned int i = 0; i < ARRAY_SIZE(pairs); i++) {
		printf("%c\"%s\":", i ? ',' : '{', pairs[i][0]);
		print_json_string(pairs[i][1]);
	}
	putchar('}');
}

static void print_json(const struct status *st)
{
	printf("{\"armed\":%s,\"reserved\":%llu,\"kernel\":", st->machine.crash_loaded ? "true" : "false",
	       (unsigned long long)st->machine.crash_size);
	print_json_string(st->machine.release);
	fputs(",\"lockdown\":", stdout);
	print_json_string(st->machine.lockdown);
	fputs(",\"config\":", stdout);
	print_json_string(st->config);
	print_json_targets(&st->cfg);
	print_json_loaded(st);
	print_json_findings(&st->checks, "missing", true);
	print_json_findings(&st->checks, "warnings", false);
	puts("}");
}

static void print_text(const struct status *st)
{
	printf("armed:    %s%s%s\n", st->machine.crash_loaded ? "yes" : "no", st->known ? ", since " : "", st->known ? st->armed.time : "");
	if (st->known)
		printf("loaded:   kernel %s by %s, initramfs %s (SHA-256 %.16s...), for %s\n", st->armed.kernel, st->armed.method,
		       st->armed.initramfs, st->armed.initramfs_sha256, st->armed.targets);
	printf("reserved: %llu MiB\n", (unsigned long long)st->machine.crash_size / (1024 * 1024));
	printf("kernel:   %s, lockdown %s\n", st->machine.release, st->machine.lockdown);
	printf("config:   %s%s\n", st->config, st->has_config ? "" : " (not usable)");
	for (unsigned int i = 0; i < st->cfg.nr_targets; i++) {
		const struct target_config *target = &st->cfg.targets[i];
		printf("target:   %s %s%s%s\n", target->word, target->place, target->kind == TARGET_FS ? ", " : "",
		       target->kind == TARGET_FS ? target->path : "");
	}
	for (unsigned int i = 0; i < st->checks.nr; i++)
		printf("%s %s\n", st->checks.found[i].failed ? "missing: " : "warning: ", st->checks.found[i].text);
}

/* What is loaded is in memory and stays as it is, whatever becomes of the files that it was made of. */
static void look_at_loaded(struct status *st)
{
	struct armed *armed = &st->armed;
	char sum[DIGEST_HEX_SIZE], config[PATH_MAX];
	struct error err;
	bool recorded = !armed_read(armed, st->machine.prefix, &err);
	st->known = recorded && st->machine.crash_loaded;
	if (recorded && !st->known)
		check_warn(&st->checks, "kcapture arm loaded a capture kernel at %s, something else has unloaded it", armed->time);
	if (!recorded && st->machine.crash_loaded)
		check_warn(&st->checks, "a capture kernel is loaded, but not by kcapture arm, or that was interrupted: what it would do is "
			   "not known");
	for (unsigned int i = 0; st->known && i < armed->nr_inputs; i++) {
		const struct armed_input *input = &armed->inputs[i];
		if (!armed_digest(input->path, sum, &err) && !strcmp(sum, input->sha256))
			continue;
		st->stale = true;
		check_warn(&st->checks, "%s changed since arming, what is loaded has it as it was: run kcapture arm", input->path);
	}
	if (st->known && strcmp(armed->config, realpath(st->config, config) ? config : st->config)) {
		st->stale = true;
		check_warn(&st->checks, "what is loaded was made from %s", armed->config);
	}
}

static void look(struct status *st)
{
	struct error err = { 0 };
	check_reserved(&st->checks, &st->machine);
	config_init(&st->cfg);
	st->has_config = image_read_config(st->config, &st->cfg, NULL, NULL, NULL, &err) == 0;
	if (!st->has_config)
		check_failed(&st->checks, "%s", err.text);
	check_kexec(&st->checks, &st->machine, &st->cfg, LOAD_AUTO);
	if (st->has_config)
		check_targets(&st->checks, &st->machine, &st->cfg);
	look_at_loaded(st);
	if (!st->machine.crash_loaded && !st->checks.nr_failed)
		check_failed(&st->checks, "no capture kernel is loaded: kcapture arm");
}

int cmd_status(int argc, char **argv)
{
	struct status st = { .config = DEFAULT_CONFIG };
	struct error err = { 0 };
	bool json = false;
	optind = 0;
	for (int c; (c = cmd_getopt(argc, argv, ":h", longs, help, 0)) != -1;) {
		switch (c) {
		case 'j': json = true; break;
		case 'c': st.config = optarg; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	if (machine_init(&st.machine, "", &err))
		return cmd_fail("%s", err.text);
	look(&st);
	if (json)
		print_json(&st);
	else
		print_text(&st);
	int rc = st.machine.crash_loaded ? 0 : 1;
	machine_deinit(&st.machine);
	return rc;
}
