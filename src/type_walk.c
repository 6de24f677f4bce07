// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/type_walk.h"

#include <string.h>

#include "elfcore/types.h"

struct level {
	struct type_node node;
	unsigned int next, nr;		/* members or elements */
};

static void make_node(struct type_node *node, const struct btf *btf, const char *name, unsigned int depth)
{
	node->btf = btf;
	node->name = name;
	node->index = -1;
	node->depth = depth;
	btf_type(btf, btf_resolve(btf, node->field.type), &node->type);
}

static bool has_inside(const struct btf_type *type)
{
	return type->kind == BTF_STRUCT || type->kind == BTF_UNION || type->kind == BTF_ARRAY;
}

/* The next child of a level. */
static void child(const struct level *level, struct type_node *ret)
{
	const struct type_node *parent = &level->node;
	struct btf_member member;

	if (parent->type.kind == BTF_ARRAY) {
		uint64_t size = btf_type_size(parent->btf, parent->type.type);

		ret->field = (struct btf_field){ .type = parent->type.type, .size = size,
						 .off = parent->field.off + size * level->next };
		make_node(ret, parent->btf, "", parent->depth + 1);
		ret->index = level->next;
		return;
	}
	btf_member_at(&parent->type, level->next, &member);
	btf_member_field(parent->btf, &member, &ret->field);
	ret->field.off += parent->field.off;
	make_node(ret, parent->btf, member.name, parent->depth + 1);
}

static bool push(struct level *level, const struct type_node *node, unsigned int nr_elems_max, struct type_visitor *v)
{
	if (!v->enter(v, node))
		return false;
	level->node = *node;
	level->next = 0;
	level->nr = node->type.kind == BTF_ARRAY ? min_u64(node->type.nr_elems, nr_elems_max) : node->type.vlen;
	return true;
}

void type_walk(const struct btf *btf, const char *name, const struct btf_field *field, unsigned int nr_elems_max,
	       struct type_visitor *v)
{
	struct level levels[TYPE_WALK_DEPTH];
	struct type_node node = { .field = *field };
	unsigned int depth = 0;

	make_node(&node, btf, name, 0);
	if (!has_inside(&node.type)) {
		v->leaf(v, &node);
		return;
	}
	if (!push(&levels[depth++], &node, nr_elems_max, v))
		return;
	while (depth) {
		struct level *level = &levels[depth - 1];

		if (level->next == level->nr) {
			v->leave(v, &level->node);
			depth--;
			continue;
		}
		child(level, &node);
		level->next++;
		if (!has_inside(&node.type))
			v->leaf(v, &node);
		else if (depth < TYPE_WALK_DEPTH && push(&levels[depth], &node, nr_elems_max, v))
			depth++;
	}
}
