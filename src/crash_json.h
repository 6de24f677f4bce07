/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crash.json beside the dump: what machines that gather crashes want to know, without opening the dump. Written before any
 * memory is saved, with what is known by then, and again when it is known how the dump ended.
 */
#ifndef SRC_CRASH_JSON_H
#define SRC_CRASH_JSON_H

#include "elfcore/crash_facts.h"
#include "src/capture.h"
#include "src/dmesg_file.h"

#define CRASH_JSON_NAME "crash.json"
#define CRASH_JSON_MAX 16384

/*
 * Read the facts in a child process, which may use some MB of memory, crash or hang over what the dead kernel left: that
 * costs the facts and nothing else. At most some seconds.
 */
void crash_facts_gather(struct crash_facts *ret, const struct kernel *kernel, struct log *log);

struct crash_story {
	const struct crash_facts *facts;
	const struct dmesg_summary *dmesg;
	const struct kernel *kernel;
	const struct capture *capture;	/* NULL = memory is yet to be saved */
	const char *status;		/* "saving", "complete", "failed", "skipped" */
	const char *reason;		/* of a failure, else NULL */
};

/* The text, its length returned; what does not fit is left out and the text still well formed. */
size_t crash_json_text(const struct crash_story *story, char ret[CRASH_JSON_MAX]);

#endif
