/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The signature of a crash: a hash of the functions that led to it, the same for the same bug on every boot of kernels
 * whose code is alike. No addresses, offsets and suffixes that compilers add go into it, none of the functions that
 * every panic goes through, and nothing of what an interrupt that crashed had interrupted.
 */
#ifndef ELFCORE_SIGNATURE_H
#define ELFCORE_SIGNATURE_H

#include "elfcore/backtrace.h"

#define SIGNATURE_DEPTH 10
#define SIGNATURE_NAME 80
#define SIGNATURE_LEN 20	/* "k1-" and 16 digits, terminated */

struct signature {
	char names[SIGNATURE_DEPTH][SIGNATURE_NAME];	/* "function" or "module:function", innermost first */
	unsigned int nr;
	bool watchdog;		/* what it interrupted is what it complains about */
	bool handler;		/* the names only handle what happened in the frames that follow, if one of those counts */
	bool closed;
};

void signature_init(struct signature *sig);

/* Frames in the order of backtrace_next(). True: this one is the innermost of the signature, as far as it is known. */
bool signature_add(struct signature *sig, const struct bt_frame *frame);

/* "" when no frame counted. */
void signature_text(const struct signature *sig, char ret[SIGNATURE_LEN]);

#endif
