/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and addresses of the dead kernel, its modules included, from the dump alone. Two steps, because the second needs
 * types: symbols_init() reads the kernel's own table, symbols_add_modules() finds the modules by BTF.
 *
 * Memory: about 2 MiB for the kernel's table; a module's symbols are read when an address in it is asked for.
 */
#ifndef ELFCORE_SYMBOLS_H
#define ELFCORE_SYMBOLS_H

#include "elfcore/kallsyms.h"
#include "elfcore/modules.h"

struct symbols {
	struct kernel *kernel;
	struct kallsyms kallsyms;
	struct modules modules;
	char name[KSYM_NAME_MAX];	/* of the symbol found last */
};

struct symbol {
	const char *name;	/* borrowed until the next call */
	const char *module;	/* NULL = the kernel itself; borrowed */
	vaddr_t addr;
	uint64_t size;		/* up to the next symbol when the table has no sizes; 0 = unknown */
	char type;		/* as nm writes it: T text, D data, B bss, R read-only, A absolute, W weak; small = local */
};

/* -ENODATA and others with words: there are no symbols to be had. */
int symbols_init(struct symbols *syms, struct kernel *kernel, struct error *err);
void symbols_deinit(struct symbols *syms);

/* Where the kernel's types are, between __start_BTF and __stop_BTF. -ENODATA. */
int symbols_find_btf(struct symbols *syms, vaddr_t *start_ret, uint64_t *len_ret, struct error *err);
int symbols_load_btf(struct symbols *syms, struct btf *ret, struct error *err);

/* Read the list of modules; btf is borrowed. */
int symbols_add_modules(struct symbols *syms, const struct btf *btf, struct error *err);

/* The address of a symbol, the kernel's before its modules'; "module:name" looks in that module only. -ENOENT. */
int symbols_find(struct symbols *syms, const char *name, vaddr_t *ret);

/* The same with everything that is known of it. */
int symbols_lookup(struct symbols *syms, const char *name, struct symbol *ret);

/*
 * The symbol that an address lies in: its name (borrowed until the next call) and how far behind its start; NULL when it
 * lies in neither the kernel's image nor a module.
 */
const char *symbols_at(struct symbols *syms, vaddr_t addr, uint64_t *offset_ret);
int symbols_resolve(struct symbols *syms, vaddr_t addr, struct symbol *ret);

/* "name+0x12/0x40 [module]", or "" when there is no symbol there; returns whether there is. */
bool symbols_format(struct symbols *syms, vaddr_t addr, char *ret, size_t size);

/* All of them: the kernel's in order of addresses, then each module's. A value other than 0 ends it and is returned. */
typedef int symbol_fn(void *arg, const struct symbol *symbol);
int symbols_each(struct symbols *syms, symbol_fn *fn, void *arg);

#endif
