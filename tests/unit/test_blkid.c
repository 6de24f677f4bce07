// SPDX-License-Identifier: GPL-2.0-or-later
/* What mkfs and friends write, read by us and by blkid(8): the same identities. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/blkid.h"
#include "src/sys.h"

#include "tests/lib/unit.h"

static char image[64];
static struct blkid id;

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(image, "/tmp/kcapture-blkid-XXXXXX");
	fd = mkstemp(image);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 320 << 20), 0);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(image);
}

static void make(const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "PATH=$PATH:/usr/sbin:/sbin %s %s > /dev/null 2>&1", command, image);
	if (system(line))
		fail_msg("%s failed", line);
}

/* What a program prints in one line. */
static const char *ask(const char *command)
{
	static char answer[128];
	char line[256];
	FILE *out;

	snprintf(line, sizeof(line), "PATH=$PATH:/usr/sbin:/sbin %s %s", command, image);
	out = popen(line, "r");
	answer[0] = 0;
	if (out && fgets(answer, sizeof(answer), out))
		answer[strcspn(answer, "\n")] = 0;
	if (out)
		pclose(out);
	return answer;
}

static bool probe(void)
{
	int fd = open(image, O_RDONLY);
	bool result = blkid_probe(fd, &id);

	close(fd);
	return result;
}

static void check(const char *mkfs, const char *type, const char *label)
{
	make(mkfs);
	assert_true(probe());
	assert_string_equal(id.type, type);
	assert_string_equal(id.label, label);
	assert_string_equal(id.uuid, ask("blkid -p -o value -s UUID"));
}

static void test_ext(void **state)
{
	(void)state;
	check("mke2fs -q -F -t ext4 -L sixteen_letters_", "ext", "sixteen_letters_");
	check("mke2fs -q -F -t ext2", "ext", "");
}

static void test_xfs(void **state)
{
	(void)state;
	check("mkfs.xfs -q -f -L twelve_chars", "xfs", "twelve_chars");
}

static void test_btrfs(void **state)
{
	(void)state;
	check("mkfs.btrfs -q -f -L 'a label'", "btrfs", "a label");
}

static void test_vfat(void **state)
{
	(void)state;
	check("mkfs.vfat -F 32 -n CRASHDISK", "vfat", "CRASHDISK");
	check("mkfs.vfat -F 16 -n OTHER", "vfat", "OTHER");
	check("mkfs.vfat -F 32", "vfat", "");
}

static void test_luks(void **state)
{
	(void)state;
	check("echo key | cryptsetup -q luksFormat --type luks1 --pbkdf-force-iterations 1000", "crypto_LUKS", "");
	check("echo key | cryptsetup -q luksFormat --type luks2 --label secret --pbkdf pbkdf2 --pbkdf-force-iterations 1000",
	      "crypto_LUKS", "secret");
}

static void put(uint64_t off, const void *data, size_t len)
{
	int fd = open(image, O_WRONLY);

	assert_int_equal(write_all_at(fd, off, data, len), 0);
	close(fd);
}

/* A mirror's half with its metadata at the end begins with the filesystem, and is none. */
static void test_raid_member(void **state)
{
	static const uint8_t super[64] = { 0xfc, 0x4e, 0x2b, 0xa9, 1, [16] = 0xab, [31] = 0xcd, [32] = 'n' };
	static const uint64_t places[] = { 0, 4096, (320 << 20) - 8192 };
	static const uint8_t none[64];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		make("mke2fs -q -F -t ext4");
		put(places[i], super, sizeof(super));
		assert_true(probe());
		assert_string_equal(id.type, "linux_raid_member");
		assert_string_equal(id.uuid, "ab000000-0000-0000-0000-0000000000cd");
		assert_string_equal(id.label, "n");
		put(places[i], none, sizeof(none));
	}
}

static void test_nothing(void **state)
{
	(void)state;
	assert_false(probe());
	assert_int_equal(truncate(image, 100), 0);
	assert_false(probe());
}

static void test_partitions(void **state)
{
	int fd;
	char uuid[40];

	(void)state;
	make("printf 'label: gpt\nsize=10M, uuid=01234567-89AB-CDEF-0123-456789ABCDEF\nsize=20M\n' | sfdisk -q");
	fd = open(image, O_RDONLY);
	assert_true(blkid_partuuid(fd, 512, 1, uuid));
	assert_string_equal(uuid, "01234567-89ab-cdef-0123-456789abcdef");
	assert_false(blkid_partuuid(fd, 512, 0, uuid));
	assert_false(blkid_partuuid(fd, 512, 129, uuid));
	close(fd);
	make("printf 'label: dos\nlabel-id: 0x1234abcd\nsize=10M\n' | sfdisk -q --wipe always");
	fd = open(image, O_RDONLY);
	assert_true(blkid_partuuid(fd, 512, 1, uuid));
	assert_string_equal(uuid, "1234abcd-01");
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ext, setup, teardown),
		cmocka_unit_test_setup_teardown(test_xfs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_btrfs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vfat, setup, teardown),
		cmocka_unit_test_setup_teardown(test_luks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_raid_member, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partitions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
