// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <unistd.h>

#include "elfcore/capture_note.h"
#include "src/input.h"

int input_file_open(struct input *in, const char *path, struct log *log, struct error *err)
{
	struct crash_source source = { .mem = &in->file.mem, .log = log };
	int rc;

	memset(in, 0, sizeof(*in));
	mem_chain_init(&in->chain, getpagesize());
	rc = mem_file_open(&in->file, path, err);
	if (rc)
		return rc;
	rc = crash_read(&in->crash, &source, err);
	if (rc) {
		mem_close(&in->file.mem);
		return fail_prefix(err, "%s", path);
	}
	in->have_file = in->is_file = true;
	capture_note_attribute_cpus(&in->crash.notes);
	return mem_chain_add(&in->chain, &in->file.mem);
}
