// SPDX-License-Identifier: GPL-2.0-or-later
/* Types as text, and the names of values. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "elfcore/btf.h"
#include "elfcore/elf_codec.h"

#define CHASE_MAX 32
#define DECLARATOR_MAX 256

int64_t btf_enum_at(const struct btf_type *type, unsigned int i, const char **name_ret)
{
	size_t len = type->kind == BTF_ENUM64 ? 12 : 8;
	const uint8_t *p = type->elems + len * i;
	uint32_t low = elf_get(type->btf->data, p + 4, 4);

	*name_ret = btf_string(type->btf, elf_get(type->btf->data, p, 4));
	if (type->kind == BTF_ENUM64)
		return (int64_t)(elf_get(type->btf->data, p + 8, 4) << 32 | low);
	/* Whether an enum has negative values is told since 6.0 only; before, they all were taken for signed. */
	return (int32_t)low;
}

const char *btf_enum_name(const struct btf *btf, uint32_t id, int64_t value)
{
	struct btf_type type;
	const char *name;

	btf_type(btf, btf_resolve(btf, id), &type);
	if (type.kind != BTF_ENUM && type.kind != BTF_ENUM64)
		return NULL;
	for (unsigned int i = 0; i < type.vlen; i++) {
		int64_t v = btf_enum_at(&type, i, &name);

		if (v == value || (type.kind == BTF_ENUM && (uint32_t)v == (uint32_t)value))
			return name;
	}
	return NULL;
}

static bool value_of(const struct btf *btf, uint32_t id, const char *name, int64_t *ret)
{
	struct btf_type type;
	const char *other;

	btf_type(btf, id, &type);
	if (type.kind != BTF_ENUM && type.kind != BTF_ENUM64)
		return false;
	for (unsigned int i = 0; i < type.vlen; i++) {
		*ret = btf_enum_at(&type, i, &other);
		if (!strcmp(other, name))
			return true;
	}
	return false;
}

int btf_enum_value(const struct btf *btf, const char *enum_name, const char *name, int64_t *ret)
{
	uint32_t next = 0, id;

	if (!enum_name) {
		for (id = 1; id < btf->first_id + btf->nr_types; id++)
			if (value_of(btf, id, name, ret))
				return 0;
		return -ENOENT;
	}
	while (!btf_find_next(btf, enum_name, &next, &id))
		if (value_of(btf, id, name, ret))
			return 0;
	return -ENOENT;
}

/* Text that grows at both ends; what does not fit is dropped. */
struct declarator {
	char text[DECLARATOR_MAX];
	bool pointer;		/* the outermost part is a '*': what binds tighter needs parentheses */
};

static void put_front(struct declarator *d, const char *text)
{
	size_t len = strlen(text), old = strlen(d->text);

	if (len + old >= sizeof(d->text))
		return;
	memmove(d->text + len, d->text, old + 1);
	memcpy(d->text, text, len);
}

static void put_back(struct declarator *d, const char *text)
{
	size_t old = strlen(d->text);

	if (old + strlen(text) < sizeof(d->text))
		strcpy(d->text + old, text);
}

static void wrap_pointer(struct declarator *d)
{
	if (!d->pointer)
		return;
	put_front(d, "(");
	put_back(d, ")");
	d->pointer = false;
}

static const char *qualifier(enum btf_kind kind)
{
	switch (kind) {
	case BTF_CONST: return "const";
	case BTF_VOLATILE: return "volatile";
	case BTF_RESTRICT: return "restrict";
	default: return "";
	}
}

static const char *keyword(const struct btf_type *type)
{
	switch (type->kind) {
	case BTF_STRUCT: return "struct ";
	case BTF_UNION: return "union ";
	case BTF_ENUM: case BTF_ENUM64: return "enum ";
	case BTF_FWD: return type->kind_flag ? "union " : "struct ";
	default: return "";
	}
}

/* One step from the name outwards; false at the type that everything is built on. */
static bool wrap(struct declarator *d, const struct btf_type *type, char *qualifiers, size_t size)
{
	char dimension[16];

	switch (type->kind) {
	case BTF_PTR:
		put_front(d, qualifiers[0] && d->text[0] ? " " : "");
		put_front(d, qualifiers);
		put_front(d, "*");
		qualifiers[0] = 0;
		d->pointer = true;
		return true;
	case BTF_ARRAY:
		wrap_pointer(d);
		snprintf(dimension, sizeof(dimension), type->nr_elems ? "[%u]" : "[]", type->nr_elems);
		put_back(d, dimension);
		return true;
	case BTF_FUNC_PROTO:
		wrap_pointer(d);
		put_back(d, type->vlen ? "(...)" : "(void)");
		return true;
	case BTF_CONST: case BTF_VOLATILE: case BTF_RESTRICT:
		if (strlen(qualifiers) + 10 < size)
			sprintf(qualifiers + strlen(qualifiers), "%s%s", qualifiers[0] ? " " : "", qualifier(type->kind));
		return true;
	case BTF_TYPE_TAG:
		return true;
	default:
		return false;
	}
}

void btf_declare(const struct btf *btf, uint32_t id, const char *name, char *ret, size_t size)
{
	struct declarator d = { 0 };
	char qualifiers[48] = "";
	struct btf_type type;

	put_back(&d, name);
	for (unsigned int i = 0; i < CHASE_MAX; i++) {
		btf_type(btf, id, &type);
		if (!wrap(&d, &type, qualifiers, sizeof(qualifiers)))
			break;
		id = type.type;
	}
	if (type.kind == BTF_VOID)
		type.name = "void";
	else if (!type.name[0])
		type.name = "{...}";
	snprintf(ret, size, "%s%s%s%s%s%s", qualifiers, qualifiers[0] ? " " : "", keyword(&type), type.name, d.text[0] ? " " : "",
		 d.text);
}
