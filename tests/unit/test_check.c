// SPDX-License-Identifier: GPL-2.0-or-later
/* The arming checks of a raw target, on a machine made of files: /dev/disk (7:200) with one partition (7:201). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "initramfs/check.h"
#include "src/sys.h"

#include "tests/lib/unit.h"

#define DISK "/sys/dev/block/7:200"

static char top[64];
static struct machine machine;
static struct config cfg;

static void put_file(const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s%s", top, name);
	*strrchr(path, '/') = 0;
	assert_int_equal(make_dirs(path, 0755), 0);
	path[strlen(path)] = '/';
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static int setup(void **state)
{
	char path[128];

	(void)state;
	strcpy(top, "/tmp/kcapture-check-XXXXXX");
	assert_non_null(mkdtemp(top));
	put_file("/dev/.keep", "");
	put_file("/proc/self/mountinfo", "30 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
	snprintf(path, sizeof(path), "%s/dev/disk", top);
	if (mknod(path, S_IFBLK | 0600, makedev(7, 200)))
		skip();		/* only root makes device nodes */
	memset(&machine, 0, sizeof(machine));
	strcpy(machine.prefix, top);
	config_init(&cfg);
	cfg.nr_targets = 1;
	cfg.targets[0].kind = TARGET_RAW;
	strcpy(cfg.targets[0].place, "/dev/disk");
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static const char *say(struct check_list *list)
{
	memset(list, 0, sizeof(*list));
	check_targets(list, &machine, &cfg);
	for (unsigned int i = 0; i < list->nr; i++)
		if (strstr(list->found[i].text, "raw dump overwrites"))
			return list->found[i].text;
	return "nothing";
}

static void test_raw_with_partitions(void **state)
{
	struct check_list list;

	(void)state;
	put_file(DISK "/queue/.keep", "");
	assert_string_equal(say(&list), "nothing");
	assert_int_equal(list.nr_failed, 0);
	put_file(DISK "/disk1/partition", "1\n");
	put_file(DISK "/disk1/dev", "7:201\n");
	assert_string_equal(say(&list), "/dev/disk has partitions, which a raw dump overwrites");
	assert_int_equal(list.nr_failed, 0);
	put_file("/proc/self/mountinfo", "30 1 7:201 / / rw - ext4 /dev/disk1 rw\n");
	assert_string_equal(say(&list), "/dev/disk has mounted partitions, and a raw dump overwrites the disk");
	assert_int_equal(list.nr_failed, 1);
	put_file("/proc/self/mountinfo", "30 1 7:200 / /mnt rw - ext4 /dev/disk rw\n");
	assert_string_equal(say(&list), "/dev/disk is mounted, and a raw dump overwrites it");
	assert_int_equal(list.nr_failed, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_raw_with_partitions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
