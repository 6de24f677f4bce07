// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/notes_file.h"

#include <errno.h>
#include <string.h>

#include "elfcore/core_elf.h"

int notes_file_write(struct sink *sink, const struct crash *crash, struct error *err)
{
	static struct core_elf elf;
	struct core *core = core_elf_init(&elf, NULL, NULL);
	struct plan plan = { .crash = crash, .form = { .class = crash->ehdr.form.class, .data = crash->ehdr.form.data },
			     .page_size = 4096 };
	const struct holes none = { 0 };
	const struct core_result result = { .holes = &none };
	int rc = core->ops->plan(core, &plan, err);

	if (!rc)
		rc = core->ops->begin(core, sink, err);
	if (!rc)
		rc = core->ops->end(core, &result, err);
	if (rc)
		return rc;
	rc = sink_commit(sink, plan.file_size);
	return rc ? fail(err, rc, "%s", strerror(-rc)) : 0;
}
