// SPDX-License-Identifier: GPL-2.0-or-later
/* The whole road when something fails on it: the output, a read, the input itself. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/core_kdump.h"
#include "elfcore/kdump_facts.h"
#include "src/sys.h"
#include "tests/lib/capture_bed.h"

#include "tests/lib/unit.h"

/* What has notes only is no core that anything can be made of. */
static void test_no_memory(void **state)
{
	(void)state;
	bed.live.crash.nr_segs = 0;
	assert_int_equal(bed_run(&bed.live, "vmcore"), -ENODATA);
	assert_string_equal(bed.err.text, "there is no memory in it, only notes");
	assert_int_equal(bed.output.nr_opened, 0);
	capture_deinit(&bed.cap);
}

static void test_output_does_not_open(void **state)
{
	(void)state;
	bed.output.open_error = -ENOSPC;
	assert_int_equal(bed_run(&bed.live, "vmcore"), -ENOSPC);
	assert_string_equal(bed.err.text, "no room for you");
	assert_int_equal(bed.output.nr_closed, 1);
	capture_deinit(&bed.cap);
}

/* Whichever write fails, the result is an error, kept, never committed, and closed. */
static void test_nth_write_fails(void **state)
{
	(void)state;
	for (unsigned int n = 1;; n++) {
		int rc;

		fake_sink_free(&bed.output.fake);
		fake_sink_init(&bed.output.fake, SINK_SEEK);
		bed.output.fake.fail_at = n;
		bed.output.fake.fail_error = -ENOSPC;
		bed.output.fake.fail_on = n % 2;
		rc = bed_run(&bed.live, NULL);
		assert_int_equal(bed.output.fake.events[bed.output.fake.nr_events - 1].call, CALL_CLOSE);
		assert_int_equal(bed.output.fake.committed, !rc);
		assert_int_equal(bed.output.fake.kept, rc != 0);
		if (!rc) {
			capture_deinit(&bed.cap);
			assert_in_range(n, 8, 100);
			break;
		}
		assert_int_equal(rc, -ENOSPC);
		assert_int_equal(bed.err.code, -ENOSPC);
		assert_text(bed.err.text, "fake");
		assert_true(bed.output.fake.size == bed.cap.plan.file_size);
		if (bed.output.fake.data.len >= 64)
			assert_int_equal(elf_get(ELFDATA2LSB, bed.output.fake.data.p + 48, 4) & 1, bed.output.fake.data.p[0] == 0x7f);
		/* One failure is not the end: the header and the note that says why are written all the same. */
		if (!bed.output.fake.fail_on) {
			assert_memory_equal(bed.output.fake.data.p, "\177ELF", 4);
			assert_non_null(memmem(bed.output.fake.data.p, bed.output.fake.data.len, "STATUS=incomplete 28\n", 21));
		}
		capture_deinit(&bed.cap);
	}
}

/* The same of the other format, where descriptors and pages lie far apart. */
static void test_nth_kdump_write_fails(void **state)
{
	const struct fake_sink *fake = &bed.output.fake;
	int rc = -ENOSPC;

	(void)state;
	for (unsigned int n = 1; rc; n++) {
		fake_sink_free(&bed.output.fake);
		fake_sink_init(&bed.output.fake, SINK_SEEK);
		bed.output.fake.fail_at = n;
		bed.output.fake.fail_error = -ENOSPC;
		bed.output.fake.fail_on = n % 2;
		bed_prepare(&bed.live, NULL);
		bed.cap.format = FORMAT_KDUMP;
		rc = capture(&bed.cap, &bed.err);
		assert_true(rc ? rc == -ENOSPC : n >= 12 && n < 100);
		assert_int_equal(fake->committed, !rc);
		assert_int_equal(fake->kept, rc != 0);
		assert_true(fake->size == bed.cap.plan.file_size);
		if (rc && !fake->fail_on) {
			assert_memory_equal(fake->data.p, KDUMP_SIGNATURE, KDUMP_SIGNATURE_SIZE);
			assert_non_null(memmem(fake->data.p, fake->data.len, "STATUS=incomplete 28\n", 21));
		}
		capture_deinit(&bed.cap);
	}
}

/* The dump as it is on the disk. */
static void save_fake(const char *name)
{
	int fd = open(bed_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write_all_at(fd, 0, bed.output.fake.data.p, bed.output.fake.data.len), 0);
	assert_int_equal(ftruncate(fd, bed.output.fake.size), 0);
	close(fd);
}

/* Memory for more descriptors than are held at a time, several times over. */
#define LARGE 0x4000000ULL
#define LARGE_SIZE (18ULL << 20)

static void fill_disk(unsigned int room, bool can_reserve)
{
	fake_sink_free(&bed.output.fake);
	fake_sink_init(&bed.output.fake, SINK_SEEK);
	bed.output.fake.room = room / FAKE_BLOCK;
	if (!can_reserve)
		bed.output.fake.ops.reserve = NULL;
	bed_prepare(&bed.live, NULL);
	bed.cap.format = FORMAT_KDUMP;
	assert_int_equal(capture(&bed.cap, &bed.err), -ENOSPC);
	save_fake("full");
	bed_open("full");
	assert_int_equal(bed.file.crash.ehdr.flags, EF_DUMP_INCOMPLETE);
	bed_expect_status("incomplete 28");
	assert_non_null(memmem(bed.output.fake.data.p, bed.output.fake.data.len, "HOLES=", 6));
}

/*
 * On a disk that is full every page whose data is on it is found there. Why there are no more is said, even where the last
 * descriptors find no room.
 */
static void test_full_disk(void **state)
{
	struct segment seg = { .vaddr = WRECK_DIRECT + LARGE, .paddr = LARGE, .src = LARGE, .filesz = LARGE_SIZE, .memsz = LARGE_SIZE };

	(void)state;
	fake_mem_pattern(&bed.wreck.mem, LARGE, LARGE_SIZE);
	assert_int_equal(crash_add_segment(&bed.live.crash, &seg), 0);
	for (unsigned int i = 0; i < 24; i++) {
		unsigned int room = (1 << 20) + i / 2 * 1400000;
		struct kdump_counts counts;
		uint64_t unset;

		fill_disk(room, i % 2);
		kdump_count(bed.file.kdump, &counts);
		assert_int_equal(counts.nr_by_codec[CODEC_NONE] + counts.nr_lost, bed.cap.plan.data_len / 4096);
		/* Headers and descriptors are less than half a megabyte, and of pages the batch that did not fit is missing. */
		assert_true(!(i % 2) || counts.nr_bytes + BATCH_LEN + (512 << 10) > room);
		/* What lay there before is no descriptor. */
		unset = fake_sink_count(&bed.output.fake, bed.file.kdump->pieces[0].info.desc_off, bed.cap.plan.data_len / 4096 * KDUMP_DESC_SIZE, 0);
		assert_true(i % 2 ? !unset : unset < KDUMP_DESCS_HELD * KDUMP_DESC_SIZE);
		input_close(&bed.file);
		capture_deinit(&bed.cap);
	}
}

/* What was not written after an error is listed as unreadable, with that error. */
static void test_rest_is_listed(void **state)
{
	(void)state;
	bed.output.fake.fail_at = 6;	/* headers, program headers, notes, ours in two pieces, the first data */
	bed.output.fake.fail_error = -ENOSPC;
	assert_int_equal(bed_run(&bed.live, NULL), -ENOSPC);
	assert_int_equal(bed.cap.holes.nr_bytes, WRECK_BYTES);
	assert_int_equal(bed.cap.holes.list[0].error, -ENOSPC);
	assert_int_equal(bed.cap.holes.list[0].start, WRECK_RAM);
	assert_string_equal(bed.err.text, "writing to fake failed: No space left on device");
	capture_deinit(&bed.cap);
}

/* A read that fails once costs a page at most. */
static void test_nth_read_fails(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < 12; n++) {
		bed.wreck.mem.fail_at = bed.wreck.mem.nr_requests + 1 + n;
		bed.wreck.mem.fail_error = -EIO;
		assert_int_equal(bed_run(&bed.live, "vmcore"), 0);
		assert_true(bed.cap.holes.nr_bytes <= 4096);
		capture_deinit(&bed.cap);
		bed_open("vmcore");
		assert_true(bed_crosscheck().nr_differ <= 1);
		input_close(&bed.file);
	}
}

static void test_wrong_files(void **state)
{
	int fd = open(bed_path("text"), O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(input_file_open(&bed.file, bed_path("none"), NULL, &bed.err), -ENOENT);
	assert_text(bed.err.text, "/none: No such file or directory");
	assert_int_equal(input_file_open(&bed.file, bed_path("text"), NULL, &bed.err), -ENODATA);
	assert_text(bed.err.text, "/text: ELF header at 0x0 is not readable through file");
	assert_int_equal(write_all(fd, "This is no core at all, it is only a text that somebody wrote for a test.", 73), 0);
	assert_int_equal(input_file_open(&bed.file, bed_path("text"), NULL, &bed.err), -EINVAL);
	assert_text(bed.err.text, "no ELF magic, found 54 68 69 73");
	close(fd);
	assert_int_equal(input_file_open(&bed.file, bed.dir, NULL, &bed.err), -EISDIR);
}

static void change_phdr(int fd, unsigned int i, struct elf_phdr *phdr, bool write_it)
{
	uint8_t raw[ELF_PHDR_MAX];

	if (write_it) {
		assert_int_equal(elf_phdr_encode(FORMS[0], phdr, raw), 0);
		assert_int_equal(pwrite(fd, raw, 56, 64 + 56 * i), 56);
	} else {
		assert_int_equal(pread(fd, raw, 56, 64 + 56 * i), 56);
		elf_phdr_decode(FORMS[0], raw, phdr);
	}
}

/*
 * The last PT_LOAD says that it holds so much: the file ends with its real data. Behind it comes what was low memory. Or it
 * says only that so much of it is zeros.
 */
static void claim(uint64_t claimed, bool zeros)
{
	struct elf_phdr phdr;
	int fd;

	assert_int_equal(bed_run(&bed.live, "vmcore"), 0);
	capture_deinit(&bed.cap);
	fd = open(bed_path("vmcore"), O_RDWR);
	assert_true(fd >= 0);
	for (unsigned int i = 1; i <= bed.live.crash.nr_segs; i++) {
		change_phdr(fd, i, &phdr, false);
		if (phdr.paddr == WRECK_LOW && !zeros)
			phdr.paddr = WRECK_HIGH + 2 * claimed;
		if (i == bed.live.crash.nr_segs)
			phdr.memsz = claimed;
		if (i == bed.live.crash.nr_segs && !zeros)
			phdr.filesz = claimed;
		change_phdr(fd, i, &phdr, true);
	}
	close(fd);
}

/* A header that claims 4 TiB which are not there: that must end, and say so. */
static void test_endless_emptiness(void **state)
{
	uint64_t claimed = 1ULL << 42;

	(void)state;
	claim(claimed, false);
	bed_open("vmcore");
	assert_int_equal(bed_run(&bed.file, "copy"), -ENODATA);
	assert_true(bed.cap.holes.nr_bytes > claimed - (16 << 20) && bed.cap.holes.nr_bytes < claimed);
	capture_deinit(&bed.cap);
	input_close(&bed.file);
}

static void assert_page(paddr_t paddr, maddr_t pattern)
{
	uint8_t buf[4096];
	uint64_t len;
	maddr_t src;

	assert_int_equal(crash_find_paddr(&bed.file.crash, paddr, &src, &len), 0);
	assert_int_equal(mem_read(&bed.file.chain.mem, src, buf, sizeof(buf)), 0);
	assert_true(pattern_is(buf, pattern, sizeof(buf)));
}

/*
 * So do the other formats, with workers or without: what is there is stored, the last pages of the machine among it, and
 * all else is listed.
 */
static void test_emptiness_in_each_format(void **state)
{
	static const struct { enum dump_format format; enum codec codec; unsigned int jobs; } cases[] = {
		{ FORMAT_ELF, CODEC_NONE, 3 }, { FORMAT_ELF, CODEC_ZSTD, 1 }, { FORMAT_KDUMP, CODEC_NONE, 1 },
		{ FORMAT_KDUMP, CODEC_ZLIB, 1 }, { FORMAT_KDUMP, CODEC_ZSTD, 3 },
	};
	uint64_t claimed = 1ULL << 33;

	(void)state;
	claim(claimed, false);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		bed_open("vmcore");
		bed_prepare(&bed.file, "copy");
		bed.cap.format = cases[i].format;
		bed.cap.codec = cases[i].codec;
		bed.cap.jobs = cases[i].jobs;
		assert_int_equal(capture(&bed.cap, &bed.err), -ENODATA);
		assert_true(bed.cap.holes.nr_bytes > claimed - (16 << 20) && bed.cap.holes.nr_bytes < claimed);
		assert_int_equal(bed.cap.nr_unwritten, 0);
		capture_deinit(&bed.cap);
		input_close(&bed.file);
		bed_open("copy-incomplete");
		assert_page(WRECK_HIGH, WRECK_HIGH);
		assert_page(WRECK_HIGH + 2 * claimed, WRECK_BACKUP);
		input_close(&bed.file);
	}
}

/* p_memsz alone lies, as after one flipped bit: nothing is missing, and no more is stored than there is. */
static void test_zeros_without_end(void **state)
{
	(void)state;
	claim(1ULL << 50, true);
	for (unsigned int format = 0; format < NR_FORMATS; format++) {
		bed_open("vmcore");
		assert_text(bed.log.text, "of p_memsz 0x4000000000000 only p_filesz 0x8000 counts");
		bed_prepare(&bed.file, "copy");
		bed.cap.format = format;
		assert_int_equal(capture(&bed.cap, &bed.err), 0);
		assert_int_equal(bed.cap.holes.nr_bytes, 0);
		assert_true(bed.cap.plan.file_size < 1 << 20);
		capture_deinit(&bed.cap);
		input_close(&bed.file);
		bed_open("copy");
		assert_page(WRECK_HIGH, WRECK_HIGH);
		assert_page(WRECK_LOW, WRECK_BACKUP);
		input_close(&bed.file);
	}
}

/* What a filter left out of a core, as far as it is credible, are pages of zeros. */
static void test_zeros_left_out(void **state)
{
	(void)state;
	claim(64 << 20, true);
	bed_open("vmcore");
	bed_prepare(&bed.file, "copy");
	bed.cap.format = FORMAT_KDUMP;
	assert_int_equal(capture(&bed.cap, &bed.err), 0);
	assert_true(bed.cap.plan.data_len > 64 << 20);
	capture_deinit(&bed.cap);
	input_close(&bed.file);
}

/* A core cut in the middle: what is behind the end is holes in the copy, which is not called complete. */
static void test_truncated_core(void **state)
{
	uint64_t size;

	(void)state;
	assert_int_equal(bed_run(&bed.live, "vmcore"), 0);
	size = bed.cap.plan.file_size;
	capture_deinit(&bed.cap);
	assert_int_equal(truncate(bed_path("vmcore"), size - 0x2c00), 0);
	bed_open("vmcore");
	assert_int_equal(bed_run(&bed.file, "copy"), -ENODATA);
	assert_int_equal(bed.cap.holes.nr_bytes, 0x2c00);
	assert_int_equal(bed.cap.holes.list[0].error, -ENODATA);
	capture_deinit(&bed.cap);
	input_close(&bed.file);
	bed_open("copy-incomplete");
	assert_int_equal(bed.file.crash.ehdr.flags, EF_DUMP_INCOMPLETE);
	input_close(&bed.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_memory, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_output_does_not_open, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_nth_write_fails, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_nth_kdump_write_fails, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_rest_is_listed, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_nth_read_fails, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_wrong_files, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_endless_emptiness, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_emptiness_in_each_format, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_zeros_without_end, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_zeros_left_out, bed_setup, bed_teardown),
		cmocka_unit_test_setup_teardown(test_truncated_core, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
