// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int load(struct session *s, struct error *err)
{
	int rc = symbols_init(&s->symbols, &s->kernel, err);

	if (rc)
		return rc;
	s->have |= SESSION_SYMBOLS;
	rc = symbols_load_btf(&s->symbols, &s->btf, err);
	if (rc)
		return rc;
	s->have |= SESSION_TYPES;
	rc = symbols_add_modules(&s->symbols, &s->btf, err);
	if (rc)
		return rc;
	s->have |= SESSION_MODULES;
	return 0;
}

int session_open(struct session *s, const char *path, unsigned int needs, struct log *log, struct error *err)
{
	int rc;

	memset(s, 0, sizeof(*s));
	s->path = path;
	rc = input_file_open(&s->in, path, log, err);
	if (rc)
		return rc;
	kernel_init(&s->kernel, &s->in.crash, &s->in.chain.mem, log);
	if (!load(s, &s->missing) || !(needs & ~s->have))
		return 0;
	*err = s->missing;
	fail_prefix(err, "%s", path);
	session_close(s);
	return err->code;
}

void session_close(struct session *s)
{
	for (unsigned int i = 0; s->module_btfs && i < s->symbols.modules.nr; i++)
		btf_deinit(&s->module_btfs[i]);
	free(s->module_btfs);
	free(s->cpu_offsets);
	symbols_deinit(&s->symbols);
	btf_deinit(&s->btf);
	input_close(&s->in);
	s->module_btfs = NULL;
	s->cpu_offsets = NULL;
	s->have = 0;
}

const struct btf *session_btf(struct session *s, const struct module *mod)
{
	struct modules *mods = &s->symbols.modules;
	struct btf *btf;
	struct error err;

	if (!mod)
		return s->have & SESSION_TYPES ? &s->btf : NULL;
	if (!mod->btf_data || !mod->btf_len)
		return NULL;
	if (!s->module_btfs)
		s->module_btfs = calloc(mods->nr, sizeof(*s->module_btfs));
	if (!s->module_btfs)
		return NULL;
	btf = &s->module_btfs[mod - mods->list];
	if (!btf->buf && btf_load(btf, &s->btf, &s->kernel, mod->btf_data, mod->btf_len, &err))
		return NULL;
	return btf;
}

int session_find_type(struct session *s, const char *name, const struct btf **btf_ret, uint32_t *id_ret)
{
	*btf_ret = &s->btf;
	if (s->have & SESSION_TYPES && !btf_find(&s->btf, name, id_ret))
		return 0;
	for (unsigned int i = 0; i < s->symbols.modules.nr; i++) {
		*btf_ret = session_btf(s, &s->symbols.modules.list[i]);
		if (*btf_ret && !btf_find(*btf_ret, name, id_ret))
			return 0;
	}
	return -ENOENT;
}

static bool parse_number(const char *text, vaddr_t *ret)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF");
	bool prefixed = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *end;

	if (!prefixed && (text[digits] || digits < 8))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 16);
	return !*end && !errno && end > text + (prefixed ? 2 : 0);
}

int session_address(struct session *s, const char *text, vaddr_t *ret, struct error *err)
{
	const char *plus = strchr(text, '+');
	size_t len = plus ? (size_t)(plus - text) : strlen(text);
	char name[KSYM_NAME_MAX], *end;

	if (parse_number(text, ret))
		return 0;
	if (!len || len >= sizeof(name))
		return fail(err, -EINVAL, "\"%.64s\" is neither an address nor a symbol", text);
	memcpy(name, text, len);
	name[len] = 0;
	if (!(s->have & SESSION_SYMBOLS))
		return fail(err, -ENODATA, "%s: %s", name, s->missing.text);
	if (symbols_find(&s->symbols, name, ret))
		return fail(err, -ENOENT, "no symbol \"%.128s\" in the crashed kernel", name);
	if (plus) {
		*ret += strtoull(plus + 1, &end, 0);
		if (!plus[1] || *end)
			return fail(err, -EINVAL, "\"%.64s\" is no offset", plus + 1);
	}
	return 0;
}
