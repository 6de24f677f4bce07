/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types and objects of the dead kernel on standard output: layouts as pahole shows them, values as C would initialise them. */
#ifndef SRC_TYPE_PRINT_H
#define SRC_TYPE_PRINT_H

#include "src/json.h"
#include "src/session.h"

/* Members with offsets and sizes; an enum with its values; else the declaration. */
void print_layout(const struct btf *btf, uint32_t id);
void json_layout(struct json *json, const struct btf *btf, uint32_t id);

/* An object, or the part of one, in the dead kernel: its bytes and what is said of them. */
struct object {
	struct session *session;
	const struct btf *btf;
	vaddr_t addr;
	const uint8_t *bytes;
	size_t len;			/* that could be read, from its start on */
};

void print_value(struct object *object, const char *name, const struct btf_field *field);
void json_value(struct json *json, struct object *object, const char *key, const struct btf_field *field);

#endif
