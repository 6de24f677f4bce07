// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernels before 6.0 do not tell where their symbol table is, but its parts follow each other in the image
 * (scripts/kallsyms.c of those years), each aligned to a word:
 *
 *   offsets[n] | relative_base | num_syms | names | markers[n / 256] | token_table | token_index[256]
 *
 * token_index is found by its form: 256 ascending 16-bit numbers from 0 on that are exactly the places where the strings
 * in front of it begin. From there it goes backwards; each part must agree with the ones already found.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/kallsyms.h"
#include "elfcore/object.h"

#define BLOCK (1U << 20)
#define INDEX_LEN (2 * KSYM_TOKENS)
#define TOKEN_MAX 64			/* characters of a token, with its end */
#define IMAGE_MAX (1ULL << 30)
#define IMAGE_LIKELY (64ULL << 20)	/* where no segment is the image's: up to its data, which lie behind */
#define MARKERS_MAX (1U << 14)
#define LAST_BLOCK_MAX 65536		/* compressed names behind the last marker, up to 256 of them */
#define BLOCK_NAMES 256

struct search {
	struct kernel *kernel;
	size_t word;
	uint8_t *buf;			/* BLOCK + INDEX_LEN bytes */
	uint16_t index[KSYM_TOKENS];
	uint64_t markers[2], last_marker;
	uint32_t nr_markers;
	vaddr_t markers_start;
};

static bool take_index(struct search *s, const uint8_t *p)
{
	uint8_t data = s->kernel->crash->ehdr.form.data;

	if (p[0] || p[1])
		return false;
	s->index[0] = 0;
	for (unsigned int i = 1; i < KSYM_TOKENS; i++) {
		s->index[i] = elf_get(data, p + 2 * i, 2);
		if (s->index[i] < s->index[i - 1] + 2 || s->index[i] > s->index[i - 1] + TOKEN_MAX)
			return false;
	}
	return true;
}

/* Strings that begin where the index says and end right before the next one; digits stand for themselves. */
static bool are_tokens(const struct search *s, const uint8_t *table, size_t len)
{
	for (unsigned int i = 0; i < KSYM_TOKENS; i++) {
		size_t end = i + 1 < KSYM_TOKENS ? s->index[i + 1] : len;

		if (memchr(table + s->index[i], 0, end - s->index[i]) != table + end - 1 && i + 1 < KSYM_TOKENS)
			return false;
	}
	return table[s->index['0']] == '0' && !table[s->index['0'] + 1] && table[s->index['9']] == '9';
}

/* The table ends, but for the padding, where the index begins. */
static bool find_table(struct search *s, struct kallsyms_place *place)
{
	size_t least = round_up(s->index[KSYM_TOKENS - 1] + 2, s->word), most = least + TOKEN_MAX;
	uint8_t *table = malloc(most);
	bool found = false;

	if (!table)
		return false;
	for (size_t len = least; len <= most && !found; len += s->word)
		if (!kernel_read_vaddr(s->kernel, place->token_index - len, table, len) && are_tokens(s, table, len)) {
			place->token_table = place->token_index - len;
			found = true;
		}
	free(table);
	return found;
}

/*
 * Ascending numbers that end at the table, the first of them 0; 4 bytes each since 4.20 (80ffbaa5b1bd), a word before. They
 * are read one by one: a marker each 256 symbols is few.
 */
static bool find_markers(struct search *s, const struct kallsyms_place *place, size_t size)
{
	vaddr_t at = place->token_table - size;
	uint64_t value, later = 0;

	if (kernel_read_uint(s->kernel, at, size, &value))
		return false;
	if (!value && size < s->word) {		/* padding */
		at -= size;
		if (kernel_read_uint(s->kernel, at, size, &value))
			return false;
	}
	s->last_marker = value;
	for (s->nr_markers = 1; value && s->nr_markers < MARKERS_MAX; s->nr_markers++) {
		later = value;
		at -= size;
		if (kernel_read_uint(s->kernel, at, size, &value) || value >= later)
			return false;
	}
	s->markers[1] = later;
	s->markers_start = at;
	return !value && s->nr_markers > 1;
}

/* Do 256 names from here on end at the second marker? */
static bool are_names(struct search *s, vaddr_t names)
{
	uint64_t off = 0, len;

	for (unsigned int i = 0; i < BLOCK_NAMES; i++) {
		if (off >= s->markers[1] || kernel_read_uint(s->kernel, names + off, 1, &len) || !len)
			return false;
		off += 1 + len;
	}
	return off == s->markers[1];
}

/* How long the names behind the last marker are is not known: num_syms in front of the right place fits the markers. */
static bool find_names(struct search *s, struct kallsyms_place *place)
{
	uint64_t nr;

	for (uint64_t rest = 2; rest < LAST_BLOCK_MAX; rest += s->word) {
		vaddr_t names = round_down(s->markers_start - s->last_marker - rest, s->word);

		if (kernel_read_uint(s->kernel, names - s->word, 4, &nr))
			return false;
		if ((nr + BLOCK_NAMES - 1) / BLOCK_NAMES != s->nr_markers || !are_names(s, names))
			continue;
		place->names = names;
		place->num_syms = names - s->word;
		place->relative_base = place->num_syms - s->word;
		place->offsets = place->relative_base - round_up(4 * nr, s->word);
		return true;
	}
	return false;
}

static bool try_index(struct search *s, vaddr_t addr, struct kallsyms_place *place)
{
	place->token_index = addr;
	if (!find_table(s, place))
		return false;
	return (find_markers(s, place, 4) && find_names(s, place)) ||
	       (s->word == 8 && find_markers(s, place, 8) && find_names(s, place));
}

/*
 * How far the image reaches behind _stext. What lay between its parts is free memory, so in a filtered core it is several
 * segments: all that are as far from their physical addresses as the one of _stext. A kdump-compressed copy of such a core has
 * none of them, there the page tables tell.
 */
static int image_range(const struct kernel *kernel, vaddr_t *start, uint64_t *len)
{
	const struct crash *crash = kernel->crash;
	const struct segment *first;
	vaddr_t stext, end;

	if (!vmcoreinfo_hex(&crash->vmcoreinfo, "SYMBOL(_stext)", &stext))
		return -ENODATA;
	*start = stext;
	*len = IMAGE_LIKELY;
	first = crash_segment_at(crash, stext);
	if (!first)
		return kernel->can_translate ? 0 : -ENODATA;
	end = first->vaddr + first->filesz;
	for (unsigned int i = 0; i < crash->nr_segs; i++) {
		const struct segment *seg = &crash->segs[i];

		if (seg->paddr != PADDR_NONE && seg->vaddr - seg->paddr == first->vaddr - first->paddr &&
		    seg->vaddr > stext && seg->vaddr - stext < IMAGE_MAX)
			end = max_u64(end, seg->vaddr + seg->filesz);
	}
	*len = min_u64(end - stext, IMAGE_MAX);
	return 0;
}

/* Where something is missing it goes on with the page behind. */
static int scan(struct search *s, vaddr_t start, uint64_t len, struct kallsyms_place *place)
{
	uint64_t page = max_u64(s->kernel->page_size, 4096), step;

	for (uint64_t off = 0; off < len; off += step) {
		size_t wanted = min_u64(BLOCK + INDEX_LEN, len - off);
		size_t have = kernel_read_prefix(s->kernel, start + off, s->buf, wanted);

		for (size_t i = 0; i + INDEX_LEN <= have && i < BLOCK; i += s->word)
			if (take_index(s, s->buf + i) && try_index(s, start + off + i, place))
				return 0;
		step = have == wanted ? BLOCK : round_down(start + off + have, page) + page - (start + off);
	}
	return -ENODATA;
}

int kallsyms_search(struct kernel *kernel, struct kallsyms_place *ret)
{
	struct search s = { .kernel = kernel, .word = kernel_word_size(kernel) };
	vaddr_t start;
	uint64_t len;
	int rc = image_range(kernel, &start, &len);

	if (rc)
		return rc;
	s.buf = malloc(BLOCK + INDEX_LEN);
	if (!s.buf)
		return -ENOMEM;
	rc = scan(&s, round_up(start, s.word), len, ret);
	free(s.buf);
	return rc;
}
