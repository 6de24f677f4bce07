/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dead kernel's ORC tables as DWARF call frame information: with it gdb unwinds kernel stacks without vmlinux. x86_64.
 */
#ifndef SRC_SYMBOL_FRAMES_H
#define SRC_SYMBOL_FRAMES_H

#include "src/grow.h"
#include "src/session.h"

/*
 * The contents of a .debug_frame section; empty where there are no ORC tables. *nr_ret counts its rows. switches: only of
 * code that goes on on another stack (interrupts'), of which compilers know nothing, so that vmlinux's own description of
 * it is wrong.
 */
int symbol_frames_write(struct session *s, bool switches, struct grow *ret, uint32_t *nr_ret);

#endif
