// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/gdb_script.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/debug_files.h"
#include "src/symbol_file.h"

struct writer {
	struct session *s;
	struct gdb_script *script;
	FILE *out;
	struct error *err;
};

/* gdb reads its commands as a shell would: quotes around a name, and escapes in it. */
static void put_name(FILE *out, const char *name)
{
	for (; *name; name++) {
		if (strchr(" \\\"'$`&|;<>()", *name))
			putc('\\', out);
		putc(*name, out);
	}
}

/* The absolute name of a file, for gdb may be started elsewhere; "" with an error when there is none. */
static int put_file(struct writer *w, const char *command, const char *path)
{
	char full[PATH_MAX];

	if (!realpath(path, full))
		return fail(w->err, -errno, "%s: %s", path, strerror(errno));
	if (strchr(full, '\n'))
		return fail(w->err, -EINVAL, "%s: a line break in a name", path);
	fprintf(w->out, "%s ", command);
	put_name(w->out, full);
	return 0;
}

static int put_own(struct writer *w, const char *command, unsigned int what, const char *name)
{
	struct symbol_file_stats stats;
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", w->script->dir, name);
	rc = symbol_file_save(w->s, what, path, true, &stats, w->err);
	/* Frames alone are no symbols, as gdb would remark. */
	if (rc || (what == SYMBOL_FILE_SWITCHES && !stats.nr_frames))
		return rc;
	rc = put_file(w, command, path);
	putc('\n', w->out);
	return rc;
}

static void put_section(void *arg, const char *name, vaddr_t addr)
{
	fprintf(arg, " -s %s 0x%llx", name, (unsigned long long)addr);
}

static int put_module(struct writer *w, const struct module *mod, const char *path)
{
	char copy[PATH_MAX];
	int rc;

	if (debug_file_misleads(path)) {
		snprintf(copy, sizeof(copy), "%s/%s.ko", w->script->dir, mod->name);
		rc = debug_file_straighten(path, copy);
		if (rc)
			return fail(w->err, rc, "%s: %s", copy, strerror(-rc));
		path = copy;
	}
	rc = put_file(w, "add-symbol-file", path);
	if (rc)
		return rc;
	debug_each_section(w->s, mod, put_section, w->out);
	putc('\n', w->out);
	w->script->nr_found++;
	return 0;
}

/* The named ones first; what they leave over is looked for. */
static int put_modules(struct writer *w)
{
	unsigned int nr = w->s->symbols.modules.nr;
	char **found = calloc(nr + 1, sizeof(*found));
	int rc = found ? 0 : fail(w->err, -ENOMEM, "out of memory");

	for (int i = 0; !rc && i < w->script->nr_modules; i++) {
		const struct module *mod = debug_module_of(w->s, w->script->modules[i]);

		if (!mod)
			rc = fail(w->err, -ENOENT, "%s: no module of that name was loaded", w->script->modules[i]);
		else if (!found[mod - w->s->symbols.modules.list])
			found[mod - w->s->symbols.modules.list] = strdup(w->script->modules[i]);
	}
	if (!rc)
		debug_files_find(w->s, w->script->debug_dirs, found);
	for (unsigned int i = 0; found && i < nr; i++) {
		if (!rc && found[i])
			rc = put_module(w, &w->s->symbols.modules.list[i], found[i]);
		free(found[i]);
	}
	free(found);
	return rc;
}

static int put_commands(struct writer *w)
{
	unsigned int all = SYMBOL_FILE_KERNEL | SYMBOL_FILE_MODULES | SYMBOL_FILE_FRAMES;
	bool own = w->s->have & SESSION_SYMBOLS;
	int rc = 0;

	fprintf(w->out, "set confirm off\n");
	if (!w->script->vmlinux)
		return put_own(w, "symbol-file", all, "symbols") ?: put_modules(w);
	if (own)
		rc = put_own(w, "add-symbol-file", SYMBOL_FILE_SWITCHES, "switches");
	if (!rc)
		rc = put_file(w, "symbol-file", w->script->vmlinux);
	if (!rc)
		fprintf(w->out, " -o 0x%llx\n", (unsigned long long)w->s->kernel.kaslr_offset);
	if (!rc)
		rc = put_modules(w);
	if (!rc && own)
		rc = put_own(w, "add-symbol-file", SYMBOL_FILE_MODULES | SYMBOL_FILE_FRAMES, "symbols");
	return rc;
}

int gdb_script_write(struct session *s, struct gdb_script *script, struct error *err)
{
	struct writer w = { .s = s, .script = script, .err = err };
	char path[PATH_MAX];
	int rc;

	script->nr_found = 0;
	snprintf(path, sizeof(path), "%s/" GDB_COMMANDS, script->dir);
	w.out = fopen(path, "we");
	if (!w.out)
		return fail(err, -errno, "%s: %s", path, strerror(errno));
	rc = put_commands(&w);
	if (fclose(w.out) && !rc)
		rc = fail(err, -EIO, "%s: could not be written", path);
	return rc;
}
