// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/elf_codec.h"

#include <errno.h>
#include <string.h>

/* Where a field lies in ELF32 and in ELF64, and where in the native structure. */
struct field {
	uint8_t off32, size32;
	uint8_t off64, size64;
	uint8_t native, native_size;
};

#define FIELD(s, m, o32, s32, o64, s64) { o32, s32, o64, s64, offsetof(struct s, m), sizeof(((struct s *)0)->m) }

static const struct field ehdr_fields[] = {
	FIELD(elf_ehdr, osabi,	    7, 1,  7, 1),
	FIELD(elf_ehdr, type,	   16, 2, 16, 2),
	FIELD(elf_ehdr, machine,   18, 2, 18, 2),
	FIELD(elf_ehdr, version,   20, 4, 20, 4),
	FIELD(elf_ehdr, entry,	   24, 4, 24, 8),
	FIELD(elf_ehdr, phoff,	   28, 4, 32, 8),
	FIELD(elf_ehdr, shoff,	   32, 4, 40, 8),
	FIELD(elf_ehdr, flags,	   36, 4, 48, 4),
	FIELD(elf_ehdr, ehsize,	   40, 2, 52, 2),
	FIELD(elf_ehdr, phentsize, 42, 2, 54, 2),
	FIELD(elf_ehdr, phnum,	   44, 2, 56, 2),
	FIELD(elf_ehdr, shentsize, 46, 2, 58, 2),
	FIELD(elf_ehdr, shnum,	   48, 2, 60, 2),
	FIELD(elf_ehdr, shstrndx,  50, 2, 62, 2),
};

static const struct field phdr_fields[] = {
	FIELD(elf_phdr, type,	 0, 4,	0, 4),
	FIELD(elf_phdr, offset,	 4, 4,	8, 8),
	FIELD(elf_phdr, vaddr,	 8, 4, 16, 8),
	FIELD(elf_phdr, paddr,	12, 4, 24, 8),
	FIELD(elf_phdr, filesz, 16, 4, 32, 8),
	FIELD(elf_phdr, memsz,	20, 4, 40, 8),
	FIELD(elf_phdr, flags,	24, 4,	4, 4),
	FIELD(elf_phdr, align,	28, 4, 48, 8),
};

size_t elf_ehdr_size(struct elf_form form)
{
	return form.class == ELFCLASS64 ? 64 : 52;
}

size_t elf_phdr_size(struct elf_form form)
{
	return form.class == ELFCLASS64 ? 56 : 32;
}

size_t elf_shdr_size(struct elf_form form)
{
	return form.class == ELFCLASS64 ? 64 : 40;
}

uint64_t elf_get(uint8_t data, const void *p, size_t size)
{
	const uint8_t *b = p;
	uint64_t value = 0;

	/* Nearly all that is ever asked for. */
	if (data == ELFDATA_HOST && size == 8)
		return load_64(p);
	if (data == ELFDATA_HOST && size == 4)
		return load_32(p);
	for (size_t i = 0; i < size; i++)
		value = value << 8 | b[data == ELFDATA2LSB ? size - 1 - i : i];
	return value;
}

void elf_put(uint8_t data, void *p, size_t size, uint64_t value)
{
	uint8_t *b = p;

	for (size_t i = 0; i < size; i++, value >>= 8)
		b[data == ELFDATA2LSB ? i : size - 1 - i] = value;
}

static uint64_t native_get(const void *base, const struct field *f)
{
	const void *p = (const char *)base + f->native;

	switch (f->native_size) {
	case 1: return *(const uint8_t *)p;
	case 2: return *(const uint16_t *)p;
	case 4: return *(const uint32_t *)p;
	default: return *(const uint64_t *)p;
	}
}

static void native_put(void *base, const struct field *f, uint64_t value)
{
	void *p = (char *)base + f->native;

	switch (f->native_size) {
	case 1: *(uint8_t *)p = value; break;
	case 2: *(uint16_t *)p = value; break;
	case 4: *(uint32_t *)p = value; break;
	default: *(uint64_t *)p = value; break;
	}
}

static void decode(const struct field *fields, size_t nr, struct elf_form form, const void *buf, void *ret)
{
	bool wide = form.class == ELFCLASS64;

	for (const struct field *f = fields; f < fields + nr; f++)
		native_put(ret, f, elf_get(form.data, (const char *)buf + (wide ? f->off64 : f->off32),
					   wide ? f->size64 : f->size32));
}

static int encode(const struct field *fields, size_t nr, struct elf_form form, const void *native, void *buf)
{
	bool wide = form.class == ELFCLASS64;

	for (const struct field *f = fields; f < fields + nr; f++) {
		size_t size = wide ? f->size64 : f->size32;
		uint64_t value = native_get(native, f);

		if (size < 8 && value >> (8 * size))
			return -EOVERFLOW;
		elf_put(form.data, (char *)buf + (wide ? f->off64 : f->off32), size, value);
	}
	return 0;
}

int elf_ehdr_decode(const void *buf, struct elf_ehdr *ret, struct error *err)
{
	const uint8_t *ident = buf;

	if (memcmp(ident, "\177ELF", 4))
		return fail(err, -EINVAL, "no ELF magic, found %02x %02x %02x %02x", ident[0], ident[1], ident[2], ident[3]);
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return fail(err, -EINVAL, "ELF class %u is neither 32 nor 64 bit", ident[EI_CLASS]);
	if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)
		return fail(err, -EINVAL, "ELF byte order %u is neither little nor big endian", ident[EI_DATA]);
	if (ident[EI_VERSION] != EV_CURRENT)
		return fail(err, -EINVAL, "ELF version %u is not 1", ident[EI_VERSION]);
	memset(ret, 0, sizeof(*ret));
	ret->form = (struct elf_form){ ident[EI_CLASS], ident[EI_DATA] };
	decode(ehdr_fields, ARRAY_SIZE(ehdr_fields), ret->form, buf, ret);
	return 0;
}

int elf_ehdr_encode(const struct elf_ehdr *ehdr, void *buf)
{
	uint8_t *ident = buf;

	memset(buf, 0, elf_ehdr_size(ehdr->form));
	memcpy(ident, "\177ELF", 4);
	ident[EI_CLASS] = ehdr->form.class;
	ident[EI_DATA] = ehdr->form.data;
	ident[EI_VERSION] = EV_CURRENT;
	return encode(ehdr_fields, ARRAY_SIZE(ehdr_fields), ehdr->form, ehdr, buf);
}

void elf_phdr_decode(struct elf_form form, const void *buf, struct elf_phdr *ret)
{
	decode(phdr_fields, ARRAY_SIZE(phdr_fields), form, buf, ret);
	if (form.class == ELFCLASS32 && ret->paddr == UINT32_MAX)
		ret->paddr = PADDR_NONE;
}

int elf_phdr_encode(struct elf_form form, const struct elf_phdr *phdr, void *buf)
{
	struct elf_phdr copy = *phdr;

	if (form.class == ELFCLASS32 && copy.paddr == PADDR_NONE)
		copy.paddr = UINT32_MAX;
	return encode(phdr_fields, ARRAY_SIZE(phdr_fields), form, &copy, buf);
}

void elf_nhdr_decode(uint8_t data, const void *buf, struct elf_nhdr *ret)
{
	const uint8_t *b = buf;

	ret->namesz = elf_get(data, b, 4);
	ret->descsz = elf_get(data, b + 4, 4);
	ret->type = elf_get(data, b + 8, 4);
}

void elf_nhdr_encode(uint8_t data, const struct elf_nhdr *nhdr, void *buf)
{
	uint8_t *b = buf;

	elf_put(data, b, 4, nhdr->namesz);
	elf_put(data, b + 4, 4, nhdr->descsz);
	elf_put(data, b + 8, 4, nhdr->type);
}

/* sh_info follows sh_name, type, flags, addr, offset, size and link. */
static size_t shdr_info_offset(struct elf_form form)
{
	return form.class == ELFCLASS64 ? 44 : 28;
}

void elf_shdr0_encode(struct elf_form form, uint32_t nr_phdrs, void *buf)
{
	memset(buf, 0, elf_shdr_size(form));
	elf_put(form.data, (char *)buf + shdr_info_offset(form), 4, nr_phdrs);
}

uint32_t elf_shdr0_info(struct elf_form form, const void *buf)
{
	return elf_get(form.data, (const char *)buf + shdr_info_offset(form), 4);
}
