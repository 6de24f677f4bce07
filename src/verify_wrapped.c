// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An ELF core inside something else. libelf wants a file: it gets one in memory with all that comes before the data,
 * and a hole as long as the rest.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elfcore/plan.h"
#include "src/input.h"
#include "src/sys.h"
#include "src/verify.h"

#define CHUNK (1U << 20)

/* Headers of this size would hold a million segments. */
#define HEADERS_MAX (64U << 20)

static uint8_t buffer[CHUNK];

static uint64_t first_data(const struct crash *crash)
{
	uint64_t first = UINT64_MAX;

	for (unsigned int i = 0; i < crash->nr_segs; i++)
		if (crash->segs[i].filesz)
			first = min_u64(first, crash->segs[i].src);
	return first;
}

static int copy_headers(struct input *in, int fd)
{
	uint64_t size = mem_size(in->chain.sources[0]), end = min_u64(min_u64(first_data(&in->crash), size), HEADERS_MAX);
	int rc = 0;

	for (uint64_t off = 0; off < end && !rc; off += CHUNK) {
		size_t len = min_u64(CHUNK, end - off);

		rc = mem_read(&in->chain.mem, off, buffer, len);
		if (!rc)
			rc = write_all_at(fd, off, buffer, len);
	}
	return rc ? rc : ftruncate(fd, size) ? -errno : 0;
}

/* Every byte that the segments promise, once; a stretch that fails is one defect. */
static void read_range(struct verify *v, struct input *in, const struct plan_range *range)
{
	for (uint64_t pos = 0; pos < range->len; pos += CHUNK) {
		size_t len = min_u64(CHUNK, range->len - pos);
		int rc = mem_read(&in->chain.mem, range->src + pos, buffer, len);

		if (!rc)
			continue;
		verify_defect(v, "%zu bytes at 0x%llx of the core are not readable (%s)", len, (unsigned long long)(range->src + pos),
			      strerror(-rc));
		if (rc == -ENODATA)
			return;
	}
}

static void read_data(struct verify *v, struct input *in)
{
	struct plan plan;
	struct error err;

	if (plan_init(&plan, &in->crash, 4096, &err)) {
		verify_defect(v, "%s", err.text);
		return;
	}
	for (unsigned int i = 0; i < plan.nr_ranges; i++)
		read_range(v, in, &plan.ranges[i]);
	plan_deinit(&plan);
}

void verify_wrapped_elf(struct verify *v, struct input *in)
{
	int fd = memfd_create("core", MFD_CLOEXEC), rc = fd < 0 ? -errno : copy_headers(in, fd);

	if (rc)
		verify_defect(v, "its headers are not readable: %s", strerror(-rc));
	else
		verify_elf(v, fd);
	if (fd >= 0)
		close(fd);
	if (!v->quick)
		read_data(v, in);
}
