// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/mem_kdump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/codec.h"
#include "elfcore/kdump_facts.h"
#include "elfcore/zero.h"

#define CACHE_PAGES 16
#define DESC_WINDOWS 4
#define DESC_WINDOW 256			/* descriptors */
#define DATA_WINDOW 65536		/* bytes */
#define DATA_WINDOWS 2

/* The dead kernel's tables of one corrupted dump could fill any log. */
#define BROKEN_SAID_MAX 10

struct desc_window {
	const struct kdump_piece *piece;	/* NULL = empty */
	uint64_t first;
	uint8_t raw[DESC_WINDOW * KDUMP_DESC_SIZE];
};

/*
 * Page data as it is in the file: of the page at hand, and when pages are asked for in their order, of those that
 * follow.
 */
struct data_window {
	const struct kdump_piece *piece;	/* NULL = empty */
	uint64_t off;
	size_t len, cap;
	uint8_t *buf;
};

struct kdump_cache {
	struct desc_window descs[DESC_WINDOWS];
	pfn_t pfns[CACHE_PAGES];		/* UINT64_MAX = empty */
	unsigned int next;			/* to be replaced */
	struct codec_ctx decoders[NR_CODECS];
	struct data_window data[DATA_WINDOWS];
	unsigned int recent;			/* the one of these that was used last */
	uint8_t pages[];
};

static const struct kdump_piece *find_piece(const struct mem_kdump *kdump, pfn_t pfn)
{
	for (unsigned int i = 0; i < kdump->nr_pieces; i++)
		if (pfn >= kdump->pieces[i].info.start_pfn && pfn < kdump->pieces[i].info.end_pfn)
			return &kdump->pieces[i];
	return NULL;
}

/* The raw descriptor: out of a window, or alone when the window as a whole reaches beyond the end of the file. */
static const uint8_t *read_desc(struct mem_kdump *kdump, const struct kdump_piece *piece, uint64_t i,
				uint8_t alone[KDUMP_DESC_SIZE])
{
	struct desc_window *window = &kdump->cache->descs[i / DESC_WINDOW % DESC_WINDOWS];
	uint64_t first = round_down(i, DESC_WINDOW);

	if (window->piece != piece || window->first != first) {
		window->piece = NULL;
		if (mem_read(piece->mem, piece->info.desc_off + first * KDUMP_DESC_SIZE, window->raw, sizeof(window->raw)))
			return mem_read(piece->mem, piece->info.desc_off + i * KDUMP_DESC_SIZE, alone, KDUMP_DESC_SIZE) ? NULL : alone;
		window->piece = piece;
		window->first = first;
	}
	return window->raw + (i - first) * KDUMP_DESC_SIZE;
}

int mem_kdump_find(struct mem_kdump *kdump, pfn_t pfn, struct kdump_place *ret, struct error *err)
{
	uint8_t alone[KDUMP_DESC_SIZE];
	const uint8_t *raw;
	uint64_t i;

	if (!page_bitmap_test(&kdump->stored, pfn))
		return fail(err, -ENODATA, "page frame %llu is %s", (unsigned long long)pfn,
			    page_bitmap_test(&kdump->exists, pfn) ? "excluded, not in the dump" : "no memory");
	ret->piece = find_piece(kdump, pfn);
	if (!ret->piece)
		return fail(err, -ENODATA, "page frame %llu is in a piece of the dump that is missing", (unsigned long long)pfn);
	i = page_bitmap_rank(&kdump->stored, pfn) - ret->piece->rank;
	ret->pos = ret->piece->info.desc_off + i * KDUMP_DESC_SIZE;
	raw = read_desc(kdump, ret->piece, i, alone);
	if (!raw)
		return fail(err, -ENODATA, "%s: the descriptor of page frame %llu at 0x%llx is beyond the end of the file",
			    ret->piece->name, (unsigned long long)pfn, (unsigned long long)ret->pos);
	kdump_desc_decode(ret->piece->info.form.data, raw, &ret->desc);
	return 0;
}

/* What a descriptor may say at all. */
static int check_desc(const struct mem_kdump *kdump, pfn_t pfn, const struct kdump_place *at, struct error *err)
{
	const struct kdump_desc *desc = &at->desc;

	if (!desc->off)
		return fail(err, -ENODATA, "%s: page frame %llu was never written, its descriptor at 0x%llx is empty",
			    at->piece->name, (unsigned long long)pfn, (unsigned long long)at->pos);
	if (!desc->size || desc->size > kdump->page_size || desc->off > INT64_MAX ||
	    (!(desc->flags & KDUMP_CODEC_FLAGS) && desc->size != kdump->page_size))
		return fail(err, -EIO, "%s: the descriptor at 0x%llx of page frame %llu is broken: offset 0x%llx size %u flags 0x%x",
			    at->piece->name, (unsigned long long)at->pos, (unsigned long long)pfn,
			    (unsigned long long)desc->off, desc->size, desc->flags);
	return 0;
}

static int fill_window(struct data_window *window, const struct kdump_piece *piece, uint64_t off, size_t len)
{
	int rc = mem_read(piece->mem, off, window->buf, len);

	window->piece = rc ? NULL : piece;
	window->off = off;
	window->len = len;
	return rc;
}

static bool holds(const struct data_window *window, const struct kdump_place *at)
{
	uint64_t gap = at->desc.off - window->off;

	return window->piece == at->piece && gap <= window->len && at->desc.size <= window->len - gap;
}

/*
 * The window that has the page's data, or that is to get it: one that it follows on (*follows_ret), or else the one that was
 * not used last. So a page that shares the data of one long before does not cost the window of those around it.
 */
static struct data_window *choose_window(struct kdump_cache *cache, const struct kdump_place *at, size_t slack, bool *follows_ret)
{
	unsigned int i, last = cache->recent;

	for (i = 0; i < DATA_WINDOWS && !holds(&cache->data[i], at); i++)
		;
	*follows_ret = false;
	for (unsigned int j = 0; j < DATA_WINDOWS && i == DATA_WINDOWS; j++) {
		const struct data_window *window = &cache->data[j];

		*follows_ret = window->piece == at->piece && at->desc.off - window->off <= window->len + slack;
		if (*follows_ret)
			i = j;
	}
	cache->recent = i < DATA_WINDOWS ? i : (last + 1) % DATA_WINDOWS;
	return &cache->data[cache->recent];
}

/* The page's data, valid until the next call. */
static int borrow_data(struct mem_kdump *kdump, pfn_t pfn, const struct kdump_place *at, const uint8_t **ret,
		       struct error *err)
{
	bool follows;
	struct data_window *window = choose_window(kdump->cache, at, kdump->page_size, &follows);
	uint64_t off = at->desc.off, room = at->piece->size > off ? at->piece->size - off : 0;
	size_t size = at->desc.size, len = follows ? max_u64(size, min_u64(room, window->cap)) : size;
	int rc = 0;

	if (!holds(window, at)) {
		rc = fill_window(window, at->piece, off, len);
		if (rc && len > size)
			rc = fill_window(window, at->piece, off, size);
	}
	*ret = window->buf + (off - window->off);
	return rc ? fail(err, rc, "%s: the data of page frame %llu at 0x%llx with %zu bytes %s", at->piece->name,
			 (unsigned long long)pfn, (unsigned long long)off, size,
			 rc == -ENODATA ? "is beyond the end of the file" : strerror(-rc)) : 0;
}

/* The decoder of a codec, made when its first page comes. */
static struct codec_ctx *get_decoder(struct mem_kdump *kdump, uint32_t flag)
{
	const struct codec_ops *ops = codec_by_kdump_flag(flag);
	struct codec_ctx *ctx = ops ? &kdump->cache->decoders[ops->codec] : NULL;

	if (ctx && !ctx->ops && codec_open_decompressor(ctx, ops->codec))
		ctx->ops = NULL;
	return ctx && ctx->ops ? ctx : NULL;
}

static int decode_page(struct mem_kdump *kdump, pfn_t pfn, const struct kdump_place *at, void *buf, struct error *err)
{
	uint32_t flag = at->desc.flags & KDUMP_CODEC_FLAGS;
	struct codec_ctx *decoder;
	const uint8_t *data;
	int rc = borrow_data(kdump, pfn, at, &data, err);

	if (rc)
		return rc;
	if (!flag) {
		memcpy(buf, data, kdump->page_size);
		return 0;
	}
	decoder = get_decoder(kdump, flag);
	if (decoder && !codec_decompress(decoder, data, at->desc.size, buf, kdump->page_size))
		return 0;
	return fail(err, -EIO, "%s: the data of page frame %llu at 0x%llx with %u bytes and flags 0x%x %s", at->piece->name,
		    (unsigned long long)pfn, (unsigned long long)at->desc.off, at->desc.size, at->desc.flags,
		    decoder ? "does not decode to a page" : "has no codec");
}

/* All zero pages of a dump share one copy, which comes by far the most often of all. */
static bool is_zero_page(const struct mem_kdump *kdump, const struct kdump_place *at)
{
	return at->desc.off == kdump->zero_off && at->piece == kdump->zero_piece && !(at->desc.flags & KDUMP_CODEC_FLAGS);
}

int mem_kdump_page(struct mem_kdump *kdump, pfn_t pfn, void *buf, struct error *err)
{
	struct kdump_place at;
	int rc = mem_kdump_find(kdump, pfn, &at, err);

	if (!rc)
		rc = check_desc(kdump, pfn, &at, err);
	if (rc)
		return rc;
	if (is_zero_page(kdump, &at)) {
		memset(buf, 0, kdump->page_size);
		return 0;
	}
	rc = decode_page(kdump, pfn, &at, buf, err);
	if (!rc && !(at.desc.flags & KDUMP_CODEC_FLAGS) && !kdump->zero_off && mem_is_zero(buf, kdump->page_size)) {
		kdump->zero_off = at.desc.off;
		kdump->zero_piece = at.piece;
	}
	return rc;
}

static void say_broken(struct mem_kdump *kdump, const struct error *err)
{
	if (err->code == -ENODATA || kdump->nr_said > BROKEN_SAID_MAX)
		return;
	log_warn(kdump->log, "%s", kdump->nr_said++ < BROKEN_SAID_MAX ? err->text : "more pages are broken");
}

static const uint8_t *find_cached(const struct mem_kdump *kdump, pfn_t pfn)
{
	for (unsigned int i = 0; i < CACHE_PAGES; i++)
		if (kdump->cache->pfns[i] == pfn)
			return kdump->cache->pages + (size_t)i * kdump->page_size;
	return NULL;
}

/* A part of a page is likely to be followed by another part of it: page tables, lists. */
static int read_part(struct mem_kdump *kdump, pfn_t pfn, size_t off, void *buf, size_t len, struct error *err)
{
	const uint8_t *page = find_cached(kdump, pfn);
	unsigned int i = kdump->cache->next;
	int rc;

	if (!page) {
		kdump->cache->pfns[i] = UINT64_MAX;
		rc = mem_kdump_page(kdump, pfn, kdump->cache->pages + (size_t)i * kdump->page_size, err);
		if (rc)
			return rc;
		kdump->cache->pfns[i] = pfn;
		kdump->cache->next = (i + 1) % CACHE_PAGES;
		page = kdump->cache->pages + (size_t)i * kdump->page_size;
	}
	memcpy(buf, page + off, len);
	return 0;
}

static int kdump_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct mem_kdump *kdump = container_of(mem, struct mem_kdump, mem);
	uint8_t *out = buf;
	struct error err;

	while (len) {
		pfn_t pfn = addr / kdump->page_size;
		size_t off = addr % kdump->page_size, piece = min_u64(len, kdump->page_size - off);
		int rc = piece == kdump->page_size ? mem_kdump_page(kdump, pfn, out, &err) :
						     read_part(kdump, pfn, off, out, piece, &err);

		if (rc) {
			say_broken(kdump, &err);
			return rc;
		}
		addr += piece;
		out += piece;
		len -= piece;
	}
	return 0;
}

static bool kdump_present(struct mem *mem, maddr_t addr, uint64_t len, uint64_t *run_ret)
{
	struct mem_kdump *kdump = container_of(mem, struct mem_kdump, mem);
	uint64_t size = kdump->page_size;
	pfn_t pfn = addr / size, end = pfn + (addr % size + len + size - 1) / size;
	bool present;

	end = page_bitmap_run_end(&kdump->stored, pfn, end, &present);
	*run_ret = min_u64(len, end * kdump->page_size - addr);
	return present;
}

static void kdump_close(struct mem *mem)
{
	struct mem_kdump *kdump = container_of(mem, struct mem_kdump, mem);

	page_bitmap_deinit(&kdump->exists);
	page_bitmap_deinit(&kdump->stored);
	for (size_t i = 0; kdump->cache && i < NR_CODECS; i++)
		codec_close(&kdump->cache->decoders[i]);
	for (unsigned int i = 0; kdump->cache && i < DATA_WINDOWS; i++)
		free(kdump->cache->data[i].buf);
	free(kdump->cache);
	kdump->cache = NULL;
}

static void kdump_facts(struct mem *mem, struct mem_facts *facts)
{
	kdump_facts_of(container_of(mem, struct mem_kdump, mem), facts);
}

static int kdump_whole(struct mem *mem, struct error *err)
{
	return kdump_check_whole(container_of(mem, struct mem_kdump, mem), err);
}

static const struct mem_ops kdump_ops = {
	.name = "kdump file",
	.read = kdump_read,
	.present = kdump_present,
	.facts = kdump_facts,
	.whole = kdump_whole,
	.close = kdump_close,
};

static int read_headers(struct mem_kdump *kdump, const struct kdump_file *files, unsigned int nr, struct error *err)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct kdump_piece piece = { .mem = files[i].mem, .name = files[i].name, .size = mem_size(files[i].mem) };
		unsigned int at = i;
		int rc = kdump_info_read(&piece.info, piece.mem, err);

		if (rc == -ENODEV && i)
			return fail(err, -EINVAL, "%s is not a kdump-compressed file as %s is", piece.name, files[0].name);
		if (rc)
			return rc == -ENODEV ? rc : fail_prefix(err, "%s", piece.name);
		for (; at && kdump->pieces[at - 1].info.start_pfn > piece.info.start_pfn; at--)
			kdump->pieces[at] = kdump->pieces[at - 1];
		kdump->pieces[at] = piece;
		kdump->nr_pieces = i + 1;
	}
	return 0;
}

static bool same_dump(const struct kdump_info *a, const struct kdump_info *b)
{
	return a->block_size == b->block_size && a->max_pfn == b->max_pfn && a->timestamp == b->timestamp &&
	       a->form.class == b->form.class && a->form.data == b->form.data && !memcmp(&a->uts, &b->uts, sizeof(a->uts));
}

/* All of one dump, none twice; what is missing between them is said. */
static int check_pieces(struct mem_kdump *kdump, struct error *err)
{
	pfn_t end = 0;

	for (unsigned int i = 0; i < kdump->nr_pieces; i++) {
		const struct kdump_piece *piece = &kdump->pieces[i];

		if (!same_dump(&piece->info, &kdump->pieces[0].info))
			return fail(err, -EINVAL, "%s and %s are not pieces of the same dump", kdump->pieces[0].name, piece->name);
		if (i && piece->info.start_pfn < end)
			return fail(err, -EINVAL, "%s and %s both have page frame %llu", kdump->pieces[i - 1].name, piece->name,
				    (unsigned long long)piece->info.start_pfn);
		if (piece->info.start_pfn > end)
			log_warn(kdump->log, "%s: the piece with page frames %llu to %llu is missing", piece->name,
				 (unsigned long long)end, (unsigned long long)piece->info.start_pfn);
		end = piece->info.end_pfn;
	}
	if (end < kdump->max_pfn)
		log_warn(kdump->log, "%s: the piece with page frames %llu to %llu is missing",
			 kdump->pieces[kdump->nr_pieces - 1].name, (unsigned long long)end, (unsigned long long)kdump->max_pfn);
	return 0;
}

static int alloc_cache(struct mem_kdump *kdump, struct error *err)
{
	struct kdump_cache *cache = calloc(1, sizeof(*cache) + (size_t)CACHE_PAGES * kdump->page_size);
	bool missing = !cache;

	kdump->cache = cache;
	for (unsigned int i = 0; cache && i < DATA_WINDOWS; i++) {
		cache->data[i].cap = max_u64(DATA_WINDOW, kdump->page_size);
		cache->data[i].buf = malloc(cache->data[i].cap);
		missing |= !cache->data[i].buf;
	}
	if (missing)
		return fail(err, -ENOMEM, "no memory for %u pages of %u bytes", CACHE_PAGES, kdump->page_size);
	for (unsigned int i = 0; i < CACHE_PAGES; i++)
		cache->pfns[i] = UINT64_MAX;
	return 0;
}

/* Every piece has whole copies of both bitmaps: those of the first one are read. */
static int open_bitmaps(struct mem_kdump *kdump, struct error *err)
{
	const struct kdump_piece *first = &kdump->pieces[0];
	int rc = page_bitmap_init(&kdump->exists, first->mem, first->info.exists_off, kdump->max_pfn, err);

	if (!rc)
		rc = page_bitmap_init(&kdump->stored, first->mem, first->info.stored_off, kdump->max_pfn, err);
	if (!rc)
		rc = page_bitmap_index(&kdump->stored, err);
	if (rc)
		return rc;
	if (kdump->stored.cut)
		log_warn(kdump->log, "%s: the page bitmap at 0x%llx is cut: memory is missing", first->name,
			 (unsigned long long)first->info.stored_off);
	for (unsigned int i = 0; i < kdump->nr_pieces; i++)
		kdump->pieces[i].rank = page_bitmap_rank(&kdump->stored, kdump->pieces[i].info.start_pfn);
	return 0;
}

int mem_kdump_open(struct mem_kdump *kdump, const struct kdump_file *files, unsigned int nr, struct log *log,
		   struct error *err)
{
	int rc;

	memset(kdump, 0, sizeof(*kdump));
	kdump->mem.ops = &kdump_ops;
	kdump->log = log;
	if (nr > KDUMP_PIECES_MAX)
		return fail(err, -EINVAL, "%u pieces are more than %u", nr, KDUMP_PIECES_MAX);
	rc = read_headers(kdump, files, nr, err);
	if (rc)
		return rc;
	kdump->page_size = kdump->pieces[0].info.block_size;
	kdump->max_pfn = kdump->pieces[0].info.max_pfn;
	rc = check_pieces(kdump, err);
	if (!rc)
		rc = alloc_cache(kdump, err);
	if (!rc)
		rc = open_bitmaps(kdump, err);
	if (rc)
		kdump_close(&kdump->mem);
	return rc;
}
