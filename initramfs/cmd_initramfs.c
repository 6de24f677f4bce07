/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kcapture initramfs: make the image, deterministic, without root rights, for this machine or another. */
#include "src/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "initramfs/image.h"
#include "initramfs/tool.h"
#include "initramfs/verb.h"

static const char help[] =
	"usage: kcapture initramfs [--kernel VER] [--root DIR] [--config FILE] [--init FILE] [--compress X] -o OUT\n"
	"\n"
	"Write the initramfs for a capture kernel: /init, the configuration, and the kernel modules that the target needs.\n"
	"The same input gives the same bytes. No root rights are needed.\n"
	"\n"
	"  -o, --output OUT     where to write\n"
	"  -k, --kernel VER     version of the capture kernel (default: the running one)\n"
	"      --root DIR       where lib/modules/VER and boot/config-VER are (default: /); with another root the device's\n"
	"                       drivers are chosen by its name, not by looking at this machine\n"
	"      --config FILE    configuration (default: " DEFAULT_CONFIG ")\n"
	"      --init FILE      the static capture program (default: $KCAPTURE_INIT, or the installed one)\n"
	"      --compress X     none, gzip, xz or zstd (default: gzip)\n"
	"  -h, --help           this text\n";

static const struct option longs[] = {
	{ "output", required_argument, NULL, 'o' },	{ "kernel", required_argument, NULL, 'k' },
	{ "root", required_argument, NULL, 'r' },	{ "config", required_argument, NULL, 'c' },
	{ "init", required_argument, NULL, 'i' },	{ "compress", required_argument, NULL, 'z' },
	{ "help", no_argument, NULL, 'h' },		{ NULL, 0, NULL, 0 },
};

static int make(struct image *img, const char *config, const char *out)
{
	struct error err = { 0 };
	struct archive_size size = { 0 };
	size_t nr_modules = 0;
	tool_catch_signals();
	int rc = image_init(img, config, stderr_log(), &err);
	if (!rc) {
		nr_modules = img->km.nr_order;
		rc = image_write(img, out, &size, &err);
		image_deinit(img);
	}
	tool_release_signals();
	if (rc)
		return cmd_fail("%s", err.text);
	printf("%s: %llu bytes (%llu unpacked), kernel %s, %zu module%s\n", out, (unsigned long long)size.packed,
	       (unsigned long long)size.unpacked, img->version, nr_modules, nr_modules == 1 ? "" : "s");
	return 0;
}

int cmd_initramfs(int argc, char **argv)
{
	struct utsname uts;
	uname(&uts);
	struct image img = { .root = "/", .version = uts.release, .codec = archive_codec_find("gzip") };
	const char *config = DEFAULT_CONFIG, *out = NULL;
	optind = 0;
	for (int c; (c = cmd_getopt(argc, argv, ":o:k:h", longs, help, 0)) != -1;) {
		switch (c) {
		case 'o': out = optarg; break;
		case 'k': img.version = optarg; break;
		case 'r': img.root = optarg; break;
		case 'c': config = optarg; break;
		case 'i': img.init = optarg; break;
		case 'z':
			img.codec = archive_codec_find(optarg);
			if (!img.codec)
				return usage_error(argv[0], "--compress %s is none of none, gzip, xz, zstd", optarg);
			break;
		case 'h': return 0;
		default: return 2;
		}
	}
	if (!out)
		return usage_error(argv[0], "-o OUT is missing");
	img.sysfs = verb_is_this_machine(img.root) ? "/sys" : NULL;
	return make(&img, config, out);
}
