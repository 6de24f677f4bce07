// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/arch.h"

#include "elfcore/elfdef.h"

extern const struct arch_ops arch_x86_64;

static const struct arch_ops *const archs[] = {
	&arch_x86_64,
};

const struct arch_ops *arch_find(uint16_t e_machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		if (archs[i]->e_machine == e_machine)
			return archs[i];
	return NULL;
}

const char *arch_machine_name(uint16_t e_machine)
{
	switch (e_machine) {
	case EM_386: return "i386";
	case EM_PPC64: return "ppc64";
	case EM_S390: return "s390x";
	case EM_ARM: return "arm";
	case EM_X86_64: return "x86_64";
	case EM_AARCH64: return "aarch64";
	case EM_RISCV: return "riscv";
	case EM_LOONGARCH: return "loongarch";
	default: return "an unknown machine";
	}
}
