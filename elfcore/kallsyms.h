/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The symbol table that the dead kernel carries in itself (kernel/kallsyms.c, scripts/kallsyms.c). VMCOREINFO says where
 * its parts are since 6.0; in older kernels they are found by their form (kallsyms_search.c).
 *
 * Names are compressed: each is a length and that many bytes, each byte a token; the first character of the expanded
 * text is the type as nm writes it. Everything is copied here once, about 20 bytes a symbol, and checked on the way.
 */
#ifndef ELFCORE_KALLSYMS_H
#define ELFCORE_KALLSYMS_H

#include "elfcore/kernel.h"

#define KSYM_NAME_MAX 512	/* KSYM_NAME_LEN of 6.1 and later; 128 before */
#define KSYM_TOKENS 256

/* What the numbers in kallsyms_offsets are. */
enum kallsyms_form {
	KALLSYMS_BASE,		/* unsigned, added to kallsyms_relative_base */
	/* the same for negative ones (base - 1 - n); others are absolute: offsets of per-CPU variables (x86_64 up to 6.14) */
	KALLSYMS_PERCPU,
	KALLSYMS_PLACE,		/* signed, added to their own address (kernels without kallsyms_relative_base) */
};

/* Where the parts are. */
struct kallsyms_place {
	vaddr_t num_syms, names, token_table, token_index, offsets;
	vaddr_t relative_base;	/* 0 = none */
};

struct kallsyms {
	uint32_t nr;
	enum kallsyms_form form;
	vaddr_t base;		/* relative_base, or the address of kallsyms_offsets */
	int32_t *offsets;
	uint8_t *names;
	size_t names_len;
	uint32_t *marks;	/* where in names every 256th symbol starts */
	uint16_t token_index[KSYM_TOKENS];
	size_t tokens_len;
	char *tokens;
};

/* A position in the table, for walking it in order of addresses. */
struct kallsyms_pos {
	uint32_t i;		/* this symbol */
	uint32_t off;		/* its name in names */
};

/* -ENODATA: this kernel has none that can be found; -EINVAL, with words: what is there cannot be true. */
int kallsyms_init(struct kallsyms *ks, struct kernel *kernel, struct error *err);
void kallsyms_deinit(struct kallsyms *ks);

/* Find the parts by their form, in the kernel image's segment. -ENODATA: nothing looks like them. */
int kallsyms_search(struct kernel *kernel, struct kallsyms_place *ret);

vaddr_t kallsyms_addr(const struct kallsyms *ks, uint32_t i);

/* The value is no address in the kernel's space: a per-CPU offset. */
bool kallsyms_is_absolute(const struct kallsyms *ks, uint32_t i);

/* Go to symbol i < nr. */
struct kallsyms_pos kallsyms_seek(const struct kallsyms *ks, uint32_t i);

/* Expand the name at a position and go on to the next; returns its type letter. */
char kallsyms_next(const struct kallsyms *ks, struct kallsyms_pos *pos, char ret[KSYM_NAME_MAX]);

/* The first symbol of that name; -ENOENT. */
int kallsyms_find(const struct kallsyms *ks, const char *name, uint32_t *ret);

/* The last symbol that does not lie behind addr, of aliases the first; -ENOENT. */
int kallsyms_at(const struct kallsyms *ks, vaddr_t addr, uint32_t *ret);

#endif
