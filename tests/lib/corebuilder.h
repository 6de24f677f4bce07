/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What unit tests need to make a crash in memory: headers and notes of either class and byte order, lies on request; a
 * source of memory that refuses what it is told to refuse; a sink that remembers everything; a log that can be read.
 * Everything ends in abort() when a test itself is wrong.
 */
#ifndef TESTS_LIB_COREBUILDER_H
#define TESTS_LIB_COREBUILDER_H

#include <stdbool.h>

#include "elfcore/crash.h"
#include "elfcore/sink.h"

extern const struct elf_form FORMS[4];	/* ELF64 LE first, then ELF64 BE, ELF32 LE, ELF32 BE */

/* --- bytes that grow ------------------------------------------------------------------------------------------------ */

struct bytes {
	uint8_t *p;
	size_t len, cap;
};

void bytes_add(struct bytes *bytes, const void *p, size_t len);
void bytes_add_zeros(struct bytes *bytes, size_t len);
void bytes_free(struct bytes *bytes);

/* One note, padded to align. */
void bytes_note(struct bytes *bytes, uint8_t data, unsigned int align, const char *name, uint32_t type, const void *desc,
		size_t descsz);

/* A note header and nothing behind it: namesz and descsz say what they like. */
void bytes_nhdr(struct bytes *bytes, uint8_t data, uint32_t namesz, uint32_t descsz, uint32_t type);

/* An NT_PRSTATUS of x86_64 (ELF64, 336 bytes) or i386 (144 bytes); ip goes to the place of the instruction pointer. */
void bytes_prstatus(struct bytes *bytes, struct elf_form form, uint32_t pid, uint64_t ip);

/* --- a source of memory --------------------------------------------------------------------------------------------- */

struct request {
	maddr_t addr;
	size_t len;
	int rc;
};

struct fake_mem {
	struct mem mem;
	struct { maddr_t addr; struct bytes bytes; } pieces[64];
	unsigned int nr_pieces;
	struct { maddr_t start, end; int error; } refused[64];
	unsigned int nr_refused;
	struct request *requests;	/* every read so far */
	unsigned int nr_requests, cap_requests;
	unsigned int fail_at;		/* the read with this number (from 1) fails; 0 = none */
	int fail_error;
	bool in_place;			/* look() works; what is refused faults when everything before has been looked at */
	unsigned int nr_looks;
};

void fake_mem_init(struct fake_mem *fake);
void fake_mem_free(struct fake_mem *fake);

/* Memory that is there, copied; pieces are asked in the order of their making, and reads may not leave a piece. */
void fake_mem_add(struct fake_mem *fake, maddr_t addr, const void *p, size_t len);

/* Memory of pattern_fill(). */
void fake_mem_pattern(struct fake_mem *fake, maddr_t addr, size_t len);

/* The bytes behind an address, to be changed by the test. */
uint8_t *fake_mem_at(struct fake_mem *fake, maddr_t addr);

/* Every read that touches [start, end) fails with error. */
void fake_mem_refuse(struct fake_mem *fake, maddr_t start, maddr_t end, int error);

/* Bytes that tell their own address and are never zero. */
void pattern_fill(void *buf, maddr_t addr, size_t len);
bool pattern_is(const void *buf, maddr_t addr, size_t len);

/* --- a sink --------------------------------------------------------------------------------------------------------- */

enum sink_call { CALL_WRITE, CALL_ZERO, CALL_RESERVE, CALL_SYNC, CALL_COMMIT, CALL_KEEP, CALL_CLOSE };

struct sink_event {
	enum sink_call call;
	uint64_t off, len;
	uint8_t head[64];	/* of what was written */
};

#define FAKE_BLOCK 4096

struct fake_sink {
	struct sink sink;
	struct bytes data;		/* what a file would hold, never-written parts are zeros */
	struct bytes state;		/* by byte of data: 'w' written, 'z' zeroed, 0 neither */
	struct sink_event *events;
	unsigned int nr_events, cap_events;
	unsigned int nr_writes;
	uint64_t nr_overwritten;	/* bytes written or zeroed again */
	unsigned int fail_at;		/* the write with this number (from 1) fails, and with fail_on all later ones */
	bool fail_on;
	int fail_error;
	bool partial;			/* a failing write leaves half of its bytes */
	unsigned int room;		/* blocks of FAKE_BLOCK bytes that it has for all that is not a hole, 0 = no end of them */
	struct bytes taken;		/* by block, with room: it is no hole */
	unsigned int nr_taken;
	struct sink_ops ops;
	bool committed, kept;
	uint64_t size;			/* as commit or keep said */
};

struct sink *fake_sink_init(struct fake_sink *fake, unsigned int caps);
void fake_sink_free(struct fake_sink *fake);

/* The number of bytes in [off, off + len) with this state. */
uint64_t fake_sink_count(const struct fake_sink *fake, uint64_t off, uint64_t len, char state);

/* --- a log ---------------------------------------------------------------------------------------------------------- */

struct fake_log {
	struct log log;
	unsigned int nr[4];		/* by level */
	char text[16384];		/* lines, each with a newline; what does not fit is dropped */
};

struct log *fake_log_init(struct fake_log *fake);

/* --- a header ------------------------------------------------------------------------------------------------------- */

struct header {
	struct elf_ehdr ehdr;		/* phnum is set by header_build() unless it lies */
	bool phnum_lies;
	bool xnum;			/* say PN_XNUM and put the number into section header 0 behind the program headers */
	struct elf_phdr *phdrs;
	unsigned int nr_phdrs, cap_phdrs;
};

void header_init(struct header *header, struct elf_form form, uint16_t machine);
void header_free(struct header *header);
void header_phdr(struct header *header, const struct elf_phdr *phdr);
void header_load(struct header *header, vaddr_t vaddr, paddr_t paddr, maddr_t off, uint64_t filesz, uint64_t memsz);
void header_note(struct header *header, maddr_t off, uint64_t len, uint64_t align);
void header_build(const struct header *header, struct bytes *ret);

/* --- a whole crashed machine ---------------------------------------------------------------------------------------- */

/*
 * Physical memory with a header at WRECK_HEADER, as kexec-tools leaves it: three CPUs, of which the one in the middle
 * was offline; VMCOREINFO; the kernel's text inside RAM 1; low memory in a backup region, of odd size.
 */
#define WRECK_HEADER 0x2000000ULL
#define WRECK_NOTES 0x2010000ULL
#define WRECK_BACKUP 0x2061000ULL
#define WRECK_LOW 0x1000ULL
#define WRECK_LOW_SIZE 0x4c00ULL
#define WRECK_RAM 0x100000ULL
#define WRECK_RAM_SIZE 0x40000ULL
#define WRECK_TEXT 0x110000ULL
#define WRECK_TEXT_SIZE 0x8000ULL
#define WRECK_HIGH 0x800000ULL
#define WRECK_HIGH_SIZE 0x8000ULL
#define WRECK_DIRECT 0x80000000ULL	/* virtual address of physical 0 */
#define WRECK_TEXT_VADDR 0xd0000000ULL
#define WRECK_ZEROS 0x104000ULL	/* four pages that are zero */
#define WRECK_ZEROS_SIZE 0x4000ULL
#define WRECK_BYTES (WRECK_LOW_SIZE + WRECK_RAM_SIZE + WRECK_HIGH_SIZE)

#define WRECK_VMCOREINFO "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=80108000\n" \
	"OFFSET(uts_namespace.name)=8\nKERNELOFFSET=1f000000\nCRASHTIME=1763691917\n"
#define WRECK_UTS 0x108008ULL		/* struct new_utsname, in RAM 1 */

struct wreck {
	struct fake_mem mem;
	struct header header;
	size_t header_len;
};

void wreck_init(struct wreck *wreck, struct elf_form form, uint16_t e_machine);
void wreck_free(struct wreck *wreck);

/* crash_read() of it; aborts when that fails. */
void wreck_crash(struct wreck *wreck, struct crash *ret);

#endif
