// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/btf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/kernel.h"

#define BTF_MAGIC 0xeb9f
/* struct btf_header: u16 magic; u8 version, flags; u32 hdr_len, type_off, type_len, str_off, str_len */
#define HEADER_LEN 24
#define BTF_MAX (64U << 20)	/* vmlinux has 4 to 10 MB */
#define TYPE_LEN 12		/* struct btf_type */
#define CHASE_MAX 64		/* typedefs of typedefs, arrays of arrays */

static uint32_t get32(const struct btf *btf, const uint8_t *p)
{
	return elf_get(btf->data, p, 4);
}

/* Bytes behind the fixed part of a record: once, and for each of its vlen elements. -1 = unknown kind. */
static int record_extra(unsigned int kind, unsigned int *per_elem)
{
	*per_elem = 0;
	switch (kind) {
	case BTF_INT: case BTF_VAR: case BTF_DECL_TAG: return 4;
	case BTF_ARRAY: return 12;
	case BTF_STRUCT: case BTF_UNION: case BTF_DATASEC: case BTF_ENUM64: *per_elem = 12; return 0;
	case BTF_ENUM: case BTF_FUNC_PROTO: *per_elem = 8; return 0;
	default: return kind > BTF_VOID && kind < BTF_NR_KINDS ? 0 : -1;
	}
}

/* The length of the record at off, 0 when it does not fit or is of an unknown kind. */
static size_t record_len(const struct btf *btf, const uint8_t *types, size_t len, size_t off)
{
	unsigned int per_elem;
	uint32_t info;
	size_t total;
	int extra;

	if (len - off < TYPE_LEN)
		return 0;
	info = get32(btf, types + off + 4);
	extra = record_extra(info >> 24 & 0x1f, &per_elem);
	if (extra < 0)
		return 0;
	total = TYPE_LEN + extra + (size_t)per_elem * (info & 0xffff);
	return total <= len - off ? total : 0;
}

static int read_header(struct btf *btf, size_t *types_len, struct error *err)
{
	uint32_t hdr_len, type_off, type_len, str_off, str_len;

	if (btf->len < HEADER_LEN || elf_get(btf->data, btf->buf, 2) != BTF_MAGIC || btf->buf[2] != 1)
		return fail(err, -EINVAL, "no BTF of version 1 there");
	hdr_len = get32(btf, btf->buf + 4);
	type_off = get32(btf, btf->buf + 8);
	type_len = get32(btf, btf->buf + 12);
	str_off = get32(btf, btf->buf + 16);
	str_len = get32(btf, btf->buf + 20);
	if (hdr_len < HEADER_LEN || hdr_len > btf->len || type_off > btf->len - hdr_len ||
	    type_len > btf->len - hdr_len - type_off || str_off > btf->len - hdr_len || str_len > btf->len - hdr_len - str_off)
		return fail(err, -EINVAL, "BTF of %zu bytes says: types at %u (%u bytes), strings at %u (%u bytes)", btf->len,
			    type_off, type_len, str_off, str_len);
	if (!str_len || btf->buf[hdr_len + str_off + str_len - 1])
		return fail(err, -EINVAL, "BTF strings at %u are not terminated", str_off);
	btf->types = btf->buf + hdr_len + type_off;
	btf->strings = (const char *)btf->buf + hdr_len + str_off;
	btf->strings_len = str_len;
	*types_len = type_len;
	return 0;
}

static int index_types(struct btf *btf, size_t types_len, struct error *err)
{
	uint32_t nr = 0;

	for (size_t off = 0, len; off < types_len; off += len, btf->nr_types++) {
		len = record_len(btf, btf->types, types_len, off);
		if (!len)
			return fail(err, -EINVAL, "BTF type %u at offset %zu of %zu is broken", btf->first_id + btf->nr_types, off,
				    types_len);
	}
	btf->offsets = malloc(4 * ((size_t)btf->nr_types + 1));
	if (!btf->offsets)
		return fail(err, -ENOMEM, "no memory for %u types", btf->nr_types);
	for (size_t off = 0; off < types_len; off += record_len(btf, btf->types, types_len, off))
		btf->offsets[nr++] = off;
	return 0;
}

static uint32_t hash_name(const char *name)
{
	uint32_t hash = 2166136261U;	/* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619U;
	return hash;
}

static bool is_searched(const struct btf_type *type)
{
	switch (type->kind) {
	case BTF_INT: case BTF_STRUCT: case BTF_UNION: case BTF_ENUM: case BTF_ENUM64: case BTF_TYPEDEF: case BTF_FLOAT:
		return type->name[0];
	default:
		return false;
	}
}

static uint32_t count_names(const struct btf *btf)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < btf->nr_types; i++) {
		struct btf_type type;

		btf_type(btf, btf->first_id + i, &type);
		nr += is_searched(&type);
	}
	return nr;
}

static int index_names(struct btf *btf, struct error *err)
{
	uint32_t size = 64, nr = count_names(btf);

	while (size < nr + nr / 2)
		size *= 2;
	btf->names = calloc(size, 4);
	if (!btf->names)
		return fail(err, -ENOMEM, "no memory for %u types", btf->nr_types);
	btf->names_mask = size - 1;
	for (uint32_t i = 0; i < btf->nr_types; i++) {
		struct btf_type type;
		uint32_t slot;

		btf_type(btf, btf->first_id + i, &type);
		if (!is_searched(&type))
			continue;
		for (slot = hash_name(type.name) & btf->names_mask; btf->names[slot]; slot = (slot + 1) & btf->names_mask)
			;
		btf->names[slot] = btf->first_id + i;
	}
	return 0;
}

int btf_init(struct btf *btf, const struct btf *base, uint8_t data, uint8_t *buf, size_t len, struct error *err)
{
	size_t types_len = 0;
	int rc;

	memset(btf, 0, sizeof(*btf));
	btf->base = base;
	btf->data = data;
	btf->buf = buf;
	btf->len = len;
	btf->first_id = base ? base->first_id + base->nr_types : 1;
	btf->ptr_size = base ? base->ptr_size : 8;
	rc = read_header(btf, &types_len, err);
	if (!rc)
		rc = index_types(btf, types_len, err);
	if (!rc)
		rc = index_names(btf, err);
	if (rc)
		btf_deinit(btf);
	else if (!base && btf_size(btf, "long unsigned int") == 4)
		btf->ptr_size = 4;
	return rc;
}

void btf_deinit(struct btf *btf)
{
	free(btf->buf);
	free(btf->offsets);
	free(btf->names);
	memset(btf, 0, sizeof(*btf));
}

int btf_load(struct btf *btf, const struct btf *base, struct kernel *kernel, vaddr_t vaddr, uint64_t len, struct error *err)
{
	uint8_t *buf;
	int rc;

	memset(btf, 0, sizeof(*btf));
	if (len < HEADER_LEN || len > BTF_MAX)
		return fail(err, -EINVAL, "BTF at 0x%llx with %llu bytes", (unsigned long long)vaddr, (unsigned long long)len);
	buf = malloc(len);
	if (!buf)
		return fail(err, -ENOMEM, "no memory for %llu bytes of BTF", (unsigned long long)len);
	rc = kernel_read_vaddr(kernel, vaddr, buf, len);
	if (rc) {
		free(buf);
		return fail(err, rc, "BTF at 0x%llx, %llu bytes, is not readable", (unsigned long long)vaddr,
			    (unsigned long long)len);
	}
	return btf_init(btf, base, kernel->crash->ehdr.form.data, buf, len, err);
}

/* Strings of a module continue those of the kernel. */
const char *btf_string(const struct btf *btf, uint32_t off)
{
	uint32_t base_len = btf->base ? btf->base->strings_len : 0;

	if (off < base_len)
		return btf->base->strings + off;
	off -= base_len;
	return off < btf->strings_len ? btf->strings + off : "";
}

void btf_type(const struct btf *btf, uint32_t id, struct btf_type *ret)
{
	const uint8_t *p;
	uint32_t info, value;

	memset(ret, 0, sizeof(*ret));
	ret->btf = btf;
	ret->name = "";
	if (btf->base && id < btf->first_id)
		btf = btf->base;
	if (id < btf->first_id || id - btf->first_id >= btf->nr_types)
		return;
	p = btf->types + btf->offsets[id - btf->first_id];
	info = get32(btf, p + 4);
	value = get32(btf, p + 8);
	ret->btf = btf;
	ret->name = btf_string(btf, get32(btf, p));
	ret->kind = info >> 24 & 0x1f;
	ret->kind_flag = info >> 31;
	ret->vlen = info & 0xffff;
	ret->elems = p + TYPE_LEN;
	switch (ret->kind) {
	case BTF_INT:
		value = get32(btf, p + TYPE_LEN);
		ret->int_encoding = value >> 24 & 0xf;
		ret->int_off = value >> 16;
		ret->int_bits = value;
		ret->size = get32(btf, p + 8);
		break;
	case BTF_ARRAY:
		ret->type = get32(btf, p + TYPE_LEN);
		ret->nr_elems = get32(btf, p + TYPE_LEN + 8);
		break;
	case BTF_STRUCT: case BTF_UNION: case BTF_ENUM: case BTF_ENUM64: case BTF_DATASEC: case BTF_FLOAT:
		ret->size = value;
		break;
	default:
		ret->type = value;
	}
}

static bool is_alias(enum btf_kind kind)
{
	return kind == BTF_TYPEDEF || kind == BTF_CONST || kind == BTF_VOLATILE || kind == BTF_RESTRICT || kind == BTF_TYPE_TAG;
}

uint32_t btf_resolve(const struct btf *btf, uint32_t id)
{
	struct btf_type type;

	for (unsigned int i = 0; i < CHASE_MAX; i++) {
		btf_type(btf, id, &type);
		if (!is_alias(type.kind))
			return id;
		id = type.type;
	}
	return 0;
}

/* "struct x", "union x" and "enum x" name one kind; x alone any of them or a typedef. */
static const char *strip_keyword(const char *name, enum btf_kind *kind)
{
	static const struct { const char *word; enum btf_kind kind; } words[] = {
		{ "struct ", BTF_STRUCT }, { "union ", BTF_UNION }, { "enum ", BTF_ENUM },
	};

	*kind = BTF_VOID;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strncmp(name, words[i].word, strlen(words[i].word))) {
			*kind = words[i].kind;
			return name + strlen(words[i].word);
		}
	return name;
}

/* The lowest id >= from that bears the name, in one BTF. */
static uint32_t find_here(const struct btf *btf, const char *name, enum btf_kind kind, uint32_t from)
{
	uint32_t best = 0, slot = hash_name(name) & btf->names_mask;

	for (uint32_t id; (id = btf->names[slot]); slot = (slot + 1) & btf->names_mask) {
		struct btf_type type;

		btf_type(btf, id, &type);
		if (id < from || (best && id > best) || strcmp(type.name, name))
			continue;
		if (kind == BTF_VOID || kind == type.kind || (kind == BTF_ENUM && type.kind == BTF_ENUM64))
			best = id;
	}
	return best;
}

int btf_find_next(const struct btf *btf, const char *name, uint32_t *next_id, uint32_t *ret)
{
	enum btf_kind kind;
	uint32_t id = 0;

	name = strip_keyword(name, &kind);
	if (!name[0] || !btf->names)
		return -ENOENT;
	if (btf->base && *next_id < btf->first_id)
		id = find_here(btf->base, name, kind, *next_id);
	if (!id)
		id = find_here(btf, name, kind, *next_id);
	if (!id)
		return -ENOENT;
	*ret = id;
	*next_id = id + 1;
	return 0;
}

/* A structure is what most people mean by a name that a typedef bears too. */
int btf_find(const struct btf *btf, const char *name, uint32_t *ret)
{
	uint32_t next = 0, id;
	bool found = false;

	while (!btf_find_next(btf, name, &next, &id)) {
		struct btf_type type;

		btf_type(btf, id, &type);
		if (!found)
			*ret = id;
		found = true;
		if (type.kind == BTF_STRUCT || type.kind == BTF_UNION) {
			*ret = id;
			return 0;
		}
	}
	return found ? 0 : -ENOENT;
}

uint64_t btf_size(const struct btf *btf, const char *name)
{
	uint32_t id;

	return btf_find(btf, name, &id) ? 0 : btf_type_size(btf, id);
}

uint64_t btf_type_size(const struct btf *btf, uint32_t id)
{
	uint64_t factor = 1;
	struct btf_type type;

	for (unsigned int i = 0; i < CHASE_MAX; i++) {
		btf_type(btf, btf_resolve(btf, id), &type);
		if (type.kind != BTF_ARRAY)
			break;
		if (type.nr_elems && factor > UINT32_MAX / type.nr_elems)
			return 0;
		factor *= type.nr_elems;
		id = type.type;
	}
	switch (type.kind) {
	case BTF_PTR: return factor * btf->ptr_size;
	case BTF_INT: case BTF_STRUCT: case BTF_UNION: case BTF_ENUM: case BTF_ENUM64: case BTF_FLOAT: return factor * type.size;
	default: return 0;
	}
}
