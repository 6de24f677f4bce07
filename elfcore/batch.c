// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int packer_init(struct packer *packer, struct mem_chain *chain, enum codec codec, int level, size_t max_len)
{
	int rc;

	memset(packer, 0, sizeof(*packer));
	packer->chain = chain;
	if (codec != CODEC_NONE)
		packer->in = malloc(BATCH_LEN);
	rc = codec_open_compressor(&packer->codec, codec, max_len, level);
	if (rc || (codec != CODEC_NONE && !packer->in)) {
		free(packer->in);
		if (!rc)
			codec_close(&packer->codec);
		return -ENOMEM;
	}
	return 0;
}

void packer_deinit(struct packer *packer)
{
	free(packer->in);
	codec_close(&packer->codec);
	packer->in = NULL;
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

void batch_read(struct batch *batch, struct mem_chain *chain, uint8_t *dst)
{
	for (unsigned int i = 0; i < batch->nr_pieces; i++) {
		const struct batch_piece *piece = &batch->pieces[i];

		if (piece->src == MADDR_ZEROS)
			memset(dst, 0, piece->len);
		else
			mem_chain_fill(chain, piece->src, dst, piece->len, &batch->holes);
		dst += piece->len;
	}
}
