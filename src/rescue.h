/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /init's child does in the capture kernel, once the modules are loaded: up to the unmounted target.
 */
#ifndef SRC_RESCUE_H
#define SRC_RESCUE_H

#include "src/config.h"
#include "src/log_ring.h"
#include "src/progress.h"

/* 0 = a complete dump was saved and said so; else it was said what failed. */
int rescue(const struct config *cfg, const char *cmdline, struct log_ring *ring, struct progress *progress);

#endif
