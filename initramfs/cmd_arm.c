/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kcapture arm: check everything, say everything that is wrong at once, build the initramfs and load it with the capture
 * kernel. kcapture disarm: unload.
 */
#include "src/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "initramfs/armed.h"
#include "initramfs/check.h"
#include "initramfs/cmdline.h"
#include "initramfs/image.h"
#include "initramfs/kernel_image.h"
#include "initramfs/machine.h"
#include "initramfs/tool.h"
#include "initramfs/verb.h"

#define STATE_DIR "/var/lib/kcapture"

static const char help[] =
	"usage: kcapture arm [--dry-run] [--kernel VER] [--kernel-image FILE] [--root DIR] [--config FILE] [--init FILE]\n"
	"                    [--load file|legacy|auto] [--append STR] [--compress X] [--output FILE]\n"
	"\n"
	"Check the machine, build the initramfs and load it with a capture kernel by kexec -p.\n"
	"\n"
	"  -n, --dry-run            make all checks and the initramfs, print what would be done, change nothing\n"
	"  -k, --kernel VER         version of the capture kernel (default: the running one)\n"
	"      --kernel-image FILE  its image (default: looked for in boot/ and lib/modules/VER/)\n"
	"      --root DIR           where boot/ and lib/modules/VER are (default: /)\n"
	"      --config FILE        configuration (default: " DEFAULT_CONFIG ")\n"
	"      --init FILE          the static capture program (default: $KCAPTURE_INIT, or the installed one)\n"
	"      --load METHOD        file = kexec_file_load, legacy = kexec_load, auto = file, then legacy (default)\n"
	"      --append STR         more words for the capture kernel's command line\n"
	"      --compress X         compression of the initramfs: none, gzip, xz, zstd (default: gzip)\n"
	"      --output FILE        where to keep the initramfs (default: " STATE_DIR "/initramfs-VER)\n"
	"  -h, --help               this text\n";

static const char disarm_help[] =
	"usage: kcapture disarm\n"
	"\n"
	"Unload the capture kernel: a panic is not captured any more.\n"
	"\n"
	"  -h, --help               this text\n";

static const struct option longs[] = {
	{ "dry-run", no_argument, NULL, 'n' },		{ "kernel", required_argument, NULL, 'k' },
	{ "kernel-image", required_argument, NULL, 'K' }, { "root", required_argument, NULL, 'r' },
	{ "config", required_argument, NULL, 'c' },	{ "init", required_argument, NULL, 'i' },
	{ "load", required_argument, NULL, 'l' },	{ "append", required_argument, NULL, 'a' },
	{ "compress", required_argument, NULL, 'z' },	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },		{ NULL, 0, NULL, 0 },
};

struct arm {
	struct machine machine;
	struct image img;
	struct check_list checks;
	bool dry_run;
	enum load_method load;
	const char *config, *append, *image, *output;
	char image_found[PATH_MAX];	/* when --kernel-image did not say it */
	char initramfs[PATH_MAX];
	char cmdline[CAPTURE_CMDLINE_SIZE];
	struct archive_size size;
	struct armed armed;
};

static const char *const load_names[] = { "auto", "file", "legacy" };

static int parse_option(struct arm *arm, int c)
{
	switch (c) {
	case 'n': arm->dry_run = true; return 0;
	case 'k': arm->img.version = optarg; return 0;
	case 'K': arm->image = optarg; return 0;
	case 'r': arm->img.root = optarg; return 0;
	case 'c': arm->config = optarg; return 0;
	case 'i': arm->img.init = optarg; return 0;
	case 'a': arm->append = optarg; return 0;
	case 'o': arm->output = optarg; return 0;
	case 'z':
		arm->img.codec = archive_codec_find(optarg);
		return arm->img.codec ? 0 : usage_error("arm", "--compress %s is none of none, gzip, xz, zstd", optarg);
	case 'l':
		for (unsigned int i = 0; i < ARRAY_SIZE(load_names); i++) {
			if (strcmp(optarg, load_names[i]) == 0) {
				arm->load = i;
				return 0;
			}
		}
		return usage_error("arm", "--load %s is none of file, legacy, auto", optarg);
	default:
		return 2;
	}
}

/* One line a finding, failures first. */
static void report(const struct check_list *list)
{
	for (int failed = 1; failed >= 0; failed--)
		for (unsigned int i = 0; i < list->nr; i++)
			if (list->found[i].failed == (failed == 1))
				fprintf(stderr, "kcapture arm: %s%s\n", failed ? "" : "warning: ", list->found[i].text);
}

/* The kernel's image and what it needs in memory; 0 bytes when there is none. */
static uint64_t find_kernel(struct arm *arm)
{
	struct error err = { 0 };
	uint64_t memory = 0;
	if (!arm->image && kernel_image_find(arm->img.root, arm->img.version, arm->image_found, sizeof(arm->image_found),
					     &err) == 0)
		arm->image = arm->image_found;
	if (!arm->image || kernel_image_memory(arm->image, &memory, &err))
		check_failed(&arm->checks, "%s", err.text);
	return memory;
}

/* Where to build: the final place or, for a dry run, a temporary file that is removed afterwards. */
static int choose_output(struct arm *arm, struct error *err)
{
	if (arm->dry_run)
		return tool_temp("kcapture-dry-run", true, arm->initramfs, sizeof(arm->initramfs), err);
	int n = arm->output ? snprintf(arm->initramfs, sizeof(arm->initramfs), "%s", arm->output) :
			      snprintf(arm->initramfs, sizeof(arm->initramfs), STATE_DIR "/initramfs-%s", arm->img.version);
	if ((size_t)n >= sizeof(arm->initramfs))
		return fail(err, -ENAMETOOLONG, "--output: name too long");
	if (!arm->output && mkdir(STATE_DIR, 0755) && errno != EEXIST)
		return fail(err, -errno, "%s: %s", STATE_DIR, strerror(errno));
	return 0;
}

/* The initramfs with the firmware's memory map: what was handed to this machine's kernel at its own boot. */
static int build(struct arm *arm, struct error *err)
{
	char *map = NULL;
	int rc = machine_firmware_map(&arm->machine, &map, err);
	if (!rc)
		rc = choose_output(arm, err);
	if (rc) {
		free(map);
		return rc;
	}
	arm->img.firmware_map = map;
	rc = image_write(&arm->img, arm->initramfs, &arm->size, err);
	arm->img.firmware_map = NULL;
	free(map);
	if (arm->dry_run)
		unlink(arm->initramfs);
	return rc ? fail_prefix(err, "initramfs") : 0;
}

/* The CPU that this kernel booted on, by the name that hardware knows it by; -1 = unknown, or of no meaning here. */
static int boot_apic_id(void)
{
	static const char key[] = "initial apicid\t: ";
	char line[256];
	FILE *file = fopen("/proc/cpuinfo", "re");
	int id = -1;

	while (file && id < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, sizeof(key) - 1))
			id = atoi(line + sizeof(key) - 1);
	if (file)
		fclose(file);
	return id;
}

/* As many CPUs as the configuration has jobs for. */
static void allow_cpus(struct arm *arm, unsigned int jobs)
{
	struct error err;
	int id = boot_apic_id();

	if (jobs < 2)
		return;
	if (id < 0 && !strcmp(arm->machine.arch, "x86_64"))
		log_warn(stderr_log(), "which CPU this kernel booted on is unknown: the capture kernel gets one CPU in spite of \"jobs %u\"", jobs);
	else if (capture_cmdline_cpus(arm->cmdline, sizeof(arm->cmdline), jobs, id, &err))
		check_failed(&arm->checks, "%s", err.text);
}

/* All of the checks; img is initialised when this returns true. */
static bool check_all(struct arm *arm, uint64_t *memory)
{
	struct error err = { 0 };
	check_root(&arm->checks, arm->dry_run);
	check_reserved(&arm->checks, &arm->machine);
	*memory = find_kernel(arm);
	if (capture_cmdline(arm->machine.cmdline, arm->machine.arch, arm->append, arm->cmdline, sizeof(arm->cmdline), &err))
		check_failed(&arm->checks, "%s", err.text);
	struct config cfg;
	config_init(&cfg);
	bool has_config = image_read_config(arm->config, &cfg, NULL, NULL, stderr_log(), &err) == 0;
	if (!has_config)
		check_failed(&arm->checks, "%s", err.text);
	else
		allow_cpus(arm, cfg.jobs);
	check_kexec(&arm->checks, &arm->machine, &cfg, arm->load);
	if (!has_config)
		return false;
	check_targets(&arm->checks, &arm->machine, &cfg);
	if (image_init(&arm->img, arm->config, stderr_log(), &err) == 0)
		return true;
	check_failed(&arm->checks, "%s", err.text);
	return false;
}

static void kexec_args(const struct arm *arm, enum load_method load, const char **argv, char *initrd, char *append)
{
	unsigned int argc = 0;
	snprintf(initrd, PATH_MAX + 16, "--initrd=%s", arm->initramfs);
	snprintf(append, CAPTURE_CMDLINE_SIZE + 16, "--append=%s", arm->cmdline);
	argv[argc++] = "kexec";
	argv[argc++] = "-p";
	argv[argc++] = load == LOAD_LEGACY ? "-c" : "-s";
	argv[argc++] = arm->image;
	argv[argc++] = initrd;
	argv[argc++] = append;
	argv[argc] = NULL;
}

static int kexec_load(struct arm *arm, enum load_method load, struct error *err)
{
	char initrd[PATH_MAX + 16], append[CAPTURE_CMDLINE_SIZE + 16];
	const char *argv[8];
	kexec_args(arm, load, argv, initrd, append);
	int rc = tool_run(argv, NULL, err);
	if (rc)
		return fail_prefix(err, "kexec_%sload", load == LOAD_LEGACY ? "" : "file_");
	/* kexec can return 0 and have done nothing. */
	machine_update(&arm->machine);
	return arm->machine.crash_loaded ? 0 : fail(err, -EIO, "kexec ended well, but no capture kernel is loaded");
}

/* What was loaded before is loaded no more as soon as the kernel takes the new one, whatever comes of that. */
static int not_armed(struct arm *arm, int rc, const struct error *first, const struct error *second)
{
	machine_update(&arm->machine);
	if (!arm->machine.crash_loaded || rc == -EINTR)
		armed_forget(arm->machine.prefix);
	if (!arm->machine.crash_loaded)
		return cmd_fail("not armed: %s%s%s", first->text, second->text[0] ? "; " : "", second->text);
	if (rc == -EINTR)
		return cmd_fail("%s; a capture kernel is loaded, but whether it is the one from before or the new one is not known: "
				"run kcapture arm again", first->text);
	return cmd_fail("not armed anew: %s%s%s; the capture kernel from before is still loaded", first->text,
			second->text[0] ? "; " : "", second->text);
}

/* For status: what is in memory now, and what it was made of. */
static void record(struct arm *arm, enum load_method used)
{
	const struct config *cfg = &arm->img.cfg;
	char config[PATH_MAX], init[PATH_MAX], when[32], sum[DIGEST_HEX_SIZE], targets[1024] = "";
	struct armed *armed = &arm->armed;
	struct error err;
	time_t now = time(NULL);
	size_t len = 0;
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	for (unsigned int i = 0; i < cfg->nr_targets && len < sizeof(targets); i++)
		len += snprintf(targets + len, sizeof(targets) - len, "%s%s %s", i ? ", " : "", cfg->targets[i].word,
				cfg->targets[i].place);
	armed->time = when;
	armed->kernel = arm->img.version;
	armed->image = arm->image;
	armed->method = used == LOAD_LEGACY ? "kexec_load" : "kexec_file_load";
	armed->initramfs = arm->initramfs;
	armed->initramfs_sha256 = armed_digest(arm->initramfs, sum, &err) ? "" : sum;
	armed->config = realpath(arm->config, config) ? config : arm->config;
	armed->cmdline = arm->cmdline;
	armed->targets = targets;
	armed_add_input(armed, armed->config);
	if (arm->img.init || !image_find_init(init, sizeof(init), &err))
		armed_add_input(armed, arm->img.init ? arm->img.init : init);
	armed_add_input(armed, cfg->key);
	armed_add_input(armed, cfg->kdump_pre);
	armed_add_input(armed, cfg->kdump_post);
	if (armed_write(armed, arm->machine.prefix, &err))
		log_warn(stderr_log(), "status will not know what was loaded: %s", err.text);
}

static int load(struct arm *arm)
{
	struct error err = { 0 }, second = { 0 };
	enum load_method used = arm->load == LOAD_LEGACY ? LOAD_LEGACY : LOAD_FILE;
	int rc = kexec_load(arm, used, &err);
	/* An unsigned kernel where signatures are asked for, a kernel without kexec_file_load, an old format. */
	if (rc && rc != -EINTR && arm->load == LOAD_AUTO && !machine_is_locked_down(&arm->machine)) {
		used = LOAD_LEGACY;
		rc = kexec_load(arm, used, &second);
	}
	if (rc)
		return not_armed(arm, rc, &err, &second);
	record(arm, used);
	printf("armed: kernel %s by %s, initramfs %s (%llu bytes, %zu modules), target %s%s\n", arm->img.version,
	       arm->armed.method, arm->initramfs, (unsigned long long)arm->size.packed,
	       arm->img.km.nr_order, arm->img.cfg.targets[0].place,
	       arm->img.cfg.nr_targets > 1 ? " and others" : "");
	return 0;
}

/* What would be run, in a form that can be pasted into a shell. */
static void print_plan(struct arm *arm)
{
	char initrd[PATH_MAX + 16], append[CAPTURE_CMDLINE_SIZE + 16];
	const char *argv[8];
	snprintf(arm->initramfs, sizeof(arm->initramfs), "%s", arm->output ? arm->output : STATE_DIR "/initramfs-");
	if (!arm->output)
		strncat(arm->initramfs, arm->img.version, sizeof(arm->initramfs) - strlen(arm->initramfs) - 1);
	kexec_args(arm, arm->load, argv, initrd, append);
	printf("initramfs: %llu bytes (%llu unpacked)\nmodules:", (unsigned long long)arm->size.packed,
	       (unsigned long long)arm->size.unpacked);
	for (size_t i = 0; i < arm->img.km.nr_order; i++)
		printf(" %s", kmod_order_name(&arm->img.km, i));
	printf("%s\nwould run:", arm->img.km.nr_order ? "" : " none, everything needed is built in");
	for (unsigned int i = 0; argv[i]; i++) {
		if (!argv[i][strcspn(argv[i], " \"'$\\*")]) {
			printf(" %s", argv[i]);
			continue;
		}
		printf(" '");
		for (const char *p = argv[i]; *p; p++)
			printf(*p == '\'' ? "'\\''" : "%c", *p);
		putchar('\'');
	}
	putchar('\n');
}

static int run(struct arm *arm)
{
	struct error err = { 0 };
	uint64_t memory = 0;
	bool has_image = check_all(arm, &memory);
	/* Build even if something else is wrong: what is wrong with the image shall be said in the same run. */
	bool built = has_image && (arm->dry_run || !arm->checks.nr_failed);
	if (built && build(arm, &err))
		check_failed(&arm->checks, "%s", err.text);
	else if (built && memory)
		check_room(&arm->checks, &arm->machine, memory, &arm->size);
	report(&arm->checks);
	int rc = arm->checks.nr_failed ? 1 : 0;
	if (arm->dry_run && has_image && arm->image && arm->cmdline[0])
		print_plan(arm);
	else if (!arm->dry_run && !rc)
		rc = load(arm);
	if (has_image)
		image_deinit(&arm->img);
	return rc;
}

int cmd_arm(int argc, char **argv)
{
	struct arm arm = { .config = DEFAULT_CONFIG };
	struct error err = { 0 };
	arm.img.root = "/";
	arm.img.codec = archive_codec_find("gzip");
	optind = 0;
	for (int c; (c = cmd_getopt(argc, argv, ":nk:h", longs, help, 0)) != -1;) {
		if (c == 'h')
			return 0;
		if (c == '?' || parse_option(&arm, c))
			return 2;
	}
	if (machine_init(&arm.machine, "", &err))
		return cmd_fail("%s", err.text);
	if (!arm.img.version)
		arm.img.version = arm.machine.release;
	/* arm loads on this machine whatever the root of its files. */
	arm.img.sysfs = arm.machine.sysfs;
	tool_catch_signals();
	int rc = run(&arm);
	machine_deinit(&arm.machine);
	tool_release_signals();
	return rc;
}

int cmd_disarm(int argc, char **argv)
{
	static const struct option disarm_longs[] = { { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	const char *kexec[] = { "kexec", "-p", "-u", NULL };
	struct error err = { 0 };
	struct machine machine;
	optind = 0;
	int c = cmd_getopt(argc, argv, ":h", disarm_longs, disarm_help, 0);
	if (c != -1)
		return c == 'h' ? 0 : 2;
	if (machine_init(&machine, "", &err))
		return cmd_fail("%s", err.text);
	bool was_loaded = machine.crash_loaded;
	int rc = was_loaded ? tool_run(kexec, NULL, &err) : 0;
	machine_update(&machine);
	if (!rc && machine.crash_loaded)
		rc = fail(&err, -EIO, "kexec ended well, but the capture kernel is still loaded");
	if (!machine.crash_loaded)
		armed_forget(machine.prefix);
	machine_deinit(&machine);
	if (rc)
		return cmd_fail("%s", err.text);
	puts(was_loaded ? "disarmed" : "was not armed");
	return 0;
}
