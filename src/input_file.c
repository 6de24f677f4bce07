// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <unistd.h>

#include "elfcore/capture_note.h"
#include "src/input.h"

/* What the file is decides what it is read through. */
static int open_source(struct input *in, const char *path, struct mem **ret, struct log *log, struct error *err)
{
	int rc = mem_file_open(&in->file, path, err);

	if (rc)
		return rc;
	in->have_file = true;
	*ret = &in->file.mem;
	rc = mem_flat_open(&in->flat, &in->file, log, err);
	if (rc == -ENODEV)
		return 0;
	if (rc)
		return fail_prefix(err, "%s", path);
	in->have_flat = true;
	*ret = &in->flat.mem;
	return 0;
}

int input_file_open(struct input *in, const char *path, struct log *log, struct error *err)
{
	struct crash_source source = { .log = log };
	int rc;

	input_init(in);
	rc = open_source(in, path, &source.mem, log, err);
	if (!rc) {
		rc = crash_read(&in->crash, &source, err);
		if (rc)
			fail_prefix(err, "%s", path);
	}
	if (rc) {
		input_close(in);
		return rc;
	}
	in->is_file = true;
	capture_note_attribute_cpus(&in->crash.notes);
	return mem_chain_add(&in->chain, source.mem);
}
