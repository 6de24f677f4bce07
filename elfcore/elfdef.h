/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ELF numbers that a core needs, by their standard names (System V gABI, include/uapi/linux/elf.h): klibc's elf.h
 * lacks several of them. Not to be included together with <elf.h>.
 */
#ifndef ELFCORE_ELFDEF_H
#define ELFCORE_ELFDEF_H

#define EI_NIDENT 16
#define EI_CLASS 4
#define EI_DATA 5
#define EI_VERSION 6
#define EI_OSABI 7

#define ELFCLASS32 1
#define ELFCLASS64 2
#define ELFDATA2LSB 1
#define ELFDATA2MSB 2

/* Not of the format: the byte order that this program is built for. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ELFDATA_HOST ELFDATA2LSB
#else
#define ELFDATA_HOST ELFDATA2MSB
#endif
#define EV_CURRENT 1

#define ET_CORE 4

#define EM_NONE 0
#define EM_386 3
#define EM_MIPS 8
#define EM_PPC 20
#define EM_PPC64 21
#define EM_S390 22
#define EM_ARM 40
#define EM_IA_64 50
#define EM_X86_64 62
#define EM_AARCH64 183
#define EM_RISCV 243
#define EM_LOONGARCH 258

#define PT_NULL 0
#define PT_LOAD 1
#define PT_NOTE 4

#define PF_X 1
#define PF_W 2
#define PF_R 4

/* e_phnum of a file with 65,535 or more headers; the real number is sh_info of section header 0. */
#define PN_XNUM 0xffff

#define NT_PRSTATUS 1
#define NT_VMCOREDD 0x700	/* device dump of a driver (fs/proc/vmcore.c) */

/* e_flags of a core whose writer did not finish (makedumpfile's DUMP_ELF_INCOMPLETE, honoured by crash). */
#define EF_DUMP_INCOMPLETE 0x1

#endif
