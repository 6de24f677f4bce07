// SPDX-License-Identifier: GPL-2.0-or-later
/* Classes of pages by the words of /proc/kpageflags, out of a file that looks like it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/memory_use.h"
#include "tests/lib/unit.h"

#define BIT(n) (1ULL << (n))

enum { LRU = 5, SLAB = 7, BUDDY = 10, ANON = 12, HUGE = 17, HWPOISON = 19, NOPAGE = 20, OFFLINE = 23, PRIVATE = 35 };

static char path[64];

static int setup(void **state)
{
	(void)state;
	strcpy(path, "/tmp/kcapture-flags-XXXXXX");
	close(mkstemp(path));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void put(const uint64_t *words, size_t nr)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, words, nr * sizeof(*words)), nr * sizeof(*words));
	close(fd);
}

static void test_classes(void **state)
{
	static const uint64_t words[] = {
		BIT(NOPAGE), BIT(NOPAGE),
		0, BIT(SLAB), BIT(HWPOISON), BIT(SLAB) | BIT(LRU),
		BIT(BUDDY), BIT(BUDDY), BIT(BUDDY),
		BIT(LRU), BIT(LRU),
		BIT(LRU) | BIT(PRIVATE),
		BIT(LRU) | BIT(ANON), BIT(HUGE),
		BIT(OFFLINE),
	};
	struct memory_use use;
	struct error err;

	(void)state;
	put(words, ARRAY_SIZE(words));
	assert_int_equal(memory_use_from_flags(&use, path, &err), 0);
	assert_int_equal(use.nr_pages, 13);
	assert_int_equal(use.nr_class[PAGE_KEEP], 4);
	assert_int_equal(use.nr_class[PAGE_FREE], 3);
	assert_int_equal(use.nr_class[PAGE_CACHE], 2);
	assert_int_equal(use.nr_class[PAGE_CACHE_PRIVATE], 1);
	assert_int_equal(use.nr_class[PAGE_USER], 2);
	assert_int_equal(use.nr_class[PAGE_OFFLINE], 1);
	assert_int_equal(use.page_size, getpagesize());
}

static void test_nothing(void **state)
{
	struct memory_use use;
	struct error err;

	(void)state;
	put(NULL, 0);
	assert_int_equal(memory_use_from_flags(&use, path, &err), -ENODATA);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(memory_use_from_flags(&use, "/nonexistent", &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_classes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
