/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lowest rung: no target took the log and the notes, so they go where no disk is needed. The end of the dead kernel's log
 * and the notes to the console, which may be logged by somebody; the former also to /dev/pmsg0, which a persistent-RAM backend
 * keeps over the reboot; and its last line to a variable of the EFI firmware.
 */
#ifndef SRC_LAST_WORDS_H
#define SRC_LAST_WORDS_H

#include "elfcore/kernel.h"
#include "src/log_ring.h"

void last_words(struct kernel *kernel, const char *reason, struct log_ring *ring);

#endif
