/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The archive: same input, same bytes; read back by cpio; nothing left behind, whatever goes wrong. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/archive.h"
#include "initramfs/tool.h"

/* Last: cmocka has a macro named fail(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/kcapture-test-archive.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	unsetenv("SOURCE_DATE_EPOCH");
	return setenv("TMPDIR", dir, 1);
}

static int teardown(void **state)
{
	char command[128];
	(void)state;
	unsetenv("TMPDIR");
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static unsigned int nr_files(void)
{
	unsigned int nr = 0;
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *entry; (entry = readdir(d));)
		nr += entry->d_name[0] != '.';
	closedir(d);
	return nr;
}

static const char *in_dir(const char *name)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* A few files in an order and at a time that must not matter. */
static void make(struct archive *ar, bool reversed)
{
	struct error err = { 0 };
	assert_int_equal(archive_init(ar, &err), 0);
	assert_int_equal(archive_add_dir(ar, "etc", &err), 0);
	if (!reversed)
		assert_int_equal(archive_add_text(ar, "etc/a", 0644, "hello", 5, &err), 0);
	assert_int_equal(archive_add_text(ar, "init", 0755, "\x7f\0x", 3, &err), 0);
	assert_int_equal(archive_add_dir(ar, "dev", &err), 0);
	if (reversed)
		assert_int_equal(archive_add_text(ar, "etc/a", 0644, "hello", 5, &err), 0);
}

static char *write_and_read(bool reversed, const char *codec, const char *out, size_t *len)
{
	struct archive ar;
	struct archive_size size;
	struct error err = { 0 };
	char *bytes;
	make(&ar, reversed);
	if (archive_write(&ar, archive_codec_find(codec), in_dir(out), &size, &err))
		fail_msg("%s", err.text);
	archive_deinit(&ar);
	assert_int_equal(file_read(in_dir(out), &bytes, len, &err), 0);
	assert_int_equal(*len, size.packed);
	return bytes;
}

static void test_same_bytes(void **state)
{
	static const char *const names[] = { "none", "gzip", "xz", "zstd" };
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		size_t len_a, len_b;
		mode_t old = umask(077);
		char *a = write_and_read(false, names[i], "a", &len_a);
		umask(old);
		char *b = write_and_read(true, names[i], "b", &len_b);
		assert_int_equal(len_a, len_b);
		assert_memory_equal(a, b, len_a);
		free(a);
		free(b);
	}
	assert_int_equal(nr_files(), 2);	/* the outputs, and nothing else */
}

static void test_epoch(void **state)
{
	size_t len;
	struct archive ar;
	struct error err = { 0 };
	(void)state;
	setenv("SOURCE_DATE_EPOCH", "286331153", 1);	/* 0x11111111 */
	char *a = write_and_read(false, "none", "a", &len);
	/* newc: magic, ino, mode, uid, gid, nlink, mtime: the 7th field of 8 hex digits after 6 of magic. */
	assert_memory_equal(a + 6 + 5 * 8, "11111111", 8);
	free(a);
	setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
	assert_int_equal(archive_init(&ar, &err), -EINVAL);
	unsetenv("SOURCE_DATE_EPOCH");
}

static void test_cpio_reads_it(void **state)
{
	size_t len;
	char command[256], *text;
	struct error err = { 0 };
	(void)state;
	free(write_and_read(false, "gzip", "a.gz", &len));
	snprintf(command, sizeof(command),
		 "gzip -dc %s/a.gz | cpio -tv --quiet -n | awk '{ print $1, $3, $4, $5, $NF }' >%s/list", dir, dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(file_read(in_dir("list"), &text, NULL, &err), 0);
	assert_string_equal(text, "drwxr-xr-x 0 0 0 dev\ndrwxr-xr-x 0 0 0 etc\n"
			    "-rw-r--r-- 0 0 5 etc/a\n-rwxr-xr-x 0 0 3 init\n");
	free(text);
}

static void test_failures_leave_nothing(void **state)
{
	struct archive ar;
	struct archive_size size;
	struct error err = { 0 };
	const struct archive_codec broken = { .name = "broken", .argv = { "false", NULL } };
	const struct archive_codec absent = { .name = "absent", .argv = { "no-such-program-here", NULL } };
	(void)state;
	make(&ar, false);
	assert_int_equal(archive_write(&ar, &broken, in_dir("out"), &size, &err), -EIO);
	assert_int_equal(archive_write(&ar, &absent, in_dir("out"), &size, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no-such-program-here"));
	assert_int_equal(archive_write(&ar, archive_codec_find("none"), in_dir("no/out"), &size, &err), -ENOENT);
	assert_int_equal(archive_write(&ar, archive_codec_find("none"), "/dev/null", &size, &err), -EINVAL);
	assert_int_equal(archive_add_copy(&ar, "x", 0644, in_dir("absent"), &err), -ENOENT);
	archive_deinit(&ar);
	assert_int_equal(nr_files(), 0);
	assert_null(archive_codec_find("lzma"));
}

static volatile sig_atomic_t seen;

static void see(int sig)
{
	seen = sig;
}

/* A signal while a tool runs ends the tool, unwinds, and reaches the old handler afterwards. */
static void test_interrupted(void **state)
{
	struct archive ar;
	struct archive_size size;
	struct error err = { 0 };
	const struct archive_codec slow = { .name = "slow",
					    .argv = { "sh", "-c", "kill -TERM $PPID; exec sleep 60", NULL } };
	(void)state;
	signal(SIGTERM, see);
	tool_catch_signals();
	make(&ar, false);
	assert_int_equal(archive_write(&ar, &slow, in_dir("out"), &size, &err), -EINTR);
	archive_deinit(&ar);
	assert_int_equal(nr_files(), 0);
	assert_int_equal(seen, 0);
	tool_release_signals();
	assert_int_equal(seen, SIGTERM);
	signal(SIGTERM, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_epoch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cpio_reads_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures_leave_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
