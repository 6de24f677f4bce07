/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a dump comes from, opened: a chain of memory sources and the header of the crash. Two kinds: the dead kernel
 * under a capture kernel (input_live.c) and a core in a file (input_file.c).
 */
#ifndef SRC_INPUT_H
#define SRC_INPUT_H

#include "elfcore/crash.h"
#include "elfcore/mem_chain.h"
#include "src/config.h"
#include "src/mem_sources.h"

struct input {
	struct mem_chain chain;		/* addressed as the segments of crash are */
	struct crash crash;
	bool is_file;			/* a core that was written before, with its own notes */

	/* storage of the sources in use */
	struct mem_devmem devmem;
	struct mem_vmcore vmcore;
	struct mem_file file;
	struct mem_flat flat;
	bool have_devmem, have_vmcore, have_file, have_flat;
	struct crash vmcore_crash;	/* the header that /proc/vmcore shows, when both are in use */
};

/*
 * Under a capture kernel: read the header at elfcorehdr= through /dev/mem, or where that is refused the one of
 * /proc/vmcore, and line up the sources in the order of the configuration. -ENOENT: this is not a capture kernel.
 */
int input_live_open(struct input *in, const struct config *cfg, const char *cmdline, struct log *log, struct error *err);

/* A core file, plain or flattened, or a block device that a dump was written to. */
int input_file_open(struct input *in, const char *path, struct log *log, struct error *err);

/* Empty; for the two functions above. */
void input_init(struct input *in);

/* Release whatever is open. */
void input_close(struct input *in);

#endif
