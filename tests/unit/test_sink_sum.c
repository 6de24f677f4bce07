// SPDX-License-Identifier: GPL-2.0-or-later
/* The digest that a stage makes while a file is written, against the digest of the file; and when it has to give up. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/core_elf.h"
#include "src/sink_sum.h"
#include "src/sinks.h"
#include "src/sums.h"
#include "src/sys.h"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

static char dir[64];
static struct sink_file file;
static struct sink_sum sum;
static struct sink *sink;

static int setup(void **state)
{
	struct error err;

	(void)state;
	strcpy(dir, "/tmp/kcapture-sum-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(sink_file_open(&file, dir, "vmcore", &err), 0);
	sink = sink_sum_init(&sum, &file.sink);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* sha256sum(1) on the whole file, by way of SHA256SUMS. */
static void check_sum(uint64_t size)
{
	uint8_t digest[DIGEST_LEN];
	struct sums sums = { .nr = 0 };
	struct sink_file list;
	struct error err;
	char command[160];

	assert_int_equal(sink_commit(sink, size), 0);
	assert_true(sink_sum_result(&sum, digest));
	sink_close(sink);
	sums_add(&sums, "vmcore", digest);
	assert_int_equal(sink_file_open(&list, dir, SUMS_FILE_NAME, &err), 0);
	assert_int_equal(sums_write(&sums, &list.sink), 0);
	sink_close(&list.sink);
	snprintf(command, sizeof(command), "cd %s && sha256sum --status --strict -c " SUMS_FILE_NAME, dir);
	assert_int_equal(system(command), 0);
}

static void check_unknown(uint64_t size)
{
	uint8_t digest[DIGEST_LEN];

	assert_int_equal(sink_commit(sink, size), 0);
	assert_false(sink_sum_result(&sum, digest));
	sink_close(sink);
}

static void test_in_order(void **state)
{
	(void)state;
	sink_write(sink, 0, "abc", 3);
	sink_write(sink, 3, "defg", 4);
	sink_zero(sink, 7, 200000);
	sink_write(sink, 300000, "behind a gap", 12);
	check_sum(400000);
}

static void test_expected(void **state)
{
	(void)state;
	sink_expect(sink, 0, "HEAD", 4);
	sink_expect(sink, 6, "NOTE", 4);
	sink_write(sink, 0, "head--not", 9);
	sink_write(sink, 9, "e, data", 7);
	sink_write(sink, 6, "NOTE", 4);
	sink_write(sink, 0, "HEAD", 4);
	assert_memory_equal(sum.head, "HEAD--NOTE, data", 16);
	assert_int_equal(sum.head_len, 16);
	check_sum(16);
}

/* What was announced and never came, came otherwise, only in part, or was not announced at all. */
static void test_not_as_expected(void **state)
{
	(void)state;
	sink_expect(sink, 0, "HEAD", 4);
	sink_write(sink, 0, "headdata", 8);
	check_unknown(8);
}

static void test_otherwise(void **state)
{
	(void)state;
	sink_expect(sink, 0, "HEAD", 4);
	sink_write(sink, 0, "headdata", 8);
	sink_write(sink, 0, "HEAT", 4);
	check_unknown(8);
}

static void test_part(void **state)
{
	(void)state;
	sink_expect(sink, 0, "HEAD", 4);
	sink_write(sink, 0, "headdata", 8);
	sink_write(sink, 0, "HE", 2);
	check_unknown(8);
}

static void test_unannounced(void **state)
{
	(void)state;
	sink_write(sink, 0, "headdata", 8);
	sink_write(sink, 4, "data", 4);
	check_unknown(8);
}

static void test_too_late(void **state)
{
	(void)state;
	sink_write(sink, 0, "headdata", 8);
	sink_expect(sink, 0, "HEAD", 4);
	sink_write(sink, 0, "HEAD", 4);
	check_unknown(8);
}

/* An ELF core announces all that it writes twice: its digest is known. One with holes is not what was announced. */
static void write_core(const struct holes *holes, uint64_t *size_ret)
{
	static struct core_elf elf;
	static struct batch batch;
	struct core *core = core_elf_init(&elf, NULL, NULL);
	struct core_result result = { .holes = holes, .duration_ms = 77, .sources = "devmem:5" };
	static uint8_t page[4096] = "not zero";
	struct wreck wreck;
	struct crash crash;
	struct plan plan;
	struct error err;

	wreck_init(&wreck, FORMS[0], EM_X86_64);
	wreck_crash(&wreck, &crash);
	assert_int_equal(plan_init(&plan, &crash, 4096, &err), 0);
	assert_int_equal(core->ops->plan(core, &plan, &err), 0);
	assert_int_equal(core->ops->begin(core, sink, &err), 0);
	batch_start(&batch, plan.ranges[0].off);
	batch.nr_segs = 0;
	batch_add(&batch, plan.ranges[0].src, sizeof(page));
	batch_add_seg(&batch, page, sizeof(page));
	assert_int_equal(core->ops->put(core, &batch), 0);
	assert_int_equal(core->ops->end(core, &result, &err), 0);
	*size_ret = plan.file_size;
	plan_deinit(&plan);
	crash_deinit(&crash);
	wreck_free(&wreck);
}

static void test_core(void **state)
{
	const struct holes none = { 0 };
	uint64_t size;

	(void)state;
	write_core(&none, &size);
	check_sum(size);
}

static void test_core_with_holes(void **state)
{
	const struct holes holes = { .nr_ranges = 1, .nr_bytes = 4096 };
	uint64_t size;

	(void)state;
	write_core(&holes, &size);
	check_unknown(size);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_expected, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_as_expected, setup, teardown),
		cmocka_unit_test_setup_teardown(test_otherwise, setup, teardown),
		cmocka_unit_test_setup_teardown(test_part, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unannounced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_core, setup, teardown),
		cmocka_unit_test_setup_teardown(test_core_with_holes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
