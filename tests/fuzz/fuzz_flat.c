// SPDX-License-Identifier: GPL-2.0-or-later
/* Any flattened stream: what can be read of it is what its records say, applied one after the other. */
#include "tests/fuzz/fuzz.h"

#include "elfcore/elf_codec.h"
#include "elfcore/sink_flat.h"
#include "src/mem_sources.h"

#define FILE_MAX (1U << 15)

/* The first FILE_MAX bytes of the file, and which of them are still in the stream. */
static uint8_t file[FILE_MAX], there[FILE_MAX];

static void apply(const uint8_t *data, size_t size)
{
	memset(file, 0, sizeof(file));
	memset(there, 1, sizeof(there));
	for (size_t pos = FLAT_HEADER_SIZE; pos + 16 <= size;) {
		uint64_t off = elf_get(ELFDATA2MSB, data + pos, 8), len = elf_get(ELFDATA2MSB, data + pos + 8, 8);

		pos += 16;
		if (off == UINT64_MAX && len == UINT64_MAX)
			return;
		for (uint64_t i = 0; i < len && off + i < FILE_MAX; i++) {
			there[off + i] = pos + i < size;
			file[off + i] = pos + i < size ? data[pos + i] : 0;
		}
		if (len > size - pos)
			return;
		pos += len;
	}
}

/* A stretch that has lost a byte may be refused; one that has not must be right. */
static void check(struct mem_flat *flat, uint64_t off, size_t len)
{
	static uint8_t buf[4096];
	int rc = mem_read(&flat->mem, off, buf, len);

	must(rc <= 0);
	if (off + len > flat->size)
		must(rc == -ENODATA);
	else if (off + len > FILE_MAX)
		return;
	else if (!memchr(there + off, 0, len))
		must(!rc && !memcmp(buf, file + off, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes_mem stream = { .mem.ops = &bytes_mem_ops, .data = data, .size = size };
	struct mem_flat flat;
	struct error err;

	if (!mem_flat_open(&flat, &stream.mem, NULL, &err)) {
		apply(data, size);
		for (uint64_t off = 0; off < 20000; off += 777)
			check(&flat, off, 1 + off % 4096);
		check(&flat, flat.size - min_u64(flat.size, 100), min_u64(flat.size, 100));
		check(&flat, flat.size, 1);
		mem_close(&flat.mem);
	}
	return 0;
}
