// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every format and codec, written by the whole road and read back by the reader: the same memory. What goes wrong on the
 * way (a sink that fails, a worker that dies, no room) leaves what is marked incomplete and still opens.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/kdump_facts.h"
#include "tests/lib/capture_bed.h"

#include "tests/lib/unit.h"

static void prepare(enum dump_format format, enum codec codec, unsigned int jobs)
{
	bed_prepare(&bed.live, "core");
	bed.cap.max_aliases = 0;
	bed.cap.format = format;
	bed.cap.codec = codec;
	bed.cap.jobs = jobs;
}

/* The memory in the file against that of the machine, by physical address. */
static void expect_same_memory(const char *name)
{
	static uint8_t a[4096], b[4096];
	unsigned int nr = 0;

	bed_open(name);
	for (paddr_t paddr = 0; paddr < WRECK_HIGH + WRECK_HIGH_SIZE; paddr += 4096) {
		maddr_t x, y;
		uint64_t x_len, y_len;

		if (crash_find_paddr(&bed.live.crash, paddr, &x, &x_len))
			continue;
		assert_int_equal(crash_find_paddr(&bed.file.crash, paddr, &y, &y_len), 0);
		x_len = min_u64(min_u64(x_len, y_len), 4096);
		assert_int_equal(mem_read(&bed.wreck.mem.mem, x, a, x_len), 0);
		assert_int_equal(mem_read(&bed.file.chain.mem, y, b, x_len), 0);
		assert_memory_equal(a, b, x_len);
		nr++;
	}
	assert_int_equal(nr, 5 + 64 + 8);
	assert_int_equal(bed.file.crash.notes.nr_cpus, 2);
	input_close(&bed.file);
}

static const struct {
	enum dump_format format;
	enum codec codec;
} kinds[] = {
	{ FORMAT_ELF, CODEC_NONE }, { FORMAT_ELF, CODEC_ZSTD }, { FORMAT_KDUMP, CODEC_NONE }, { FORMAT_KDUMP, CODEC_ZLIB },
	{ FORMAT_KDUMP, CODEC_LZO }, { FORMAT_KDUMP, CODEC_ZSTD },
};

static void test_roundtrip(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (unsigned int jobs = 1; jobs <= 3; jobs++) {
			prepare(kinds[i].format, kinds[i].codec, jobs);
			if (capture(&bed.cap, &bed.err))
				fail_msg("format %d codec %d jobs %u: %s", kinds[i].format, kinds[i].codec, jobs, bed.err.text);
			assert_int_equal(bed.cap.holes.nr_bytes, 0);
			/* zstd finds them itself, and does not count. */
			assert_true(bed.cap.nr_zero_bytes >= WRECK_ZEROS_SIZE || (!kinds[i].format && kinds[i].codec));
			assert_true(bed.live.chain.nr_bytes[0] >= WRECK_BYTES);
			capture_deinit(&bed.cap);
			expect_same_memory("core");
		}
	}
}

/* 16 pages behind the one at REPEATED that are in turn equal to it and to each other; two parts of a dump meet there. */
#define REPEATED 0x11f

static void repeat_pages(void)
{
	uint8_t *first = fake_mem_at(&bed.wreck.mem, REPEATED * 4096), *second = first + 4096;

	for (unsigned int i = 1; i < 17; i++)
		if (first + i * 4096 != second)
			memcpy(first + i * 4096, i % 2 ? second : first, 4096);
}

static uint64_t count_shared(char **paths, unsigned int nr)
{
	struct kdump_counts counts;

	if (input_files_open(&bed.file, paths, nr, fake_log_init(&bed.log), &bed.err))
		fail_msg("%s", bed.err.text);
	kdump_count(bed.file.kdump, &counts);
	input_close(&bed.file);
	return counts.nr_shared;
}

/* Equal pages have one copy: of each of the two the first and the second sight are stored, the others are not. */
static void test_shared(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (unsigned int jobs = 1; jobs <= 2 && kinds[i].format == FORMAT_KDUMP; jobs++) {
			char *path = strdup(bed_path("core"));
			uint64_t before;

			pattern_fill(fake_mem_at(&bed.wreck.mem, REPEATED * 4096), REPEATED * 4096, 17 * 4096);
			prepare(kinds[i].format, kinds[i].codec, jobs);
			assert_int_equal(capture(&bed.cap, &bed.err), 0);
			capture_deinit(&bed.cap);
			before = count_shared(&path, 1);
			repeat_pages();
			prepare(kinds[i].format, kinds[i].codec, jobs);
			assert_int_equal(capture(&bed.cap, &bed.err), 0);
			capture_deinit(&bed.cap);
			assert_int_equal(count_shared(&path, 1) - before, 17 - 4);
			expect_same_memory("core");
			free(path);
		}
	}
}

/* An ELF core cannot be lzo: it is written plain, and said so. */
static void test_unsuitable(void **state)
{
	(void)state;
	prepare(FORMAT_ELF, CODEC_LZO, 1);
	assert_int_equal(capture(&bed.cap, &bed.err), 0);
	assert_text(bed.log.text, "an ELF core is plain or zstd");
	capture_deinit(&bed.cap);
	expect_same_memory("core");
}

static int die(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	(void)mem, (void)addr, (void)buf, (void)len;
	raise(SIGKILL);
	return -EIO;
}

static pid_t parent;

/* In the parent like any other source, in a worker death. */
static int deadly_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	return getpid() == parent ? mem_read(&bed.wreck.mem.mem, addr, buf, len) : die(mem, addr, buf, len);
}

static void deadly_close(struct mem *mem)
{
	(void)mem;
}

static void test_workers_die(void **state)
{
	static const struct mem_ops deadly_ops = { .name = "deadly", .read = deadly_read, .close = deadly_close };
	static struct mem deadly = { &deadly_ops };

	(void)state;
	parent = getpid();
	bed.live.chain.sources[0] = &deadly;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		prepare(kinds[i].format, kinds[i].codec, 2);
		if (capture(&bed.cap, &bed.err))
			fail_msg("%s", bed.err.text);
		assert_text(bed.log.text, "a worker has died");
		assert_int_equal(bed.cap.holes.nr_bytes, 0);
		capture_deinit(&bed.cap);
		expect_same_memory("core");
	}
}

/* Pages that nobody can read are zeros and are listed, whoever found that out. */
static void test_holes(void **state)
{
	(void)state;
	fake_mem_refuse(&bed.wreck.mem, WRECK_RAM + 0x3000, WRECK_RAM + 0x5000, -EIO);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (unsigned int jobs = 1; jobs <= 2; jobs++) {
			prepare(kinds[i].format, kinds[i].codec, jobs);
			assert_int_equal(capture(&bed.cap, &bed.err), 0);
			assert_int_equal(bed.cap.holes.nr_bytes, 0x2000);
			assert_int_equal(bed.cap.holes.nr, 1);
			assert_true(bed.cap.holes.list[0].start == WRECK_RAM + 0x3000 && bed.cap.holes.list[0].error == -EIO);
			capture_deinit(&bed.cap);
		}
	}
}

/* However early the room ends: an error, no finished name, and what is there says that it is incomplete. */
static void test_no_room(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		uint64_t size;

		prepare(kinds[i].format, kinds[i].codec, 1);
		bed.output.max = 0;
		assert_int_equal(capture(&bed.cap, &bed.err), 0);
		size = bed.cap.plan.file_size;
		capture_deinit(&bed.cap);
		unlink(bed_path("core"));
		for (uint64_t max = 1; max < size; max += size / 40 + 1) {
			prepare(kinds[i].format, kinds[i].codec, 1);
			bed.output.max = max;
			assert_int_equal(capture(&bed.cap, &bed.err), -ENOSPC);
			assert_true(access(bed_path("core"), F_OK) && !access(bed_path("core-incomplete"), F_OK));
			capture_deinit(&bed.cap);
			/* With its header there it opens, and is known for what it is. */
			if (max > 20000 && !input_file_open(&bed.file, bed_path("core-incomplete"), fake_log_init(&bed.log), &bed.err)) {
				assert_true(bed.file.crash.ehdr.flags & EF_DUMP_INCOMPLETE);
				input_close(&bed.file);
			}
		}
	}
}

/* Of a list of levels the first that finds room; where that was guessed wrong, the next is tried. */
static void test_levels(void **state)
{
	(void)state;
	prepare(FORMAT_ELF, CODEC_NONE, 1);
	bed.cap.levels[1] = 1;
	bed.cap.nr_levels = 2;
	bed.output.room = 4096;
	assert_int_equal(capture(&bed.cap, &bed.err), 0);
	assert_int_equal(bed.cap.level, 1);
	assert_int_equal(bed.output.nr_opened, 1);
	assert_text(bed.log.text, "level 0 finds no room");
	capture_deinit(&bed.cap);
	prepare(FORMAT_KDUMP, CODEC_LZO, 1);
	bed.cap.levels[1] = 1;
	bed.cap.nr_levels = 2;
	bed.output.room = UINT64_MAX;
	bed.output.max = 50000;
	assert_int_equal(capture(&bed.cap, &bed.err), -ENOSPC);
	assert_int_equal(bed.output.nr_opened, 3);
	assert_int_equal(bed.cap.level, 1);
	capture_deinit(&bed.cap);
}

/* Parts of a split dump: each has its own pages, together all. */
static void test_split(void **state)
{
	char *paths[2];

	(void)state;
	repeat_pages();
	for (int i = 0; i < 2; i++) {
		char name[8] = { 'p', '0' + i };

		prepare(FORMAT_KDUMP, CODEC_ZLIB, 1);
		bed.cap.split_start = i ? 0x120 : 0;
		bed.cap.split_end = i ? 0x808 : 0x120;
		assert_int_equal(capture(&bed.cap, &bed.err), 0);
		capture_deinit(&bed.cap);
		paths[i] = strdup(bed_path(name));
		assert_int_equal(rename(bed_path("core"), paths[i]), 0);
	}
	/* What part 0 has is not shared by part 1. */
	assert_int_equal(count_shared(&paths[1], 1), 16 - 4);
	if (input_files_open(&bed.file, paths, 2, fake_log_init(&bed.log), &bed.err))
		fail_msg("%s", bed.err.text);
	for (paddr_t paddr = WRECK_RAM; paddr < WRECK_RAM + WRECK_RAM_SIZE; paddr += 4096) {
		uint8_t a[4096], b[4096];
		maddr_t x, y;
		uint64_t len;

		assert_int_equal(crash_find_paddr(&bed.live.crash, paddr, &x, &len), 0);
		assert_int_equal(crash_find_paddr(&bed.file.crash, paddr, &y, &len), 0);
		assert_int_equal(mem_read(&bed.wreck.mem.mem, x, a, 4096), 0);
		assert_int_equal(mem_read(&bed.file.chain.mem, y, b, 4096), 0);
		assert_memory_equal(a, b, 4096);
	}
	input_close(&bed.file);
	free(paths[0]);
	free(paths[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_roundtrip, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_shared, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_unsuitable, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_workers_die, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_holes, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_no_room, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_levels, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_split, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
