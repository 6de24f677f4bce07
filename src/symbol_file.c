// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/symbol_file.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/grow.h"
#include "src/output_path.h"
#include "src/symbol_frames.h"

#define SECTIONS_MAX 2048
#define NR_OWN 4		/* sections of the file itself, behind those of the kernel */

struct section {
	char name[80];
	vaddr_t start, end;
	bool code;
};

struct writer {
	struct session *s;
	unsigned int what;
	struct grow locals, globals, strings, section_names, frames;
	struct section *sections;	/* in order of addresses, disjoint */
	unsigned int nr_sections;
	struct symbol_file_stats *stats;
};

/* --- sections ----------------------------------------------------------------------------------------------------------- */

/* owner is a module, or what a piece without a name lies in front of; "" = none. */
static void add_section(struct writer *w, const char *name, const char *owner, vaddr_t start, vaddr_t end)
{
	struct section *section = &w->sections[w->nr_sections];

	if (start >= end || w->nr_sections == SECTIONS_MAX)
		return;
	snprintf(section->name, sizeof(section->name), "%s%s%s", name, owner[0] ? "." : "", owner);
	section->start = start;
	section->end = end;
	section->code = !strcmp(name, ".text") || !strcmp(name, ".init.text");
	w->nr_sections++;
}

/* The kernel's image by the symbols of its linker script (arch/.../vmlinux.lds.S); what lies between them is data. */
static void add_kernel_sections(struct writer *w)
{
	static const struct { const char *name, *start, *end; } parts[] = {
		{ ".text", "_stext", "_etext" },
		{ ".rodata", "__start_rodata", "__end_rodata" },
		{ ".data", "_sdata", "_edata" },
		{ ".init.text", "_sinittext", "_einittext" },
		{ ".bss", "__bss_start", "__bss_stop" },
	};
	vaddr_t at, start, end, image_end;

	if (symbols_find(&w->s->symbols, "_stext", &at) || symbols_find(&w->s->symbols, "_end", &image_end))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (symbols_find(&w->s->symbols, parts[i].start, &start) || symbols_find(&w->s->symbols, parts[i].end, &end) ||
		    start < at || end > image_end)
			continue;
		add_section(w, ".between", parts[i].name + 1, at, start);
		add_section(w, parts[i].name, "", start, end);
		at = max_u64(at, end);
	}
	/* _end itself belongs to the image. */
	add_section(w, ".between", "end", at, image_end + 1);
}

static int by_start(const void *a, const void *b)
{
	const struct section *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Broken modules may claim each other's memory, or the kernel's: the later one loses. */
static void sort_sections(struct writer *w)
{
	unsigned int nr = 0;

	qsort(w->sections, w->nr_sections, sizeof(*w->sections), by_start);
	for (unsigned int i = 0; i < w->nr_sections; i++)
		if (!nr || w->sections[i].start >= w->sections[nr - 1].end)
			w->sections[nr++] = w->sections[i];
	w->nr_sections = nr;
}

static void add_sections(struct writer *w)
{
	static const char *const names[] = { ".text", ".data", ".rodata", ".data.ro" };
	const struct modules *mods = &w->s->symbols.modules;

	if (w->what & SYMBOL_FILE_KERNEL)
		add_kernel_sections(w);
	for (unsigned int m = 0; m < mods->nr && w->what & SYMBOL_FILE_MODULES; m++)
		for (unsigned int a = 0; a < mods->list[m].nr_areas; a++) {
			vaddr_t start = mods->list[m].areas[a].start;

			add_section(w, a < ARRAY_SIZE(names) ? names[a] : ".other", mods->list[m].name, start,
				    start + mods->list[m].areas[a].len);
		}
	sort_sections(w);
}

/* Index of the section header, SHN_ABS = in none. */
static uint16_t find_section(const struct writer *w, vaddr_t addr, bool *code_ret)
{
	unsigned int low = 0, high = w->nr_sections;

	*code_ret = false;
	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (w->sections[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || addr >= w->sections[low - 1].end)
		return SHN_ABS;
	*code_ret = w->sections[low - 1].code;
	return low;
}

/* --- symbols ------------------------------------------------------------------------------------------------------------ */

static bool is_local(char type)
{
	return type >= 'a' && type <= 'z' && type != 'u' && type != 'v' && type != 'w';
}

static unsigned char binding(char type)
{
	if (is_local(type))
		return STB_LOCAL;
	return strchr("VvWw", type) ? STB_WEAK : STB_GLOBAL;
}

static int add_symbol(void *arg, const struct symbol *symbol)
{
	struct writer *w = arg;
	bool code;
	uint16_t shndx = find_section(w, symbol->addr, &code);
	uint8_t kind = shndx == SHN_ABS ? STT_NOTYPE : code && strchr("TtWw", symbol->type) ? STT_FUNC : STT_OBJECT;
	uint8_t data = w->s->in.crash.ehdr.form.data, raw[sizeof(Elf64_Sym)] = { 0 };

	if (!symbol->name[0] || !(w->what & (symbol->module ? SYMBOL_FILE_MODULES : SYMBOL_FILE_KERNEL)))
		return 0;
	elf_put(data, raw, 4, grow_string(&w->strings, symbol->name));
	raw[4] = ELF64_ST_INFO(binding(symbol->type), kind);
	elf_put(data, raw + 6, 2, symbol->type == 'A' || symbol->type == 'a' ? SHN_ABS : shndx);
	elf_put(data, raw + 8, 8, symbol->addr);
	elf_put(data, raw + 16, 8, symbol->size);
	grow_add(is_local(symbol->type) ? &w->locals : &w->globals, raw, sizeof(raw));
	if (symbol->module)
		w->stats->nr_modules++;
	else
		w->stats->nr_kernel++;
	return w->locals.failed || w->globals.failed || w->strings.failed ? -ENOMEM : 0;
}

/* --- the file ------------------------------------------------------------------------------------------------------------ */

struct position {
	struct sink *sink;
	uint64_t off;
	int rc;
};

static void put(struct position *pos, const void *p, size_t len)
{
	if (!pos->rc && len)
		pos->rc = sink_write(pos->sink, pos->off, p, len);
	pos->off += len;
}

static void put_ehdr(struct position *pos, const struct writer *w, uint64_t shoff)
{
	struct elf_ehdr ehdr = {
		.form = { ELFCLASS64, w->s->in.crash.ehdr.form.data }, .type = ET_EXEC, .machine = w->s->in.crash.ehdr.machine,
		.version = EV_CURRENT, .ehsize = sizeof(Elf64_Ehdr), .shentsize = sizeof(Elf64_Shdr), .shoff = shoff,
		.shnum = 1 + w->nr_sections + NR_OWN, .shstrndx = w->nr_sections + 3,
	};
	uint8_t raw[ELF_EHDR_MAX];

	elf_ehdr_encode(&ehdr, raw);
	put(pos, raw, sizeof(Elf64_Ehdr));
}

static void put_shdr(struct position *pos, const struct writer *w, const Elf64_Shdr *shdr)
{
	const uint64_t values[] = { shdr->sh_name, shdr->sh_type, shdr->sh_flags, shdr->sh_addr, shdr->sh_offset, shdr->sh_size,
				    shdr->sh_link, shdr->sh_info, shdr->sh_addralign, shdr->sh_entsize };
	static const uint8_t sizes[] = { 4, 4, 8, 8, 8, 8, 4, 4, 8, 8 };
	uint8_t raw[sizeof(Elf64_Shdr)];
	size_t off = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); off += sizes[i++])
		elf_put(w->s->in.crash.ehdr.form.data, raw + off, sizes[i], values[i]);
	put(pos, raw, sizeof(raw));
}

/* Where the parts begin in the file. */
struct layout {
	uint64_t frames, symtab, symtab_len, strtab, shstrtab, shdrs;
};

static void put_section_headers(struct position *pos, struct writer *w, const struct layout *at, const uint32_t *names)
{
	uint32_t strtab = w->nr_sections + 2;
	Elf64_Shdr null = { 0 };
	Elf64_Shdr symtab = { .sh_name = names[0], .sh_type = SHT_SYMTAB, .sh_offset = at->symtab, .sh_size = at->symtab_len,
			      .sh_link = strtab, .sh_info = w->locals.len / sizeof(Elf64_Sym), .sh_addralign = 8,
			      .sh_entsize = sizeof(Elf64_Sym) };
	Elf64_Shdr strings = { .sh_name = names[1], .sh_type = SHT_STRTAB, .sh_offset = at->strtab, .sh_size = w->strings.len,
			       .sh_addralign = 1 };
	Elf64_Shdr section_names = { .sh_name = names[2], .sh_type = SHT_STRTAB, .sh_offset = at->shstrtab,
				     .sh_size = w->section_names.len, .sh_addralign = 1 };
	Elf64_Shdr frames = { .sh_name = names[3], .sh_type = SHT_PROGBITS, .sh_offset = at->frames, .sh_size = w->frames.len,
			      .sh_addralign = 8 };

	put_shdr(pos, w, &null);
	for (unsigned int i = 0; i < w->nr_sections; i++) {
		const struct section *section = &w->sections[i];
		Elf64_Shdr shdr = { .sh_name = names[NR_OWN + i], .sh_type = SHT_NOBITS, .sh_addr = section->start,
				    .sh_flags = SHF_ALLOC | (section->code ? SHF_EXECINSTR : SHF_WRITE),
				    .sh_offset = at->symtab, .sh_size = section->end - section->start, .sh_addralign = 1 };

		put_shdr(pos, w, &shdr);
	}
	put_shdr(pos, w, &symtab);
	put_shdr(pos, w, &strings);
	put_shdr(pos, w, &section_names);
	put_shdr(pos, w, &frames);
}

static int put_file(struct writer *w, struct sink *sink, uint64_t *size_ret)
{
	struct position pos = { .sink = sink };
	struct layout at = { .frames = sizeof(Elf64_Ehdr), .symtab_len = w->locals.len + w->globals.len };
	uint32_t *names = calloc(w->nr_sections + NR_OWN, sizeof(*names));
	static const uint8_t padding[8];

	if (!names)
		return -ENOMEM;
	grow_string(&w->section_names, "");
	names[0] = grow_string(&w->section_names, ".symtab");
	names[1] = grow_string(&w->section_names, ".strtab");
	names[2] = grow_string(&w->section_names, ".shstrtab");
	names[3] = grow_string(&w->section_names, ".debug_frame");
	for (unsigned int i = 0; i < w->nr_sections; i++)
		names[NR_OWN + i] = grow_string(&w->section_names, w->sections[i].name);
	at.symtab = round_up(at.frames + w->frames.len, 8);
	at.strtab = at.symtab + at.symtab_len;
	at.shstrtab = at.strtab + w->strings.len;
	at.shdrs = round_up(at.shstrtab + w->section_names.len, 8);
	put_ehdr(&pos, w, at.shdrs);
	put(&pos, w->frames.p, w->frames.len);
	put(&pos, padding, at.symtab - pos.off);
	put(&pos, w->locals.p, w->locals.len);
	put(&pos, w->globals.p, w->globals.len);
	put(&pos, w->strings.p, w->strings.len);
	put(&pos, w->section_names.p, w->section_names.len);
	put(&pos, padding, at.shdrs - pos.off);
	put_section_headers(&pos, w, &at, names);
	*size_ret = pos.off;
	free(names);
	return w->section_names.failed ? -ENOMEM : pos.rc;
}

int symbol_file_write(struct session *s, unsigned int what, struct sink *sink, uint64_t *size_ret,
		      struct symbol_file_stats *stats, struct error *err)
{
	static const uint8_t null_symbol[sizeof(Elf64_Sym)];
	struct writer w = { .s = s, .what = what, .stats = stats };
	int rc = -ENOMEM;

	memset(stats, 0, sizeof(*stats));
	w.sections = calloc(SECTIONS_MAX, sizeof(*w.sections));
	if (w.sections) {
		add_sections(&w);
		stats->nr_sections = w.nr_sections;
		grow_string(&w.strings, "");
		grow_add(&w.locals, null_symbol, sizeof(null_symbol));
		rc = 0;
	}
	if (!rc && what & (SYMBOL_FILE_KERNEL | SYMBOL_FILE_MODULES))
		rc = symbols_each(&s->symbols, add_symbol, &w);
	if (!rc && what & (SYMBOL_FILE_FRAMES | SYMBOL_FILE_SWITCHES))
		rc = symbol_frames_write(s, !(what & SYMBOL_FILE_FRAMES), &w.frames, &stats->nr_frames);
	if (!rc)
		rc = put_file(&w, sink, size_ret);
	free(w.sections);
	free(w.locals.p);
	free(w.globals.p);
	free(w.strings.p);
	free(w.section_names.p);
	free(w.frames.p);
	return rc ? fail(err, rc, "the symbol file could not be written: %s", strerror(-rc)) : 0;
}

int symbol_file_save(struct session *s, unsigned int what, const char *name, bool force, struct symbol_file_stats *stats,
		     struct error *err)
{
	static struct output_path path;
	struct sink *sink;
	uint64_t size;
	int rc = output_path_init(&path, name, s->path, force, err);

	if (!rc)
		rc = path.out.open(&path.out, NULL, NULL, &sink, err);
	if (rc)
		return rc;
	rc = symbol_file_write(s, what, sink, &size, stats, err);
	if (!rc && sink_commit(sink, size))
		rc = fail(err, sink->error, "%s: %s", name, strerror(-sink->error));
	sink_close(sink);
	path.out.close(&path.out);
	return rc;
}
