// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/pump.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define BARREN_MIN (1ULL << 30)

/* Batches for each worker: one at work, one ready or waiting. */
#define BATCHES_PER_JOB 2

enum state { FREE, WAITING, AT_WORK, READY };

static void pack(struct pump *pump, struct batch *batch)
{
	batch->holes.nr = 0;
	batch->holes.nr_ranges = batch->holes.nr_bytes = 0;
	batch->nr_segs = 0;
	batch->nr_zero_bytes = 0;
	memset(batch->nr_bytes, 0, sizeof(batch->nr_bytes));
	pump->core->ops->pack(pump->core, &pump->packer, batch);
}

/* In a worker: what each source delivered is counted in the batch, the parent's own count is not seen from here. */
static void pack_there(void *arg, unsigned int number)
{
	struct pump *pump = arg;
	struct batch *batch = &pump->batches[number];
	uint64_t before[MEM_CHAIN_MAX];

	memcpy(before, pump->chain->nr_bytes, sizeof(before));
	pack(pump, batch);
	for (unsigned int i = 0; i < MEM_CHAIN_MAX; i++)
		batch->nr_bytes[i] = pump->chain->nr_bytes[i] - before[i];
}

static void merge_holes(struct holes *into, const struct holes *from)
{
	uint64_t listed = 0;

	for (unsigned int i = 0; i < from->nr; i++) {
		holes_add(into, from->list[i].start, from->list[i].end - from->list[i].start, from->list[i].error);
		listed += from->list[i].end - from->list[i].start;
	}
	into->nr_bytes += from->nr_bytes - listed;
	into->nr_ranges += from->nr_ranges - from->nr;
}

/* Write a batch that is ready. */
static int put(struct pump *pump, const struct batch *batch)
{
	int rc;

	merge_holes(pump->holes, &batch->holes);
	for (unsigned int i = 0; i < MEM_CHAIN_MAX; i++)
		pump->chain->nr_bytes[i] += batch->nr_bytes[i];
	pump->barren = batch->holes.nr_bytes == batch->len ? pump->barren + batch->len : 0;
	rc = pump->core->ops->put(pump->core, batch);
	if (rc)
		return rc;
	pump->nr_written += batch->len;
	progress_advance(pump->progress, batch->len);
	return 0;
}

/*
 * Nothing could be read for a long time: a header may claim petabytes that are not there. Go on in strides that grow with
 * what was found empty.
 */
static void pass_barren(struct pump *pump)
{
	uint64_t stride = round_down(pump->barren / 4, BATCH_LEN);
	maddr_t src;

	stride = pump->core->ops->skip(pump->core, stride, &src);
	if (stride)
		holes_add(pump->holes, src, stride, -ENODATA);
	pump->barren += stride;
	pump->nr_written += stride;
}

/* The batches [tail, head) are under way, in a ring; those before given have been with a worker. */
struct ring {
	uint64_t head, tail, given;
	enum state state[JOBS_MAX * BATCHES_PER_JOB];
};

static void give(struct pump *pump, struct ring *ring)
{
	while (ring->given < ring->head) {
		unsigned int i = ring->given % pump->nr_batches;

		if (!workers_give(&pump->workers, i))
			return;
		ring->state[i] = AT_WORK;
		ring->given++;
	}
}

/* Have the oldest batch packed, by whom it may be, and write it. */
static int retire(struct pump *pump, struct ring *ring)
{
	unsigned int oldest = ring->tail % pump->nr_batches;
	bool lost;

	give(pump, ring);
	while (ring->state[oldest] == AT_WORK) {
		int i = workers_wait(&pump->workers, &lost);

		if (i < 0) {
			ring->state[oldest] = WAITING;
			break;
		}
		ring->state[i] = lost ? WAITING : READY;
		if (lost)
			log_warn(pump->log, "a worker has died, its work is done again; %u are left", pump->workers.nr_alive);
		give(pump, ring);
	}
	if (ring->state[oldest] == WAITING) {
		pack(pump, &pump->batches[oldest]);
		ring->given = max_u64(ring->given, ring->tail + 1);
	}
	ring->state[oldest] = FREE;
	return put(pump, &pump->batches[oldest]);
}

/* What was handed out and not written; what was not even handed out is counted by the caller. */
static void list_unwritten(struct pump *pump, const struct batch *batch, int error)
{
	for (unsigned int i = 0; i < batch->nr_pieces; i++)
		if (batch->pieces[i].src != MADDR_ZEROS)
			holes_add(pump->holes, batch->pieces[i].src, batch->pieces[i].len, error);
}

/* After an error: the rest, as far as the format can tell where it is. */
static void list_rest(struct pump *pump, const struct ring *ring, int error)
{
	maddr_t src;
	uint64_t len;

	for (uint64_t i = ring->tail; i < ring->head; i++)
		list_unwritten(pump, &pump->batches[i % pump->nr_batches], error);
	while ((len = pump->core->ops->skip(pump->core, UINT64_MAX, &src)))
		holes_add(pump->holes, src, len, error);
	pump->nr_unwritten = pump->data_len - min_u64(pump->nr_written, pump->data_len);
}

int pump_run(struct pump *pump)
{
	const struct core_ops *ops = pump->core->ops;
	struct ring ring = { 0 };
	int rc = 0, more = 1;

	while (!rc && (more > 0 || ring.tail < ring.head)) {
		unsigned int i = ring.head % pump->nr_batches, nr = ring.head - ring.tail;

		/* Where nothing is, one at a time. */
		if (more > 0 && nr < (pump->barren < BARREN_MIN ? pump->nr_batches : 1)) {
			more = ops->next(pump->core, &pump->batches[i]);
			if (more < 0)
				rc = more;
			if (more <= 0)
				continue;
			ring.state[i] = WAITING;
			ring.head++;
			give(pump, &ring);
			continue;
		}
		rc = retire(pump, &ring);
		if (!rc)
			ring.tail++;
		if (!rc && pump->barren >= BARREN_MIN && ring.tail == ring.head)
			pass_barren(pump);
	}
	if (rc)
		list_rest(pump, &ring, rc);
	return rc;
}

/* In shared memory, all that parent and workers hand each other. */
static int map_batches(struct pump *pump)
{
	size_t each = round_up(sizeof(struct batch), 4096) + BATCH_BUF_LEN;
	uint8_t *p;

	p = mmap(NULL, each * pump->nr_batches, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	pump->batches = (struct batch *)p;
	for (unsigned int i = 0; i < pump->nr_batches; i++)
		pump->batches[i].buf = p + round_up(sizeof(struct batch) * pump->nr_batches, 4096) + i * (size_t)BATCH_BUF_LEN;
	return 0;
}

static void unmap_batches(struct pump *pump)
{
	munmap(pump->batches, (round_up(sizeof(struct batch), 4096) + BATCH_BUF_LEN) * pump->nr_batches);
}

int pump_init(struct pump *pump, struct error *err)
{
	struct core *core = pump->core;
	unsigned int jobs = min_u64(pump->jobs, JOBS_MAX);
	size_t share_len = jobs > 1 ? PAGE_SHARE_EACH : PAGE_SHARE_ALONE;

	pump->nr_batches = jobs > 1 ? jobs * BATCHES_PER_JOB : 1;
	pump->workers.nr = 0;
	if (map_batches(pump))
		return fail(err, -ENOMEM, "no memory for %u batches", pump->nr_batches);
	if (packer_init(&pump->packer, pump->chain, &core->needs, pump->codec_level, share_len)) {
		unmap_batches(pump);
		return fail(err, -ENOMEM, "no memory to compress");
	}
	if (jobs > 1 && workers_start(&pump->workers, jobs, pack_there, pump) < jobs)
		log_warn(pump->log, "only %u of %u workers can be had", pump->workers.nr, jobs);
	return 0;
}

void pump_deinit(struct pump *pump)
{
	workers_stop(&pump->workers);
	packer_deinit(&pump->packer);
	unmap_batches(pump);
}
