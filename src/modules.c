// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "klibc/compat.h"
#include "src/sys.h"

#define MODULE_LIST "/modules/load"

static void load_module(const char *name, struct log *log)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "/modules/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* ENODEV is what a driver says whose hardware is not there: the list has alternatives. */
	if (fd < 0 || (finit_module(fd, "", 0) && errno != EEXIST && errno != ENODEV))
		log_warn(log, "module %s: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void modules_load(volatile unsigned int *nr_done, struct log *log)
{
	char list[8192], *save;
	ssize_t len = read_text(MODULE_LIST, list, sizeof(list));
	unsigned int nr = 0, first = *nr_done;

	if (len < 0 && len != -ENOENT)
		log_warn(log, MODULE_LIST ": %s", strerror(-len));
	if (len <= 0)
		return;
	for (char *name = strtok_r(list, "\n", &save); name; name = strtok_r(NULL, "\n", &save)) {
		if (nr++ < first)
			continue;
		*nr_done = nr;
		load_module(name, log);
	}
	if (nr > first)
		log_info(log, "%u modules loaded", nr - first);
}
