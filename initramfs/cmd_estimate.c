// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kcapture estimate: what a dump of this machine would take if it crashed now, what crashkernel= it should have, and whether
 * the configured targets have the room.
 */
#include "src/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "initramfs/estimate.h"
#include "initramfs/image.h"
#include "initramfs/kernel_image.h"
#include "initramfs/machine.h"
#include "initramfs/target_room.h"
#include "initramfs/tool.h"
#include "initramfs/verb.h"
#include "src/input.h"
#include "src/json.h"

#define MB 1000000
#define MIB (1ULL << 20)
#define MAX_SAMPLES 2048
#define DEFAULT_RATE 100

static const char help[] =
	"usage: kcapture estimate [--json] [--rate MB] [--config FILE]\n"
	"\n"
	"What a dump of this machine would take now, at each useful level and with each compression: size, time; what\n"
	"crashkernel= it needs; and whether the configured targets have the room. Pages are counted by their struct pages in\n"
	"/proc/kcore and sampled for compression (where that cannot be read: counted by /proc/kpageflags). Needs root.\n"
	"\n"
	"      --json           the same for programs\n"
	"      --rate MB        what the target takes in a second (default: 100 MB)\n"
	"      --config FILE    configuration (default: " DEFAULT_CONFIG ")\n"
	"  -h, --help           this text\n";

static const unsigned int levels[ESTIMATE_NR_LEVELS] = ESTIMATE_LEVELS;
static const char *const left_out[ESTIMATE_NR_LEVELS] = {
	"zero pages only", "+ free pages", "+ user memory", "+ page cache", "all that can be",
};

struct estimate {
	const char *config;
	uint64_t rate;			/* bytes/s */
	struct machine machine;
	struct config cfg;
	bool has_config;
	bool by_flags;			/* /proc/kcore could not be used: no contents were seen */
	struct memory_use use;
	struct estimate_dump dumps[ESTIMATE_NR_LEVELS], configured;
	struct estimate_reserve reserve;
	char no_reserve[256];		/* why crashkernel= is not known, or empty */
};

static unsigned long long ull(uint64_t n)
{
	return n;
}

static int survey_kcore(struct memory_use *use, struct error *err)
{
	static struct input in;
	struct kernel kernel;
	int rc = input_kcore_open(&in, "/proc/kcore", NULL, err);

	if (rc)
		return rc;
	kernel_init(&kernel, &in.crash, &in.chain.mem, NULL);
	rc = memory_use_count(use, &kernel, false, NULL, err);
	if (!rc)
		rc = memory_use_sample(use, &kernel, MAX_SAMPLES, NULL, err);
	input_close(&in);
	return rc;
}

static int survey(struct estimate *e, struct error *err)
{
	struct error other;
	uint64_t reserved;
	int rc = survey_kcore(&e->use, err);

	if (!rc)
		return 0;
	if (memory_use_from_flags(&e->use, "/proc/kpageflags", &other))
		return fail(err, rc, "%.120s; %.120s", err->text, other.text);
	fprintf(stderr, "kcapture: %s; counting by /proc/kpageflags, nothing is known about compression\n", err->text);
	e->by_flags = true;
	/* What crashkernel= took looks like the kernel's own there. */
	reserved = min_u64(e->machine.crash_size / e->use.page_size, e->use.nr_class[PAGE_KEEP]);
	e->use.nr_pages -= reserved;
	e->use.nr_class[PAGE_KEEP] -= reserved;
	return 0;
}

/* Build the initramfs that would be loaded, to see how large it is. */
static int measure_image(struct estimate *e, uint64_t *ret, struct error *err)
{
	struct image img = { .root = "/", .sysfs = e->machine.sysfs, .version = e->machine.release,
			     .codec = archive_codec_find("gzip") };
	struct archive_size size;
	char out[PATH_MAX];
	int rc = image_init(&img, e->config, NULL, err);

	if (rc)
		return rc;
	rc = tool_temp("kcapture-estimate", true, out, sizeof(out), err);
	if (!rc)
		rc = image_write(&img, out, &size, err);
	unlink(out);
	image_deinit(&img);
	*ret = size.packed + size.unpacked;
	return rc;
}

static void find_reserve(struct estimate *e)
{
	struct error err = { 0 };
	char path[PATH_MAX];
	uint64_t kernel, image = 0;

	if (kernel_image_find("/", e->machine.release, path, sizeof(path), &err) || kernel_image_memory(path, &kernel, &err)) {
		snprintf(e->no_reserve, sizeof(e->no_reserve), "%s", err.text);
		return;
	}
	/* Without a configuration: a typical image with the modules of one disk. */
	if (!e->has_config || measure_image(e, &image, &err))
		image = 4 * MIB;
	estimate_reserve(&e->reserve, kernel, image, e->cfg.jobs);
}

static void print_size(uint64_t bytes)
{
	printf("%llu.%llu MB", ull(bytes / MB), ull(bytes / (MB / 10) % 10));
}

static void print_use(const struct estimate *e)
{
	const struct memory_use *use = &e->use;

	printf("memory      %llu pages of %llu bytes (", ull(use->nr_pages), ull(use->page_size));
	print_size(use->nr_pages * use->page_size);
	printf("), counted %s in %llu ms\n", e->by_flags ? "by /proc/kpageflags" : "in /proc/kcore", ull(use->classify_ms));
	for (unsigned int class = 0; class < NR_PAGE_CLASSES; class++) {
		const struct page_sample *sample = &use->sample[class];

		if (!use->nr_class[class])
			continue;
		printf("  %-26s %12llu pages", page_class_name(class), ull(use->nr_class[class]));
		if (sample->nr_pages)
			printf("  %3llu %% zero, of %llu sampled", ull(sample->nr_zero * 100 / sample->nr_pages),
			       ull(sample->nr_pages));
		putchar('\n');
	}
}

static void print_dumps(const struct estimate *e)
{
	printf("\ndump size in MB, and seconds at %llu MB/s to the target with %u worker%s\n", ull(e->rate / MB),
	       e->cfg.jobs > 1 ? e->cfg.jobs : 1, e->cfg.jobs > 1 ? "s" : "");
	printf("%-6s%-18s%12s", "level", "  left out", "pages");
	for (unsigned int c = 0; c < NR_CODECS; c++)
		if (e->dumps[0].size[c])
			printf("%18s", codec_find(c)->name);
	putchar('\n');
	for (unsigned int i = 0; i < ESTIMATE_NR_LEVELS; i++) {
		printf("%5u   %-16s%12llu", levels[i], left_out[i], ull(e->dumps[i].nr_pages));
		for (unsigned int c = 0; c < NR_CODECS; c++)
			if (e->dumps[i].size[c])
				printf("%9llu %6llu s", ull((e->dumps[i].size[c] + MB - 1) / MB),
				       ull((e->dumps[i].ms[c] + 999) / 1000));
		putchar('\n');
	}
}

static void print_reserve(const struct estimate *e)
{
	const struct estimate_reserve *r = &e->reserve;

	if (e->no_reserve[0]) {
		printf("\ncrashkernel unknown: %s\n", e->no_reserve);
		return;
	}
	printf("\ncrashkernel=%lluM: kernel %llu MiB + %llu MiB to run it + initramfs %llu MiB + capture %llu MiB", ull(r->total / MIB),
	       ull(r->kernel / MIB), ull(r->running / MIB), ull((r->image + MIB - 1) / MIB), ull(r->capture / MIB));
	puts(", in steps of 16");
	printf("            (%llu MiB are reserved now; machines with many drivers or memory encryption want more)\n",
	       ull(e->machine.crash_size / MIB));
}

static uint64_t needed(const struct estimate *e)
{
	uint64_t size = e->configured.size[e->cfg.codec];

	return size ? size : e->configured.size[CODEC_NONE];
}

/* One line a target; whether one of them has the room. */
static bool print_targets(const struct estimate *e)
{
	bool any = false, whole;

	for (unsigned int i = 0; i < e->cfg.nr_targets; i++) {
		const struct target_config *target = &e->cfg.targets[i];
		struct error err;
		uint64_t room;

		printf("target      %s %s: ", target->word, target->place);
		if (target_room(target, &room, &whole, &err)) {
			printf("%s\n", err.text);
			any |= target->kind == TARGET_TCP;
			continue;
		}
		print_size(room);
		printf(" %s, the dump of level %u (%s) takes ", whole ? "in all" : "free", e->configured.level,
		       codec_find(e->cfg.codec)->name);
		print_size(needed(e));
		puts(room >= needed(e) ? ": it fits" : ": NOT ENOUGH ROOM");
		any |= room >= needed(e);
	}
	return any || !e->cfg.nr_targets;
}

static void json_dumps(struct json *j, const struct estimate *e)
{
	json_array(j, "dumps");
	for (unsigned int i = 0; i < ESTIMATE_NR_LEVELS; i++) {
		json_object(j, NULL);
		json_int(j, "level", levels[i]);
		json_int(j, "pages", e->dumps[i].nr_pages);
		json_object(j, "codecs");
		for (unsigned int c = 0; c < NR_CODECS; c++) {
			if (!e->dumps[i].size[c])
				continue;
			json_object(j, codec_find(c)->name);
			json_int(j, "bytes", e->dumps[i].size[c]);
			json_int(j, "ms", e->dumps[i].ms[c]);
			json_end_object(j);
		}
		json_end_object(j);
		json_end_object(j);
	}
	json_end_array(j);
}

/* Whether one of them has the room. */
static bool json_targets(struct json *j, const struct estimate *e)
{
	bool any = false, whole;

	json_array(j, "targets");
	for (unsigned int i = 0; i < e->cfg.nr_targets; i++) {
		const struct target_config *target = &e->cfg.targets[i];
		struct error err;
		uint64_t room = 0;

		json_object(j, NULL);
		json_string(j, "kind", target->word);
		json_string(j, "place", target->place);
		if (target_room(target, &room, &whole, &err)) {
			json_null(j, "room");
			json_null(j, "fits");
			any |= target->kind == TARGET_TCP;
		} else {
			json_int(j, "room", room);
			json_bool(j, "fits", room >= needed(e));
			any |= room >= needed(e);
		}
		json_end_object(j);
	}
	json_end_array(j);
	return any || !e->cfg.nr_targets;
}

static bool print_json(const struct estimate *e)
{
	struct json j;
	bool fits;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_int(&j, "page_size", e->use.page_size);
	json_int(&j, "pages", e->use.nr_pages);
	json_string(&j, "source", e->by_flags ? "kpageflags" : "kcore");
	json_object(&j, "classes");
	for (unsigned int class = 0; class < NR_PAGE_CLASSES; class++)
		json_int(&j, page_class_name(class), e->use.nr_class[class]);
	json_end_object(&j);
	json_dumps(&j, e);
	json_object(&j, "crashkernel");
	json_int(&j, "wanted", e->reserve.total);
	json_int(&j, "reserved", e->machine.crash_size);
	json_int(&j, "kernel", e->reserve.kernel);
	json_int(&j, "running", e->reserve.running);
	json_int(&j, "initramfs", e->reserve.image);
	json_int(&j, "capture", e->reserve.capture);
	json_end_object(&j);
	json_int(&j, "needed", needed(e));
	fits = json_targets(&j, e);
	json_end_object(&j);
	json_newline(&j);
	return fits;
}

static int run(struct estimate *e, bool json)
{
	struct error err = { 0 };
	bool fits;

	config_init(&e->cfg);
	e->has_config = image_read_config(e->config, &e->cfg, NULL, NULL, NULL, &err) == 0;
	if (!e->has_config && !json)
		fprintf(stderr, "kcapture: %s\n", err.text);
	if (survey(e, &err))
		return cmd_fail("%s", err.text);
	for (unsigned int i = 0; i < ESTIMATE_NR_LEVELS; i++)
		estimate_dump(&e->dumps[i], &e->use, levels[i], e->rate, e->cfg.jobs);
	estimate_dump(&e->configured, &e->use, e->cfg.nr_levels ? e->cfg.levels[e->cfg.nr_levels - 1] : 0, e->rate,
		      e->cfg.jobs);
	find_reserve(e);
	if (json)
		return print_json(e) ? 0 : 1;
	print_use(e);
	print_dumps(e);
	print_reserve(e);
	fits = print_targets(e);
	return fits ? 0 : 1;
}

static bool parse_rate(const char *text, uint64_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*ret = (uint64_t)n * MB;
	return *text >= '0' && *text <= '9' && !*end && n && n <= 1000000;
}

int cmd_estimate(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "rate", required_argument, NULL, 'r' },
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct estimate e = { .config = DEFAULT_CONFIG, .rate = DEFAULT_RATE * MB };
	struct error err = { 0 };
	bool json = false;
	int rc;

	optind = 0;
	for (int c; (c = cmd_getopt(argc, argv, ":h", longs, help, 0)) != -1;) {
		switch (c) {
		case 'j': json = true; break;
		case 'c': e.config = optarg; break;
		case 'r':
			if (!parse_rate(optarg, &e.rate))
				return usage_error("estimate", "rate \"%s\" is not a number of MB from 1 to 1000000", optarg);
			break;
		case 'h': return 0;
		default: return 2;
		}
	}
	if (machine_init(&e.machine, "", &err))
		return cmd_fail("%s", err.text);
	tool_catch_signals();
	rc = run(&e, json);
	machine_deinit(&e.machine);
	tool_release_signals();
	return rc;
}
