/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One dump, from an opened input to a committed output.
 */
#ifndef SRC_CAPTURE_H
#define SRC_CAPTURE_H

#include "elfcore/core.h"
#include "elfcore/kernel.h"
#include "elfcore/plan.h"
#include "src/input.h"
#include "src/progress.h"

/* Who takes the bytes. open() is called when the dump's identity and size are known, close() in any case after it. */
struct output {
	int (*open)(struct output *out, const struct kernel *kernel, const struct plan *plan, struct sink **ret,
		    struct error *err);
	void (*close)(struct output *out);

	/* Where that is, for people, once it is open; NULL = the kind of sink says enough. */
	const char *name;

	/* Bytes that a dump finds room for, before open(); UINT64_MAX = not known. NULL = never known. */
	uint64_t (*room)(struct output *out);
};

#define CAPTURE_MAX_ALIASES 8192	/* where memory is short: 64 bytes each */
#define CAPTURE_MAX_RUNS 16384
#define CAPTURE_MAX_RUNS_PARTIAL 60000	/* of a source whose gaps cannot be filled again: as many as e_phnum can say */

struct capture {
	/* in */
	struct input *in;
	struct output *out;
	struct log *log;
	struct progress *progress;
	unsigned int max_aliases;	/* 0 = none; so many at most, and all headers below PN_XNUM unless many_headers is set */
	bool many_headers;
	enum dump_format format;
	enum codec codec;		/* ELF: none, or zstd for seekable zstd */
	int codec_level;		/* 0 = the codec's fast one */
	unsigned int jobs;		/* processes that read and compress, 0 and 1 = this one alone */
	pfn_t split_start, split_end;	/* kdump: one part of a split dump, half open; end 0 = all of it */
	bool flat;			/* flattened, even where the output can seek */
	unsigned int levels[LEVELS_MAX], nr_levels;	/* dump levels 0..31, tried in turn when room is short; none = 0 */
	bool identified;		/* without registers, VMCOREINFO and all program headers the dump counts as incomplete */

	/* out */
	unsigned int level;		/* the one that was taken */
	struct kernel kernel;
	struct plan plan;		/* valid after the capture, until capture_deinit() */
	struct holes holes;		/* what was unreadable, and after a failure what was not written */
	uint64_t nr_unwritten;		/* bytes of these that were not written */
	uint64_t nr_zero_bytes;
	uint64_t start_ms, first_byte_ms;	/* now_ms() before and after the headers were written */
	uint64_t duration_ms;

	bool more_levels;		/* while it runs: another one would be tried */
};

/* 0, or the first error; what could be saved is kept and marked incomplete. */
int capture(struct capture *c, struct error *err);
void capture_deinit(struct capture *c);

#endif
