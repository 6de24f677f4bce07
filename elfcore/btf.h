/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BTF: the types of the dead kernel, which it carries in itself between __start_BTF and __stop_BTF, and those of its
 * modules, which build on the kernel's (Documentation/bpf/btf.rst).
 *
 *   header | type records, one behind the other, ids from 1 | strings
 *
 * The whole is copied and checked once: every record lies inside, so that a type once found can be walked without care.
 * What types point to is not checked: every chase of references here is bounded, and ids that do not exist are void.
 */
#ifndef ELFCORE_BTF_H
#define ELFCORE_BTF_H

#include <stdbool.h>

#include "elfcore/error.h"
#include "elfcore/types.h"

struct kernel;

enum btf_kind {
	BTF_VOID, BTF_INT, BTF_PTR, BTF_ARRAY, BTF_STRUCT, BTF_UNION, BTF_ENUM, BTF_FWD, BTF_TYPEDEF, BTF_VOLATILE, BTF_CONST,
	BTF_RESTRICT, BTF_FUNC, BTF_FUNC_PROTO, BTF_VAR, BTF_DATASEC, BTF_FLOAT, BTF_DECL_TAG, BTF_TYPE_TAG, BTF_ENUM64,
	BTF_NR_KINDS
};

#define BTF_INT_SIGNED 1	/* btf_int.encoding */
#define BTF_INT_CHAR 2
#define BTF_INT_BOOL 4

struct btf {
	const struct btf *base;		/* of a module: the kernel's; borrowed */
	uint8_t data;			/* byte order */
	uint8_t ptr_size;		/* of the dead kernel: its "long unsigned int" */
	uint8_t *buf;
	size_t len;
	const uint8_t *types;
	const char *strings;
	uint32_t strings_len;
	uint32_t first_id, nr_types;	/* ids in [first_id, first_id + nr_types) */
	uint32_t *offsets;		/* of each record in types */
	uint32_t *names;		/* hash table of ids by name */
	uint32_t names_mask;
};

/* One type, decoded. */
struct btf_type {
	const struct btf *btf;		/* that the record is in */
	const char *name;		/* "" = none */
	enum btf_kind kind;
	bool kind_flag;
	uint16_t vlen;			/* members, values, parameters */
	uint32_t size;			/* struct, union, enum, int, float */
	uint32_t type;			/* pointer, typedef and the like; element of an array */
	uint32_t nr_elems;		/* array */
	uint8_t int_bits, int_off, int_encoding;
	const uint8_t *elems;		/* records of members, values, parameters */
};

/* One member of a structure; bit_size is 0 for all but bit fields. */
struct btf_member {
	const char *name;		/* "" = anonymous */
	uint32_t type;
	uint64_t bit_off;		/* from the start of the structure */
	uint32_t bit_size;
};

/* A place inside an object: what btf_member() finds. */
struct btf_field {
	uint32_t type;			/* id */
	uint64_t off;			/* bytes; for a bit field of its storage */
	uint64_t size;			/* bytes; 0 for a flexible array */
	uint32_t bit_off, bit_size;	/* of a bit field, in the byte order's own counting from off on; bit_size 0 = none */
};

/* Take over buf (from malloc, freed here also on error). -EINVAL: no BTF, or a broken one. */
int btf_init(struct btf *btf, const struct btf *base, uint8_t data, uint8_t *buf, size_t len, struct error *err);
void btf_deinit(struct btf *btf);

/* Read it out of the dead kernel. */
int btf_load(struct btf *btf, const struct btf *base, struct kernel *kernel, vaddr_t vaddr, uint64_t len, struct error *err);

/* A type by its id; void for one that does not exist. */
void btf_type(const struct btf *btf, uint32_t id, struct btf_type *ret);

/* A string by its offset, "" beyond the end. */
const char *btf_string(const struct btf *btf, uint32_t off);

/* Skip typedefs and qualifiers. */
uint32_t btf_resolve(const struct btf *btf, uint32_t id);

/* A struct, union, enum, typedef or int by its name, with or without "struct " in front; -ENOENT. */
int btf_find(const struct btf *btf, const char *name, uint32_t *ret);

/* The same for all that bear the name: next_id is 0 at first, and is set to go on from. */
int btf_find_next(const struct btf *btf, const char *name, uint32_t *next_id, uint32_t *ret);

/* Bytes an object of the type takes; 0 = none or unknown. Bounded, so never wraps. */
uint64_t btf_type_size(const struct btf *btf, uint32_t id);
uint64_t btf_size(const struct btf *btf, const char *name);

/* Member i < vlen of a struct or union. */
void btf_member_at(const struct btf_type *type, unsigned int i, struct btf_member *ret);
void btf_member_field(const struct btf *btf, const struct btf_member *member, struct btf_field *ret);

/*
 * A member by its path: "se.exec_start", also through anonymous structures, with elements as "comm[3]"; pointers are not
 * followed. An empty path is the object itself. -ENOENT.
 */
int btf_member(const struct btf *btf, const char *type, const char *path, struct btf_field *ret);
int btf_type_member(const struct btf *btf, uint32_t id, const char *path, struct btf_field *ret);

/* The offset of a member, or -1. */
int64_t btf_offset(const struct btf *btf, const char *type, const char *path);

/* Value i < vlen of an enum, its name borrowed. */
int64_t btf_enum_at(const struct btf_type *type, unsigned int i, const char **name_ret);

/* The name of a value of this enum type, NULL when it has none. */
const char *btf_enum_name(const struct btf *btf, uint32_t id, int64_t value);

/* The value of an enumerator of the named enum, or with NULL of any; -ENOENT. */
int btf_enum_value(const struct btf *btf, const char *enum_name, const char *name, int64_t *ret);

/* The type as C would declare a variable of that name ("struct list_head *x[4]"); "" as name for the type alone. Cut at size. */
void btf_declare(const struct btf *btf, uint32_t id, const char *name, char *ret, size_t size);

/* The value of a field in the bytes of the object, which are len long: 0 for what lies outside or is larger than 8 bytes. */
uint64_t btf_get(const struct btf *btf, const struct btf_field *field, const void *object, size_t len);

#endif
