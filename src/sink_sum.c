// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/sink_sum.h"

#include <string.h>

static void hash_zeros(struct sink_sum *sum, uint64_t len)
{
	static uint8_t zeros[65536];	/* not const: a constant would lie in the file */

	sum->pos += len;
	while (len) {
		size_t piece = min_u64(len, sizeof(zeros));

		digest_update(&sum->digest, zeros, piece);
		len -= piece;
	}
}

/* The expected region that [off, off + *len) begins in, or NULL; *len becomes what belongs to it, or lies before the next. */
static struct sum_expected *region_at(struct sink_sum *sum, uint64_t off, size_t *len)
{
	for (unsigned int i = 0; i < sum->nr_expected; i++) {
		struct sum_expected *region = &sum->expected[i];

		if (off >= region->off && off - region->off < region->len) {
			*len = min_u64(*len, region->off + region->len - off);
			return region;
		}
		if (region->off > off)
			*len = min_u64(*len, region->off - off);
	}
	return NULL;
}

static void hash_next(struct sink_sum *sum, const uint8_t *buf, size_t len)
{
	while (len) {
		size_t piece = len;
		struct sum_expected *region = region_at(sum, sum->pos, &piece);

		if (region) {
			const uint8_t *wanted = region->buf + (sum->pos - region->off);

			if (memcmp(wanted, buf, piece))
				region->pending = true;
			digest_update(&sum->digest, wanted, piece);
		} else {
			digest_update(&sum->digest, buf, piece);
		}
		sum->pos += piece;
		buf += piece;
		len -= piece;
	}
}

/* What was hashed is written again: it must be what was expected there. */
static void check_again(struct sink_sum *sum, uint64_t off, const uint8_t *buf, size_t len)
{
	size_t piece = len;
	struct sum_expected *region = region_at(sum, off, &piece);

	if (!region || piece < len || memcmp(region->buf + (off - region->off), buf, len))
		sum->unknown = true;
	else if (len == region->len)
		region->pending = false;
}

static void take(struct sink_sum *sum, uint64_t off, const uint8_t *buf, size_t len)
{
	size_t old = off < sum->pos ? min_u64(len, sum->pos - off) : 0;

	if (sum->unknown)
		return;
	if (old)
		check_again(sum, off, buf, old);
	if (off > sum->pos)
		hash_zeros(sum, off - sum->pos);
	hash_next(sum, buf + old, len - old);
}

static void keep_head(struct sink_sum *sum, uint64_t off, const uint8_t *buf, size_t len)
{
	size_t n;

	if (off >= sizeof(sum->head))
		return;
	n = min_u64(len, sizeof(sum->head) - off);
	if (buf)
		memcpy(sum->head + off, buf, n);
	sum->head_len = max_u64(sum->head_len, off + n);
}

/* Errors are sticky in this stage already: the one below is called past its own. */

static int sum_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct sink_sum *sum = container_of(sink, struct sink_sum, sink);
	int rc = sum->below->ops->write(sum->below, off, buf, len);

	if (rc)
		return rc;
	keep_head(sum, off, buf, len);
	take(sum, off, buf, len);
	return 0;
}

static int sum_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	struct sink_sum *sum = container_of(sink, struct sink_sum, sink);
	int rc = sum->below->ops->zero(sum->below, off, len);

	if (rc)
		return rc;
	keep_head(sum, off, NULL, min_u64(len, SUM_HEAD_SIZE));
	if (off < sum->pos)
		sum->unknown = true;
	if (!sum->unknown)
		hash_zeros(sum, off - sum->pos + len);
	return 0;
}

static void sum_expect(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct sink_sum *sum = container_of(sink, struct sink_sum, sink);
	struct sum_expected *region = &sum->expected[sum->nr_expected];

	/* Too many or too late: the rewrite will be found to differ. */
	if (sum->nr_expected == SUM_NR_EXPECTED || len > SUM_EXPECTED_SIZE || off < sum->pos)
		return;
	region->off = off;
	region->len = len;
	memcpy(region->buf, buf, len);
	sum->nr_expected++;
}

static int sum_sync(struct sink *sink)
{
	struct sink *below = container_of(sink, struct sink_sum, sink)->below;

	return below->ops->sync ? below->ops->sync(below) : 0;
}

static int sum_commit(struct sink *sink, uint64_t size)
{
	struct sink_sum *sum = container_of(sink, struct sink_sum, sink);
	uint8_t digest[DIGEST_LEN];

	for (unsigned int i = 0; i < sum->nr_expected; i++)
		sum->unknown |= sum->expected[i].pending;
	if (sum->pos > size)
		sum->unknown = true;
	if (!sum->unknown)
		hash_zeros(sum, size - sum->pos);
	if (sum->below->ops->sum && sink_sum_result(sum, digest))
		sum->below->ops->sum(sum->below, digest);
	return sum->below->ops->commit(sum->below, size);
}

static int sum_keep(struct sink *sink, uint64_t size)
{
	struct sink_sum *sum = container_of(sink, struct sink_sum, sink);

	sum->unknown = true;
	return sink_keep(sum->below, size);
}

static void sum_close(struct sink *sink)
{
	sink_close(container_of(sink, struct sink_sum, sink)->below);
}

bool sink_sum_result(const struct sink_sum *sum, uint8_t ret[DIGEST_LEN])
{
	struct digest copy = sum->digest;

	if (sum->unknown)
		return false;
	digest_final(&copy, ret);
	return true;
}

static const struct sink_ops sum_ops = {
	.name = "file",
	.caps = SINK_SEEK,
	.write = sum_write,
	.zero = sum_zero,
	.expect = sum_expect,
	.sync = sum_sync,
	.commit = sum_commit,
	.keep = sum_keep,
	.close = sum_close,
};

struct sink *sink_sum_init(struct sink_sum *sum, struct sink *below)
{
	memset(sum, 0, sizeof(*sum));
	sink_init(&sum->sink, &sum_ops);
	sum->below = below;
	digest_init(&sum->digest);
	return &sum->sink;
}
