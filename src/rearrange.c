// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/rearrange.h"

#include <string.h>

#include "src/flat_together.h"

int rearrange(int fd, struct output_path *out, struct error *err)
{
	struct sink *sink = NULL;
	uint64_t size;
	int rc = flat_take_header(fd, err);

	if (!rc)
		rc = out->out.open(&out->out, NULL, NULL, &sink, err);
	if (rc)
		return rc;
	rc = flat_together(fd, sink, &size, err);
	if (!rc && sink_commit(sink, size))
		rc = fail(err, sink->error, "writing %s failed: %s", out->name, strerror(-sink->error));
	if (rc)
		sink_keep(sink, size);
	sink_close(sink);
	out->out.close(&out->out);
	return rc;
}
