/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walk through a type member by member, without recursion: each member of a structure or element of an array is shown to
 * a visitor, which says whether to look inside.
 */
#ifndef SRC_TYPE_WALK_H
#define SRC_TYPE_WALK_H

#include "elfcore/btf.h"

#define TYPE_WALK_DEPTH 24

struct type_node {
	const struct btf *btf;
	const char *name;		/* of the member; "" = anonymous, or an element */
	int64_t index;			/* of an element, -1 for members */
	struct btf_field field;		/* offsets from the start of the whole */
	struct btf_type type;		/* of it, typedefs and qualifiers skipped */
	unsigned int depth;		/* 0 = the whole */
};

struct type_visitor {
	/* Structures, unions and arrays: true = walk inside, then leave() follows. */
	bool (*enter)(struct type_visitor *v, const struct type_node *node);
	void (*leave)(struct type_visitor *v, const struct type_node *node);
	/* Everything else. */
	void (*leaf)(struct type_visitor *v, const struct type_node *node);
};

/* From this field on, which bears the name. nr_elems_max bounds how many elements of an array are shown. */
void type_walk(const struct btf *btf, const char *name, const struct btf_field *field, unsigned int nr_elems_max,
	       struct type_visitor *v);

#endif
