// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * synth SAMPLE CORE GIB: a vmcore of a machine of any size, for which no such machine is needed.
 *
 * SAMPLE is a vmcore of a real machine. Its VMCOREINFO, notes and struct pages are taken over; page tables, mem_section and
 * PT_LOADs are made anew for GIB of memory in eight nodes with holes between them. The memmap of each 128 MiB is one of a
 * pool of real ones: many 2 MiB entries of the page tables name the same page frames. So CORE stays small (it is sparse,
 * and all data pages are holes), but the struct pages come out of the CPU's cache more often than those of a real machine
 * would; that favours every reader alike. About one page in fifty is one that dump level 31 keeps.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/pagemap.h"
#include "src/input.h"
#include "src/sys.h"

#define GIB (1ULL << 30)
#define KERNEL_MAP 0xffffffff80000000ULL
#define SECTION_BYTES (128ULL << 20)
#define PER_SECTION (SECTION_BYTES / 4096)
#define CHUNK (2ULL << 20)	/* the memmap of a section */
#define LOW_END (3 * GIB)
#define HIGH (4 * GIB)
#define NR_NODES 8
#define NODE_HOLE (2 * GIB)
#define DATA_OFF (1ULL << 20)	/* of the file: headers and notes are below */
#define POOL_MAX 16
#define TABLES_MAX 1024
#define KEPT_PERMILLE 20

/* x86_64 page tables of five levels, or four */
#define DIRECT_5 0xff11000000000000ULL
#define VMEMMAP_5 0xffd4000000000000ULL
#define DIRECT_4 0xffff888000000000ULL
#define VMEMMAP_4 0xffffea0000000000ULL
#define ENTRY_TABLE 0x67ULL	/* present, writable, accessed, dirty */
#define ENTRY_PAGE 0xe3ULL	/* the same, and large */

struct table {
	paddr_t paddr;
	uint64_t entries[512];
};

struct synth {
	struct input in;
	struct kernel kernel;
	struct pagemap pm;
	int fd;
	vaddr_t direct, vmemmap;
	paddr_t next_free;		/* page frames for what is made anew */
	struct segment segs[2 + NR_NODES];
	unsigned int nr_segs;
	uint8_t *pool;			/* memmaps */
	paddr_t pool_at[POOL_MAX];
	unsigned int kept[POOL_MAX], nr_pool;
	struct table *tables;
	unsigned int nr_tables;
};

static void die(const char *what)
{
	fprintf(stderr, "synth: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void print_line(struct log *log, enum log_level level, const char *line)
{
	(void)log, (void)level;
	fprintf(stderr, "synth: %s\n", line);
}

static struct log to_stderr = { .emit = print_line };

static void put(struct synth *s, paddr_t paddr, const void *p, size_t len)
{
	for (unsigned int i = s->nr_segs; i--;)
		if (paddr >= s->segs[i].paddr && paddr + len <= s->segs[i].paddr + s->segs[i].filesz) {
			if (write_all_at(s->fd, s->segs[i].src + paddr - s->segs[i].paddr, p, len))
				die("write");
			return;
		}
	die("no memory where something has to be");
}

static paddr_t allocate(struct synth *s, uint64_t len)
{
	paddr_t at = round_up(s->next_free, min_u64(len, CHUNK));

	s->next_free = at + len;
	return at;
}

/* Memory, and where it lies in the file: without the holes. */
static void make_segments(struct synth *s, uint64_t gib)
{
	const struct segment *text = NULL;
	uint64_t node = (gib * GIB - LOW_END) / NR_NODES / SECTION_BYTES * SECTION_BYTES, off = DATA_OFF;

	for (unsigned int i = 0; i < s->in.crash.nr_segs; i++)
		if (s->in.crash.segs[i].vaddr >= KERNEL_MAP)
			text = &s->in.crash.segs[i];
	if (!text)
		die("the sample has no kernel image");
	s->segs[s->nr_segs++] = *text;
	s->segs[s->nr_segs++] = (struct segment){ .paddr = 1 << 20, .filesz = LOW_END - (1 << 20) };
	for (unsigned int i = 0; i < NR_NODES; i++)
		s->segs[s->nr_segs++] = (struct segment){ .paddr = HIGH + i * (node + NODE_HOLE), .filesz = node };
	for (unsigned int i = 1; i < s->nr_segs; i++) {
		s->segs[i].vaddr = s->direct + s->segs[i].paddr;
		s->segs[i].src = off;
		off += s->segs[i].filesz;
	}
	s->segs[0].src = s->segs[1].src + s->segs[0].paddr - s->segs[1].paddr;
	if (ftruncate(s->fd, off))
		die("ftruncate");
	s->next_free = HIGH;
}

/* How many pages of each section of the window does level 31 keep? UINT32_MAX: not all of them exist. */
static unsigned int kept_of(const struct pagemap *pm, uint32_t bit)
{
	unsigned int kept = 0, present = 0;

	for (uint32_t byte = bit / 8; byte < (bit + PER_SECTION) / 8; byte++) {
		kept += __builtin_popcount(pm->wanted[byte]);
		present += __builtin_popcount(pm->present[byte]);
	}
	return present == PER_SECTION ? kept : UINT32_MAX;
}

static void add_to_pool(struct synth *s, pfn_t pfn, unsigned int kept)
{
	struct memmap_span span;
	uint8_t *chunk = s->pool + s->nr_pool * CHUNK;

	memmap_find(&s->pm.memmap, pfn, &span);
	if (!span.present || kernel_read_vaddr(&s->kernel, span.vaddr, chunk, CHUNK))
		return;
	/* A hugetlb page of 1 GiB cannot be had in pieces. */
	if (chunk[s->pm.layout.compound_head] & 1 || page_classify(&s->pm.layout, chunk, chunk + s->pm.layout.size).order > 15)
		return;
	s->pool_at[s->nr_pool] = allocate(s, CHUNK);
	s->kept[s->nr_pool] = kept;
	put(s, s->pool_at[s->nr_pool++], chunk, CHUNK);
}

static void make_pool(struct synth *s)
{
	s->pool = malloc(POOL_MAX * CHUNK);
	for (pfn_t start = 0; start < s->pm.max_pfn; start += s->pm.nr_pages) {
		pagemap_window(&s->pm, start);
		for (uint32_t bit = 0; bit < s->pm.nr_pages && s->nr_pool < POOL_MAX; bit += PER_SECTION) {
			unsigned int kept = kept_of(&s->pm, bit);

			if (kept != UINT32_MAX)
				add_to_pool(s, start + bit, kept);
		}
	}
	if (s->nr_pool < 4)
		die("the sample has too few whole sections");
	for (unsigned int i = 0; i < s->nr_pool; i++)
		printf("pool %u: %u of %llu kept\n", i, s->kept[i], PER_SECTION);
}

/* Take memmaps in turn, but those that keep many pages only while the whole has not got its share of them. */
static paddr_t next_memmap(struct synth *s)
{
	static unsigned int turn;
	static uint64_t nr_kept, nr_pages;

	for (unsigned int tries = 0;; tries++) {
		unsigned int i = turn++ % s->nr_pool;

		if (tries < s->nr_pool && (nr_kept + s->kept[i]) * 1000 > (nr_pages + PER_SECTION) * KEPT_PERMILLE &&
		    s->kept[i] * 1000ULL > PER_SECTION * KEPT_PERMILLE)
			continue;
		nr_kept += s->kept[i];
		nr_pages += PER_SECTION;
		return s->pool_at[i];
	}
}

static struct table *table_at(struct synth *s, paddr_t paddr)
{
	for (unsigned int i = s->nr_tables; i--;)
		if (s->tables[i].paddr == paddr)
			return &s->tables[i];
	die("a page table is lost");
	return NULL;
}

static struct table *new_table(struct synth *s, paddr_t paddr)
{
	if (s->nr_tables == TABLES_MAX)
		die("too many page tables");
	s->tables[s->nr_tables].paddr = paddr;
	return &s->tables[s->nr_tables++];
}

/* leaf 3: a page of 1 GiB; 2: of 2 MiB. */
static void map(struct synth *s, vaddr_t vaddr, paddr_t paddr, unsigned int leaf)
{
	struct table *table = &s->tables[0];

	for (unsigned int level = s->kernel.levels;; level--) {
		uint64_t *entry = &table->entries[vaddr >> (12 + 9 * (level - 1)) & 511];

		if (level == leaf) {
			*entry = paddr | ENTRY_PAGE;
			return;
		}
		if (*entry) {
			table = table_at(s, *entry & ~0xfffULL);
			continue;
		}
		table = new_table(s, allocate(s, 4096));
		*entry = table->paddr | ENTRY_TABLE;
	}
}

/* The kernel's image by 2 MiB, the direct map by 1 GiB. */
static void make_direct_map(struct synth *s)
{
	const struct segment *text = &s->segs[0], *last = &s->segs[s->nr_segs - 1];

	for (paddr_t pa = round_down(text->paddr, CHUNK); pa < text->paddr + text->memsz; pa += CHUNK)
		map(s, pa + text->vaddr - text->paddr, pa, 2);
	for (paddr_t pa = 0; pa < last->paddr + last->filesz; pa += GIB)
		map(s, s->direct + pa, pa, 3);
}

/* SPARSEMEM_EXTREME: a table of pointers to pages of mem_section. Sections without memory have none. */
static vaddr_t make_sections(struct synth *s)
{
	const struct memmap *m = &s->pm.memmap;
	uint64_t *roots = calloc(m->nr_roots, 8), *last_root = NULL;
	paddr_t roots_at = allocate(s, round_up(m->nr_roots * 8, 4096));
	uint8_t *page = calloc(1, 4096);

	for (unsigned int i = 1; i < s->nr_segs; i++)
		for (paddr_t pa = round_down(s->segs[i].paddr, SECTION_BYTES); pa < s->segs[i].paddr + s->segs[i].filesz;
		     pa += SECTION_BYTES) {
			uint64_t section = pa / SECTION_BYTES, *root = &roots[section / m->per_root];
			uint64_t coded = s->vmemmap | 0x7;

			if (root != last_root) {
				memset(page, 0, 4096);
				if (!*root)
					*root = s->direct + allocate(s, 4096);
				last_root = root;
			}
			memcpy(page + section % m->per_root * m->section_struct + m->section_map, &coded, 8);
			put(s, *root - s->direct, page, 4096);
			map(s, s->vmemmap + section * CHUNK, next_memmap(s), 2);
		}
	put(s, roots_at, roots, m->nr_roots * 8);
	free(roots);
	free(page);
	return s->direct + roots_at;
}

static void write_tables(struct synth *s)
{
	for (unsigned int i = 0; i < s->nr_tables; i++)
		put(s, s->tables[i].paddr, s->tables[i].entries, 4096);
}

/* What makedumpfile reads besides: the names in init_uts_ns. */
static void copy_uts(struct synth *s)
{
	uint8_t page[8192];
	vaddr_t uts;

	if (!vmcoreinfo_hex(&s->in.crash.vmcoreinfo, "SYMBOL(init_uts_ns)", &uts))
		die("no SYMBOL(init_uts_ns)");
	uts = round_down(uts, 4096);
	if (kernel_read_vaddr(&s->kernel, uts, page, sizeof(page)))
		die("init_uts_ns");
	put(s, uts - KERNEL_MAP + s->kernel.phys_base, page, sizeof(page));
}

static void write_headers(struct synth *s, vaddr_t sections)
{
	struct notes *notes = &s->in.crash.notes;
	char digits[17], *symbol = memmem(notes->buf, notes->len, "SYMBOL(mem_section)=", 20);
	struct elf_form form = s->in.crash.ehdr.form;
	struct elf_ehdr ehdr = s->in.crash.ehdr;
	struct elf_phdr note = { .type = PT_NOTE, .offset = 65536, .filesz = notes->len, .memsz = notes->len };
	uint8_t raw[ELF_PHDR_MAX > ELF_EHDR_MAX ? ELF_PHDR_MAX : ELF_EHDR_MAX];
	uint64_t off = elf_ehdr_size(form);

	snprintf(digits, sizeof(digits), "%016llx", (unsigned long long)sections);
	if (!symbol || symbol[36] != '\n')
		die("no SYMBOL(mem_section)");
	memcpy(symbol + 20, digits, 16);
	ehdr.phnum = 1 + s->nr_segs;
	ehdr.phoff = off;
	ehdr.shoff = ehdr.shnum = 0;
	elf_ehdr_encode(&ehdr, raw);
	write_all_at(s->fd, 0, raw, off);
	for (unsigned int i = 0; i <= s->nr_segs; i++, off += elf_phdr_size(form)) {
		const struct segment *seg = i ? &s->segs[i - 1] : NULL;
		struct elf_phdr load = note;

		if (seg)
			load = (struct elf_phdr){ .type = PT_LOAD, .flags = PF_R | PF_W | PF_X, .offset = seg->src, .vaddr = seg->vaddr,
						  .paddr = seg->paddr, .filesz = seg->filesz, .memsz = seg->filesz };
		elf_phdr_encode(form, &load, raw);
		write_all_at(s->fd, off, raw, elf_phdr_size(form));
	}
	write_all_at(s->fd, note.offset, notes->buf, notes->len);
}

static void open_sample(struct synth *s, const char *name)
{
	struct error err;

	if (input_file_open(&s->in, name, &to_stderr, &err))
		die(err.text);
	kernel_init(&s->kernel, &s->in.crash, &s->in.chain.mem, &to_stderr);
	if (pagemap_init(&s->pm, &s->kernel, DUMP_LEVEL_MAX, &to_stderr, &err) || !s->pm.classify ||
	    s->pm.memmap.model != MODEL_SPARSE_EXTREME || s->pm.layout.size != 64)
		die("the sample's struct pages cannot be read");
	s->direct = s->kernel.levels == 5 ? DIRECT_5 : DIRECT_4;
	s->vmemmap = s->kernel.levels == 5 ? VMEMMAP_5 : VMEMMAP_4;
}

int main(int argc, char **argv)
{
	static struct synth s;

	if (argc != 4 || atoi(argv[3]) < 16) {
		fprintf(stderr, "usage: synth SAMPLE CORE GIB, with GIB at least 16\n");
		return 2;
	}
	open_sample(&s, argv[1]);
	s.fd = open(argv[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	s.tables = calloc(TABLES_MAX, sizeof(*s.tables));
	if (s.fd < 0 || !s.tables)
		die(argv[2]);
	make_segments(&s, atoi(argv[3]));
	make_pool(&s);
	new_table(&s, s.kernel.pgd);
	make_direct_map(&s);
	write_headers(&s, make_sections(&s));
	write_tables(&s);
	copy_uts(&s);
	return close(s.fd) ? 1 : 0;
}
