/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers of a dump. They are all 64 bit wide and never mixed: the name of the type says which space a number lives in.
 *
 *   paddr_t  physical address as the dead kernel knew it (p_paddr)
 *   vaddr_t  kernel virtual address of the dead kernel (p_vaddr)
 *   pfn_t    page frame number, paddr / page size
 *   maddr_t  address inside a memory source: where the bytes really are (p_offset). For /dev/mem it is a physical
 *            address, for an ELF file or /proc/vmcore a file offset.
 */
#ifndef ELFCORE_TYPES_H
#define ELFCORE_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t;
typedef uint64_t vaddr_t;
typedef uint64_t pfn_t;
typedef uint64_t maddr_t;

/* p_paddr of a PT_LOAD that has no physical address, as in /proc/kcore (fs/proc/kcore.c). */
#define PADDR_NONE UINT64_MAX

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#ifndef container_of
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#endif

/* Words at any address: a copy of fixed size is how C spells an unaligned load. */
static inline uint32_t load_32(const void *p)
{
	uint32_t word;

	__builtin_memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint64_t load_64(const void *p)
{
	uint64_t word;

	__builtin_memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint64_t round_down(uint64_t n, uint64_t unit)
{
	return n - n % unit;
}

/* The caller has checked that n + unit does not wrap. */
static inline uint64_t round_up(uint64_t n, uint64_t unit)
{
	return round_down(n + unit - 1, unit);
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif
