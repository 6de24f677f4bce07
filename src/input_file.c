// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a file is decides what it is read through: first the wrappers that its bytes are in, whichever come, then the
 * format of the dump. Each looks at the content and says -ENODEV for "not mine".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/capture_note.h"
#include "elfcore/kdump_crash.h"
#include "src/input.h"

static int try_flat(struct input_file *file, struct log *log, struct error *err)
{
	int rc = file->have_flat ? -ENODEV : mem_flat_open(&file->flat, file->top, log, err);

	if (rc)
		return rc;
	file->have_flat = true;
	file->top = &file->flat.mem;
	return 0;
}

static int try_zseek(struct input_file *file, struct log *log, struct error *err)
{
	int rc = file->have_zseek ? -ENODEV : mem_zseek_open(&file->zseek, file->top, log, err);

	if (rc)
		return rc;
	file->have_zseek = true;
	file->top = &file->zseek.mem;
	return 0;
}

/* Each at most once, so their nesting ends. */
static int (*const wrappers[])(struct input_file *file, struct log *log, struct error *err) = {
	try_flat,
	try_zseek,
};

static int unwrap(struct input_file *file, struct log *log, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrappers);) {
		int rc = wrappers[i](file, log, err);

		if (rc && rc != -ENODEV)
			return fail_prefix(err, "%s", file->path);
		i = rc ? i + 1 : 0;
	}
	return 0;
}

static int open_files(struct input *in, char *const *paths, unsigned int nr, struct log *log, struct error *err)
{
	int rc = 0;

	in->files = calloc(nr, sizeof(*in->files));
	if (!in->files)
		return fail(err, -ENOMEM, "no memory for %u files", nr);
	for (; in->nr_files < nr && !rc; in->nr_files++) {
		struct input_file *file = &in->files[in->nr_files];

		file->path = paths[in->nr_files];
		rc = mem_file_open(&file->file, file->path, err);
		if (rc)
			break;
		file->have_file = true;
		file->top = &file->file.mem;
		rc = unwrap(file, log, err);
	}
	return rc;
}

static int try_kdump(struct input *in, struct mem **ret, struct log *log, struct error *err)
{
	struct kdump_file files[KDUMP_PIECES_MAX];
	struct mem_kdump *kdump;
	int rc;

	if (in->nr_files > KDUMP_PIECES_MAX)
		return fail(err, -EINVAL, "%u pieces are more than %u", in->nr_files, KDUMP_PIECES_MAX);
	for (unsigned int i = 0; i < in->nr_files; i++)
		files[i] = (struct kdump_file){ in->files[i].top, in->files[i].path };
	kdump = malloc(sizeof(*kdump));
	if (!kdump)
		return fail(err, -ENOMEM, "%s: no memory for a kdump file", in->files[0].path);
	rc = mem_kdump_open(kdump, files, in->nr_files, log, err);
	if (rc) {
		free(kdump);
		return rc;
	}
	in->kdump = kdump;
	*ret = &kdump->mem;
	rc = kdump_crash(&in->crash, kdump, log, err);
	return rc ? fail_prefix(err, "%s", in->files[0].path) : 0;
}

static int try_elf(struct input *in, struct mem **ret, struct log *log, struct error *err)
{
	struct crash_source source = { .mem = in->files[0].top, .notes_will_do = true, .log = log };
	int rc = crash_read(&in->crash, &source, err);

	*ret = source.mem;
	if (rc)
		return fail_prefix(err, "%s", in->files[0].path);
	if (in->nr_files > 1)
		return fail(err, -EINVAL, "%s is an ELF core, no piece of a split dump", in->files[0].path);
	return 0;
}

/* ELF is last: what is nothing else is judged by its rules. */
static int (*const formats[])(struct input *in, struct mem **ret, struct log *log, struct error *err) = {
	try_kdump,
	try_elf,
};

int input_files_open(struct input *in, char *const *paths, unsigned int nr, struct log *log, struct error *err)
{
	struct mem *mem = NULL;
	int rc;

	input_init(in);
	rc = open_files(in, paths, nr, log, err);
	if (!rc) {
		rc = -ENODEV;
		for (size_t i = 0; i < ARRAY_SIZE(formats) && rc == -ENODEV; i++)
			rc = formats[i](in, &mem, log, err);
	}
	if (rc) {
		input_close(in);
		return rc;
	}
	in->is_file = true;
	capture_note_attribute_cpus(&in->crash.notes);
	return mem_chain_add(&in->chain, mem);
}

int input_file_open(struct input *in, const char *path, struct log *log, struct error *err)
{
	return input_files_open(in, (char *const *)&path, 1, log, err);
}
