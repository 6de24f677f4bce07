/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of the capture kernel, made of the running kernel's. Pure: text in, text out.
 *
 * A word is carried over when it is needed to reach console or disk on this very machine (consoles, IOMMU, PCI, ACPI,
 * module parameters); everything else is left behind, above all what would make the small kernel big (hugepages, log
 * buffers, swiotlb), find another root, or behave as in production. Then come the words that a capture kernel needs, and
 * last the user's, so that these win where the last one counts.
 */
#ifndef INITRAMFS_CMDLINE_H
#define INITRAMFS_CMDLINE_H

#include <stddef.h>

#include "elfcore/error.h"

/* COMMAND_LINE_SIZE of x86, arm64 and others, and what kexec adds to it (elfcorehdr=, memmap=). */
#define CAPTURE_CMDLINE_SIZE 2048
#define CAPTURE_CMDLINE_RESERVE 256

/*
 * running: /proc/cmdline; machine: as in uname -m; append: the user's words or NULL. -E2BIG when the result does not fit
 * into size bytes or would not leave CAPTURE_CMDLINE_RESERVE of CAPTURE_CMDLINE_SIZE.
 */
int capture_cmdline(const char *running, const char *machine, const char *append, char *ret, size_t size,
		    struct error *err);

/*
 * Let the capture kernel bring up nr CPUs. boot_apic_id >= 0 names the CPU that the crashed kernel had booted on: started
 * anew by another one it resets the machine (Documentation/admin-guide/kdump), so it stays out. -E2BIG: no room.
 */
int capture_cmdline_cpus(char *cmdline, size_t size, unsigned int nr, int boot_apic_id, struct error *err);

#endif
