// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/input.h"

#include <string.h>
#include <unistd.h>

void input_init(struct input *in)
{
	memset(in, 0, sizeof(*in));
	mem_chain_init(&in->chain, getpagesize());
}

void input_close(struct input *in)
{
	crash_deinit(&in->crash);
	crash_deinit(&in->vmcore_crash);
	if (in->have_devmem)
		mem_close(&in->devmem.mem);
	if (in->have_vmcore)
		mem_close(&in->vmcore.mem);
	if (in->have_flat)
		mem_close(&in->flat.mem);
	if (in->have_file)
		mem_close(&in->file.mem);
	memset(in, 0, sizeof(*in));
}
