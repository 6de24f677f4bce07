/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dead kernel's log, record by record: the lockless ring buffer of 5.10 and later (kernel/printk/printk_ringbuffer.h)
 * and the record buffer of 3.5 to 5.9. Layouts come from VMCOREINFO; which of the two there is shows by SYMBOL(prb).
 *
 * The log is read while nobody writes any more, but a CPU may have been stopped in the middle of a record: such ones
 * are passed over, and every length is bounded by its buffer.
 */
#ifndef ELFCORE_PRINTK_H
#define ELFCORE_PRINTK_H

#include "elfcore/btf.h"
#include "elfcore/kernel.h"

/* Longer texts are cut; the kernel's own limit is below (LOG_LINE_MAX, 1 KiB; 8 KiB with extended records). */
#define PRINTK_TEXT_MAX 8192

struct printk_record {
	uint64_t seq;
	uint64_t ts_nsec;	/* since boot, of that kernel's local_clock() */
	uint32_t caller_id;	/* thread, or CPU with the top bit set; 0 = not kept */
	const char *text;	/* not terminated, may hold newlines; borrowed for the time of the call */
	size_t text_len;
	int level;		/* 0 emerg to 7 debug; -1 = unknown, as is the next */
	int facility;		/* 0 kern, as of syslog(3) */
	const char *subsystem, *device;		/* "pci", "+pci:0000:00:02.0"; "" = none; borrowed like text */
};

/* A value other than 0 ends the iteration and is its result. */
typedef int printk_fn(void *arg, const struct printk_record *record);

/*
 * All records, oldest first. -ENODATA with the missing key named when VMCOREINFO does not tell where the log is;
 * -EIO when its head cannot be read; -EINVAL when it contradicts itself.
 */
int printk_each(struct kernel *kernel, printk_fn *fn, void *arg, struct error *err);

/* The same with levels and facilities, which VMCOREINFO does not tell the place of but BTF does. NULL: unknown. */
int printk_each_typed(struct kernel *kernel, const struct btf *btf, printk_fn *fn, void *arg, struct error *err);

/*
 * One record as dmesg(1) shows it: "[prefix] text" for each of its lines, control characters as \xNN, newline at the
 * end. prefix NULL is the time since boot, "%5u.%06u". Returns the length, which is cut to size.
 */
size_t printk_format(const struct printk_record *record, const char *prefix, char *ret, size_t size);

/* Room for the longest text of printable characters and all the lines that real ones have. */
#define PRINTK_FORMAT_MAX (2 * PRINTK_TEXT_MAX)

#endif
