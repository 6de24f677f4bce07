// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "elfcore/elfcorehdr.h"
#include "src/input.h"

static bool wanted(const struct config *cfg, enum source_kind kind)
{
	for (unsigned int i = 0; i < cfg->nr_sources; i++)
		if (cfg->sources[i] == kind)
			return true;
	return false;
}

/* The header where the crashed kernel left it. */
static int read_elfcorehdr(struct input *in, const char *cmdline, struct log *log, struct error *err)
{
	struct crash_source source = { .mem = &in->devmem.mem, .unfiltered = true, .log = log };
	struct elfcorehdr hdr;
	int rc = elfcorehdr_parse(cmdline, &hdr, err);

	if (rc)
		return rc;
	rc = mem_devmem_open(&in->devmem, err);
	if (rc)
		return rc;
	source.addr = hdr.addr;
	source.size = hdr.size;
	rc = crash_read(&in->crash, &source, err);
	if (rc) {
		mem_close(&in->devmem.mem);
		return rc;
	}
	in->have_devmem = true;
	return 0;
}

static int open_vmcore(struct input *in, struct crash *crash, struct log *log, struct error *err)
{
	struct crash_source source = { .mem = &in->vmcore.mem, .unfiltered = true, .log = log };
	int rc = mem_vmcore_open(&in->vmcore, err);

	if (rc)
		return rc;
	rc = crash_read(crash, &source, err);
	if (rc) {
		mem_close(&in->vmcore.mem);
		return fail_prefix(err, "/proc/vmcore");
	}
	in->have_vmcore = true;
	return 0;
}

/* /proc/vmcore beside /dev/mem, in the same address space. Without it, /dev/mem goes alone. */
static void add_translated_vmcore(struct input *in, struct log *log)
{
	struct error err;

	if (open_vmcore(in, &in->vmcore_crash, NULL, &err)) {
		log_warn(log, "no second source: %s", err.text);
		return;
	}
	if (!mem_vmcore_translate(&in->vmcore, &in->crash, &in->vmcore_crash, &err)) {
		/* The notes may lie in pages that /dev/mem refuses. */
		if (in->crash.notes.nr_broken && crash_adopt_notes(&in->crash, &in->vmcore_crash))
			log_info(log, "the notes are taken from /proc/vmcore instead");
		return;
	}
	log_warn(log, "no second source: %s", err.text);
	crash_deinit(&in->vmcore_crash);
	mem_close(&in->vmcore.mem);
	in->have_vmcore = false;
}

/* /dev/mem refuses a part of the header, /proc/vmcore may show all of it: then it is the only source. */
static void prefer_whole_header(struct input *in, struct log *log)
{
	struct crash whole;
	struct error err;

	if (open_vmcore(in, &whole, NULL, &err)) {
		log_warn(log, "no second source: %s", err.text);
		return;
	}
	if (whole.cut) {
		crash_deinit(&whole);
		mem_close(&in->vmcore.mem);
		in->have_vmcore = false;
		return;
	}
	log_info(log, "the header in /proc/vmcore is whole: everything is read from there");
	crash_deinit(&in->crash);
	in->crash = whole;
	mem_close(&in->devmem.mem);
	in->have_devmem = false;
}

static void line_up(struct input *in, const struct config *cfg)
{
	for (unsigned int i = 0; i < cfg->nr_sources; i++) {
		if (cfg->sources[i] == SOURCE_DEVMEM && in->have_devmem)
			mem_chain_add(&in->chain, &in->devmem.mem);
		if (cfg->sources[i] == SOURCE_VMCORE && in->have_vmcore)
			mem_chain_add(&in->chain, &in->vmcore.mem);
	}
}

int input_vmcore_open(struct input *in, struct log *log, struct error *err)
{
	int rc;

	input_init(in);
	rc = open_vmcore(in, &in->crash, log, err);
	return rc ? rc : mem_chain_add(&in->chain, &in->vmcore.mem);
}

int input_live_open(struct input *in, const struct config *cfg, const char *cmdline, struct log *log, struct error *err)
{
	struct error other;
	int rc = fail(err, -ENODATA, "/dev/mem is not among the configured sources");

	input_init(in);
	if (wanted(cfg, SOURCE_DEVMEM))
		rc = read_elfcorehdr(in, cmdline, log, err);
	if (!rc && in->crash.cut && wanted(cfg, SOURCE_VMCORE))
		prefer_whole_header(in, log);
	else if (!rc && wanted(cfg, SOURCE_VMCORE))
		add_translated_vmcore(in, log);
	if (rc && wanted(cfg, SOURCE_VMCORE)) {
		log_warn(log, "%s; trying /proc/vmcore alone", err->text);
		rc = open_vmcore(in, &in->crash, log, &other);
		if (rc)
			rc = fail(err, rc, "%.120s; %.120s", err->text, other.text);
	}
	if (rc) {
		input_close(in);
		return rc;
	}
	line_up(in, cfg);
	return 0;
}
