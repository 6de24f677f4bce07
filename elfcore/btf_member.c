// SPDX-License-Identifier: GPL-2.0-or-later
/* Members of structures: by number, by path, and their values. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/btf.h"
#include "elfcore/elf_codec.h"

#define MEMBER_LEN 12		/* struct btf_member: name, type, offset */
#define ANON_MAX 64		/* anonymous structures in one another, to be looked into */
#define ANON_TRIES 512

void btf_member_at(const struct btf_type *type, unsigned int i, struct btf_member *ret)
{
	const uint8_t *p = type->elems + (size_t)MEMBER_LEN * i;
	uint32_t off = elf_get(type->btf->data, p + 8, 4);
	struct btf_type inner;

	ret->name = btf_string(type->btf, elf_get(type->btf->data, p, 4));
	ret->type = elf_get(type->btf->data, p + 4, 4);
	ret->bit_off = type->kind_flag ? off & 0xffffff : off;
	ret->bit_size = type->kind_flag ? off >> 24 : 0;
	if (type->kind_flag)
		return;
	/* Up to 4.20 a bit field was an int of fewer bits than its size has. */
	btf_type(type->btf, btf_resolve(type->btf, ret->type), &inner);
	if (inner.kind == BTF_INT && inner.int_bits < 8 * inner.size) {
		ret->bit_off += inner.int_off;
		ret->bit_size = inner.int_bits;
	}
}

void btf_member_field(const struct btf *btf, const struct btf_member *member, struct btf_field *ret)
{
	ret->type = member->type;
	ret->off = member->bit_off / 8;
	ret->bit_off = member->bit_size ? member->bit_off % 8 : 0;
	ret->bit_size = member->bit_size;
	ret->size = member->bit_size ? (ret->bit_off + ret->bit_size + 7) / 8 : btf_type_size(btf, member->type);
}

/* A member of that name, also inside anonymous members; offsets add up. */
static int find_named(const struct btf *btf, uint32_t id, const char *name, size_t len, struct btf_member *ret)
{
	struct { uint32_t id; uint64_t bit_off; } todo[ANON_MAX] = { { btf_resolve(btf, id), 0 } };
	unsigned int nr = 1;

	for (unsigned int tries = 0; nr && tries < ANON_TRIES; tries++) {
		uint64_t bit_off = todo[--nr].bit_off;
		struct btf_type type;

		btf_type(btf, todo[nr].id, &type);
		for (unsigned int i = 0; i < type.vlen && (type.kind == BTF_STRUCT || type.kind == BTF_UNION); i++) {
			btf_member_at(&type, i, ret);
			ret->bit_off += bit_off;
			if (!strncmp(ret->name, name, len) && !ret->name[len])
				return 0;
			if (!ret->name[0] && nr < ANON_MAX) {
				todo[nr].id = btf_resolve(btf, ret->type);
				todo[nr++].bit_off = ret->bit_off;
			}
		}
	}
	return -ENOENT;
}

/* "[n]" of an array; *path moves behind it. */
static int element(const struct btf *btf, const char **path, struct btf_member *member)
{
	struct btf_type type;
	char *end;
	unsigned long long n = strtoull(*path + 1, &end, 0);

	btf_type(btf, btf_resolve(btf, member->type), &type);
	if (end == *path + 1 || *end != ']' || type.kind != BTF_ARRAY || n >= (type.nr_elems ? type.nr_elems : UINT32_MAX))
		return -ENOENT;
	member->bit_off += 8 * n * min_u64(btf_type_size(btf, type.type), UINT32_MAX / 8);
	member->bit_size = 0;
	member->type = type.type;
	*path = end + 1;
	return 0;
}

int btf_type_member(const struct btf *btf, uint32_t id, const char *path, struct btf_field *ret)
{
	struct btf_member at = { .type = id }, found;
	int rc = 0;

	while (*path && !rc) {
		size_t len = strcspn(path, ".[");

		if (*path == '[') {
			rc = element(btf, &path, &at);
			continue;
		}
		if (*path == '.' && path[1])
			len = strcspn(++path, ".[");
		rc = len ? find_named(btf, at.type, path, len, &found) : -ENOENT;
		if (rc)
			break;
		found.bit_off += at.bit_off;
		at = found;
		path += len;
	}
	if (!rc)
		btf_member_field(btf, &at, ret);
	return rc;
}

int btf_member(const struct btf *btf, const char *type, const char *path, struct btf_field *ret)
{
	uint32_t id;

	return btf_find(btf, type, &id) ? -ENOENT : btf_type_member(btf, id, path, ret);
}

int64_t btf_offset(const struct btf *btf, const char *type, const char *path)
{
	struct btf_field field;

	return btf_member(btf, type, path, &field) ? -1 : (int64_t)field.off;
}

/* Bit by bit: a bit field may lie across nine bytes, and big-endian machines count from the other end. */
static uint64_t get_bits(const struct btf *btf, const struct btf_field *field, const uint8_t *p)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < field->bit_size; i++) {
		unsigned int bit = field->bit_off + i;

		if (btf->data == ELFDATA2LSB)
			value |= (uint64_t)(p[bit / 8] >> bit % 8 & 1) << i;
		else
			value = value << 1 | (p[bit / 8] >> (7 - bit % 8) & 1);
	}
	return value;
}

uint64_t btf_get(const struct btf *btf, const struct btf_field *field, const void *object, size_t len)
{
	const uint8_t *p = object;

	if (field->off > len || field->size > len - field->off)
		return 0;
	p += field->off;
	if (field->bit_size)
		return field->bit_size <= 64 ? get_bits(btf, field, p) : 0;
	if (field->size == 1 || field->size == 2 || field->size == 4 || field->size == 8)
		return elf_get(btf->data, p, field->size);
	return 0;
}
