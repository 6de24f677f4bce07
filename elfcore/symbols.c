// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A kernel's image with all its per-CPU and bss data is far smaller: what lies farther behind a symbol is not of it. */
#define SYMBOL_REACH (256ULL << 20)

int symbols_init(struct symbols *syms, struct kernel *kernel, struct error *err)
{
	memset(syms, 0, sizeof(*syms));
	syms->kernel = kernel;
	return kallsyms_init(&syms->kallsyms, kernel, err);
}

void symbols_deinit(struct symbols *syms)
{
	modules_deinit(&syms->modules);
	kallsyms_deinit(&syms->kallsyms);
}

int symbols_find_btf(struct symbols *syms, vaddr_t *start_ret, uint64_t *len_ret, struct error *err)
{
	vaddr_t stop;

	if (symbols_find(syms, "__start_BTF", start_ret) || symbols_find(syms, "__stop_BTF", &stop))
		return fail(err, -ENODATA, "the crashed kernel has no BTF: types are unknown");
	*len_ret = stop - *start_ret;
	return 0;
}

int symbols_load_btf(struct symbols *syms, struct btf *ret, struct error *err)
{
	vaddr_t start;
	uint64_t len;
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = symbols_find_btf(syms, &start, &len, err);
	if (rc)
		return rc;
	rc = btf_load(ret, NULL, syms->kernel, start, len, err);
	return rc ? fail_prefix(err, "types of the crashed kernel") : 0;
}

int symbols_add_modules(struct symbols *syms, const struct btf *btf, struct error *err)
{
	vaddr_t head;
	int rc;

	if (symbols_find(syms, "modules", &head))
		return fail(err, -ENODATA, "the crashed kernel has no symbol \"modules\"");
	rc = modules_init(&syms->modules, syms->kernel, btf, head, err);
	if (!rc && !symbols_find(syms, "btf_modules", &head))
		modules_find_btf(&syms->modules, head);
	return rc;
}

/* --- the kernel's own ------------------------------------------------------------------------------------------------- */

static void kernel_symbol(struct symbols *syms, uint32_t i, struct symbol *ret)
{
	const struct kallsyms *ks = &syms->kallsyms;
	struct kallsyms_pos pos = kallsyms_seek(ks, i);

	ret->type = kallsyms_next(ks, &pos, syms->name);
	ret->name = syms->name;
	ret->module = NULL;
	ret->addr = kallsyms_addr(ks, i);
	ret->size = 0;
	while (++i < ks->nr && kallsyms_addr(ks, i) == ret->addr)
		;
	if (i < ks->nr && kallsyms_addr(ks, i) > ret->addr && kallsyms_addr(ks, i) - ret->addr < SYMBOL_REACH)
		ret->size = kallsyms_addr(ks, i) - ret->addr;
}

/* --- those of modules ------------------------------------------------------------------------------------------------- */

static void module_symbol(const struct module *mod, uint32_t i, struct symbol *ret)
{
	const struct module_symbol *sym = &mod->symbols[i];

	ret->name = mod->strings + sym->name;
	ret->module = mod->name;
	ret->addr = sym->addr;
	ret->type = sym->type > 0x20 && sym->type < 0x7f ? sym->type : '?';
	ret->size = sym->size;
	for (i++; !ret->size && i < mod->nr_symbols; i++)
		ret->size = mod->symbols[i].addr - sym->addr;
}

static int find_in_module(struct symbols *syms, struct module *mod, const char *name, struct symbol *ret)
{
	module_load_symbols(&syms->modules, mod);
	for (uint32_t i = 0; i < mod->nr_symbols; i++)
		if (!strcmp(mod->strings + mod->symbols[i].name, name)) {
			module_symbol(mod, i, ret);
			return 0;
		}
	return -ENOENT;
}

static int resolve_in_module(struct symbols *syms, struct module *mod, vaddr_t addr, struct symbol *ret)
{
	uint32_t low = 0, high;

	module_load_symbols(&syms->modules, mod);
	for (high = mod->nr_symbols; low < high;) {
		uint32_t middle = low + (high - low) / 2;

		if (mod->symbols[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low) {
		*ret = (struct symbol){ .name = "", .module = mod->name, .addr = addr, .type = '?' };
		return 0;
	}
	for (low--; low && mod->symbols[low - 1].addr == mod->symbols[low].addr; low--)
		;
	module_symbol(mod, low, ret);
	return 0;
}

/* --- both ------------------------------------------------------------------------------------------------------------- */

int symbols_lookup(struct symbols *syms, const char *name, struct symbol *ret)
{
	const char *colon = strchr(name, ':');
	uint32_t i;

	if (!colon && syms->kallsyms.nr && !kallsyms_find(&syms->kallsyms, name, &i)) {
		kernel_symbol(syms, i, ret);
		return 0;
	}
	for (i = 0; i < syms->modules.nr; i++) {
		struct module *mod = &syms->modules.list[i];
		size_t len = strlen(mod->name);

		if (colon && ((size_t)(colon - name) != len || memcmp(name, mod->name, len)))
			continue;
		if (!find_in_module(syms, mod, colon ? colon + 1 : name, ret))
			return 0;
	}
	return -ENOENT;
}

int symbols_find(struct symbols *syms, const char *name, vaddr_t *ret)
{
	struct symbol symbol;
	int rc = symbols_lookup(syms, name, &symbol);

	if (!rc)
		*ret = symbol.addr;
	return rc;
}

int symbols_resolve(struct symbols *syms, vaddr_t addr, struct symbol *ret)
{
	struct module *mod = modules_at(&syms->modules, addr);
	uint32_t i;

	if (mod)
		return resolve_in_module(syms, mod, addr, ret);
	if (!syms->kallsyms.nr || kallsyms_at(&syms->kallsyms, addr, &i))
		return -ENOENT;
	kernel_symbol(syms, i, ret);
	/* Behind the last symbol (_end) nothing is the kernel's. */
	return ret->size && addr - ret->addr < ret->size ? 0 : -ENOENT;
}

const char *symbols_at(struct symbols *syms, vaddr_t addr, uint64_t *offset_ret)
{
	struct symbol symbol;

	if (symbols_resolve(syms, addr, &symbol))
		return NULL;
	*offset_ret = addr - symbol.addr;
	return symbol.name;
}

bool symbols_format(struct symbols *syms, vaddr_t addr, char *ret, size_t size)
{
	struct symbol symbol;

	ret[0] = 0;
	if (symbols_resolve(syms, addr, &symbol))
		return false;
	snprintf(ret, size, "%s+0x%llx/0x%llx%s%s%s", symbol.name, (unsigned long long)(addr - symbol.addr),
		 (unsigned long long)symbol.size, symbol.module ? " [" : "", symbol.module ? symbol.module : "",
		 symbol.module ? "]" : "");
	return true;
}

static int each_of_kernel(struct symbols *syms, symbol_fn *fn, void *arg)
{
	const struct kallsyms *ks = &syms->kallsyms;
	struct kallsyms_pos pos = { 0, 0 };
	struct symbol symbol = { .name = syms->name };
	int rc = 0;

	while (pos.i < ks->nr && !rc) {
		uint32_t i = pos.i;

		symbol.addr = kallsyms_addr(ks, i);
		symbol.type = kallsyms_next(ks, &pos, syms->name);
		if (kallsyms_is_absolute(ks, i))
			symbol.type = 'A';
		/* Aliases get the size of the last one at that address. */
		symbol.size = 0;
		for (uint32_t next = i + 1; next < ks->nr && next < i + 64 && !symbol.size; next++)
			symbol.size = kallsyms_addr(ks, next) - symbol.addr;
		if (symbol.size >= SYMBOL_REACH)
			symbol.size = 0;
		rc = fn(arg, &symbol);
	}
	return rc;
}

int symbols_each(struct symbols *syms, symbol_fn *fn, void *arg)
{
	int rc = each_of_kernel(syms, fn, arg);

	for (unsigned int m = 0; m < syms->modules.nr && !rc; m++) {
		struct module *mod = &syms->modules.list[m];

		module_load_symbols(&syms->modules, mod);
		for (uint32_t i = 0; i < mod->nr_symbols && !rc; i++) {
			struct symbol symbol;

			module_symbol(mod, i, &symbol);
			rc = fn(arg, &symbol);
		}
	}
	return rc;
}
