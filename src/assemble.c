// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/assemble.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "src/program.h"
#include "src/sys.h"

/* Without udev, lock files of other programs, a devices file that may name disks as they were called before. */
#define LVM_CONFIG \
	"devices{use_devicesfile=0 obtain_device_list_from_udev=0 external_device_info_source=\"none\" dir=\"/dev\" scan=[\"/dev\"]} " \
	"activation{udev_sync=0 udev_rules=0 monitoring=0 verify_udev_operations=0} global{event_activation=0} " \
	"backup{backup=0 archive=0}"

#define MAX_ARGS 12

static bool find_tool(const char *name, char *ret, size_t size)
{
	static const char *const dirs[] = { "/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(ret, size, "%s/%s", dirs[i], name);
		if (!access(ret, X_OK))
			return true;
	}
	return false;
}

static void run_tool(struct assemble *as, const char *name, const char *const *args)
{
	/* What a tool says the first time is worth the log; waiting for a disk it says the same again and again. */
	const struct program_run run = { .deadline_ms = as->deadline_ms, .log = as->nr_rounds ? NULL : as->log };
	const char *argv[MAX_ARGS + 2];
	char path[64];
	size_t n = 0;
	int rc;

	if (!find_tool(name, path, sizeof(path))) {
		if (!as->nr_rounds)
			log_warn(as->log, "%s is not in the image", name);
		return;
	}
	argv[0] = path;
	for (; args[n] && n < MAX_ARGS; n++)
		argv[n + 1] = args[n];
	argv[n + 1] = NULL;
	rc = program_run(argv, &run);
	if (rc && !as->nr_rounds)
		log_warn(as->log, "%s: %s %d", name, rc < 0 ? "not done, error" : "exit code", rc < 0 ? -rc : rc);
}

/* An array that the crash left dirty is synchronised in the background: not now. */
static void slow_resync(void)
{
	int fd = open("/proc/sys/dev/raid/speed_limit_max", O_WRONLY);

	if (fd < 0)
		return;
	write_all(fd, "1000", 4);
	close(fd);
}

static void assemble_md(struct assemble *as, const char *uuid, bool degraded)
{
	char option[80], node[16];
	const char *args[] = { "--assemble", "--config=partitions", option, node, degraded ? "--run" : NULL, NULL };

	snprintf(option, sizeof(option), "--uuid=%s", uuid);
	snprintf(node, sizeof(node), "/dev/md%u", 100 + as->index);
	slow_resync();
	run_tool(as, "mdadm", args);
}

static void assemble_lvm(struct assemble *as, const char *volume)
{
	const char *args[] = { "lvchange", "--activate", "y", "--sysinit", "--config", LVM_CONFIG, volume, NULL };

	make_dirs("/run/lock/lvm", 0700);
	make_dirs("/run/lvm", 0700);
	run_tool(as, "lvm", args);
}

static void assemble_luks(struct assemble *as, const char *uuid)
{
	char key[32], name[48], place[64], node[80];
	const char *args[] = { "open", "--type", "luks", "--batch-mode", "--key-file", key, node, name, NULL };
	struct error err;

	snprintf(place, sizeof(place), "UUID=%s", uuid);
	if (device_look(place, as->memo, node, sizeof(node), &err))
		return;
	snprintf(key, sizeof(key), ASSEMBLE_KEY_FILE, as->index);
	snprintf(name, sizeof(name), "luks-%.40s", uuid);
	make_dirs("/run/cryptsetup", 0700);
	run_tool(as, "cryptsetup", args);
}

void assemble(struct assemble *as, bool degraded)
{
	char steps[sizeof(as->cfg->assemble)], *save;

	strcpy(steps, as->cfg->assemble);
	for (char *step = strtok_r(steps, " ", &save); step; step = strtok_r(NULL, " ", &save)) {
		if (!strncmp(step, "md:", 3))
			assemble_md(as, step + 3, degraded);
		else if (!strncmp(step, "lvm:", 4))
			assemble_lvm(as, step + 4);
		else if (!strncmp(step, "luks:", 5))
			assemble_luks(as, step + 5);
	}
	as->nr_rounds++;
}
