/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kdump-compressed dump is, for a person, and whether all of it is there.
 */
#ifndef ELFCORE_KDUMP_FACTS_H
#define ELFCORE_KDUMP_FACTS_H

#include "elfcore/codec.h"
#include "elfcore/mem_kdump.h"

/* Pages by how they are stored. */
struct kdump_counts {
	uint64_t nr_by_codec[NR_CODECS];	/* CODEC_NONE: as they are */
	uint64_t nr_shared;		/* as they are, and sharing their data with the page before: zero pages */
	uint64_t nr_lost;		/* descriptors not readable, or never written */
	uint64_t nr_bytes;		/* of data, what is shared counted once */
};

/* Go through all descriptors, 24 bytes a page. */
void kdump_count(struct mem_kdump *kdump, struct kdump_counts *ret);

/*
 * The implementations of facts() and whole() of mem_kdump.c. The latter looks at the end of the file, not at every
 * page.
 */
void kdump_facts_of(struct mem_kdump *kdump, struct mem_facts *facts);
int kdump_check_whole(struct mem_kdump *kdump, struct error *err);

#endif
