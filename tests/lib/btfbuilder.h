/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BTF made by hand for unit tests: types in the order they are added, ids from 1 (or behind those of a base). */
#ifndef TESTS_LIB_BTFBUILDER_H
#define TESTS_LIB_BTFBUILDER_H

#include "elfcore/btf.h"
#include "tests/lib/corebuilder.h"

struct btf_builder {
	uint8_t data;			/* byte order */
	uint32_t base_strings;		/* bytes of strings that come before ours */
	struct bytes types, strings;
};

static inline void btf_word(struct btf_builder *b, uint32_t value)
{
	uint8_t buf[4];

	elf_put(b->data, buf, 4, value);
	bytes_add(&b->types, buf, 4);
}

static inline uint32_t btf_add_string(struct btf_builder *b, const char *text)
{
	uint32_t off = b->strings.len;

	if (!off)
		bytes_add_zeros(&b->strings, 1);
	off = b->strings.len;
	bytes_add(&b->strings, text, strlen(text) + 1);
	return text[0] ? b->base_strings + off : 0;
}

/* kind_flag is bit 31 of kind. */
static inline void btf_add(struct btf_builder *b, const char *name, uint32_t kind, unsigned int vlen, uint32_t size_or_type)
{
	btf_word(b, btf_add_string(b, name));
	btf_word(b, (kind & 0x1f) << 24 | (kind & 1U << 31) | vlen);
	btf_word(b, size_or_type);
}

static inline void btf_add_int(struct btf_builder *b, const char *name, unsigned int size, unsigned int encoding)
{
	btf_add(b, name, BTF_INT, 0, size);
	btf_word(b, encoding << 24 | 8 * size);
}

static inline void btf_add_array(struct btf_builder *b, uint32_t elem, uint32_t nr)
{
	btf_add(b, "", BTF_ARRAY, 0, 0);
	btf_word(b, elem);
	btf_word(b, 1);
	btf_word(b, nr);
}

static inline void btf_add_member(struct btf_builder *b, const char *name, uint32_t type, uint32_t bit_off)
{
	btf_word(b, btf_add_string(b, name));
	btf_word(b, type);
	btf_word(b, bit_off);
}

static inline void btf_add_value(struct btf_builder *b, const char *name, int32_t value)
{
	btf_word(b, btf_add_string(b, name));
	btf_word(b, value);
}

/* The whole: header, types, strings. */
static inline void btf_build(const struct btf_builder *b, struct bytes *ret)
{
	uint8_t header[24] = { 0 };

	memset(ret, 0, sizeof(*ret));
	elf_put(b->data, header, 2, 0xeb9f);
	header[2] = 1;
	elf_put(b->data, header + 4, 4, sizeof(header));
	elf_put(b->data, header + 12, 4, b->types.len);
	elf_put(b->data, header + 16, 4, b->types.len);
	elf_put(b->data, header + 20, 4, b->strings.len);
	bytes_add(ret, header, sizeof(header));
	bytes_add(ret, b->types.p, b->types.len);
	bytes_add(ret, b->strings.p, b->strings.len);
}

static inline void btf_builder_free(struct btf_builder *b)
{
	bytes_free(&b->types);
	bytes_free(&b->strings);
}

#endif
