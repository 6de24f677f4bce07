// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/input.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void input_init(struct input *in)
{
	memset(in, 0, sizeof(*in));
	mem_chain_init(&in->chain, getpagesize());
}

struct mem *input_source(struct input *in, unsigned int i)
{
	if (in->kdump && i-- == 0)
		return &in->kdump->mem;
	for (unsigned int j = 0; j < in->nr_files; j++) {
		struct input_file *file = &in->files[j];

		if (file->have_zseek && i-- == 0)
			return &file->zseek.mem;
		if (file->have_flat && i-- == 0)
			return &file->flat.mem;
		if (file->have_file && i-- == 0)
			return &file->file.mem;
	}
	return NULL;
}

void input_close(struct input *in)
{
	crash_deinit(&in->crash);
	crash_deinit(&in->vmcore_crash);
	if (in->have_devmem)
		mem_close(&in->devmem.mem);
	if (in->have_vmcore)
		mem_close(&in->vmcore.mem);
	if (in->kdump)
		mem_close(&in->kdump->mem);
	free(in->kdump);
	for (unsigned int i = 0; i < in->nr_files; i++) {
		if (in->files[i].have_zseek)
			mem_close(&in->files[i].zseek.mem);
		if (in->files[i].have_flat)
			mem_close(&in->files[i].flat.mem);
		if (in->files[i].have_file)
			mem_close(&in->files[i].file.mem);
	}
	free(in->files);
	memset(in, 0, sizeof(*in));
}
