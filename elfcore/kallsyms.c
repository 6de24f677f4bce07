// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/kallsyms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/object.h"

#define NR_MIN 64		/* fewer symbols than any kernel has: garbage */
#define NR_MAX (1U << 22)
#define NAME_BYTES_MAX 32	/* of compressed names, on average; 11 to 14 are usual */
#define NAMES_BLOCK 65536
#define TOKENS_MAX 16384	/* kallsyms_token_table has about 1 KB */
#define MARK_SHIFT 8

/* The length in front of a name: one byte, or two since 6.1 when bit 7 is set. Returns the bytes it takes. */
static unsigned int name_len(const uint8_t *p, size_t *ret)
{
	*ret = p[0] & 0x7f;
	if (!(p[0] & 0x80))
		return 1;
	*ret |= (size_t)p[1] << 7;
	return 2;
}

static int find_place(struct kernel *kernel, struct kallsyms_place *ret)
{
	const struct vmcoreinfo *info = &kernel->crash->vmcoreinfo;

	memset(ret, 0, sizeof(*ret));
	if (!vmcoreinfo_hex(info, "SYMBOL(kallsyms_names)", &ret->names) ||
	    !vmcoreinfo_hex(info, "SYMBOL(kallsyms_num_syms)", &ret->num_syms) ||
	    !vmcoreinfo_hex(info, "SYMBOL(kallsyms_token_table)", &ret->token_table) ||
	    !vmcoreinfo_hex(info, "SYMBOL(kallsyms_token_index)", &ret->token_index) ||
	    !vmcoreinfo_hex(info, "SYMBOL(kallsyms_offsets)", &ret->offsets))
		return kallsyms_search(kernel, ret);
	vmcoreinfo_hex(info, "SYMBOL(kallsyms_relative_base)", &ret->relative_base);
	return 0;
}

/* Token i is a string that begins at token_index[i] of the table; they follow each other. */
static int read_tokens(struct kallsyms *ks, struct kernel *kernel, const struct kallsyms_place *place, struct error *err)
{
	uint8_t raw[2 * KSYM_TOKENS];

	if (kernel_read_vaddr(kernel, place->token_index, raw, sizeof(raw)))
		return fail(err, -EIO, "kallsyms_token_index at 0x%llx is not readable", (unsigned long long)place->token_index);
	for (unsigned int i = 0; i < KSYM_TOKENS; i++) {
		ks->token_index[i] = elf_get(kernel->crash->ehdr.form.data, raw + 2 * i, 2);
		if (i && ks->token_index[i] <= ks->token_index[i - 1])
			return fail(err, -EINVAL, "kallsyms_token_index at 0x%llx does not ascend",
				    (unsigned long long)place->token_index);
	}
	ks->tokens_len = min_u64(ks->token_index[KSYM_TOKENS - 1] + KSYM_NAME_MAX, TOKENS_MAX);
	ks->tokens = malloc(ks->tokens_len + 1);
	if (!ks->tokens)
		return fail(err, -ENOMEM, "no memory for kallsyms");
	if (ks->token_index[KSYM_TOKENS - 1] >= TOKENS_MAX ||
	    kernel_read_prefix(kernel, place->token_table, ks->tokens, ks->tokens_len) <= ks->token_index[KSYM_TOKENS - 1])
		return fail(err, -EIO, "kallsyms_token_table at 0x%llx is not readable",
			    (unsigned long long)place->token_table);
	ks->tokens[ks->tokens_len] = 0;
	for (unsigned int i = 1; i < KSYM_TOKENS; i++)
		ks->tokens[ks->token_index[i] - 1] = 0;
	return 0;
}

static int read_offsets(struct kallsyms *ks, struct kernel *kernel, const struct kallsyms_place *place, struct error *err)
{
	uint8_t data = kernel->crash->ehdr.form.data;
	int rc;

	ks->offsets = malloc(4 * (size_t)ks->nr);
	if (!ks->offsets)
		return fail(err, -ENOMEM, "no memory for %u symbols", ks->nr);
	rc = kernel_read_vaddr(kernel, place->offsets, ks->offsets, 4 * (size_t)ks->nr);
	if (rc)
		return fail(err, rc, "kallsyms_offsets at 0x%llx: %u symbols are not readable", (unsigned long long)place->offsets,
			    ks->nr);
	for (uint32_t i = 0; i < ks->nr; i++)
		ks->offsets[i] = elf_get(data, &ks->offsets[i], 4);
	return 0;
}

/* How long the names are is only known by walking them: they are read in blocks as far as the walk gets. */
static int read_names(struct kallsyms *ks, struct kernel *kernel, const struct kallsyms_place *place, struct error *err)
{
	size_t limit = (size_t)ks->nr * NAME_BYTES_MAX + NAMES_BLOCK, have = 0, pos = 0;

	ks->names = malloc(limit);
	ks->marks = malloc(4 * ((size_t)(ks->nr >> MARK_SHIFT) + 1));
	if (!ks->names || !ks->marks)
		return fail(err, -ENOMEM, "no memory for %u symbols", ks->nr);
	for (uint32_t i = 0; i < ks->nr; i++) {
		size_t len;

		if (pos + 2 > have && have < limit)
			have += kernel_read_prefix(kernel, place->names + have, ks->names + have, min_u64(NAMES_BLOCK, limit - have));
		if (pos + 2 > have)
			return fail(err, -EIO, "kallsyms_names at 0x%llx: symbol %u of %u is not readable",
				    (unsigned long long)place->names, i, ks->nr);
		if (!(i & ((1 << MARK_SHIFT) - 1)))
			ks->marks[i >> MARK_SHIFT] = pos;
		pos += name_len(ks->names + pos, &len);
		if (!len || len > KSYM_NAME_MAX)
			return fail(err, -EINVAL, "kallsyms_names at 0x%llx: symbol %u of %u has length %zu",
				    (unsigned long long)place->names, i, ks->nr, len);
		pos += len;
	}
	if (pos > have)
		have += kernel_read_prefix(kernel, place->names + have, ks->names + have, min_u64(pos, limit) - have);
	if (pos > have)
		return fail(err, -EIO, "kallsyms_names at 0x%llx are not readable", (unsigned long long)place->names);
	ks->names_len = pos;
	return 0;
}

/* Both forms with a base look alike; a symbol whose address VMCOREINFO knows tells them apart. */
static void choose_form(struct kallsyms *ks, const struct vmcoreinfo *info)
{
	static const char *const known[] = { "init_uts_ns", "swapper_pg_dir", "_stext" };
	uint32_t nr_negative = 0;

	for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
		char key[40] = "SYMBOL(";
		vaddr_t addr;
		uint32_t i;

		strcat(strcat(key, known[k]), ")");
		if (!vmcoreinfo_hex(info, key, &addr) || kallsyms_find(ks, known[k], &i))
			continue;
		for (ks->form = KALLSYMS_BASE; ks->form < KALLSYMS_PLACE; ks->form++)
			if (kallsyms_addr(ks, i) == addr)
				return;
	}
	for (uint32_t i = 0; i < ks->nr; i++)
		nr_negative += ks->offsets[i] < 0;
	ks->form = nr_negative > ks->nr / 2 ? KALLSYMS_PERCPU : KALLSYMS_BASE;
}

static int read_all(struct kallsyms *ks, struct kernel *kernel, struct error *err)
{
	struct kallsyms_place place;
	uint64_t nr;
	int rc = find_place(kernel, &place);

	if (rc)
		return fail(err, rc, "VMCOREINFO has no SYMBOL(kallsyms_names), and no symbol table was found in the kernel image");
	if (kernel_read_uint(kernel, place.num_syms, 4, &nr))
		return fail(err, -EIO, "kallsyms_num_syms at 0x%llx is not readable", (unsigned long long)place.num_syms);
	if (nr < NR_MIN || nr > NR_MAX)
		return fail(err, -EINVAL, "kallsyms_num_syms at 0x%llx is %llu", (unsigned long long)place.num_syms,
			    (unsigned long long)nr);
	ks->nr = nr;
	ks->form = KALLSYMS_PLACE;
	ks->base = place.offsets;
	if (place.relative_base && kernel_read_word(kernel, place.relative_base, &ks->base))
		return fail(err, -EIO, "kallsyms_relative_base at 0x%llx is not readable", (unsigned long long)place.relative_base);
	rc = read_tokens(ks, kernel, &place, err);
	if (!rc)
		rc = read_offsets(ks, kernel, &place, err);
	if (!rc)
		rc = read_names(ks, kernel, &place, err);
	if (!rc && place.relative_base)
		choose_form(ks, &kernel->crash->vmcoreinfo);
	return rc;
}

int kallsyms_init(struct kallsyms *ks, struct kernel *kernel, struct error *err)
{
	int rc;

	memset(ks, 0, sizeof(*ks));
	rc = read_all(ks, kernel, err);
	if (rc)
		kallsyms_deinit(ks);
	return rc;
}

void kallsyms_deinit(struct kallsyms *ks)
{
	free(ks->offsets);
	free(ks->names);
	free(ks->marks);
	free(ks->tokens);
	memset(ks, 0, sizeof(*ks));
}

vaddr_t kallsyms_addr(const struct kallsyms *ks, uint32_t i)
{
	int32_t off = ks->offsets[i];

	switch (ks->form) {
	case KALLSYMS_PLACE: return ks->base + 4ULL * i + off;
	case KALLSYMS_PERCPU: return off < 0 ? ks->base - 1 - off : (vaddr_t)off;
	default: return ks->base + (uint32_t)off;
	}
}

bool kallsyms_is_absolute(const struct kallsyms *ks, uint32_t i)
{
	return ks->form == KALLSYMS_PERCPU && ks->offsets[i] >= 0;
}

struct kallsyms_pos kallsyms_seek(const struct kallsyms *ks, uint32_t i)
{
	struct kallsyms_pos pos = { i & ~((1U << MARK_SHIFT) - 1), ks->marks[i >> MARK_SHIFT] };
	size_t len;

	for (; pos.i < i; pos.i++) {
		pos.off += name_len(ks->names + pos.off, &len);
		pos.off += len;
	}
	return pos;
}

char kallsyms_next(const struct kallsyms *ks, struct kallsyms_pos *pos, char ret[KSYM_NAME_MAX])
{
	const uint8_t *p = ks->names + pos->off;
	size_t len, out = 0;
	char type = '?';
	bool first = true;

	p += name_len(p, &len);
	for (size_t i = 0; i < len && out < KSYM_NAME_MAX - 1; i++)
		for (const char *token = ks->tokens + ks->token_index[p[i]]; *token; token++) {
			if (first)
				type = *token;
			else if (out < KSYM_NAME_MAX - 1)
				ret[out++] = (unsigned char)*token > 0x20 && (unsigned char)*token < 0x7f ? *token : '?';
			first = false;
		}
	ret[out] = 0;
	pos->off = p + len - ks->names;
	pos->i++;
	return type;
}

/* Compare while expanding: most names differ in their first token. */
static bool name_is(const struct kallsyms *ks, const uint8_t *p, size_t len, const char *name)
{
	bool first = true;

	for (size_t i = 0; i < len; i++)
		for (const char *token = ks->tokens + ks->token_index[p[i]]; *token; token++) {
			if (!first && *token != *name++)
				return false;
			first = false;
		}
	return !first && !*name;
}

int kallsyms_find(const struct kallsyms *ks, const char *name, uint32_t *ret)
{
	const uint8_t *p = ks->names;
	size_t len;

	for (uint32_t i = 0; i < ks->nr; i++, p += len) {
		p += name_len(p, &len);
		if (name_is(ks, p, len, name)) {
			*ret = i;
			return 0;
		}
	}
	return -ENOENT;
}

/* The table is in order of addresses, as the kernel's own binary search needs it. */
int kallsyms_at(const struct kallsyms *ks, vaddr_t addr, uint32_t *ret)
{
	uint32_t low = 0, high = ks->nr;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (kallsyms_addr(ks, middle) <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || kallsyms_is_absolute(ks, low - 1))
		return -ENOENT;
	for (low--; low && kallsyms_addr(ks, low - 1) == kallsyms_addr(ks, low); low--)
		;
	*ret = low;
	return 0;
}
