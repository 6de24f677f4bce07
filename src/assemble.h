/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that userspace has to put together, by the distribution's own tools, which the image carries: md arrays (mdadm), LVM
 * (lvm), LUKS (cryptsetup with a key file). The steps come from the configuration ("assemble"), or from who armed, and go from
 * the disks upwards; each may be tried again until its parts have appeared.
 */
#ifndef SRC_ASSEMBLE_H
#define SRC_ASSEMBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/config.h"
#include "src/device.h"

/* Where the image has the key file of target number N. */
#define ASSEMBLE_KEY_FILE "/etc/keys/%u"

struct assemble {
	const struct target_config *cfg;
	unsigned int index;		/* of the target */
	uint64_t deadline_ms;
	struct device_memo *memo;
	struct log *log;
	unsigned int nr_rounds;		/* so far */
};

/* All steps once, in order. What comes of it shows when the device is looked for. degraded: arrays start with what is there. */
void assemble(struct assemble *as, bool degraded);

#endif
