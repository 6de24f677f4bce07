// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/small_kernel.h"

#include <stdlib.h>
#include <string.h>

void small_kernel_init(struct small_kernel *small, vaddr_t vaddr, size_t size, const char *info)
{
	uint8_t *zeros = calloc(1, size);

	memset(small, 0, sizeof(*small));
	fake_mem_init(&small->mem);
	fake_mem_add(&small->mem, 0, zeros, size);
	free(zeros);
	small->seg = (struct segment){ .vaddr = vaddr, .filesz = size, .memsz = size };
	small->crash.ehdr.form = (struct elf_form){ ELFCLASS64, ELFDATA2LSB };
	small->crash.ehdr.machine = EM_X86_64;
	small->crash.segs = &small->seg;
	small->crash.nr_segs = 1;
	if (info)
		small->crash.vmcoreinfo = (struct vmcoreinfo){ info, strlen(info) };
	small->kernel.crash = &small->crash;
	small->kernel.mem = &small->mem.mem;
}

void small_kernel_put(struct small_kernel *small, size_t off, size_t size, uint64_t value)
{
	elf_put(ELFDATA2LSB, fake_mem_at(&small->mem, off), size, value);
}
