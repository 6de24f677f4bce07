// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/zstd_frame.h"

#include <errno.h>
#include <string.h>

#include "elfcore/elf_codec.h"
#include "elfcore/zseek_format.h"

/* Magic, descriptor, window, dictionary, content size. */
#define HEADER_MAX 18
#define BLOCK_HEADER 3

#define SKIPPABLE 0x184D2A50u	/* the lowest four bits are free */

enum block_type { BLOCK_RAW, BLOCK_RLE, BLOCK_COMPRESSED, BLOCK_RESERVED };

/* What only matters on the way to the end of the frame. */
struct frame_header {
	size_t len;
	bool checksum;
};

/* The frame header descriptor says which fields follow. */
static int read_header(struct zstd_frame *ret, struct frame_header *header, const uint8_t *buf, uint64_t off, struct error *err)
{
	static const uint8_t dict_sizes[] = { 0, 1, 2, 4 }, content_sizes[] = { 0, 2, 4, 8 };
	uint8_t desc = buf[4];
	bool single = desc >> 5 & 1;
	size_t pos = 5 + !single, dict = dict_sizes[desc & 3], content = content_sizes[desc >> 6];

	if (!content && single)
		content = 1;
	if (desc >> 3 & 1)
		return fail(err, -EINVAL, "the zstd frame at 0x%llx has reserved bits: 0x%x", (unsigned long long)off, desc);
	if (dict && elf_get(ELFDATA2LSB, buf + pos, dict))
		return fail(err, -EOPNOTSUPP, "the zstd frame at 0x%llx needs a dictionary", (unsigned long long)off);
	if (!content)
		return fail(err, -EOPNOTSUPP, "the zstd frame at 0x%llx does not say how much it holds: take \"zstd -d\" first",
			    (unsigned long long)off);
	pos += dict;
	ret->plain_len = elf_get(ELFDATA2LSB, buf + pos, content) + (content == 2 ? 256 : 0);
	header->len = pos + content;
	header->checksum = desc >> 2 & 1;
	return 0;
}

/* Blocks say their lengths one after the other. */
static int walk_blocks(struct mem *mem, uint64_t off, uint64_t size, uint64_t *pos, struct error *err)
{
	bool last = false;

	while (!last) {
		uint8_t raw[BLOCK_HEADER];
		uint32_t header, type;

		if (*pos > size || size - *pos < BLOCK_HEADER || mem_read(mem, *pos, raw, sizeof(raw)))
			return fail(err, -ENODATA, "the zstd frame at 0x%llx is cut", (unsigned long long)off);
		header = raw[0] | raw[1] << 8 | (uint32_t)raw[2] << 16;
		last = header & 1;
		type = header >> 1 & 3;
		if (type == BLOCK_RESERVED)
			return fail(err, -EINVAL, "the zstd frame at 0x%llx has a broken block at 0x%llx",
				    (unsigned long long)off, (unsigned long long)*pos);
		*pos += BLOCK_HEADER + (type == BLOCK_RLE ? 1 : header >> 3);
	}
	return 0;
}

int zstd_frame_read(struct zstd_frame *ret, struct mem *mem, uint64_t off, uint64_t size, struct error *err)
{
	uint8_t buf[HEADER_MAX] = { 0 };
	size_t len = off < size ? min_u64(sizeof(buf), size - off) : 0;
	struct frame_header header = { 0, false };
	uint64_t pos;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (len < 8 || mem_read(mem, off, buf, len))
		return fail(err, -ENODATA, "the zstd stream ends at 0x%llx", (unsigned long long)off);
	ret->magic = elf_get(ELFDATA2LSB, buf, 4);
	if ((ret->magic & ~0xfu) == SKIPPABLE) {
		ret->len = 8 + elf_get(ELFDATA2LSB, buf + 4, 4);
		return ret->len > size - off ? fail(err, -ENODATA, "the zstd frame at 0x%llx is cut", (unsigned long long)off) : 0;
	}
	if (ret->magic != ZSTD_FRAME_MAGIC)
		return fail(err, -ENODEV, "0x%x at 0x%llx begins no zstd frame", ret->magic, (unsigned long long)off);
	rc = read_header(ret, &header, buf, off, err);
	if (rc)
		return rc;
	pos = off + header.len;
	rc = walk_blocks(mem, off, size, &pos, err);
	if (rc)
		return rc;
	pos += header.checksum ? 4 : 0;
	if (pos > size)
		return fail(err, -ENODATA, "the zstd frame at 0x%llx is cut", (unsigned long long)off);
	ret->len = pos - off;
	return 0;
}
