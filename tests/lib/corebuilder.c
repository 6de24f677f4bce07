// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/corebuilder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct elf_form FORMS[4] = {
	{ ELFCLASS64, ELFDATA2LSB },
	{ ELFCLASS64, ELFDATA2MSB },
	{ ELFCLASS32, ELFDATA2LSB },
	{ ELFCLASS32, ELFDATA2MSB },
};

static void *more(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p)
		abort();
	return p;
}

static void need(bool condition)
{
	if (!condition)
		abort();
}

/* --- bytes that grow ------------------------------------------------------------------------------------------------ */

void bytes_add_zeros(struct bytes *bytes, size_t len)
{
	if (bytes->cap - bytes->len < len || !bytes->p) {
		bytes->cap = 2 * (bytes->cap + len) + 64;
		bytes->p = more(bytes->p, bytes->cap);
	}
	memset(bytes->p + bytes->len, 0, len);
	bytes->len += len;
}

void bytes_add(struct bytes *bytes, const void *p, size_t len)
{
	bytes_add_zeros(bytes, len);
	if (len)
		memcpy(bytes->p + bytes->len - len, p, len);
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->p);
	memset(bytes, 0, sizeof(*bytes));
}

void bytes_nhdr(struct bytes *bytes, uint8_t data, uint32_t namesz, uint32_t descsz, uint32_t type)
{
	struct elf_nhdr nhdr = { namesz, descsz, type };
	uint8_t raw[ELF_NHDR_SIZE];

	elf_nhdr_encode(data, &nhdr, raw);
	bytes_add(bytes, raw, sizeof(raw));
}

static void pad(struct bytes *bytes, size_t start, unsigned int align)
{
	bytes_add_zeros(bytes, round_up(bytes->len - start, align) - (bytes->len - start));
}

void bytes_note(struct bytes *bytes, uint8_t data, unsigned int align, const char *name, uint32_t type, const void *desc,
		size_t descsz)
{
	size_t start = bytes->len;

	bytes_nhdr(bytes, data, strlen(name) + 1, descsz, type);
	bytes_add(bytes, name, strlen(name) + 1);
	pad(bytes, start, align);
	bytes_add(bytes, desc, descsz);
	pad(bytes, start, align);
}

void bytes_prstatus(struct bytes *bytes, struct elf_form form, uint32_t pid, uint64_t ip)
{
	bool wide = form.class == ELFCLASS64;
	uint8_t desc[336] = { 0 };

	elf_put(form.data, desc + (wide ? 32 : 24), 4, pid);
	elf_put(form.data, desc + (wide ? 112 + 16 * 8 : 72 + 12 * 4), wide ? 8 : 4, ip);
	bytes_note(bytes, form.data, 4, "CORE", NT_PRSTATUS, desc, wide ? 336 : 144);
}

/* --- a source of memory --------------------------------------------------------------------------------------------- */

void pattern_fill(void *buf, maddr_t addr, size_t len)
{
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		uint64_t word = ((addr + i) / 8 + 1) * 0x9e3779b97f4a7c15ULL;

		p[i] = (word >> 8 * ((addr + i) % 8)) | 1;
	}
}

bool pattern_is(const void *buf, maddr_t addr, size_t len)
{
	uint8_t *expected = more(NULL, len);
	bool same;

	pattern_fill(expected, addr, len);
	same = !memcmp(buf, expected, len);
	free(expected);
	return same;
}

static void note_request(struct fake_mem *fake, maddr_t addr, size_t len, int rc)
{
	if (fake->nr_requests == fake->cap_requests) {
		fake->cap_requests = 2 * fake->cap_requests + 64;
		fake->requests = more(fake->requests, fake->cap_requests * sizeof(*fake->requests));
	}
	fake->requests[fake->nr_requests++] = (struct request){ addr, len, rc };
}

static int find(struct fake_mem *fake, maddr_t addr, size_t len, uint8_t **ret)
{
	if (fake->fail_at && fake->nr_requests + 1 == fake->fail_at)
		return fake->fail_error;
	for (unsigned int i = 0; i < fake->nr_refused; i++)
		if (addr < fake->refused[i].end && addr + len > fake->refused[i].start)
			return fake->refused[i].error;
	for (unsigned int i = 0; i < fake->nr_pieces; i++) {
		struct bytes *bytes = &fake->pieces[i].bytes;
		uint64_t pos = addr - fake->pieces[i].addr;

		if (addr < fake->pieces[i].addr || pos >= bytes->len || len > bytes->len - pos)
			continue;
		*ret = bytes->p + pos;
		return 0;
	}
	return -ENODATA;
}

static int fake_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct fake_mem *fake = container_of(mem, struct fake_mem, mem);
	uint8_t *from = NULL;
	int rc = find(fake, addr, len, &from);

	note_request(fake, addr, len, rc);
	if (rc)
		memset(buf, 0xee, len);	/* undefined after an error: whoever uses it shall be seen */
	else
		memcpy(buf, from, len);
	return rc;
}

static int fake_look(struct mem *mem, maddr_t addr, size_t len, mem_look_fn *fn, void *arg)
{
	struct fake_mem *fake = container_of(mem, struct fake_mem, mem);
	uint8_t *from = NULL;
	bool faults = false;

	if (!fake->in_place)
		return -EOPNOTSUPP;
	fake->nr_looks++;
	for (unsigned int i = 0; i < fake->nr_refused; i++)
		faults |= addr < fake->refused[i].end && addr + len > fake->refused[i].start;
	for (unsigned int i = 0; i < fake->nr_pieces; i++)
		if (addr - fake->pieces[i].addr < fake->pieces[i].bytes.len)
			from = fake->pieces[i].bytes.p + (addr - fake->pieces[i].addr);
	need(from != NULL);
	fn(arg, from);
	return faults ? -EIO : 0;
}

static void fake_close(struct mem *mem)
{
	(void)mem;
}

void fake_mem_init(struct fake_mem *fake)
{
	static const struct mem_ops ops = { .name = "fake", .read = fake_read, .look = fake_look, .close = fake_close };

	memset(fake, 0, sizeof(*fake));
	fake->mem.ops = &ops;
}

void fake_mem_free(struct fake_mem *fake)
{
	for (unsigned int i = 0; i < fake->nr_pieces; i++)
		bytes_free(&fake->pieces[i].bytes);
	free(fake->requests);
	memset(fake, 0, sizeof(*fake));
}

void fake_mem_add(struct fake_mem *fake, maddr_t addr, const void *p, size_t len)
{
	need(fake->nr_pieces < ARRAY_SIZE(fake->pieces));
	fake->pieces[fake->nr_pieces].addr = addr;
	bytes_add(&fake->pieces[fake->nr_pieces++].bytes, p, len);
}

void fake_mem_pattern(struct fake_mem *fake, maddr_t addr, size_t len)
{
	uint8_t *p = more(NULL, len);

	pattern_fill(p, addr, len);
	fake_mem_add(fake, addr, p, len);
	free(p);
}

uint8_t *fake_mem_at(struct fake_mem *fake, maddr_t addr)
{
	for (unsigned int i = 0; i < fake->nr_pieces; i++)
		if (addr >= fake->pieces[i].addr && addr - fake->pieces[i].addr < fake->pieces[i].bytes.len)
			return fake->pieces[i].bytes.p + (addr - fake->pieces[i].addr);
	abort();
}

void fake_mem_refuse(struct fake_mem *fake, maddr_t start, maddr_t end, int error)
{
	need(fake->nr_refused < ARRAY_SIZE(fake->refused));
	fake->refused[fake->nr_refused].start = start;
	fake->refused[fake->nr_refused].end = end;
	fake->refused[fake->nr_refused++].error = error;
}

/* --- a sink --------------------------------------------------------------------------------------------------------- */

static struct sink_event *event(struct fake_sink *fake, enum sink_call call, uint64_t off, uint64_t len)
{
	if (fake->nr_events == fake->cap_events) {
		fake->cap_events = 2 * fake->cap_events + 64;
		fake->events = more(fake->events, fake->cap_events * sizeof(*fake->events));
	}
	fake->events[fake->nr_events] = (struct sink_event){ .call = call, .off = off, .len = len };
	return &fake->events[fake->nr_events++];
}

static void mark(struct fake_sink *fake, uint64_t off, uint64_t len, char state)
{
	need(off + len >= off && off + len < 64U << 20);
	if (off + len > fake->data.len) {
		size_t more_bytes = off + len - fake->data.len;

		bytes_add_zeros(&fake->data, more_bytes);
		bytes_add_zeros(&fake->state, more_bytes);
	}
	for (uint64_t i = off; i < off + len; i++) {
		fake->nr_overwritten += fake->state.p[i] != 0;
		fake->state.p[i] = state;
	}
}

/* How much of [off, off + len) the disk has room for. */
static uint64_t take_room(struct fake_sink *fake, uint64_t off, uint64_t len)
{
	for (uint64_t block = off / FAKE_BLOCK; fake->room && block * FAKE_BLOCK < off + len; block++) {
		if (block >= fake->taken.len)
			bytes_add_zeros(&fake->taken, block + 1 - fake->taken.len);
		if (fake->taken.p[block])
			continue;
		if (fake->nr_taken == fake->room)
			return block * FAKE_BLOCK > off ? block * FAKE_BLOCK - off : 0;
		fake->taken.p[block] = 1;
		fake->nr_taken++;
	}
	return len;
}

static bool fails_now(struct fake_sink *fake)
{
	fake->nr_writes++;
	return fake->fail_at && (fake->nr_writes == fake->fail_at || (fake->fail_on && fake->nr_writes > fake->fail_at));
}

static int fake_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct fake_sink *fake = container_of(sink, struct fake_sink, sink);
	struct sink_event *made = event(fake, CALL_WRITE, off, len);
	uint64_t fits = take_room(fake, off, len);
	int rc = fits < len ? -ENOSPC : 0;

	memcpy(made->head, buf, min_u64(len, sizeof(made->head)));
	if (fails_now(fake)) {
		rc = fake->fail_error;
		fits = fake->partial ? len / 2 : 0;
	}
	mark(fake, off, fits, 'w');
	if (fits)
		memcpy(fake->data.p + off, buf, fits);
	return rc;
}

/* Leaves the state of the bytes as it is. */
static int fake_reserve(struct sink *sink, uint64_t off, uint64_t len)
{
	struct fake_sink *fake = container_of(sink, struct fake_sink, sink);

	event(fake, CALL_RESERVE, off, len);
	if (fails_now(fake))
		return fake->fail_error;
	return take_room(fake, off, len) < len ? -ENOSPC : 0;
}

static int fake_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	struct fake_sink *fake = container_of(sink, struct fake_sink, sink);

	event(fake, CALL_ZERO, off, len);
	mark(fake, off, len, 'z');
	return 0;
}

static int fake_sync(struct sink *sink)
{
	event(container_of(sink, struct fake_sink, sink), CALL_SYNC, 0, 0);
	return 0;
}

static int fake_commit(struct sink *sink, uint64_t size)
{
	struct fake_sink *fake = container_of(sink, struct fake_sink, sink);

	event(fake, CALL_COMMIT, 0, size);
	fake->committed = true;
	fake->size = size;
	return 0;
}

static int fake_keep(struct sink *sink, uint64_t size)
{
	struct fake_sink *fake = container_of(sink, struct fake_sink, sink);

	event(fake, CALL_KEEP, 0, size);
	fake->kept = true;
	fake->size = size;
	return 0;
}

static void fake_sink_close(struct sink *sink)
{
	event(container_of(sink, struct fake_sink, sink), CALL_CLOSE, 0, 0);
}

struct sink *fake_sink_init(struct fake_sink *fake, unsigned int caps)
{
	memset(fake, 0, sizeof(*fake));
	fake->ops = (struct sink_ops){
		.name = "fake",
		.caps = caps,
		.write = fake_write,
		.zero = fake_zero,
		.reserve = fake_reserve,
		.sync = fake_sync,
		.commit = fake_commit,
		.keep = fake_keep,
		.close = fake_sink_close,
	};
	sink_init(&fake->sink, &fake->ops);
	return &fake->sink;
}

void fake_sink_free(struct fake_sink *fake)
{
	bytes_free(&fake->data);
	bytes_free(&fake->state);
	bytes_free(&fake->taken);
	free(fake->events);
	memset(fake, 0, sizeof(*fake));
}

uint64_t fake_sink_count(const struct fake_sink *fake, uint64_t off, uint64_t len, char state)
{
	uint64_t nr = 0;

	for (uint64_t i = off; i < off + len; i++)
		nr += (i < fake->data.len ? fake->state.p[i] : 0) == state;
	return nr;
}

/* --- a log ---------------------------------------------------------------------------------------------------------- */

static void emit(struct log *log, enum log_level level, const char *line)
{
	struct fake_log *fake = container_of(log, struct fake_log, log);
	size_t len = strlen(fake->text), room = sizeof(fake->text) - len;

	fake->nr[level]++;
	if (strlen(line) + 2 <= room)
		snprintf(fake->text + len, room, "%s\n", line);
}

struct log *fake_log_init(struct fake_log *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->log.emit = emit;
	return &fake->log;
}

/* --- a header ------------------------------------------------------------------------------------------------------- */

void header_init(struct header *header, struct elf_form form, uint16_t machine)
{
	memset(header, 0, sizeof(*header));
	header->ehdr = (struct elf_ehdr){
		.form = form,
		.type = ET_CORE,
		.machine = machine,
		.version = EV_CURRENT,
		.phoff = elf_ehdr_size(form),
		.ehsize = elf_ehdr_size(form),
		.phentsize = elf_phdr_size(form),
	};
}

void header_free(struct header *header)
{
	free(header->phdrs);
	memset(header, 0, sizeof(*header));
}

void header_phdr(struct header *header, const struct elf_phdr *phdr)
{
	if (header->nr_phdrs == header->cap_phdrs) {
		header->cap_phdrs = 2 * header->cap_phdrs + 16;
		header->phdrs = more(header->phdrs, header->cap_phdrs * sizeof(*header->phdrs));
	}
	header->phdrs[header->nr_phdrs++] = *phdr;
}

void header_load(struct header *header, vaddr_t vaddr, paddr_t paddr, maddr_t off, uint64_t filesz, uint64_t memsz)
{
	struct elf_phdr phdr = {
		.type = PT_LOAD, .flags = PF_R | PF_W | PF_X, .vaddr = vaddr, .paddr = paddr, .offset = off, .filesz = filesz,
		.memsz = memsz,
	};

	header_phdr(header, &phdr);
}

void header_note(struct header *header, maddr_t off, uint64_t len, uint64_t align)
{
	struct elf_phdr phdr = { .type = PT_NOTE, .offset = off, .paddr = off, .filesz = len, .memsz = len, .align = align };

	header_phdr(header, &phdr);
}

void header_build(const struct header *header, struct bytes *ret)
{
	struct elf_ehdr ehdr = header->ehdr;
	uint8_t raw[ELF_EHDR_MAX];

	if (!header->phnum_lies)
		ehdr.phnum = header->xnum ? PN_XNUM : header->nr_phdrs;
	if (header->xnum) {
		ehdr.shoff = ehdr.phoff + (uint64_t)header->nr_phdrs * elf_phdr_size(ehdr.form);
		ehdr.shnum = 1;
		ehdr.shentsize = elf_shdr_size(ehdr.form);
	}
	need(!elf_ehdr_encode(&ehdr, raw));
	bytes_add(ret, raw, elf_ehdr_size(ehdr.form));
	for (unsigned int i = 0; i < header->nr_phdrs; i++) {
		need(!elf_phdr_encode(ehdr.form, &header->phdrs[i], raw));
		bytes_add(ret, raw, elf_phdr_size(ehdr.form));
	}
	if (header->xnum) {
		elf_shdr0_encode(ehdr.form, header->nr_phdrs, raw);
		bytes_add(ret, raw, elf_shdr_size(ehdr.form));
	}
}

/* --- a whole crashed machine ---------------------------------------------------------------------------------------- */

#define NOTE_BUFFER 512		/* larger than its content, as the kernel's are */

static void add_notes(struct wreck *wreck, struct elf_form form)
{
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		struct bytes notes = { 0 };

		if (cpu != 1)
			bytes_prstatus(&notes, form, 100 + cpu, 0x81000000 + cpu);
		bytes_add_zeros(&notes, NOTE_BUFFER - notes.len);
		fake_mem_add(&wreck->mem, WRECK_NOTES + cpu * 0x1000, notes.p, notes.len);
		header_note(&wreck->header, WRECK_NOTES + cpu * 0x1000, NOTE_BUFFER, 0);
		bytes_free(&notes);
	}
}

static void add_vmcoreinfo(struct wreck *wreck, struct elf_form form)
{
	struct bytes notes = { 0 };

	bytes_note(&notes, form.data, 4, "VMCOREINFO", 0, WRECK_VMCOREINFO, strlen(WRECK_VMCOREINFO));
	bytes_add_zeros(&notes, 4132 - notes.len);
	fake_mem_add(&wreck->mem, WRECK_NOTES + 0x3000, notes.p, notes.len);
	header_note(&wreck->header, WRECK_NOTES + 0x3000, notes.len, 0);
	bytes_free(&notes);
}

static void add_memory(struct wreck *wreck)
{
	static const char *const uts[] = { "Linux", "node-1", "6.1.0-test", "#1 SMP", "x86_64", "(none)" };
	uint8_t *p;

	fake_mem_pattern(&wreck->mem, WRECK_BACKUP, WRECK_LOW_SIZE);
	fake_mem_pattern(&wreck->mem, WRECK_RAM, WRECK_RAM_SIZE);
	fake_mem_pattern(&wreck->mem, WRECK_HIGH, WRECK_HIGH_SIZE);
	memset(fake_mem_at(&wreck->mem, WRECK_ZEROS), 0, WRECK_ZEROS_SIZE);
	p = fake_mem_at(&wreck->mem, WRECK_UTS);
	memset(p, 0, 6 * 65);
	for (unsigned int i = 0; i < ARRAY_SIZE(uts); i++)
		strcpy((char *)p + 65 * i, uts[i]);
}

void wreck_init(struct wreck *wreck, struct elf_form form, uint16_t e_machine)
{
	struct header *header = &wreck->header;
	struct bytes bytes = { 0 };

	fake_mem_init(&wreck->mem);
	header_init(header, form, e_machine);
	add_notes(wreck, form);
	add_vmcoreinfo(wreck, form);
	header_load(header, WRECK_TEXT_VADDR, WRECK_TEXT, WRECK_TEXT, WRECK_TEXT_SIZE, WRECK_TEXT_SIZE);
	header_load(header, WRECK_DIRECT + WRECK_LOW, WRECK_LOW, WRECK_BACKUP, WRECK_LOW_SIZE, WRECK_LOW_SIZE);
	header_load(header, WRECK_DIRECT + WRECK_RAM, WRECK_RAM, WRECK_RAM, WRECK_RAM_SIZE, WRECK_RAM_SIZE);
	header_load(header, WRECK_DIRECT + WRECK_HIGH, WRECK_HIGH, WRECK_HIGH, WRECK_HIGH_SIZE, WRECK_HIGH_SIZE);
	add_memory(wreck);
	header_build(header, &bytes);
	wreck->header_len = bytes.len;
	fake_mem_add(&wreck->mem, WRECK_HEADER, bytes.p, bytes.len);
	bytes_free(&bytes);
}

void wreck_free(struct wreck *wreck)
{
	fake_mem_free(&wreck->mem);
	header_free(&wreck->header);
}

void wreck_crash(struct wreck *wreck, struct crash *ret)
{
	struct crash_source source = { .mem = &wreck->mem.mem, .addr = WRECK_HEADER, .size = wreck->header_len };
	struct error err;

	if (crash_read(ret, &source, &err)) {
		fprintf(stderr, "wreck_crash: %s\n", err.text);
		abort();
	}
}
