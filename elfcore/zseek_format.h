/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seekable zstd (contrib/seekable_format of zstd): ordinary zstd frames one behind another, so that "zstd -d" gives
 * the plain file, and behind them a skippable frame with a table of their sizes. All integers are little endian.
 *
 *   +-----------------------------+
 *   | frame 0, frame 1, ...       |
 *   +-----------------------------+
 *   | 0x184D2A5E, size            | 4 + 4      of all that follows
 *   | compressed, decompressed    | 4 + 4      of each entry (+ 4 when the descriptor says checksums)
 *   | number of entries           | 4          footer
 *   | descriptor                  | 1          bit 7 = checksums; other bits 0
 *   | 0x8F92EAB1                  | 4
 *   +-----------------------------+
 *
 * kcapture writes no checksums into the table, its frames have their own. So that the table stays small for a machine of
 * any size, an entry of a very large dump stands for several whole frames one behind another; each frame says its content
 * size and has at most ZSEEK_FRAME_MAX bytes of content.
 *
 * The first frame holds just the ELF header, in raw blocks: its size does not depend on what the header says, so that
 * the header can be written once more when the dump is complete. The same is true of kcapture's own note.
 */
#ifndef ELFCORE_ZSEEK_FORMAT_H
#define ELFCORE_ZSEEK_FORMAT_H

#include "elfcore/types.h"

#define ZSTD_FRAME_MAGIC 0xFD2FB528u
#define ZSEEK_TABLE_MAGIC 0x184D2A5Eu
#define ZSEEK_FOOTER_MAGIC 0x8F92EAB1u

#define ZSEEK_SKIP_HEADER_SIZE 8
#define ZSEEK_ENTRY_SIZE 8
#define ZSEEK_FOOTER_SIZE 9

#define ZSEEK_FRAME_MAX (1U << 20)	/* bytes of content in a frame that kcapture writes */
#define ZSEEK_ENTRIES_MAX (1U << 17)	/* entries that kcapture writes */

#endif
