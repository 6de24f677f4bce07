/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The header of a crash, parsed and normalised: what the crashed kernel (or kexec-tools) left at elfcorehdr, what
 * /proc/vmcore shows, or what a dump file begins with; 32 or 64 bit, either byte order.
 *
 * A header is not trusted. What can be rejected singly is: a PT_LOAD that wraps or lies beyond any physical address
 * is dropped and said in the log (kexec-tools on Debian 12 arm64 writes such ones), one that claims more behind its data
 * than any machine has ends there, a PT_NOTE that cannot be read is skipped, entries beyond the end of the header buffer do
 * not exist.
 */
#ifndef ELFCORE_CRASH_H
#define ELFCORE_CRASH_H

#include "elfcore/elf_codec.h"
#include "elfcore/log.h"
#include "elfcore/mem.h"
#include "elfcore/notes.h"
#include "elfcore/vmcoreinfo.h"

/*
 * More program headers than this are not read. kexec-tools writes at most 32768 ranges (CRASH_MAX_MEMORY_RANGES), our own
 * alias segments and PN_XNUM go beyond.
 */
#define CRASH_PHDRS_MAX (1U << 21)

/* One PT_LOAD. The data is at src of the source, never at paddr: kexec's backup region makes the two differ. */
struct segment {
	vaddr_t vaddr;
	paddr_t paddr;		/* PADDR_NONE = no physical address */
	maddr_t src;
	uint64_t filesz;	/* bytes at src */
	uint64_t memsz;		/* >= filesz; the rest are zeros */
	uint32_t flags;		/* PF_R, PF_W, PF_X */
	uint32_t ordinal;	/* among the PT_LOADs of the header, rejected ones counted */
};

struct crash {
	struct elf_ehdr ehdr;
	struct segment *segs;		/* in the order of the headers */
	unsigned int nr_segs, cap_segs;
	unsigned int nr_rejected;	/* program headers dropped as absurd */
	uint32_t nr_phdrs;		/* that the header has */
	uint32_t nr_note_segs;		/* PT_NOTEs among them */
	bool phys_base_known;		/* x86_64: the header of the dump says it */
	int64_t phys_base;
	unsigned int dump_level;	/* what the source was filtered by, as far as it says */
	bool partial;			/* pages inside the segments may be left out of the source: ask mem_present() */
	bool cut;			/* some of them could not be read: memory may be missing */
	struct notes notes;
	struct vmcoreinfo vmcoreinfo;	/* points into notes; len 0 = none */
};

/* Where a header lies and what is known about it from outside. */
struct crash_source {
	struct mem *mem;
	maddr_t addr;
	uint64_t size;		/* of the header, 0 = unknown */
	uint64_t max_off;	/* where the data of a PT_LOAD can end, 0 = physical memory and files end below 2^52 */
	bool unfiltered;	/* of a crash itself: each PT_LOAD has data to its end */
	bool notes_will_do;	/* there need be no memory: what is written before any is (vmcore-notes) */
	struct log *log;
};

/* -EINVAL: not a core header; -EIO and the like: header not readable. On error nothing needs to be released. */
int crash_read(struct crash *crash, const struct crash_source *source, struct error *err);
void crash_deinit(struct crash *crash);

/* For who makes a crash of something else than an ELF header: add a segment (-ENOMEM), find VMCOREINFO in the notes. */
int crash_add_segment(struct crash *crash, const struct segment *seg);
void crash_locate_vmcoreinfo(struct crash *crash);

/*
 * Take over the notes of another view of the same crash, when that one could read more of them. Their CPUs are known
 * only if none of the original PT_NOTEs was empty. Returns whether it did.
 */
bool crash_adopt_notes(struct crash *crash, struct crash *from);

/* Find where a physical address of the dead kernel lies; *len_ret is how much follows. -ENODATA: in no PT_LOAD. */
int crash_find_paddr(const struct crash *crash, paddr_t paddr, maddr_t *ret, uint64_t *len_ret);

/* The same for a virtual address that a PT_LOAD covers (direct map, kernel image); no page tables are walked. */
int crash_find_vaddr(const struct crash *crash, vaddr_t vaddr, maddr_t *ret, uint64_t *len_ret);

/* The first PT_LOAD whose data has a virtual address; NULL = none. */
const struct segment *crash_segment_at(const struct crash *crash, vaddr_t vaddr);

#endif
