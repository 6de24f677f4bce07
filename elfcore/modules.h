/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The modules that the dead kernel had loaded: its list "modules" of struct module, whose layout BTF tells. Symbols of a
 * module are read when they are first asked for, from the module's own symbol table (struct mod_kallsyms).
 */
#ifndef ELFCORE_MODULES_H
#define ELFCORE_MODULES_H

#include "elfcore/btf.h"
#include "elfcore/kernel.h"

#define MODULE_AREAS_MAX 8

struct module_symbol {
	vaddr_t addr;
	uint32_t size;
	uint32_t name;		/* offset in strings */
	char type;		/* as nm writes it */
};

struct module {
	char name[64];
	vaddr_t addr;		/* of its struct module */
	/* core memory, the one with the code first; while it starts, that too */
	struct { vaddr_t start; uint64_t len; } areas[MODULE_AREAS_MAX];
	unsigned int nr_areas;
	uint64_t core_size;	/* of all areas, as /proc/modules says */
	uint64_t taints;
	int64_t refcount;	/* users, as lsmod says; -1 = unknown */
	unsigned int state;	/* enum module_state */

	/* where its tables are */
	vaddr_t symtab, strtab, typetab, btf_data;
	uint64_t nr_symtab, btf_len;

	/* its symbols in order of addresses; NULL until module_load_symbols() */
	struct module_symbol *symbols;
	uint32_t nr_symbols;
	char *strings;
	bool tried;
};

struct modules {
	struct kernel *kernel;
	const struct btf *btf;
	struct module *list;	/* in the kernel's order: the last loaded first */
	unsigned int nr, cap;
	int error;		/* why the list ended early: -ELOOP, -EIO; 0 = it did not */
};

/* Read the list whose head is at this address. -ENODATA with the missing member named: BTF does not tell enough. */
int modules_init(struct modules *mods, struct kernel *kernel, const struct btf *btf, vaddr_t head, struct error *err);
void modules_deinit(struct modules *mods);

/*
 * Where the types of modules are: the list at this address (btf_modules, kernel/bpf/btf.c), for their own members are
 * cleared once they are loaded.
 */
void modules_find_btf(struct modules *mods, vaddr_t head);

/* The module whose memory holds the address, NULL = none. */
struct module *modules_at(struct modules *mods, vaddr_t addr);

/* Read the symbols of a module, once; what cannot be read leaves it with none. */
void module_load_symbols(struct modules *mods, struct module *mod);

#endif
