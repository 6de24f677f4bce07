// SPDX-License-Identifier: GPL-2.0-or-later
/* Any file of zstd frames, with any seek table: reads of every size say the same bytes, or fail. */
#include "tests/fuzz/fuzz.h"

#include "elfcore/mem_zseek.h"

#define READ_MAX 20000

static void check(struct mem_zseek *zseek)
{
	static uint8_t buf[READ_MAX], part[1000];
	size_t len = min_u64(zseek->size, READ_MAX);
	bool whole = !mem_read(&zseek->mem, 0, buf, len);

	for (uint64_t off = 0; off < len; off += 700) {
		size_t n = min_u64(sizeof(part), len - off);
		int rc = mem_read(&zseek->mem, off, part, n);

		must(rc <= 0);
		must(!whole || (!rc && !memcmp(part, buf + off, n)));
	}
	must(mem_read(&zseek->mem, zseek->size, part, 1) == -ENODATA);
	must(mem_read(&zseek->mem, UINT64_MAX - 5, part, 100) == -ENODATA);
	if (zseek->size)
		must(mem_read(&zseek->mem, zseek->size - 1, part, 1) <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes_mem stream = { .mem.ops = &bytes_mem_ops, .data = data, .size = size };
	struct mem_zseek zseek;
	struct error err;

	if (!mem_zseek_open(&zseek, &stream.mem, NULL, &err)) {
		check(&zseek);
		mem_check_whole(&zseek.mem, &err);
		mem_close(&zseek.mem);
	}
	return 0;
}
