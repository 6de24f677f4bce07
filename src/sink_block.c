// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/sinks.h"
#include "src/sys.h"

/* Below this a write of zeros is cheaper than a command of its own. */
#define ZEROOUT_MIN (256U << 10)

static int block_write(struct sink *sink, uint64_t off, const void *buf, size_t len)
{
	struct sink_block *block = container_of(sink, struct sink_block, sink);
	const uint8_t *p = buf;
	int rc;

	if (off + len > block->size)
		return -ENOSPC;
	block->end = max_u64(block->end, off + len);
	if (off < sizeof(block->header)) {
		size_t held = min_u64(len, sizeof(block->header) - off);

		memcpy(block->header + off, p, held);
		off += held;
		p += held;
		len -= held;
	}
	rc = len ? write_all_at(block->fd, off, p, len) : 0;
	return rc ? rc : writeback_advance(&block->writeback, block->fd, block->end);
}

/* BLKZEROOUT takes whole sectors and bypasses the page cache, so only inner, page-aligned stretches go that way. */
static int block_zero(struct sink *sink, uint64_t off, uint64_t len)
{
	struct sink_block *block = container_of(sink, struct sink_block, sink);
	uint64_t start = round_up(max_u64(off, sizeof(block->header)), 4096), end = round_down(off + len, 4096);
	uint64_t range[2] = { start, end - start };
	int rc;

	if (off + len > block->size)
		return -ENOSPC;
	if (end < start + ZEROOUT_MIN || ioctl(block->fd, BLKZEROOUT, range))
		return sink_write_zeros(sink, off, len);
	rc = sink_write_zeros(sink, off, start - off);
	return rc ? rc : sink_write_zeros(sink, end, off + len - end);
}

static int block_sync(struct sink *sink)
{
	return fsync(container_of(sink, struct sink_block, sink)->fd) ? -errno : 0;
}

/* The header goes out when everything else is on the medium. */
static int block_commit(struct sink *sink, uint64_t size)
{
	struct sink_block *block = container_of(sink, struct sink_block, sink);
	int rc = size > block->size ? -ENOSPC : block_sync(sink);

	if (!rc)
		rc = write_all_at(block->fd, 0, block->header, sizeof(block->header));
	return rc ? rc : block_sync(sink);
}

/* Its header says incomplete; what lies behind the last byte written is whatever the device held. */
static int block_keep(struct sink *sink, uint64_t size)
{
	struct sink_block *block = container_of(sink, struct sink_block, sink);

	(void)size;
	return block_commit(sink, block->end);
}

static void block_close(struct sink *sink)
{
	close(container_of(sink, struct sink_block, sink)->fd);
}

static const struct sink_ops block_ops = {
	.name = "block device",
	.caps = SINK_SEEK,
	.write = block_write,
	.zero = block_zero,
	.sync = block_sync,
	.commit = block_commit,
	.keep = block_keep,
	.close = block_close,
};

int sink_block_open(struct sink_block *block, const char *device, struct error *err)
{
	struct stat st;
	int rc;

	memset(block, 0, sizeof(*block));
	sink_init(&block->sink, &block_ops);
	/* O_EXCL: refuse a device that is mounted or part of an array. */
	block->fd = open(device, O_RDWR | O_EXCL | O_CLOEXEC);
	if (block->fd < 0)
		return fail(err, -errno, "%s: %s", device, strerror(errno));
	if (fstat(block->fd, &st) || !S_ISBLK(st.st_mode))
		rc = fail(err, -ENOTBLK, "%s is not a block device", device);
	else if (ioctl(block->fd, BLKGETSIZE64, &block->size))
		rc = fail(err, -errno, "%s: size unknown: %s", device, strerror(errno));
	else if ((rc = write_all_at(block->fd, 0, block->header, sizeof(block->header))) || (rc = block_sync(&block->sink)))
		fail(err, rc, "%s: %s", device, strerror(-rc));
	if (rc)
		close(block->fd);
	return rc;
}
