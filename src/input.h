/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a dump comes from, opened: a chain of memory sources and the header of the crash. Two kinds: the dead kernel
 * under a capture kernel (input_live.c) and a dump of any format in files (input_file.c).
 */
#ifndef SRC_INPUT_H
#define SRC_INPUT_H

#include "elfcore/crash.h"
#include "elfcore/mem_chain.h"
#include "elfcore/mem_kdump.h"
#include "elfcore/mem_zseek.h"
#include "src/config.h"
#include "src/mem_sources.h"

/* A file and what its bytes are wrapped in, each of which is a source of its own. */
struct input_file {
	const char *path;		/* borrowed */
	struct mem_file file;
	struct mem_flat flat;
	struct mem_zseek zseek;
	struct mem *top;		/* the outermost: the bytes of the dump proper */
	bool have_file, have_flat, have_zseek;
};

struct input {
	struct mem_chain chain;		/* addressed as the segments of crash are */
	struct crash crash;
	bool is_file;			/* a core that was written before, with its own notes */

	/* storage of the sources in use */
	struct mem_devmem devmem;
	struct mem_vmcore vmcore;
	bool have_devmem, have_vmcore;
	struct input_file *files;
	unsigned int nr_files;
	struct mem_kdump *kdump;	/* NULL = the dump is an ELF core */
	struct crash vmcore_crash;	/* the header that /proc/vmcore shows, when both are in use */
};

/*
 * Under a capture kernel: read the header at elfcorehdr= through /dev/mem, or where that is refused the one of
 * /proc/vmcore, and line up the sources in the order of the configuration. -ENOENT: this is not a capture kernel.
 */
int input_live_open(struct input *in, const struct config *cfg, const char *cmdline, struct log *log, struct error *err);

/* Under a capture kernel too, but /proc/vmcore alone, header and all. */
int input_vmcore_open(struct input *in, struct log *log, struct error *err);

/*
 * The running kernel: /proc/kcore, addressed as it is, without what crashkernel= has reserved. -ENODATA: a kernel
 * before 4.19 does not show what is needed.
 */
int input_kcore_open(struct input *in, const char *path, struct log *log, struct error *err);

/*
 * A dump in a file or on a block device: an ELF core or a kdump-compressed one, plain, flattened, in zstd frames. Paths
 * are borrowed until input_close().
 */
int input_file_open(struct input *in, const char *path, struct log *log, struct error *err);

/* The same for a dump that "makedumpfile --split" wrote to several files, which come in any order. */
int input_files_open(struct input *in, char *const *paths, unsigned int nr, struct log *log, struct error *err);

/* Empty; for the functions above. */
void input_init(struct input *in);

/* The sources that a file's dump is read through, the dump's own first; NULL behind the last. */
struct mem *input_source(struct input *in, unsigned int i);

/* Release whatever is open. */
void input_close(struct input *in);

#endif
