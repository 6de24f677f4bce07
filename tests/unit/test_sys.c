// SPDX-License-Identifier: GPL-2.0-or-later
/* Guarded copies of memory that may go away, windows over files, and the small calls around files. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elfcore/zero.h"
#include "src/guard.h"
#include "src/mem_sources.h"
#include "src/sys.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

static char dir[] = "/tmp/kcapture-sys-XXXXXX";
static size_t page;

static int setup(void **state)
{
	(void)state;
	page = getpagesize();
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* A file of len pattern bytes. */
static int make_file(size_t len)
{
	int fd = open(in_dir("file"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint8_t *p = malloc(len + 1);

	pattern_fill(p, 0, len);
	assert_int_equal(write_all_at(fd, 0, p, len), 0);
	free(p);
	return fd;
}

static void test_copy_all_alignments(void **state)
{
	static uint8_t src[512], dst[512];

	(void)state;
	pattern_fill(src, 0, sizeof(src));
	for (size_t from = 0; from < 16; from++) {
		for (size_t to = 0; to < 9; to++) {
			for (size_t len = 0; len < 120; len++) {
				memset(dst, 0, sizeof(dst));
				assert_int_equal(guard_copy(dst + to, src + from, len), 0);
				assert_memory_equal(dst + to, src + from, len);
				assert_int_equal(dst[to + len], 0);
				assert_true(!to || !dst[to - 1]);
			}
		}
	}
}

/* What lies behind the end of a truncated file faults: SIGBUS becomes -EIO, again and again. */
static void test_sigbus(void **state)
{
	int fd = make_file(4 * page);
	uint8_t *p = mmap(NULL, 4 * page, PROT_READ, MAP_SHARED, fd, 0), buf[8192];

	(void)state;
	assert_true(p != MAP_FAILED);
	guard_init(NULL);	/* here: cmocka takes these signals before every test */
	assert_int_equal(ftruncate(fd, 2 * page), 0);
	for (unsigned int round = 0; round < 3; round++) {
		assert_int_equal(guard_copy(buf, p, 2 * page), 0);
		assert_true(pattern_is(buf, 0, 2 * page));
		assert_int_equal(guard_copy(buf, p + 2 * page, 1), -EIO);
		assert_int_equal(guard_copy(buf, p + page, page + 1), -EIO);
		assert_int_equal(guard_copy(buf, p + page + 3, page - 3), 0);
		assert_true(pattern_is(buf, page + 3, page - 3));
		assert_int_equal(guard_copy(buf, p + 2 * page - 5, 6), -EIO);
	}
	munmap(p, 4 * page);
	close(fd);
}

static void test_sigsegv(void **state)
{
	uint8_t *p = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), buf[8];

	(void)state;
	guard_init(NULL);
	assert_int_equal(guard_copy(buf, p, 8), -EIO);
	munmap(p, page);
}

static void fatal(int sig)
{
	_exit(100 + sig);
}

/* A fault outside of a guarded copy is not swallowed, also not after a guarded one. */
static void test_other_faults_are_fatal(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		volatile uint8_t *p = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		uint8_t buf[8];

		guard_init(fatal);
		if (guard_copy(buf, (const void *)p, 8) != -EIO)
			_exit(1);
		(void)*p;
		_exit(2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 100 + SIGSEGV);
}

static void test_window(void **state)
{
	struct mem_window window;
	int fd = make_file(10 * page);
	uint8_t *buf = malloc(10 * page);

	(void)state;
	guard_init(NULL);
	mem_window_init(&window, fd);
	assert_int_equal(mem_window_read(&window, 5, buf, 100), 0);
	assert_true(pattern_is(buf, 5, 100));
	assert_int_equal(window.len, page);
	/* Inside of the window nothing is mapped anew. */
	void *ptr = window.ptr;

	assert_int_equal(mem_window_read(&window, page - 1, buf, 1), 0);
	assert_ptr_equal(window.ptr, ptr);
	assert_int_equal(mem_window_read(&window, page - 1, buf, 2), 0);
	assert_true(pattern_is(buf, page - 1, 2));
	assert_int_equal(window.base, 0);
	assert_int_equal(window.len, 2 * page);
	assert_int_equal(mem_window_read(&window, 3 * page + 7, buf, 6 * page), 0);
	assert_true(pattern_is(buf, 3 * page + 7, 6 * page));
	assert_int_equal(window.base, 3 * page);
	assert_int_equal(window.len, 7 * page);
	/* Pages behind the end of the file. */
	assert_int_equal(mem_window_read(&window, 9 * page, buf, page + 1), -EIO);
	assert_int_equal(mem_window_read(&window, 9 * page, buf, page), 0);
	mem_window_deinit(&window);
	mem_window_deinit(&window);
	close(fd);
	/* What cannot be mapped at all. */
	mem_window_init(&window, -1);
	assert_int_equal(mem_window_read(&window, 0, buf, 1), -EBADF);
	mem_window_deinit(&window);
	free(buf);
}

/* The sum of some bytes; 0 until all of them were touched. */
struct sum {
	size_t len;
	uint64_t total;
};

static void add_up(void *arg, const uint8_t *p)
{
	struct sum *sum = arg;
	uint64_t total = 0;

	for (size_t i = 0; i < sum->len; i++)
		total += p[i];
	sum->total = total;
}

/* In place, and past the end of the file, again and again; copies are guarded as before. */
static void test_look(void **state)
{
	struct mem_file file;
	struct error err;
	struct sum all = { .len = 3 * page }, beyond = { .len = 3 * page };
	uint8_t *buf = malloc(3 * page);
	uint64_t expected = 0;
	int fd = open(in_dir("looked-at"), O_WRONLY | O_CREAT, 0600);

	(void)state;
	guard_init(NULL);
	pattern_fill(buf, 0, 3 * page);
	for (size_t i = 0; i < 3 * page; i++)
		expected += buf[i];
	assert_int_equal(write_all(fd, buf, 3 * page), 0);
	close(fd);
	assert_int_equal(mem_file_open(&file, in_dir("looked-at"), &err), 0);
	for (unsigned int round = 0; round < 3; round++) {
		all.total = 0;
		assert_int_equal(mem_look(&file.mem, 0, 3 * page, add_up, &all), 0);
		assert_true(all.total == expected);
		assert_int_equal(mem_look(&file.mem, page, 3 * page, add_up, &beyond), -EIO);
		assert_true(beyond.total == 0);
		assert_int_equal(guard_copy(buf, file.window.ptr, page), 0);
		assert_true(pattern_is(buf, page, page));
	}
	mem_close(&file.mem);
	free(buf);
}

/* Large reads of holes are answered without the file; what only touches one is read as ever. */
static void test_holes_of_a_file(void **state)
{
	const size_t mib = 1 << 20;
	struct mem_file file;
	struct error err;
	uint8_t *buf = malloc(mib);
	int fd = open(in_dir("sparse"), O_WRONLY | O_CREAT, 0600);

	(void)state;
	pattern_fill(buf, 2 * mib, mib);
	assert_int_equal(write_all_at(fd, 2 * mib, buf, mib), 0);
	assert_int_equal(ftruncate(fd, 8 * mib), 0);
	close(fd);
	assert_int_equal(mem_file_open(&file, in_dir("sparse"), &err), 0);
	assert_int_equal(mem_read(&file.mem, 0, buf, mib), 0);
	assert_true(mem_is_zero(buf, mib));
	assert_int_equal(file.hole_end, 2 * mib);
	assert_int_equal(mem_read(&file.mem, 2 * mib - page, buf, 64 << 10), 0);
	assert_true(mem_is_zero(buf, page) && pattern_is(buf + page, 2 * mib, (64 << 10) - page));
	assert_int_equal(mem_read(&file.mem, 2 * mib, buf, mib), 0);
	assert_true(pattern_is(buf, 2 * mib, mib));
	memset(buf, 1, mib);
	assert_int_equal(mem_read(&file.mem, 7 * mib, buf, mib), 0);
	assert_true(mem_is_zero(buf, mib));
	assert_int_equal(file.hole_end, 8 * mib);
	assert_int_equal(mem_read(&file.mem, 8 * mib - 5, buf, 5), 0);
	/* There is no hole behind the end. */
	assert_int_equal(mem_read(&file.mem, 7 * mib, buf, mib + 1), -ENODATA);
	assert_int_equal(mem_read(&file.mem, 9 * mib, buf, mib), -ENODATA);
	mem_close(&file.mem);
	free(buf);
}

static void test_read_all_at(void **state)
{
	int fd = make_file(1000);
	uint8_t buf[1001];

	(void)state;
	assert_int_equal(read_all_at(fd, 0, buf, 1000), 0);
	assert_true(pattern_is(buf, 0, 1000));
	assert_int_equal(read_all_at(fd, 999, buf, 1), 0);
	assert_int_equal(read_all_at(fd, 0, buf, 1001), -ENODATA);
	assert_int_equal(read_all_at(fd, 5000, buf, 1), -ENODATA);
	assert_int_equal(read_all_at(fd, 5000, buf, 0), 0);
	close(fd);
	assert_int_equal(read_all_at(fd, 0, buf, 1), -EBADF);
	assert_int_equal(write_all_at(fd, 0, buf, 1), -EBADF);
	assert_int_equal(write_all(fd, buf, 1), -EBADF);
}

static void test_write_all_to_full(void **state)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_int_equal(write_all(fd, "x", 1), -ENOSPC);
	assert_int_equal(write_all_at(fd, 0, "x", 1), -ENOSPC);
	assert_int_equal(write_all(fd, "x", 0), 0);
	close(fd);
}

static void test_read_text(void **state)
{
	char buf[16];
	int fd = open(in_dir("text"), O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write_all(fd, "0123456789abcde", 15), 0);
	memset(buf, 'X', sizeof(buf));
	assert_int_equal(read_text(in_dir("text"), buf, 16), 15);
	assert_string_equal(buf, "0123456789abcde");
	assert_int_equal(read_text(in_dir("text"), buf, 15), -EFBIG);
	assert_int_equal(read_text(in_dir("text"), buf, 1), -EFBIG);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(read_text(in_dir("text"), buf, 16), 0);
	assert_string_equal(buf, "");
	close(fd);
	assert_int_equal(read_text(in_dir("none"), buf, 16), -ENOENT);
	assert_int_equal(read_text(dir, buf, 16), -EISDIR);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	return st.st_mode & 0777;
}

static void test_make_dirs(void **state)
{
	static char path[8192];

	(void)state;
	umask(022);
	assert_int_equal(make_dirs(in_dir("a/b/c"), 0700), 0);
	assert_int_equal(mode_of(in_dir("a")), 0755);
	assert_int_equal(mode_of(in_dir("a/b")), 0755);
	assert_int_equal(mode_of(in_dir("a/b/c")), 0700);
	/* Again, and what is there keeps its mode. */
	assert_int_equal(make_dirs(in_dir("a/b/c"), 0755), 0);
	assert_int_equal(mode_of(in_dir("a/b/c")), 0700);
	assert_int_equal(make_dirs(in_dir("a//x/./y/"), 0755), 0);
	assert_int_equal(mode_of(in_dir("a/x/y")), 0755);
	assert_int_equal(make_dirs("/", 0755), 0);
	assert_int_equal(make_dirs("", 0755), -ENOENT);
	close(open(in_dir("plain"), O_WRONLY | O_CREAT, 0600));
	assert_int_equal(make_dirs(in_dir("plain/x"), 0755), -ENOTDIR);
	assert_int_equal(make_dirs("/proc/nothing/here", 0755), -ENOENT);
	memset(path, 'x', sizeof(path) - 1);
	assert_int_equal(make_dirs(path, 0755), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy_all_alignments),
		cmocka_unit_test(test_sigbus),
		cmocka_unit_test(test_sigsegv),
		cmocka_unit_test(test_other_faults_are_fatal),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_holes_of_a_file),
		cmocka_unit_test(test_read_all_at),
		cmocka_unit_test(test_write_all_to_full),
		cmocka_unit_test(test_read_text),
		cmocka_unit_test(test_make_dirs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
