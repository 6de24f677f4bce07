// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "elfcore/object.h"
#include "src/type_print.h"
#include "src/type_walk.h"

#define INDENT 4
#define ELEMS_MAX 32		/* of an array that are shown */
#define TEXT_MAX 128

struct value_visitor {
	struct type_visitor visitor;
	struct object *object;
	struct json *json;		/* NULL = text */
	const char *key;		/* of the outermost value */
	/*
	 * Text: structures without a name, or around one member only, get no braces of their own; the names of the latter
	 * wait in path from start on for what is inside: ".usage.refs.counter = 1".
	 */
	char path[TEXT_MAX];
	size_t start;
	unsigned int indent;
	struct { size_t start, path_len; bool bare; } levels[TYPE_WALK_DEPTH + 1];
};

static bool is_pointer(const struct type_node *node)
{
	return node->type.kind == BTF_PTR;
}

static bool is_char_array(const struct type_node *node)
{
	struct btf_type elem;

	if (node->type.kind != BTF_ARRAY)
		return false;
	btf_type(node->btf, btf_resolve(node->btf, node->type.type), &elem);
	return elem.kind == BTF_INT && elem.size == 1 && (elem.int_encoding & BTF_INT_CHAR || !strcmp(elem.name, "char"));
}

static bool is_readable(const struct object *object, const struct btf_field *field)
{
	return field->off <= object->len && field->size <= object->len - field->off;
}

static void quote(const char *text, size_t len)
{
	putchar('"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = text[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c >= 0x20 && c < 0x7f)
			putchar(c);
		else
			printf("\\%03o", c);
	}
	putchar('"');
}

/* The text behind a char pointer, when it looks like one. */
static bool pointed_text(struct object *object, const struct type_node *node, uint64_t value, char *ret, size_t size)
{
	struct btf_type target;

	btf_type(node->btf, btf_resolve(node->btf, node->type.type), &target);
	return value && target.kind == BTF_INT && target.size == 1 && !strcmp(target.name, "char") &&
	       !kernel_read_string(&object->session->kernel, value, ret, size) && ret[0] && ret[0] != '?';
}

static int64_t sign_extend(uint64_t value, unsigned int bits)
{
	return bits && bits < 64 ? (int64_t)(value << (64 - bits)) >> (64 - bits) : (int64_t)value;
}

static int64_t signed_value(const struct type_node *node, uint64_t value)
{
	return sign_extend(value, node->field.bit_size ? node->field.bit_size : 8 * node->field.size);
}

/* --- text ------------------------------------------------------------------------------------------------------------- */

static void print_number(const struct type_node *node, uint64_t value)
{
	const struct btf_type *type = &node->type;
	const char *name;

	if (type->kind == BTF_ENUM || type->kind == BTF_ENUM64) {
		name = btf_enum_name(node->btf, node->field.type, signed_value(node, value));
		printf(name ? "%s (%" PRId64 ")" : "%s%" PRId64, name ? name : "", signed_value(node, value));
	} else if (type->int_encoding & BTF_INT_BOOL && value <= 1) {
		fputs(value ? "true" : "false", stdout);
	} else if (type->int_encoding & BTF_INT_SIGNED) {
		printf("%" PRId64, signed_value(node, value));
	} else {
		printf(value < 0x10000 ? "%" PRIu64 : "0x%" PRIx64, value);
	}
}

static void print_pointer(struct object *object, const struct type_node *node, uint64_t value)
{
	char text[KSYM_NAME_MAX + 128];

	printf("0x%" PRIx64, value);
	if (pointed_text(object, node, value, text, TEXT_MAX)) {
		putchar(' ');
		quote(text, strlen(text));
	} else if (symbols_format(&object->session->symbols, value, text, sizeof(text))) {
		printf(" <%s>", text);
	}
}

static void print_name(struct value_visitor *v, const struct type_node *node)
{
	const char *path = v->path + v->start;

	printf("%*s", INDENT * (int)v->indent, "");
	if (node->index >= 0)
		printf("[%" PRId64 "] = ", node->index);
	else if (path[0] || node->name[0])
		printf("%s%s%s = ", path, node->depth && node->name[0] ? "." : "", node->name);
	if (!node->depth && (node->type.kind == BTF_STRUCT || node->type.kind == BTF_UNION))
		printf("(%s %s) ", node->type.kind == BTF_UNION ? "union" : "struct", node->type.name);
}

static void end_line(const struct type_node *node)
{
	puts(node->depth ? "," : "");
}

static void text_leaf(struct value_visitor *v, const struct type_node *node)
{
	uint64_t value = btf_get(node->btf, &node->field, v->object->bytes, v->object->len);

	print_name(v, node);
	if (!is_readable(v->object, &node->field))
		fputs("<not in the dump>", stdout);
	else if (is_pointer(node))
		print_pointer(v->object, node, value);
	else
		print_number(node, value);
	end_line(node);
}

/* "3, 0 <7 times>, 1": equal neighbours are counted, as gdb does. */
static void print_scalars(struct value_visitor *v, const struct type_node *node, unsigned int nr)
{
	struct type_node elem = *node;
	uint64_t size = btf_type_size(node->btf, node->type.type);
	unsigned int shown = 0, i = 0;

	elem.field.type = node->type.type;
	btf_type(node->btf, btf_resolve(node->btf, elem.field.type), &elem.type);
	fputs("{ ", stdout);
	while (i < nr && shown++ < ELEMS_MAX) {
		struct btf_field field = { .type = elem.field.type, .off = node->field.off + size * i, .size = size };
		uint64_t value = btf_get(node->btf, &field, v->object->bytes, v->object->len);
		unsigned int run = 1;

		for (field.off += size; i + run < nr; run++, field.off += size)
			if (btf_get(node->btf, &field, v->object->bytes, v->object->len) != value)
				break;
		elem.field.size = size;
		fputs(i ? ", " : "", stdout);
		if (is_pointer(&elem))
			print_pointer(v->object, &elem, value);
		else
			print_number(&elem, value);
		if (run > 1)
			printf(" <%u times>", run);
		i += run;
	}
	printf(i < nr ? ", and %u more }" : " }", nr - i);
}

static size_t text_len(const struct value_visitor *v, const struct type_node *node)
{
	return strnlen((const char *)v->object->bytes + node->field.off, node->field.size);
}

static bool has_scalars(const struct type_node *node)
{
	struct btf_type elem;

	btf_type(node->btf, btf_resolve(node->btf, node->type.type), &elem);
	return elem.kind != BTF_STRUCT && elem.kind != BTF_UNION && elem.kind != BTF_ARRAY;
}

static void open_brace(struct value_visitor *v, const struct type_node *node)
{
	print_name(v, node);
	puts("{");
	v->start = strlen(v->path);
	v->indent++;
}

static bool text_array(struct value_visitor *v, const struct type_node *node)
{
	bool readable = is_readable(v->object, &node->field);

	if (!has_scalars(node) && node->type.nr_elems && readable) {
		open_brace(v, node);
		return true;
	}
	print_name(v, node);
	if (!readable)
		fputs("<not in the dump>", stdout);
	else if (is_char_array(node) && node->field.size)
		quote((const char *)v->object->bytes + node->field.off, text_len(v, node));
	else if (!node->type.nr_elems || !node->field.size)
		fputs("{ }", stdout);
	else
		print_scalars(v, node, node->type.nr_elems);
	end_line(node);
	return false;
}

static bool is_bare(const struct value_visitor *v, const struct type_node *node)
{
	if (!node->depth || node->index >= 0 || node->type.kind == BTF_ARRAY)
		return false;
	return !node->name[0] || (node->type.vlen == 1 && strlen(v->path) + strlen(node->name) + 2 < TEXT_MAX);
}

static bool text_enter(struct value_visitor *v, const struct type_node *node)
{
	v->levels[node->depth].start = v->start;
	v->levels[node->depth].path_len = strlen(v->path);
	v->levels[node->depth].bare = is_bare(v, node);
	if (node->type.kind == BTF_ARRAY)
		return text_array(v, node);
	if (!v->levels[node->depth].bare)
		open_brace(v, node);
	else if (node->name[0])
		strcat(strcat(v->path, "."), node->name);
	return true;
}

static void text_leave(struct value_visitor *v, const struct type_node *node)
{
	v->start = v->levels[node->depth].start;
	v->path[v->levels[node->depth].path_len] = 0;
	if (v->levels[node->depth].bare)
		return;
	v->indent--;
	printf("%*s}", INDENT * (int)v->indent, "");
	end_line(node);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------- */

static const char *json_key(const struct value_visitor *v, const struct type_node *node)
{
	if (!node->depth)
		return v->key;
	return node->index >= 0 ? NULL : node->name;
}

static void json_leaf(struct value_visitor *v, const struct type_node *node)
{
	uint64_t value = btf_get(node->btf, &node->field, v->object->bytes, v->object->len);
	const struct btf_type *type = &node->type;
	const char *key = json_key(v, node), *name;

	if (!is_readable(v->object, &node->field)) {
		json_null(v->json, key);
	} else if (is_pointer(node)) {
		json_address(v->json, key, value);
	} else if (type->kind == BTF_ENUM || type->kind == BTF_ENUM64) {
		name = btf_enum_name(node->btf, node->field.type, signed_value(node, value));
		if (name)
			json_string(v->json, key, name);
		else
			json_int(v->json, key, signed_value(node, value));
	} else if (type->int_encoding & BTF_INT_BOOL) {
		json_bool(v->json, key, value);
	} else if (type->int_encoding & BTF_INT_SIGNED) {
		json_int(v->json, key, signed_value(node, value));
	} else if (value >> 53) {
		json_address(v->json, key, value);
	} else {
		json_int(v->json, key, value);
	}
}

/* Anonymous members belong to the object around them, as in C. */
static bool is_merged(const struct type_node *node)
{
	return node->depth && node->index < 0 && !node->name[0] && node->type.kind != BTF_ARRAY;
}

static bool json_enter(struct value_visitor *v, const struct type_node *node)
{
	if (is_merged(node))
		return true;
	if (!is_readable(v->object, &node->field)) {
		json_null(v->json, json_key(v, node));
		return false;
	}
	if (is_char_array(node) && node->field.size) {
		json_text(v->json, json_key(v, node), (const char *)v->object->bytes + node->field.off, text_len(v, node));
		return false;
	}
	if (node->type.kind == BTF_ARRAY)
		json_array(v->json, json_key(v, node));
	else
		json_object(v->json, json_key(v, node));
	return true;
}

static void json_leave(struct value_visitor *v, const struct type_node *node)
{
	if (is_merged(node))
		return;
	if (node->type.kind == BTF_ARRAY)
		json_end_array(v->json);
	else
		json_end_object(v->json);
}

/* --- both ------------------------------------------------------------------------------------------------------------- */

static bool enter(struct type_visitor *visitor, const struct type_node *node)
{
	struct value_visitor *v = container_of(visitor, struct value_visitor, visitor);

	return v->json ? json_enter(v, node) : text_enter(v, node);
}

static void leave(struct type_visitor *visitor, const struct type_node *node)
{
	struct value_visitor *v = container_of(visitor, struct value_visitor, visitor);

	if (v->json)
		json_leave(v, node);
	else
		text_leave(v, node);
}

static void leaf(struct type_visitor *visitor, const struct type_node *node)
{
	struct value_visitor *v = container_of(visitor, struct value_visitor, visitor);

	if (v->json)
		json_leaf(v, node);
	else
		text_leaf(v, node);
}

void print_value(struct object *object, const char *name, const struct btf_field *field)
{
	struct value_visitor v = { { enter, leave, leaf }, .object = object };

	type_walk(object->btf, name, field, ELEMS_MAX, &v.visitor);
}

void json_value(struct json *json, struct object *object, const char *key, const struct btf_field *field)
{
	struct value_visitor v = { { enter, leave, leaf }, .object = object, .json = json, .key = key };

	type_walk(object->btf, "", field, UINT32_MAX, &v.visitor);
}
