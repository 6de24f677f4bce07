// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/modules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/object.h"

#define MODULES_MAX 4096
#define STRUCT_MAX 65536	/* of struct module: 1 KB is usual */
#define SYMTAB_MAX (1U << 18)
#define STRINGS_MAX (16U << 20)
#define NAME_MAX_LEN 512
#define STATE_UNFORMED 3	/* MODULE_STATE_UNFORMED, include/linux/module.h */

/* A value out of the bytes of a struct module; 0 for a member that this kernel does not have. */
static uint64_t value(const struct btf *btf, const char *path, const void *buf, size_t len)
{
	struct btf_field field;

	return btf_member(btf, "struct module", path, &field) ? 0 : btf_get(btf, &field, buf, len);
}

static void add_area(struct module *mod, vaddr_t start, uint64_t len)
{
	if (!start || !len || len > UINT32_MAX || start + len < start || mod->nr_areas == MODULE_AREAS_MAX)
		return;
	mod->areas[mod->nr_areas].start = start;
	mod->areas[mod->nr_areas++].len = len;
	mod->core_size += len;
}

/* Since 6.4 (ac3b43283923) memory by type, those for initialisation last and freed; core_layout since 4.5; plain members before. */
static void read_areas(struct module *mod, const struct btf *btf, const void *buf, size_t len)
{
	struct btf_field field, item;
	char path[32];

	if (btf_member(btf, "struct module", "mem[0]", &field)) {
		bool layout = btf_offset(btf, "struct module", "core_layout.base") >= 0;

		add_area(mod, value(btf, layout ? "core_layout.base" : "module_core", buf, len),
			 value(btf, layout ? "core_layout.size" : "core_size", buf, len));
		add_area(mod, value(btf, layout ? "init_layout.base" : "module_init", buf, len),
			 value(btf, layout ? "init_layout.size" : "init_size", buf, len));
		return;
	}
	for (unsigned int i = 0; i < MODULE_AREAS_MAX; i++) {
		uint64_t start;

		strcpy(path, "mem[0].base");
		path[4] = '0' + i;
		if (btf_member(btf, "struct module", path, &item))
			break;
		start = btf_get(btf, &item, buf, len);
		strcpy(path + 7, "size");
		add_area(mod, start, value(btf, path, buf, len));
	}
}

/* A module's own use counts as one (MODULE_REF_BASE). */
static int64_t read_refcount(const struct btf *btf, const void *buf, size_t len)
{
	struct btf_field field;

	if (btf_member(btf, "struct module", "refcnt.counter", &field))
		return -1;
	return (int64_t)(int32_t)btf_get(btf, &field, buf, len) - 1;
}

/* struct mod_kallsyms is pointed to; of two tables the pointer names the one in use. */
static void read_tables(struct modules *mods, struct module *mod, const void *buf, size_t len)
{
	vaddr_t at = value(mods->btf, "kallsyms", buf, len);
	struct btf_field field;
	uint64_t nr = 0;

	if (!at)
		return;
	if (!btf_member(mods->btf, "struct mod_kallsyms", "symtab", &field))
		kernel_read_word(mods->kernel, at + field.off, &mod->symtab);
	if (!btf_member(mods->btf, "struct mod_kallsyms", "strtab", &field))
		kernel_read_word(mods->kernel, at + field.off, &mod->strtab);
	if (!btf_member(mods->btf, "struct mod_kallsyms", "typetab", &field))
		kernel_read_word(mods->kernel, at + field.off, &mod->typetab);
	if (!btf_member(mods->btf, "struct mod_kallsyms", "num_symtab", &field) &&
	    !kernel_read_uint(mods->kernel, at + field.off, field.size, &nr))
		mod->nr_symtab = nr;
}

static struct module *append(struct modules *mods)
{
	if (mods->nr == mods->cap) {
		unsigned int cap = mods->cap ? 2 * mods->cap : 64;
		struct module *list = realloc(mods->list, cap * sizeof(*list));

		if (!list)
			return NULL;
		mods->list = list;
		mods->cap = cap;
	}
	memset(&mods->list[mods->nr], 0, sizeof(*mods->list));
	return &mods->list[mods->nr++];
}

static int read_module(struct modules *mods, vaddr_t addr, uint8_t *buf, size_t len)
{
	struct btf_field name;
	struct module *mod;

	if (kernel_read_vaddr(mods->kernel, addr, buf, len) || btf_member(mods->btf, "struct module", "name", &name))
		return -EIO;
	mod = append(mods);
	if (!mod)
		return -ENOMEM;
	mod->addr = addr;
	if (name.off < len)
		memcpy(mod->name, buf + name.off, min_u64(min_u64(name.size, len - name.off), sizeof(mod->name) - 1));
	for (char *p = mod->name; *p; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
	mod->state = value(mods->btf, "state", buf, len);
	mod->taints = value(mods->btf, "taints", buf, len);
	mod->refcount = read_refcount(mods->btf, buf, len);
	read_areas(mod, mods->btf, buf, len);
	read_tables(mods, mod, buf, len);
	return 0;
}

int modules_init(struct modules *mods, struct kernel *kernel, const struct btf *btf, vaddr_t head, struct error *err)
{
	uint64_t size = btf_size(btf, "struct module");
	int64_t list = btf_offset(btf, "struct module", "list");
	struct list_walk walk;
	vaddr_t entry;
	uint8_t *buf;
	int rc = 0;

	memset(mods, 0, sizeof(*mods));
	mods->kernel = kernel;
	mods->btf = btf;
	if (!size || size > STRUCT_MAX || list < 0)
		return fail(err, -ENODATA, "BTF has no struct module with a list");
	buf = malloc(size);
	if (!buf)
		return fail(err, -ENOMEM, "no memory for %llu bytes", (unsigned long long)size);
	list_walk_init(&walk, kernel, head);
	while (!rc && mods->nr < MODULES_MAX && list_walk_next(&walk, &entry))
		rc = read_module(mods, entry - list, buf, size);
	mods->error = rc ? rc : walk.error;
	free(buf);
	return 0;
}

/* A pointer or a number at a member of some other structure; 0 = there is none. */
static uint64_t read_member(struct modules *mods, vaddr_t object, const char *type, const char *path)
{
	struct btf_field field;
	uint64_t ret;

	if (btf_member(mods->btf, type, path, &field) || kernel_read_uint(mods->kernel, object + field.off, field.size, &ret))
		return 0;
	return ret;
}

void modules_find_btf(struct modules *mods, vaddr_t head)
{
	int64_t list = btf_offset(mods->btf, "struct btf_module", "list");
	struct list_walk walk;
	vaddr_t entry;

	if (list < 0)
		return;
	list_walk_init(&walk, mods->kernel, head);
	while (walk.steps < MODULES_MAX && list_walk_next(&walk, &entry)) {
		vaddr_t module = read_member(mods, entry - list, "struct btf_module", "module");
		vaddr_t btf = read_member(mods, entry - list, "struct btf_module", "btf");

		for (unsigned int i = 0; i < mods->nr && btf; i++) {
			if (mods->list[i].addr != module)
				continue;
			mods->list[i].btf_data = read_member(mods, btf, "struct btf", "data");
			mods->list[i].btf_len = read_member(mods, btf, "struct btf", "data_size");
		}
	}
}

void modules_deinit(struct modules *mods)
{
	for (unsigned int i = 0; i < mods->nr; i++) {
		free(mods->list[i].symbols);
		free(mods->list[i].strings);
	}
	free(mods->list);
	memset(mods, 0, sizeof(*mods));
}

struct module *modules_at(struct modules *mods, vaddr_t addr)
{
	for (unsigned int i = 0; i < mods->nr; i++)
		for (unsigned int a = 0; a < mods->list[i].nr_areas; a++)
			if (addr - mods->list[i].areas[a].start < mods->list[i].areas[a].len)
				return &mods->list[i];
	return NULL;
}

static int by_address(const void *a, const void *b)
{
	const struct module_symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* Elf64_Sym: name 4, info 1, other 1, shndx 2, value 8, size 8; Elf32_Sym: name 4, value 4, size 4, info 1, other 1, shndx 2. */
static void decode(const struct modules *mods, const uint8_t *p, struct module_symbol *ret, uint16_t *shndx)
{
	uint8_t data = mods->kernel->crash->ehdr.form.data;
	bool wide = kernel_word_size(mods->kernel) == 8;

	ret->name = elf_get(data, p, 4);
	ret->addr = wide ? elf_get(data, p + 8, 8) : elf_get(data, p + 4, 4);
	ret->size = wide ? elf_get(data, p + 16, 8) : elf_get(data, p + 8, 4);
	ret->type = p[wide ? 4 : 12];
	*shndx = elf_get(data, p + (wide ? 6 : 14), 2);
}

/* Symbols that lie in the module's memory: not the undefined ones, those of sections long gone, or nameless ones. */
static void take_symbols(struct modules *mods, struct module *mod, const uint8_t *raw, const uint8_t *types)
{
	size_t entry = kernel_word_size(mods->kernel) == 8 ? 24 : 16;

	for (uint32_t i = 0; i < mod->nr_symtab; i++) {
		struct module_symbol sym;
		uint16_t shndx;

		decode(mods, raw + entry * i, &sym, &shndx);
		if (!shndx || !sym.name || sym.name >= STRINGS_MAX - NAME_MAX_LEN || modules_at(mods, sym.addr) != mod)
			continue;
		/* Up to 5.1 the letter was kept in st_info (typetab since 1c7651f43777). */
		if (types)
			sym.type = types[i];
		mod->symbols[mod->nr_symbols++] = sym;
	}
	qsort(mod->symbols, mod->nr_symbols, sizeof(*mod->symbols), by_address);
}

static bool read_strings(struct modules *mods, struct module *mod)
{
	size_t len = 0;

	for (uint32_t i = 0; i < mod->nr_symbols; i++)
		len = max_u64(len, (size_t)mod->symbols[i].name + NAME_MAX_LEN);
	mod->strings = malloc(len + 1);
	if (!mod->strings)
		return false;
	kernel_read_prefix(mods->kernel, mod->strtab, mod->strings, len);
	mod->strings[len] = 0;
	for (size_t i = 0; i < len; i++)
		if (mod->strings[i] && ((unsigned char)mod->strings[i] <= 0x20 || (unsigned char)mod->strings[i] >= 0x7f))
			mod->strings[i] = '?';
	return true;
}

void module_load_symbols(struct modules *mods, struct module *mod)
{
	size_t entry = kernel_word_size(mods->kernel) == 8 ? 24 : 16;
	uint8_t *raw, *types;

	if (mod->tried || mod->state == STATE_UNFORMED || !mod->nr_symtab || mod->nr_symtab > SYMTAB_MAX)
		return;
	mod->tried = true;
	raw = malloc((entry + 1) * mod->nr_symtab);
	mod->symbols = malloc(mod->nr_symtab * sizeof(*mod->symbols));
	if (raw && mod->symbols && !kernel_read_vaddr(mods->kernel, mod->symtab, raw, entry * mod->nr_symtab)) {
		types = raw + entry * mod->nr_symtab;
		if (!mod->typetab || kernel_read_vaddr(mods->kernel, mod->typetab, types, mod->nr_symtab))
			types = NULL;
		take_symbols(mods, mod, raw, types);
		if (!read_strings(mods, mod))
			mod->nr_symbols = 0;
	}
	free(raw);
}
