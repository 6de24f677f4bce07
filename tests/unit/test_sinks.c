// SPDX-License-Identifier: GPL-2.0-or-later
/* The ends of the road: a file that gets its name last, a device whose header is written last, a stream. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/sinks.h"
#include "src/sys.h"
#include "tests/lib/corebuilder.h"

/* The sink of a block device on a plain file: all but its opening. */
#define sink_block_open included_sink_block_open
static int included_sink_block_open(struct sink_block *block, const char *device, struct error *err);
#include "src/sink_block.c"
#undef sink_block_open

#include "tests/lib/unit.h"

static char dir[64];
static struct sink_file file;
static struct error err;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kcapture-sinks-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[sizeof(dir) + FILE_NAME_LEN + 2];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static bool exists(const char *name)
{
	return !access(in_dir(name), F_OK);
}

static struct stat stat_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(in_dir(name), &st), 0);
	return st;
}

/* Small files only. */
static void expect_content(const char *name, const void *content, size_t len)
{
	char buf[8192];
	int fd = open(in_dir(name), O_RDONLY);

	assert_int_equal(read(fd, buf, sizeof(buf)), len);
	assert_memory_equal(buf, content, len);
	close(fd);
}

static void test_file_gets_its_name_last(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(sink_file_open(&file, dir, "vmcore", &err), 0);
	assert_true(exists("vmcore-incomplete") && !exists("vmcore"));
	assert_int_equal(stat_of("vmcore-incomplete").st_mode & 0777, 0600);
	assert_int_equal(sink_write(&file.sink, 4, "cd", 2), 0);
	assert_int_equal(sink_write(&file.sink, 0, "ab", 2), 0);
	assert_int_equal(sink_zero(&file.sink, 6, 1 << 20), 0);
	assert_int_equal(sink_sync(&file.sink), 0);
	assert_true(exists("vmcore-incomplete") && !exists("vmcore"));
	assert_int_equal(sink_commit(&file.sink, 1 << 20), 0);
	assert_true(exists("vmcore") && !exists("vmcore-incomplete"));
	sink_close(&file.sink);
	st = stat_of("vmcore");
	assert_int_equal(st.st_size, 1 << 20);
	assert_true(st.st_blocks * 512 < 1 << 16);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(truncate(in_dir("vmcore"), 8), 0);
	expect_content("vmcore", "ab\0\0cd\0\0", 8);
	assert_int_equal(file.sink.nr_written, 4);
}

static void test_file_kept(void **state)
{
	(void)state;
	assert_int_equal(sink_file_open(&file, dir, "vmcore", &err), 0);
	sink_write(&file.sink, 0, "ab", 2);
	assert_int_equal(sink_keep(&file.sink, 6), 0);
	sink_close(&file.sink);
	assert_true(exists("vmcore-incomplete") && !exists("vmcore"));
	expect_content("vmcore-incomplete", "ab\0\0\0\0", 6);
}

static void test_file_replaces(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		assert_int_equal(sink_file_open(&file, dir, "vmcore", &err), 0);
		sink_write(&file.sink, 0, round ? "xy" : "long content", round ? 2 : 12);
		if (round)
			expect_content("vmcore", "long content", 12);
		assert_int_equal(sink_commit(&file.sink, round ? 2 : 12), 0);
		sink_close(&file.sink);
	}
	expect_content("vmcore", "xy", 2);
	/* What an earlier run left unfinished is no part of the next. */
	assert_int_equal(sink_file_open(&file, dir, "new", &err), 0);
	sink_write(&file.sink, 0, "old old", 7);
	assert_int_equal(sink_keep(&file.sink, 7), 0);
	sink_close(&file.sink);
	assert_int_equal(sink_file_open(&file, dir, "new", &err), 0);
	sink_write(&file.sink, 0, "n", 1);
	assert_int_equal(sink_commit(&file.sink, 3), 0);
	sink_close(&file.sink);
	expect_content("new", "n\0\0", 3);
}

static void test_file_open_fails(void **state)
{
	char name[300];

	(void)state;
	assert_int_equal(sink_file_open(&file, in_dir("none"), "vmcore", &err), -ENOENT);
	assert_text(err.text, "none: No such file");
	assert_int_equal(sink_file_open(&file, "/proc", "vmcore", &err), -ENOENT);
	assert_text(err.text, "/proc/vmcore-incomplete: ");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	assert_int_equal(sink_file_open(&file, dir, name, &err), -ENAMETOOLONG);
	name[256] = 0;
	assert_int_equal(sink_file_open(&file, dir, name, &err), -ENAMETOOLONG);
	assert_text(err.text, "nnn...: File name too long");
	/* Nobody leads the dump elsewhere. */
	assert_int_equal(symlink("/tmp/elsewhere", in_dir("vmcore-incomplete")), 0);
	assert_int_equal(sink_file_open(&file, dir, "vmcore", &err), -ELOOP);
}

static const char *unfinished(const char *name, size_t max)
{
	static char ret[FILE_NAME_LEN + 1];

	unfinished_name(name, max, ret);
	return ret;
}

static void test_unfinished_names(void **state)
{
	(void)state;
	assert_string_equal(unfinished("vmcore", 255), "vmcore-incomplete");
	assert_string_equal(unfinished("dmesg.txt", 255), "dmesg-incomplete.txt");
	assert_string_equal(unfinished("a.txt.gz", 255), "a.txt.gz-incomplete");
	assert_string_equal(unfinished("a.txt.txt", 255), "a.txt-incomplete.txt");
	assert_string_equal(unfinished(".txt", 255), ".txt-incomplete");
	/* The beginning goes, by whole characters. */
	assert_string_equal(unfinished("core-of-1", 20), "core-of-1-incomplete");
	assert_string_equal(unfinished("core-of-1", 16), "-of-1-incomplete");
	assert_string_equal(unfinished("core.txt", 17), "re-incomplete.txt");
	assert_string_equal(unfinished("üü1", 14), "ü1-incomplete");
	assert_string_equal(unfinished("üü1", 15), "ü1-incomplete");
	assert_string_equal(unfinished("name", 9), "-incomplete");
}

/* As long as a name can be, and two such at once that differ in the end. */
static void test_file_of_long_name(void **state)
{
	static struct sink_file other;
	char name[FILE_NAME_LEN + 1], twin[FILE_NAME_LEN + 1];

	(void)state;
	for (size_t len = 240; len <= FILE_NAME_LEN; len++) {
		memset(name, 'n', len);
		name[len] = 0;
		strcpy(twin, name);
		twin[len - 1] = 'm';
		assert_int_equal(sink_file_open(&file, dir, name, &err), 0);
		assert_int_equal(sink_file_open(&other, dir, twin, &err), 0);
		assert_true(exists(file.unfinished) && !exists(name));
		assert_int_equal(sink_commit(&file.sink, 0), 0);
		assert_int_equal(sink_commit(&other.sink, 0), 0);
		sink_close(&file.sink);
		sink_close(&other.sink);
		assert_true(exists(name) && exists(twin) && !exists(file.unfinished));
	}
}

/* A full disk is not to be left with the beginning of what nobody wants to keep. */
static void test_file_removed(void **state)
{
	(void)state;
	assert_int_equal(sink_file_open(&file, dir, "SHA256SUMS", &err), 0);
	sink_write(&file.sink, 0, "ab", 2);
	sink_close(&file.sink);
	assert_false(exists("SHA256SUMS-incomplete") || exists("SHA256SUMS"));
	/* By no means what another is writing. */
	assert_int_equal(sink_file_open(&file, dir, "vmcore", &err), 0);
	assert_int_equal(sink_file_open(&(struct sink_file){ .fd = -1 }, dir, "vmcore", &err), -EWOULDBLOCK);
	assert_true(exists("vmcore-incomplete"));
	assert_int_equal(sink_commit(&file.sink, 0), 0);
	sink_close(&file.sink);
	assert_true(exists("vmcore"));
}

/* A file that may not grow: the error stays, the name stays unfinished, what fits is there. */
static void test_file_full(void **state)
{
	struct rlimit old, limit;
	char buf[6000];

	(void)state;
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 8192;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	memset(buf, 'x', sizeof(buf));
	assert_int_equal(sink_file_open(&file, dir, "vmcore", &err), 0);
	assert_int_equal(sink_write(&file.sink, 0, buf, 6000), 0);
	assert_int_equal(sink_write(&file.sink, 6000, buf, 6000), -EFBIG);
	assert_int_equal(sink_write(&file.sink, 0, "a", 1), -EFBIG);
	assert_int_equal(sink_commit(&file.sink, 8192), -EFBIG);
	sink_retry(&file.sink);
	assert_int_equal(sink_write(&file.sink, 0, "A", 1), 0);
	assert_int_equal(sink_keep(&file.sink, 8192), 0);
	sink_close(&file.sink);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_true(exists("vmcore-incomplete") && !exists("vmcore"));
	assert_int_equal(stat_of("vmcore-incomplete").st_size, 8192);
}

/* --- block device ----------------------------------------------------------------------------------------------------- */

#define DISK (2U << 20)

static struct sink_block block;
static uint8_t disk[DISK];

static void block_make(void)
{
	memset(disk, 0x55, DISK);	/* an old dump */
	memset(&block, 0, sizeof(block));
	sink_init(&block.sink, &block_ops);
	block.size = DISK;
	block.fd = open(in_dir("disk"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write_all_at(block.fd, 0, disk, DISK), 0);
}

static void read_disk(void)
{
	assert_int_equal(read_all_at(block.fd, 0, disk, DISK), 0);
}

static bool all(const uint8_t *p, uint8_t value, size_t len)
{
	while (len && *p == value)
		p++, len--;
	return !len;
}

static void test_block_header_last(void **state)
{
	(void)state;
	block_make();
	assert_int_equal(sink_write(&block.sink, 0, "HEAD", 4), 0);
	assert_int_equal(sink_write(&block.sink, 4094, "abcd", 4), 0);
	assert_int_equal(sink_sync(&block.sink), 0);
	read_disk();
	assert_true(all(disk, 0x55, 4096));
	assert_memory_equal(disk + 4096, "cd\x55", 3);
	assert_int_equal(sink_commit(&block.sink, 8192), 0);
	read_disk();
	assert_memory_equal(disk, "HEAD", 4);
	assert_true(all(disk + 4, 0, 4090));
	assert_memory_equal(disk + 4094, "abcd", 4);
	sink_close(&block.sink);
}

/* Zeros are really written, to the byte: an old dump lies there. */
static void test_block_zeros(void **state)
{
	static const uint64_t ranges[][2] = {
		{ 5000, 1 }, { 5000, 300000 }, { 4096, 1 << 20 }, { 0, 10000 }, { 0, 1 << 20 }, { 12287, 2 }, { DISK - 4097, 4097 },
		{ 1, DISK - 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		uint64_t off = ranges[i][0], len = ranges[i][1], from = max_u64(off, 4096);

		block_make();
		assert_int_equal(sink_zero(&block.sink, off, len), 0);
		read_disk();
		assert_true(all(disk, 0x55, from));
		assert_true(all(disk + from, 0, off + len > from ? off + len - from : 0));
		assert_true(all(disk + max_u64(off + len, from), 0x55, DISK - max_u64(off + len, from)));
		sink_close(&block.sink);
	}
}

static void test_block_too_small(void **state)
{
	(void)state;
	block_make();
	assert_int_equal(sink_write(&block.sink, 0, "H", 1), 0);
	assert_int_equal(sink_write(&block.sink, DISK - 2, "ab", 2), 0);
	assert_int_equal(sink_write(&block.sink, DISK - 1, "ab", 2), -ENOSPC);
	sink_retry(&block.sink);
	assert_int_equal(sink_zero(&block.sink, DISK - 1, 2), -ENOSPC);
	sink_retry(&block.sink);
	assert_int_equal(sink_commit(&block.sink, DISK + 1), -ENOSPC);
	/* What there is keeps its header, which says incomplete. */
	assert_int_equal(sink_keep(&block.sink, DISK + 1), 0);
	read_disk();
	assert_int_equal(disk[0], 'H');
	assert_memory_equal(disk + DISK - 2, "ab", 2);
	assert_int_equal(stat_of("disk").st_size, DISK);
	sink_close(&block.sink);
}

static void test_block_open_refuses_files(void **state)
{
	static struct sink_block none;

	(void)state;
	close(open(in_dir("plain"), O_WRONLY | O_CREAT, 0600));
	assert_int_equal(included_sink_block_open(&none, in_dir("plain"), &err), -ENOTBLK);
	assert_text(err.text, "plain is not a block device");
	assert_int_equal(included_sink_block_open(&none, in_dir("nothing"), &err), -ENOENT);
}

/* --- stream ----------------------------------------------------------------------------------------------------------- */

static void test_stream(void **state)
{
	struct sink_stream stream;
	char buf[16];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	sink_stream_init(&stream, fds[1]);
	assert_int_equal(stream.sink.ops->caps & SINK_SEEK, 0);
	assert_int_equal(sink_write(&stream.sink, 0, "ab", 2), 0);
	assert_int_equal(sink_zero(&stream.sink, 2, 3), 0);
	assert_int_equal(sink_write(&stream.sink, 5, "c", 1), 0);
	assert_int_equal(read(fds[0], buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "ab\0\0\0c", 6);
	assert_int_equal(sink_write(&stream.sink, 5, "d", 1), -ESPIPE);
	assert_int_equal(sink_commit(&stream.sink, 6), -ESPIPE);
	signal(SIGPIPE, SIG_IGN);
	sink_stream_init(&stream, fds[1]);
	close(fds[0]);
	assert_int_equal(sink_write(&stream.sink, 0, "a", 1), -EPIPE);
	close(fds[1]);
}

/* What fits is written; the rest is refused like by a full disk, also the overwriting of it, and what there is is kept. */
static void test_limit(void **state)
{
	struct sink_limit limit;
	struct sink *sink;

	(void)state;
	assert_int_equal(sink_file_open(&file, dir, "vmcore", &err), 0);
	sink = sink_limit_init(&limit, &file.sink, 100);
	assert_int_equal(sink_write(sink, 0, "header", 6), 0);
	assert_int_equal(sink_zero(sink, 90, 10), 0);
	assert_int_equal(sink_write(sink, 98, "abc", 3), -ENOSPC);
	assert_int_equal(sink_write(sink, 0, "HEADER", 6), -ENOSPC);
	sink_retry(sink);
	assert_int_equal(sink_write(sink, 0, "HEADER", 6), 0);
	assert_int_equal(sink_write(sink, UINT64_MAX, "a", 1), -ENOSPC);
	sink_retry(sink);
	assert_int_equal(sink_commit(sink, 101), -ENOSPC);
	assert_false(exists("vmcore"));
	assert_int_equal(sink_keep(sink, 1000), 0);
	sink_close(sink);
	assert_int_equal(stat_of("vmcore-incomplete").st_size, 100);
}

/* It is no hole, whatever lies between; and no more is reserved than there is. */
static void test_reserve(void **state)
{
	struct sink_limit limit;
	struct sink *sink;

	(void)state;
	assert_int_equal(sink_file_open(&file, dir, "vmcore", &err), 0);
	sink = sink_limit_init(&limit, &file.sink, 4 << 20);
	assert_int_equal(sink_reserve(sink, 1 << 20, 100000), 0);
	assert_true(stat_of("vmcore-incomplete").st_blocks * 512 >= 100000);
	assert_int_equal(sink_reserve(sink, 4 << 20, 1), -ENOSPC);
	sink_retry(sink);
	assert_int_equal(sink_commit(sink, 2 << 20), 0);
	sink_close(sink);
	assert_true(stat_of("vmcore").st_blocks * 512 < 1 << 20);
	assert_int_equal(truncate(in_dir("vmcore"), 8), 0);
	expect_content("vmcore", "\0\0\0\0\0\0\0\0", 8);
}

static void test_nowhere(void **state)
{
	struct sink_null null;

	(void)state;
	sink_null_init(&null);
	assert_int_equal(sink_write(&null.sink, 1ULL << 50, "a", 1), 0);
	assert_int_equal(sink_write(&null.sink, 0, "a", 1), 0);
	assert_int_equal(sink_reserve(&null.sink, 1ULL << 49, 1), 0);
	assert_int_equal(sink_commit(&null.sink, 7), 0);
	assert_int_equal(null.size, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file_gets_its_name_last, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_replaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_open_fails, setup, teardown),
		cmocka_unit_test(test_unfinished_names),
		cmocka_unit_test_setup_teardown(test_file_of_long_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_block_header_last, setup, teardown),
		cmocka_unit_test_setup_teardown(test_block_zeros, setup, teardown),
		cmocka_unit_test_setup_teardown(test_block_too_small, setup, teardown),
		cmocka_unit_test_setup_teardown(test_block_open_refuses_files, setup, teardown),
		cmocka_unit_test(test_stream),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reserve, setup, teardown),
		cmocka_unit_test(test_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
