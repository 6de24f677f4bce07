// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects of a kernel that may be broken: lists in circles and into nowhere, trees, strings. */
#include <errno.h>
#include <string.h>

#include "elfcore/object.h"
#include "tests/lib/small_kernel.h"

#include "tests/lib/unit.h"

#define BASE 0xffff888000000000ULL
#define SIZE 0x4000

static void put(struct small_kernel *m, vaddr_t addr, uint64_t value)
{
	small_kernel_put(m, addr - BASE, 8, value);
}

static void machine_init(struct small_kernel *m)
{
	small_kernel_init(m, BASE, SIZE, NULL);
	m->kernel.page_size = 4096;
}

/* A list of nr entries 16 bytes apart behind its head at BASE; returns the last one. */
static vaddr_t make_list(struct small_kernel *m, unsigned int nr)
{
	for (unsigned int i = 0; i <= nr; i++)
		put(m, BASE + 16 * i, i == nr ? BASE : BASE + 16 * (i + 1));
	return BASE + 16 * nr;
}

static unsigned int walk_list(struct small_kernel *m, int *error_ret)
{
	struct list_walk walk;
	unsigned int nr = 0;
	vaddr_t at;

	list_walk_init(&walk, &m->kernel, BASE);
	while (list_walk_next(&walk, &at)) {
		if (nr < 100)
			assert_true(at == BASE + 16 * (nr + 1) || *error_ret);
		nr++;
	}
	*error_ret = walk.error;
	return nr;
}

static void test_lists(void **state)
{
	struct small_kernel m;
	int error = 0;
	vaddr_t last;

	(void)state;
	machine_init(&m);
	make_list(&m, 0);
	assert_int_equal(walk_list(&m, &error), 0);
	assert_int_equal(error, 0);
	last = make_list(&m, 100);
	assert_int_equal(walk_list(&m, &error), 100);
	assert_int_equal(error, 0);
	error = 1;
	put(&m, last, last);				/* the last one is its own next */
	assert_in_range(walk_list(&m, &error), 100, 300);
	assert_int_equal(error, -ELOOP);
	put(&m, last, BASE + 16 * 50);			/* a circle that the head is not in */
	assert_in_range(walk_list(&m, &error), 100, 400);
	assert_int_equal(error, -ELOOP);
	put(&m, last, BASE + SIZE);
	assert_int_equal(walk_list(&m, &error), 100);
	assert_int_equal(error, -EIO);
	put(&m, last, 0);				/* NULL ends no circular list */
	assert_int_equal(walk_list(&m, &error), 100);
	assert_int_equal(error, -EIO);
	fake_mem_free(&m.mem);
}

static void test_chain(void **state)
{
	struct list_walk walk;
	struct small_kernel m;
	vaddr_t at;

	(void)state;
	machine_init(&m);
	put(&m, BASE, BASE + 64);
	list_walk_init_chain(&walk, &m.kernel, BASE);
	assert_true(list_walk_next(&walk, &at) && at == BASE);
	assert_true(list_walk_next(&walk, &at) && at == BASE + 64);
	assert_false(list_walk_next(&walk, &at));
	assert_int_equal(walk.error, 0);
	fake_mem_free(&m.mem);
}

/* Node i of a tree of 1..7 is at BASE + 32 * i: parent and colour, right, left. */
static void make_tree(struct small_kernel *m)
{
	static const uint8_t parent[] = { 0, 2, 4, 2, 0, 6, 4, 6 }, left[] = { 0, 0, 1, 0, 2, 0, 5, 0 };
	static const uint8_t right[] = { 0, 0, 3, 0, 6, 0, 7, 0 };

	for (unsigned int i = 1; i < 8; i++) {
		put(m, BASE + 32 * i, parent[i] ? (BASE + 32 * parent[i]) | (i & 1) : 1);
		put(m, BASE + 32 * i + 8, right[i] ? BASE + 32 * right[i] : 0);
		put(m, BASE + 32 * i + 16, left[i] ? BASE + 32 * left[i] : 0);
	}
}

static void test_tree(void **state)
{
	unsigned int expected = 1;
	struct rb_walk walk;
	struct small_kernel m;
	vaddr_t at;

	(void)state;
	machine_init(&m);
	make_tree(&m);
	rb_walk_init(&walk, &m.kernel, BASE + 32 * 4);
	while (rb_walk_next(&walk, &at))
		assert_true(at == BASE + 32 * expected++);
	assert_int_equal(expected, 8);
	assert_int_equal(walk.error, 0);
	rb_walk_init(&walk, &m.kernel, 0);
	assert_false(rb_walk_next(&walk, &at));
	put(&m, BASE + 32 * 1 + 16, BASE + 32 * 4);	/* the leftmost one has the root below it */
	rb_walk_init(&walk, &m.kernel, BASE + 32 * 4);
	assert_false(rb_walk_next(&walk, &at));
	assert_int_equal(walk.error, -ELOOP);
	put(&m, BASE + 32 * 1 + 16, BASE + SIZE);
	rb_walk_init(&walk, &m.kernel, BASE + 32 * 4);
	assert_false(rb_walk_next(&walk, &at));
	assert_int_equal(walk.error, -EIO);
	fake_mem_free(&m.mem);
}

static void test_strings(void **state)
{
	struct small_kernel m;
	char text[16];
	uint64_t value;

	(void)state;
	machine_init(&m);
	memcpy(fake_mem_at(&m.mem, 0x100), "a\033[2J\xff", 7);
	assert_int_equal(kernel_read_string(&m.kernel, BASE + 0x100, text, sizeof(text)), 0);
	assert_string_equal(text, "a?[2J?");
	assert_int_equal(kernel_read_string(&m.kernel, BASE + 0x100, text, 3), 0);
	assert_string_equal(text, "a?");
	memcpy(fake_mem_at(&m.mem, SIZE - 3), "end", 3);	/* the rest is on a page that is not there */
	fake_mem_refuse(&m.mem, SIZE, 2 * SIZE, -ENODATA);
	assert_int_equal(kernel_read_string(&m.kernel, BASE + SIZE - 3, text, sizeof(text)), 0);
	assert_string_equal(text, "end");
	assert_int_equal(kernel_read_string(&m.kernel, BASE + SIZE, text, sizeof(text)), -ENODATA);
	assert_string_equal(text, "");
	assert_int_equal(kernel_read_uint(&m.kernel, BASE, 3, &value), -EINVAL);
	fake_mem_free(&m.mem);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
