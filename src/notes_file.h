/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The notes of a crash as a core of their own, without any memory, written before the dump is: registers of the CPUs and
 * VMCOREINFO, in some kilobytes.
 */
#ifndef SRC_NOTES_FILE_H
#define SRC_NOTES_FILE_H

#include "elfcore/crash.h"
#include "elfcore/sink.h"

#define NOTES_FILE_NAME "vmcore-notes"

/* Write and commit it. */
int notes_file_write(struct sink *sink, const struct crash *crash, struct error *err);

#endif
