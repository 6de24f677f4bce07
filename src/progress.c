// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/progress.h"

#include <stdio.h>

#include "elfcore/types.h"
#include "src/sys.h"

void progress_begin(struct progress *progress, const char *phase, uint64_t total)
{
	progress->phase = phase;
	progress->done = 0;
	progress->total = total;
	progress->start_ms = progress->shown_ms = now_ms();
	if (progress->moved)
		++*progress->moved;
}

void progress_advance(struct progress *progress, uint64_t bytes)
{
	uint64_t now = now_ms(), elapsed = now - progress->start_ms, done, rate, left;
	char line[96];

	progress->done += bytes;
	if (progress->moved)
		++*progress->moved;
	if (!progress->show || now - progress->shown_ms < 1000 || !progress->total)
		return;
	progress->shown_ms = now;
	done = min_u64(progress->done, progress->total);
	rate = elapsed ? progress->done / elapsed : 0;	/* bytes per ms = kB/s; the clock may have been set back */
	left = rate ? (progress->total - done) / rate / 1000 : 0;
	snprintf(line, sizeof(line), "%s: %3u %%  %llu of %llu MB  %llu MB/s  ETA %llu:%02u", progress->phase,
		 (unsigned int)(done * 100 / progress->total), (unsigned long long)(progress->done / 1000000),
		 (unsigned long long)(progress->total / 1000000), (unsigned long long)(rate / 1000),
		 (unsigned long long)(left / 60), (unsigned int)(left % 60));
	progress->show(progress, line);
}
