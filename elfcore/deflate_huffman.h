/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Huffman codes as deflate has them (RFC 1951, 3.2.2). */
#ifndef ELFCORE_DEFLATE_HUFFMAN_H
#define ELFCORE_DEFLATE_HUFFMAN_H

#include "elfcore/deflate_page.h"

/* Lengths of at most limit of a complete code; one of less than two symbols gets others that do not occur. */
void deflate_make_lens(struct deflate_page *d, const uint32_t *freqs, unsigned nr, unsigned limit, uint8_t *lens);

void deflate_make_codes(const struct deflate_page *d, const uint8_t *lens, unsigned nr, deflate_code_t *codes);

#endif
