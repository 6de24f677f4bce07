// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A block device without a filesystem: the core begins at its first byte, and there is nothing beside it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/sys.h"
#include "src/target.h"

static int raw_open(struct target *target, struct error *err)
{
	uint64_t deadline_ms = now_ms() + 1000ULL * target->cfg->target_timeout;
	int rc = target_find_device(target, deadline_ms, err);

	if (!rc)
		snprintf(target->name, sizeof(target->name), "%s", target->device);
	return rc;
}

static int raw_open_file(struct target *target, const char *name, struct sink **ret, struct error *err)
{
	int rc;

	if (strcmp(name, "vmcore"))
		return fail(err, -EOPNOTSUPP, "%s: a raw device has no place for it", name);
	*ret = &target->block.sink;
	rc = sink_block_open(&target->block, target->device, err);
	if (!rc)
		snprintf(target->path, sizeof(target->path), "%s", target->device);
	return rc;
}

static void raw_close(struct target *target)
{
	(void)target;
}

const struct target_ops target_raw = {
	.open = raw_open,
	.open_file = raw_open_file,
	.close = raw_close,
};
