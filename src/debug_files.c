// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/debug_files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/kobject.h"

#define SECTIONS_MAX 128
#define NAME_CHARS "._-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define OPEN_MAX_DIRS 16

/* --- what the dead kernel says ------------------------------------------------------------------------------------------ */

/* Since 6.14 an attribute's address is its "private"; before it had a structure around it, whose attribute was plain until 5.8. */
static bool read_section(struct session *s, vaddr_t attr, bool old, char *name, size_t size, vaddr_t *addr_ret)
{
	if (old)
		return kobject_string(s, attr, "module_sect_attr", "battr.attr.name|mattr.attr.name", name, size) &&
		       kobject_uint(s, attr, "module_sect_attr", "address", addr_ret);
	return kobject_string(s, attr, "bin_attribute", "attr.name", name, size) &&
	       kobject_uint(s, attr, "bin_attribute", "private", addr_ret);
}

static bool in_module(const struct module *mod, vaddr_t addr)
{
	for (unsigned int i = 0; i < mod->nr_areas; i++)
		if (addr - mod->areas[i].start < mod->areas[i].len)
			return true;
	return false;
}

void debug_each_section(struct session *s, const struct module *mod, void (*fn)(void *arg, const char *name, vaddr_t addr),
			void *arg)
{
	bool old = btf_size(&s->btf, "struct module_sect_attr");
	uint64_t stride = btf_size(&s->btf, old ? "struct module_sect_attr" : "struct bin_attribute");
	vaddr_t attrs = kobject_get(s, mod->addr, "module", "sect_attrs"), addr;
	uint64_t nr;
	char name[64];

	if (!attrs || !stride)
		return;
	/* Without a number, a name that is missing ends them. */
	if (!kobject_uint(s, attrs, "module_sect_attrs", "nsections", &nr))
		nr = SECTIONS_MAX;
	attrs = kobject_member(s, attrs, "module_sect_attrs", "attrs");
	for (uint64_t i = 0; attrs && i < min_u64(nr, SECTIONS_MAX); i++, attrs += stride) {
		if (!read_section(s, attrs, old, name, sizeof(name), &addr))
			return;
		/* What has no such name is no section of the file, and would be more than a name to gdb. */
		if (name[0] == '.' && strspn(name, NAME_CHARS) == strlen(name) && strcmp(name, ".symtab") && strcmp(name, ".strtab") &&
		    in_module(mod, addr))
			fn(arg, name, addr);
	}
}

/* The first NT_GNU_BUILD_ID of some notes. */
static size_t build_id_of(const uint8_t *notes, size_t len, uint8_t ret[BUILD_ID_MAX])
{
	for (size_t off = 0; len - off >= 12;) {
		uint32_t namesz, descsz, type;
		uint64_t desc, next;

		memcpy(&namesz, notes + off, 4);
		memcpy(&descsz, notes + off + 4, 4);
		memcpy(&type, notes + off + 8, 4);
		desc = off + 12 + round_up((uint64_t)namesz, 4);
		next = desc + round_up((uint64_t)descsz, 4);
		if (next > len)
			break;
		if (type == NT_GNU_BUILD_ID && namesz == 4 && !memcmp(notes + off + 12, "GNU", 4) && descsz && descsz <= BUILD_ID_MAX) {
			memcpy(ret, notes + desc, descsz);
			return descsz;
		}
		off = next;
	}
	return 0;
}

static void find_note(void *arg, const char *name, vaddr_t addr)
{
	if (!strcmp(name, ".note.gnu.build-id"))
		*(vaddr_t *)arg = addr;
}

size_t debug_module_build_id(struct session *s, const struct module *mod, uint8_t ret[BUILD_ID_MAX])
{
	uint8_t note[16 + BUILD_ID_MAX];
	vaddr_t addr = 0;

	debug_each_section(s, mod, find_note, &addr);
	if (!addr || kernel_read_vaddr(&s->kernel, addr, note, sizeof(note)))
		return 0;
	return build_id_of(note, sizeof(note), ret);
}

const struct module *debug_module_of(struct session *s, const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t len = strcspn(name, ".");

	for (unsigned int i = 0; i < s->symbols.modules.nr; i++) {
		const struct module *mod = &s->symbols.modules.list[i];
		size_t j = 0;

		while (j < len && (mod->name[j] == name[j] || (mod->name[j] == '_' && name[j] == '-')))
			j++;
		if (j == len && !mod->name[len])
			return mod;
	}
	return NULL;
}

/* --- files -------------------------------------------------------------------------------------------------------------- */

struct file {
	int fd;
	Elf *elf;
};

static bool file_open(struct file *file, const char *path)
{
	elf_version(EV_CURRENT);
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	file->elf = file->fd < 0 ? NULL : elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	if (file->elf && elf_kind(file->elf) == ELF_K_ELF)
		return true;
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	return false;
}

static void file_close(struct file *file)
{
	elf_end(file->elf);
	close(file->fd);
}

/* Debug information for the module, as far as build ids tell. */
static bool is_of(const char *path, const uint8_t *id, size_t id_len)
{
	Elf_Scn *scn = NULL;
	struct file file;
	bool debug = false, other = false;
	size_t names;

	if (!file_open(&file, path))
		return false;
	while (!elf_getshdrstrndx(file.elf, &names) && (scn = elf_nextscn(file.elf, scn))) {
		uint8_t theirs[BUILD_ID_MAX];
		Elf_Data *data;
		GElf_Shdr shdr;
		const char *name = gelf_getshdr(scn, &shdr) ? elf_strptr(file.elf, names, shdr.sh_name) : NULL;

		if (!name)
			continue;
		debug |= (!strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info")) && shdr.sh_type != SHT_NOBITS;
		if (!id_len || strcmp(name, ".note.gnu.build-id") || !(data = elf_getdata(scn, NULL)) || !data->d_buf)
			continue;
		other |= build_id_of(data->d_buf, data->d_size, theirs) != id_len || memcmp(theirs, id, id_len);
	}
	file_close(&file);
	return debug && !other;
}

/* What nftw() cannot hand to its function. */
static struct {
	struct session *s;
	char **paths;
} search;

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base, *dot = strchr(name, '.');
	const struct module *mod;
	uint8_t id[BUILD_ID_MAX];
	char **ret;

	(void)st;
	if (type != FTW_F || !dot || (strcmp(dot, ".ko") && strcmp(dot, ".ko.debug")))
		return 0;
	mod = debug_module_of(search.s, name);
	if (!mod)
		return 0;
	ret = &search.paths[mod - search.s->symbols.modules.list];
	if (!*ret && is_of(path, id, debug_module_build_id(search.s, mod, id)))
		*ret = strdup(path);
	return 0;
}

static void find_by_id(struct session *s, const char *dir, char **paths)
{
	for (unsigned int i = 0; i < s->symbols.modules.nr; i++) {
		uint8_t id[BUILD_ID_MAX];
		size_t len = paths[i] ? 0 : debug_module_build_id(s, &s->symbols.modules.list[i], id);
		char path[4096];
		int at;

		if (!len)
			continue;
		at = snprintf(path, 3072, "%s/.build-id/%02x/", dir, id[0]);
		for (size_t j = 1; at < 3072 && j < len; j++)
			at += sprintf(path + at, "%02x", id[j]);
		strcpy(path + min_u64(at, 3072), ".debug");
		if (is_of(path, id, len))
			paths[i] = strdup(path);
	}
}

void debug_files_find(struct session *s, const char *const *dirs, char **paths_ret)
{
	static const char *const usual[] = { "/usr/lib/debug/lib/modules", "/usr/lib/debug/usr/lib/modules", "/lib/modules" };
	char path[256];

	search.s = s;
	search.paths = paths_ret;
	for (unsigned int i = 0; dirs[i]; i++) {
		find_by_id(s, dirs[i], paths_ret);
		nftw(dirs[i], visit, OPEN_MAX_DIRS, 0);
	}
	find_by_id(s, "/usr/lib/debug", paths_ret);
	if (!s->kernel.release[0] || strchr(s->kernel.release, '/') || s->kernel.release[0] == '.')
		return;
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		snprintf(path, sizeof(path), "%s/%s", usual[i], s->kernel.release);
		nftw(path, visit, OPEN_MAX_DIRS, FTW_PHYS);
	}
}

/* --- for gdb ------------------------------------------------------------------------------------------------------------ */

bool debug_file_misleads(const char *path)
{
	Elf_Scn *scn = NULL;
	struct file file;
	bool found = false;
	GElf_Ehdr ehdr;
	GElf_Shdr shdr;

	if (!file_open(&file, path))
		return false;
	while (gelf_getehdr(file.elf, &ehdr) && ehdr.e_type == ET_REL && (scn = elf_nextscn(file.elf, scn)))
		found |= gelf_getshdr(scn, &shdr) && shdr.sh_addr;
	file_close(&file);
	return found;
}

static bool clear_addresses(struct file *file)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	/* Only what is told to be changed is: the file keeps its layout. */
	elf_flagelf(file->elf, ELF_C_SET, ELF_F_LAYOUT);
	while ((scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr))
			return false;
		shdr.sh_addr = 0;
		gelf_update_shdr(scn, &shdr);
		elf_flagshdr(scn, ELF_C_SET, ELF_F_DIRTY);
	}
	return elf_update(file->elf, ELF_C_WRITE) >= 0;
}

static int copy_bytes(int in, int out)
{
	static uint8_t buf[1 << 16];
	ssize_t got;

	while ((got = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, got) != got)
			return -EIO;
	return got < 0 ? -errno : 0;
}

int debug_file_straighten(const char *path, const char *copy)
{
	struct file file = { .fd = open(copy, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) };
	int in = open(path, O_RDONLY | O_CLOEXEC), rc = -errno;

	if (in >= 0 && file.fd >= 0)
		rc = copy_bytes(in, file.fd);
	if (!rc) {
		elf_version(EV_CURRENT);
		file.elf = elf_begin(file.fd, ELF_C_RDWR, NULL);
		rc = file.elf && clear_addresses(&file) ? 0 : -EIO;
		elf_end(file.elf);
	}
	if (in >= 0)
		close(in);
	if (file.fd >= 0)
		close(file.fd);
	return rc;
}
