/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF headers as native structures: the one place that knows that there are two classes and two byte orders.
 *
 * Decoding widens ELF32 to 64 bit; encoding narrows and refuses (-EOVERFLOW) what does not fit. An ELF32 p_paddr of
 * all ones becomes PADDR_NONE.
 */
#ifndef ELFCORE_ELF_CODEC_H
#define ELFCORE_ELF_CODEC_H

#include <stdbool.h>

#include "elfcore/elfdef.h"
#include "elfcore/error.h"
#include "elfcore/types.h"

#define ELF_EHDR_MAX 64		/* bytes of the larger of the two */
#define ELF_PHDR_MAX 56
#define ELF_SHDR_MAX 64
#define ELF_NHDR_SIZE 12	/* the same in both classes */

/* Class and byte order: what is needed to read anything else. */
struct elf_form {
	uint8_t class;		/* ELFCLASS32 or ELFCLASS64 */
	uint8_t data;		/* ELFDATA2LSB or ELFDATA2MSB */
};

struct elf_ehdr {
	struct elf_form form;
	uint8_t osabi;
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t phoff;
	uint64_t shoff;
	uint32_t flags;
	uint16_t ehsize;
	uint16_t phentsize;
	uint16_t phnum;
	uint16_t shentsize;
	uint16_t shnum;
	uint16_t shstrndx;
};

struct elf_phdr {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};

struct elf_nhdr {
	uint32_t namesz;
	uint32_t descsz;
	uint32_t type;
};

size_t elf_ehdr_size(struct elf_form form);
size_t elf_phdr_size(struct elf_form form);
size_t elf_shdr_size(struct elf_form form);

/* Unsigned integer of 1, 2, 4 or 8 bytes in the byte order of data. */
uint64_t elf_get(uint8_t data, const void *p, size_t size);
void elf_put(uint8_t data, void *p, size_t size, uint64_t value);

/* Magic, class, byte order and version are checked (-EINVAL), nothing else. buf has ELF_EHDR_MAX bytes. */
int elf_ehdr_decode(const void *buf, struct elf_ehdr *ret, struct error *err);
int elf_ehdr_encode(const struct elf_ehdr *ehdr, void *buf);

void elf_phdr_decode(struct elf_form form, const void *buf, struct elf_phdr *ret);
int elf_phdr_encode(struct elf_form form, const struct elf_phdr *phdr, void *buf);

void elf_nhdr_decode(uint8_t data, const void *buf, struct elf_nhdr *ret);
void elf_nhdr_encode(uint8_t data, const struct elf_nhdr *nhdr, void *buf);

/* Section header 0 of a file with PN_XNUM: all zero but sh_info (and sh_size = 0). */
void elf_shdr0_encode(struct elf_form form, uint32_t nr_phdrs, void *buf);
uint32_t elf_shdr0_info(struct elf_form form, const void *buf);

#endif
