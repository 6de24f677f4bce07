/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmcore-notes where no target took it: compressed and in letters, line by line to the plain consoles, so that a log of the
 * serial line gives it back, whatever else speaks in between:
 *
 *   sed -n 's/.*kcapture: notes: //p' LOG | base64 -d | zstd -d > vmcore-notes
 */
#ifndef SRC_NOTES_CONSOLE_H
#define SRC_NOTES_CONSOLE_H

#include "elfcore/crash.h"
#include "src/console.h"

#define NOTES_LINE_BYTES 45	/* 60 letters */
#define NOTES_LINE_MAX 72

/* A line of it, for at most NOTES_LINE_BYTES bytes. */
void notes_line(const uint8_t *bytes, size_t len, char ret[NOTES_LINE_MAX]);

int notes_console_write(struct console *console, const struct crash *crash, struct error *err);

#endif
