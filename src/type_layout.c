// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "elfcore/types.h"
#include "src/type_print.h"
#include "src/type_walk.h"

#define INDENT 4
#define COMMENT_COLUMN 64
#define TEXT_MAX 256

static bool is_structure(const struct btf_type *type)
{
	return type->kind == BTF_STRUCT || type->kind == BTF_UNION;
}

static const char *word_of(const struct btf_type *type)
{
	return type->kind == BTF_UNION ? "union" : "struct";
}

/* Only structures without a name of their own are shown inside: others can be asked for by name. */
static bool is_shown_inside(const struct type_node *node)
{
	return is_structure(&node->type) && (!node->depth || !node->type.name[0]);
}

static void print_place(const struct btf_field *field, int width)
{
	printf("%*s/* %5llu", width > 0 ? width : 1, "", (unsigned long long)field->off);
	if (field->bit_size)
		printf(":%2u %2u bits */\n", field->bit_off, field->bit_size);
	else
		printf(" %5llu */\n", (unsigned long long)field->size);
}

static void layout_leaf(struct type_visitor *v, const struct type_node *node)
{
	char text[TEXT_MAX];
	int width;

	(void)v;
	btf_declare(node->btf, node->field.type, node->name, text, sizeof(text));
	width = printf("%*s%s", INDENT * (int)node->depth, "", text);
	if (node->field.bit_size)
		width += printf(":%u", node->field.bit_size);
	putchar(';');
	print_place(&node->field, COMMENT_COLUMN - width - 1);
}

static bool layout_enter(struct type_visitor *v, const struct type_node *node)
{
	if (!is_shown_inside(node)) {
		layout_leaf(v, node);
		return false;
	}
	printf("%*s%s%s%s {\n", INDENT * (int)node->depth, "", word_of(&node->type), node->type.name[0] ? " " : "",
	       node->type.name);
	return true;
}

static void layout_leave(struct type_visitor *v, const struct type_node *node)
{
	int width = printf("%*s}%s%s;", INDENT * (int)node->depth, "", node->name[0] ? " " : "", node->name);

	(void)v;
	if (node->depth)
		print_place(&node->field, COMMENT_COLUMN - width);
	else
		printf(" /* size: %llu */\n", (unsigned long long)node->field.size);
}

static void print_enum(const struct btf_type *type)
{
	printf("enum %s%s{\n", type->name, type->name[0] ? " " : "");
	for (unsigned int i = 0; i < type->vlen; i++) {
		const char *name;
		int64_t value = btf_enum_at(type, i, &name);

		printf("%*s%s = %lld,\n", INDENT, "", name, (long long)value);
	}
	printf("}; /* size: %u */\n", type->size);
}

void print_layout(const struct btf *btf, uint32_t id)
{
	struct type_visitor v = { layout_enter, layout_leave, layout_leaf };
	struct btf_field field = { .type = id, .size = btf_type_size(btf, id) };
	struct btf_type type, named;
	char text[TEXT_MAX];

	btf_type(btf, id, &named);
	btf_type(btf, btf_resolve(btf, id), &type);
	if (named.kind == BTF_TYPEDEF) {
		btf_declare(btf, named.type, named.name, text, sizeof(text));
		printf("typedef %s;\n", text);
	}
	if (is_structure(&type)) {
		type_walk(btf, "", &field, 0, &v);
	} else if (type.kind == BTF_ENUM || type.kind == BTF_ENUM64) {
		print_enum(&type);
	} else if (named.kind != BTF_TYPEDEF) {
		btf_declare(btf, id, "", text, sizeof(text));
		printf("%s; /* size: %llu */\n", text, (unsigned long long)field.size);
	}
}

/* --- JSON ------------------------------------------------------------------------------------------------------------- */

struct json_visitor {
	struct type_visitor visitor;
	struct json *json;
};

static void json_node(struct json *json, const struct type_node *node)
{
	char text[TEXT_MAX];

	btf_declare(node->btf, node->field.type, "", text, sizeof(text));
	if (node->depth)
		json_string(json, "name", node->name);
	json_string(json, "type", text);
	json_int(json, "offset", node->field.off);
	json_int(json, "size", node->field.size);
	if (node->field.bit_size) {
		json_int(json, "bit_offset", node->field.bit_off);
		json_int(json, "bit_size", node->field.bit_size);
	}
}

static void json_leaf(struct type_visitor *v, const struct type_node *node)
{
	struct json *json = container_of(v, struct json_visitor, visitor)->json;

	json_object(json, NULL);
	json_node(json, node);
	json_end_object(json);
}

static bool json_enter(struct type_visitor *v, const struct type_node *node)
{
	struct json *json = container_of(v, struct json_visitor, visitor)->json;

	if (!is_shown_inside(node)) {
		json_leaf(v, node);
		return false;
	}
	json_object(json, NULL);
	json_node(json, node);
	json_array(json, "members");
	return true;
}

static void json_leave(struct type_visitor *v, const struct type_node *node)
{
	struct json *json = container_of(v, struct json_visitor, visitor)->json;

	(void)node;
	json_end_array(json);
	json_end_object(json);
}

void json_layout(struct json *json, const struct btf *btf, uint32_t id)
{
	struct json_visitor v = { { json_enter, json_leave, json_leaf }, json };
	struct btf_field field = { .type = id, .size = btf_type_size(btf, id) };
	struct btf_type type;

	btf_type(btf, btf_resolve(btf, id), &type);
	if (type.kind != BTF_ENUM && type.kind != BTF_ENUM64) {
		type_walk(btf, "", &field, 0, &v.visitor);
		return;
	}
	json_object(json, NULL);
	json_string(json, "type", type.name);
	json_int(json, "size", type.size);
	json_object(json, "values");
	for (unsigned int i = 0; i < type.vlen; i++) {
		const char *name;
		int64_t value = btf_enum_at(&type, i, &name);

		json_int(json, name, value);
	}
	json_end_object(json);
	json_end_object(json);
}
