// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Copies into a buffer that lies a few bytes behind a page boundary take four times as long: on x86-64 each store looks
 * to the next load as if it were to the same address.
 */
#define IN_ALIGN 4096

static int get_in(struct packer *packer, size_t len)
{
	packer->in_room = malloc(len + IN_ALIGN - 1);
	packer->in = (uint8_t *)(uintptr_t)round_up((uintptr_t)packer->in_room, IN_ALIGN);
	return packer->in_room ? 0 : -ENOMEM;
}

int packer_init(struct packer *packer, struct mem_chain *chain, const struct packer_needs *needs, int level,
		size_t share_len)
{
	int rc;

	memset(packer, 0, sizeof(*packer));
	packer->chain = chain;
	rc = codec_open_compressor(&packer->codec, needs->codec, needs->pack_len, level);
	if (rc)
		packer->codec.ops = NULL;
	if (!rc && needs->in_len)
		rc = get_in(packer, needs->in_len);
	if (!rc && needs->page_size)
		rc = page_share_init(&packer->share, needs->page_size, share_len);
	if (rc)
		packer_deinit(packer);
	return rc;
}

void packer_deinit(struct packer *packer)
{
	free(packer->in_room);
	codec_close(&packer->codec);
	page_share_deinit(&packer->share);
	packer->in = packer->in_room = NULL;
}

void batch_start(struct batch *batch, uint64_t off)
{
	batch->off = off;
	batch->len = 0;
	batch->nr_pieces = 0;
}

bool batch_add(struct batch *batch, maddr_t src, uint64_t len)
{
	struct batch_piece *last = batch->nr_pieces ? &batch->pieces[batch->nr_pieces - 1] : NULL;

	if (last && (src == MADDR_ZEROS ? last->src == src : last->src != MADDR_ZEROS && last->src + last->len == src)) {
		last->len += len;
	} else {
		if (batch->nr_pieces == BATCH_PIECES)
			return false;
		batch->pieces[batch->nr_pieces++] = (struct batch_piece){ src, len };
	}
	batch->len += len;
	return true;
}

void batch_add_seg(struct batch *batch, const void *base, size_t len)
{
	struct sink_vec *last = batch->nr_segs ? &batch->segs[batch->nr_segs - 1] : NULL;

	if (last && (base ? last->base && (const char *)last->base + last->len == base : !last->base))
		last->len += len;
	else
		batch->segs[batch->nr_segs++] = (struct sink_vec){ base, len };
}

void batch_read(struct batch *batch, struct mem_chain *chain, struct batch_cursor *cursor, uint8_t *dst, size_t len)
{
	while (len) {
		const struct batch_piece *piece = &batch->pieces[cursor->piece];
		size_t part = min_u64(len, piece->len - cursor->done);

		if (piece->src == MADDR_ZEROS)
			memset(dst, 0, part);
		else
			mem_chain_fill(chain, piece->src + cursor->done, dst, part, &batch->holes);
		dst += part;
		len -= part;
		cursor->done += part;
		if (cursor->done == piece->len)
			*cursor = (struct batch_cursor){ cursor->piece + 1, 0 };
	}
}
