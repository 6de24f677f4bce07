// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/kdump_format.h"

#include <string.h>

#include "elfcore/elf_codec.h"

/* The one description of a structure: where its fields lie in the file and in memory. */
struct field {
	uint16_t off, size;		/* in the file; size 65 = text */
	uint16_t where;			/* in the native structure */
	uint16_t width;			/* there */
};

#define FIELD(offset, bytes, type, member) \
	{ offset, bytes, offsetof(struct type, member), sizeof(((struct type *)0)->member) }

static const struct field header_fields[] = {
	FIELD(8, 4, kdump_header, version),
	FIELD(12, 65, kdump_header, sysname),
	FIELD(77, 65, kdump_header, nodename),
	FIELD(142, 65, kdump_header, release),
	FIELD(207, 65, kdump_header, kernel_version),
	FIELD(272, 65, kdump_header, machine),
	FIELD(337, 65, kdump_header, domainname),
	FIELD(408, 8, kdump_header, crashtime),
	FIELD(424, 4, kdump_header, status),
	FIELD(428, 4, kdump_header, block_size),
	FIELD(432, 4, kdump_header, sub_hdr_size),
	FIELD(436, 4, kdump_header, bitmap_blocks),
	FIELD(440, 4, kdump_header, max_mapnr),
	FIELD(460, 4, kdump_header, nr_cpus),
};

static const struct field sub_header_fields[] = {
	FIELD(0, 8, kdump_sub_header, phys_base),
	FIELD(8, 4, kdump_sub_header, dump_level),
	FIELD(12, 4, kdump_sub_header, split),
	FIELD(32, 8, kdump_sub_header, off_vmcoreinfo),
	FIELD(40, 8, kdump_sub_header, size_vmcoreinfo),
	FIELD(48, 8, kdump_sub_header, off_note),
	FIELD(56, 8, kdump_sub_header, size_note),
	FIELD(64, 8, kdump_sub_header, off_eraseinfo),
	FIELD(72, 8, kdump_sub_header, size_eraseinfo),
	FIELD(80, 8, kdump_sub_header, start_pfn),
	FIELD(88, 8, kdump_sub_header, end_pfn),
	FIELD(96, 8, kdump_sub_header, max_mapnr),
};

static void encode(uint8_t data, const struct field *fields, size_t nr, const void *from, uint8_t *buf, size_t size)
{
	memset(buf, 0, size);
	for (const struct field *f = fields; f < fields + nr; f++) {
		const char *value = (const char *)from + f->where;
		uint64_t wide = 0;
		uint32_t narrow;

		if (f->size == KDUMP_UTSNAME_LEN) {
			memcpy(buf + f->off, value, strnlen(value, KDUMP_UTSNAME_LEN - 1));
			continue;
		}
		if (f->width == sizeof(wide)) {
			memcpy(&wide, value, sizeof(wide));
		} else {
			memcpy(&narrow, value, sizeof(narrow));
			wide = narrow;
		}
		elf_put(data, buf + f->off, f->size, wide);
	}
}

static void decode(uint8_t data, const struct field *fields, size_t nr, const uint8_t *buf, void *to)
{
	for (const struct field *f = fields; f < fields + nr; f++) {
		char *value = (char *)to + f->where;

		if (f->size == KDUMP_UTSNAME_LEN) {
			memcpy(value, buf + f->off, KDUMP_UTSNAME_LEN - 1);
			value[KDUMP_UTSNAME_LEN - 1] = 0;
		} else if (f->width == sizeof(uint64_t)) {
			uint64_t wide = elf_get(data, buf + f->off, f->size);

			memcpy(value, &wide, sizeof(wide));
		} else {
			uint32_t narrow = elf_get(data, buf + f->off, f->size);

			memcpy(value, &narrow, sizeof(narrow));
		}
	}
}

void kdump_header_encode(uint8_t data, const struct kdump_header *header, uint8_t buf[KDUMP_HEADER_SIZE])
{
	encode(data, header_fields, ARRAY_SIZE(header_fields), header, buf, KDUMP_HEADER_SIZE);
	memcpy(buf, KDUMP_SIGNATURE, KDUMP_SIGNATURE_SIZE);
}

void kdump_sub_header_encode(uint8_t data, const struct kdump_sub_header *sub, uint8_t buf[KDUMP_SUB_HEADER_SIZE])
{
	encode(data, sub_header_fields, ARRAY_SIZE(sub_header_fields), sub, buf, KDUMP_SUB_HEADER_SIZE);
	elf_put(data, buf + 16, 8, sub->start_pfn);
	elf_put(data, buf + 24, 8, sub->end_pfn);
}

/* Once a page: spelled out, for speed. */
void kdump_desc_encode(uint8_t data, const struct kdump_desc *desc, uint8_t buf[KDUMP_DESC_SIZE])
{
	elf_put(data, buf, 8, desc->off);
	elf_put(data, buf + 8, 4, desc->size);
	elf_put(data, buf + 12, 4, desc->flags);
	memset(buf + 16, 0, 8);
}

void kdump_header_decode(uint8_t data, const uint8_t buf[KDUMP_HEADER_SIZE], struct kdump_header *ret)
{
	decode(data, header_fields, ARRAY_SIZE(header_fields), buf, ret);
}

void kdump_sub_header_decode(uint8_t data, const uint8_t buf[KDUMP_SUB_HEADER_SIZE], struct kdump_sub_header *ret)
{
	decode(data, sub_header_fields, ARRAY_SIZE(sub_header_fields), buf, ret);
}

void kdump_desc_decode(uint8_t data, const uint8_t buf[KDUMP_DESC_SIZE], struct kdump_desc *ret)
{
	ret->off = elf_get(data, buf, 8);
	ret->size = elf_get(data, buf + 8, 4);
	ret->flags = elf_get(data, buf + 12, 4);
}
