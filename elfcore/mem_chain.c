// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/mem_chain.h"

#include <errno.h>
#include <string.h>

static int chain_read(struct mem *mem, maddr_t addr, void *buf, size_t len)
{
	struct mem_chain *chain = container_of(mem, struct mem_chain, mem);
	struct holes holes;

	holes.nr = holes.nr_ranges = holes.nr_bytes = 0;	/* and not its long list, at each read */
	mem_chain_fill(chain, addr, buf, len, &holes);
	return holes.nr_bytes ? holes.list[0].error : 0;
}

static int chain_look(struct mem *mem, maddr_t addr, size_t len, mem_look_fn *fn, void *arg)
{
	struct mem_chain *chain = container_of(mem, struct mem_chain, mem);

	return chain->nr_sources ? mem_look(chain->sources[0], addr, len, fn, arg) : -ENODATA;
}

/* Only a file leaves pages out, and a file is alone. */
static bool chain_present(struct mem *mem, maddr_t addr, uint64_t len, uint64_t *run_ret)
{
	struct mem_chain *chain = container_of(mem, struct mem_chain, mem);

	if (chain->nr_sources == 1)
		return mem_present(chain->sources[0], addr, len, run_ret);
	*run_ret = len;
	return true;
}

/* The sources are borrowed: there is nothing to release. */
static void chain_close(struct mem *mem)
{
	(void)mem;
}

static const struct mem_ops chain_ops = {
	.name = "chain",
	.read = chain_read,
	.look = chain_look,
	.present = chain_present,
	.close = chain_close,
};

void mem_chain_init(struct mem_chain *chain, size_t page_size)
{
	memset(chain, 0, sizeof(*chain));
	chain->mem.ops = &chain_ops;
	chain->page_size = page_size;
}

int mem_chain_add(struct mem_chain *chain, struct mem *source)
{
	if (chain->nr_sources == MEM_CHAIN_MAX)
		return -ENOSPC;
	chain->sources[chain->nr_sources++] = source;
	return 0;
}

static int read_one(struct mem_chain *chain, unsigned int i, maddr_t addr, void *buf, size_t len)
{
	int rc = mem_read(chain->sources[i], addr, buf, len);

	if (!rc)
		chain->nr_bytes[i] += len;
	return rc;
}

/* One page, or the part of it that is wanted: every source in turn after the first, then zeros. */
static void fill_page(struct mem_chain *chain, maddr_t addr, void *buf, size_t len, int error, struct holes *holes)
{
	for (unsigned int i = 1; i < chain->nr_sources; i++) {
		error = read_one(chain, i, addr, buf, len);
		if (!error)
			return;
	}
	memset(buf, 0, len);
	holes_add(holes, addr, len, error);
}

/*
 * Halve the step whenever the first source refuses, down to a page; double it again while it delivers. One refused
 * page in a window so costs about two requests for each halving, and a refused stretch one request a page.
 */
void mem_chain_fill(struct mem_chain *chain, maddr_t addr, void *buf, size_t len, struct holes *holes)
{
	uint8_t *out = buf;
	size_t step = len;

	while (len) {
		size_t page_rest = chain->page_size - addr % chain->page_size;
		int error;

		if (step > len)
			step = len;
		error = chain->nr_sources ? read_one(chain, 0, addr, out, step) : -ENODATA;
		if (error && step > page_rest) {
			step = max_u64(page_rest, round_down(step / 2, chain->page_size));
			continue;
		}
		if (error)
			fill_page(chain, addr, out, step, error, holes);
		addr += step;
		out += step;
		len -= step;
		step = error ? chain->page_size : 2 * step;
	}
}
