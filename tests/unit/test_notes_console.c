// SPDX-License-Identifier: GPL-2.0-or-later
/* The notes in letters on a console: what a log of it gives back is vmcore-notes, byte by byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/codec.h"
#include "src/console.c"
#include "src/notes_console.c"
#include "src/notes_file.c"
#include "tests/lib/corebuilder.h"

#include "tests/lib/unit.h"

static void test_letters(void **state)
{
	static const char *const pairs[][2] = { /* RFC 4648, section 10 */
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" }, { "\xff\xfe\xfb", "//77" },
	};
	char line[NOTES_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		notes_line((const uint8_t *)pairs[i][0], strlen(pairs[i][0]), line);
		assert_string_equal(line, pairs[i][1]);
	}
}

static int temporary(void)
{
	char name[] = "/tmp/kcapture-notes-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	return fd;
}

/* The bytes that the lines of a console stand for, by base64(1) as the header tells. */
static size_t decode(int fd, uint8_t *ret, size_t size)
{
	char command[200];
	size_t len;
	FILE *f;

	snprintf(command, sizeof(command), "sed -n 's/.*kcapture: notes: //p' /proc/%d/fd/%d | base64 -d", getpid(), fd);
	f = popen(command, "r");
	assert_non_null(f);
	len = fread(ret, 1, size, f);
	assert_int_equal(pclose(f), 0);
	return len;
}

static void test_round_trip(void **state)
{
	static uint8_t desc[336], packed[65536], file[65536];
	struct sink_memory expected = { .buf = file, .size = sizeof(file) };
	struct crash crash = { .ehdr.form = { .class = ELFCLASS64, .data = ELFDATA2LSB } };
	int plain = temporary(), screen = temporary();
	uint8_t *unpacked;
	struct bytes bytes = { 0 };
	struct console console;
	struct codec_ctx codec;
	struct error err;
	size_t len;

	(void)state;
	notes_init(&crash.notes, ELFDATA2LSB);
	for (size_t i = 0; i < sizeof(desc); i++)
		desc[i] = i * 7 >> 2;
	for (int cpu = 0; cpu < 3; cpu++)
		bytes_note(&bytes, ELFDATA2LSB, 4, "CORE", NT_PRSTATUS, desc, sizeof(desc));
	assert_int_equal(notes_append(&crash.notes, bytes.p, bytes.len, 4, 0, NULL), 0);

	console_init(&console);
	console_add(&console, plain, false);
	console_add(&console, screen, true);
	len = lseek(screen, 0, SEEK_END);
	assert_int_equal(notes_console_write(&console, &crash, &err), 0);
	assert_int_equal(lseek(screen, 0, SEEK_END), len);

	sink_init(&expected.sink, &memory_ops);
	assert_int_equal(notes_file_write(&expected.sink, &crash, &err), 0);
	assert_true(expected.end > sizeof(desc) * 3);
	len = decode(plain, packed, sizeof(packed));
	unpacked = malloc(expected.end);
	assert_int_equal(codec_open_decompressor(&codec, CODEC_ZSTD), 0);
	assert_int_equal(codec_decompress(&codec, packed, len, unpacked, expected.end), 0);
	assert_memory_equal(unpacked, file, expected.end);
	codec_close(&codec);
	free(unpacked);
	bytes_free(&bytes);
	notes_deinit(&crash.notes);
	close(plain);
	close(screen);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
