/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/programs.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/types.h"
#include "initramfs/tool.h"

static bool has_name(const struct archive *ar, const char *name)
{
	for (size_t i = 0; i < ar->nr_names; i++)
		if (strcmp(ar->names[i], name) == 0)
			return true;
	return false;
}

/* A file with all directories above it. */
static int add_file(struct archive *ar, const char *path, struct error *err)
{
	char name[PATH_MAX];
	int rc = 0;
	if ((size_t)snprintf(name, sizeof(name), "%s", path + 1) >= sizeof(name))
		return fail(err, -ENAMETOOLONG, "%.100s...: %s", path, strerror(ENAMETOOLONG));
	for (char *p = strchr(name, '/'); p && !rc; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (!has_name(ar, name))
			rc = archive_add_dir(ar, name, err);
		*p = '/';
	}
	return rc || has_name(ar, name) ? rc : archive_add_copy(ar, name, 0755, path, err);
}

/* The dynamic loader that an ELF program names, or "" for a static one. Only this machine's own class of programs. */
static void find_loader(const char *text, size_t len, char *ret, size_t size)
{
	const bool is_64 = sizeof(void *) == 8;
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;
	ret[0] = '\0';
	if (len < sizeof(e64) || text[EI_CLASS] != (is_64 ? ELFCLASS64 : ELFCLASS32))
		return;
	memcpy(&e64, text, sizeof(e64));
	memcpy(&e32, text, sizeof(e32));
	uint64_t phoff = is_64 ? e64.e_phoff : e32.e_phoff, entsize = is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	unsigned int phnum = is_64 ? e64.e_phnum : e32.e_phnum;
	for (unsigned int i = 0; i < phnum && phoff <= len && (i + 1) * entsize <= len - phoff; i++) {
		Elf64_Phdr p64;
		Elf32_Phdr p32;
		memcpy(&p64, text + phoff + i * entsize, is_64 ? sizeof(p64) : sizeof(p32));
		memcpy(&p32, text + phoff + i * entsize, sizeof(p32));
		uint64_t off = is_64 ? p64.p_offset : p32.p_offset, filesz = is_64 ? p64.p_filesz : p32.p_filesz;
		if ((is_64 ? p64.p_type : p32.p_type) != PT_INTERP || off > len || filesz > len - off)
			continue;
		snprintf(ret, size, "%.*s", (int)filesz, text + off);
		return;
	}
}

/* The loader says itself what it would load: lines of "NAME => PATH (ADDRESS)" or "PATH (ADDRESS)". */
static int add_libraries(struct archive *ar, const char *loader, const char *path, struct error *err)
{
	const char *argv[] = { loader, "--list", path, NULL };
	char *text, *save;
	int rc = add_file(ar, loader, err);
	/* klibc's "loader" is its library, and the only one. */
	if (!rc && strstr(loader, "/klibc-"))
		return 0;
	if (!rc)
		rc = tool_output(argv, &text, err);
	if (rc)
		return rc;
	for (char *line = strtok_r(text, "\n", &save); line && !rc; line = strtok_r(NULL, "\n", &save)) {
		char *library = strchr(line, '/'), *end = library ? strstr(library, " (0x") : NULL;
		if (strstr(line, "not found"))
			rc = fail(err, -ENOENT, "%s needs a library that is not there: %s", path, line + strspn(line, " \t"));
		if (!end)
			continue;
		*end = '\0';
		rc = add_file(ar, library, err);
	}
	free(text);
	return rc;
}

/* What a file needs to be run; for a script the name of its interpreter. */
static int add_needed(struct archive *ar, const char *path, char *interpreter, size_t size, struct error *err)
{
	char loader[PATH_MAX], *text;
	size_t len;
	int rc = file_read(path, &text, &len, err);
	interpreter[0] = '\0';
	if (rc)
		return rc;
	if (len > 2 && text[0] == '#' && text[1] == '!') {
		const char *name = text + 2 + strspn(text + 2, " ");
		snprintf(interpreter, size, "%.*s", (int)strcspn(name, " \n"), name);
	} else if (len > SELFMAG && memcmp(text, ELFMAG, SELFMAG) == 0) {
		find_loader(text, len, loader, sizeof(loader));
		rc = loader[0] ? add_libraries(ar, loader, path, err) : 0;
	} else {
		rc = fail(err, -ENOEXEC, "%s is neither an ELF program nor a script", path);
	}
	free(text);
	return rc;
}

int programs_add(struct archive *ar, const char *path, struct error *err)
{
	char interpreter[PATH_MAX], none[PATH_MAX];
	if (has_name(ar, path + 1))
		return 0;
	int rc = add_file(ar, path, err);
	if (!rc)
		rc = add_needed(ar, path, interpreter, sizeof(interpreter), err);
	if (rc || !interpreter[0] || has_name(ar, interpreter + 1))
		return rc;
	if (interpreter[0] != '/')
		return fail(err, -ENOEXEC, "%s: its interpreter \"%.40s\" is no absolute path", path, interpreter);
	rc = add_file(ar, interpreter, err);
	return rc ? rc : add_needed(ar, interpreter, none, sizeof(none), err);
}

int programs_add_tool(struct archive *ar, const char *name, struct error *err)
{
	char path[PATH_MAX];
	if (tool_find(name, path, sizeof(path)))
		return fail(err, -ENOENT, "the program %s is not installed, and the target needs it", name);
	return programs_add(ar, path, err);
}

int programs_add_list(struct archive *ar, const char *list, struct error *err)
{
	char paths[1024], *save;
	int rc = 0;
	snprintf(paths, sizeof(paths), "%s", list);
	for (char *path = strtok_r(paths, " ", &save); path && !rc; path = strtok_r(NULL, " ", &save))
		rc = programs_add(ar, path, err);
	return rc;
}
