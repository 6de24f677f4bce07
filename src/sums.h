/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA256SUMS: the digests of a dump's files, in the format of sha256sum(1).
 */
#ifndef SRC_SUMS_H
#define SRC_SUMS_H

#include "elfcore/sink.h"
#include "src/digest.h"

#define SUMS_FILE_NAME "SHA256SUMS"
#define SUMS_MAX 8

struct sums {
	struct {
		char name[64];
		char hex[DIGEST_HEX_SIZE];
	} list[SUMS_MAX];
	unsigned int nr;
};

/* A name that is known gets the new digest; what does not fit is left out. */
void sums_add(struct sums *sums, const char *name, const uint8_t digest[DIGEST_LEN]);

/* Write and commit the file. 0 or -errno. */
int sums_write(const struct sums *sums, struct sink *sink);

#endif
