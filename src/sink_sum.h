/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stage over a sink that it borrows: it knows, when the dump is committed, the SHA-256 of the whole file, without having
 * read it again; and the file's first block, to be compared with what the medium gives back. It knows no format: what is
 * written early and will be replaced at the end, it learns through sink_expect(), and hashes as it will be. When a format
 * says nothing of it, or says it wrong, or fills its file in another order, the sum is not known.
 */
#ifndef SRC_SINK_SUM_H
#define SRC_SINK_SUM_H

#include <stdbool.h>

#include "elfcore/sink.h"
#include "src/digest.h"

#define SUM_HEAD_SIZE 4096
#define SUM_NR_EXPECTED 4
#define SUM_EXPECTED_SIZE 4352	/* a block and what a wrapper puts around it */

struct sink_sum {
	struct sink sink;
	struct sink *below;
	struct digest digest;
	uint64_t pos;			/* all before it has been hashed */
	bool unknown;			/* the file will not be what was hashed */
	struct sum_expected {
		uint64_t off;
		size_t len;
		bool pending;		/* other bytes are there yet */
		uint8_t buf[SUM_EXPECTED_SIZE];
	} expected[SUM_NR_EXPECTED];
	unsigned int nr_expected;
	uint8_t head[SUM_HEAD_SIZE];	/* as written last */
	size_t head_len;
};

/* below must be one that seeks. */
struct sink *sink_sum_init(struct sink_sum *sum, struct sink *below);

/* After the commit: true and the digest, or false when it is not known. */
bool sink_sum_result(const struct sink_sum *sum, uint8_t ret[DIGEST_LEN]);

#endif
