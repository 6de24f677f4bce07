/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sources of memory: /dev/mem and /proc/vmcore of a capture kernel, and files. Storage is the caller's;
 * close through mem_close(&x->mem).
 */
#ifndef SRC_MEM_SOURCES_H
#define SRC_MEM_SOURCES_H

#include "elfcore/crash.h"
#include "elfcore/error.h"
#include "elfcore/mem.h"

/* A mapping that moves over a file: the latest pages asked for, so that small reads nearby cost no system call. */
struct mem_window {
	int fd;			/* borrowed */
	size_t page_size;
	void *ptr;
	uint64_t base;
	size_t len;
};

void mem_window_init(struct mem_window *window, int fd);
void mem_window_deinit(struct mem_window *window);

/* Guarded copy out of the file; -errno of mmap(2), or -EIO when a page faults. */
int mem_window_read(struct mem_window *window, uint64_t addr, void *buf, size_t len);

/* As mem_ops.look, of a file whose pages take loads of any kind. */
int mem_window_look(struct mem_window *window, uint64_t addr, size_t len, mem_look_fn *fn, void *arg);

/* Physical memory; maddr_t is a physical address. */
struct mem_devmem {
	struct mem mem;
	struct mem_window window;
};

int mem_devmem_open(struct mem_devmem *dev, struct error *err);

/* Where a range of physical memory lies in /proc/vmcore. */
struct vmcore_range {
	maddr_t src;
	uint64_t len;
	uint64_t off;
};

/* /proc/vmcore; maddr_t is a file offset, after mem_vmcore_translate() a physical address. */
struct mem_vmcore {
	struct mem mem;
	struct mem_window window;
	bool no_mmap;			/* mmap(2) was refused once: read(2) from then on */
	struct vmcore_range *ranges;	/* NULL = not translating */
	unsigned int nr_ranges;
};

int mem_vmcore_open(struct mem_vmcore *vmcore, struct error *err);

/*
 * From now on address it as the header at elfcorehdr does. own is the header that /proc/vmcore itself shows: the
 * kernel keeps the PT_LOADs and their order, so the n-th of one is the n-th of the other (fs/proc/vmcore.c); pairs
 * that disagree are left out. -ENODATA when none agrees.
 */
int mem_vmcore_translate(struct mem_vmcore *vmcore, const struct crash *physical, const struct crash *own, struct error *err);

/* A core in a file or block device; maddr_t is a file offset. */
struct mem_file {
	struct mem mem;
	int fd;
	struct mem_window window;	/* for what is looked at in place */
	uint64_t hole_start, hole_end;	/* the one found last: zeros without a byte on the disk */
	bool uncached;			/* what was read leaves the page cache again; for who opened it to set */
	uint64_t nr_cached;		/* that may be in it now */
};

int mem_file_open(struct mem_file *file, const char *path, struct error *err);

#define FLAT_LANES 7
#define FLAT_CURSORS 2

/* A place in the stream: the next record's, and where each lane ends before it. */
struct flat_place {
	uint64_t pos;
	uint64_t ends[FLAT_LANES];	/* in the dump; 0 = it has not begun */
};

struct flat_record {
	uint64_t off, len;	/* in the dump */
	uint64_t pos;		/* of its bytes in the stream */
	unsigned int lane;	/* FLAT_LANES = none */
};

/* One record in stride, and what those from it to the next mark cover that are in no lane. */
struct flat_mark {
	struct flat_place at;
	uint64_t low, high;
};

/* Where a lane was found last: reading on from there looks at no record twice. */
struct flat_cursor {
	struct flat_record record;
	uint64_t before;		/* the end of the lane's record before it */
	struct flat_place at;		/* behind it */
	uint64_t used;
};

/*
 * A core in the flattened form; maddr_t is an offset in the core that it stands for. Writers have few places where they
 * go on (page descriptors, page data): each such lane is ascending and disjoint. Of the records, of which there is one for
 * each 64 KiB as makedumpfile writes them, so many are marked as there is memory for, and from the mark before it a record
 * is found by walking. What fits no lane is walked through wherever it may cover what is read.
 */
struct mem_flat {
	struct mem mem;
	struct mem *below;		/* the stream; borrowed */
	struct flat_mark *marks;
	size_t nr_marks, cap;
	uint64_t stride, nr_records, nr_stray;	/* stray: in no lane */
	struct flat_place end;		/* as far as the stream was understood */
	struct flat_cursor cursors[FLAT_LANES][FLAT_CURSORS];
	uint64_t clock;
	uint64_t size;			/* of the core */
	bool cut;			/* there is no end record */
};

/* -ENODEV: it is not flattened. A stream that ends early is taken as far as it goes, with a warning. */
int mem_flat_open(struct mem_flat *flat, struct mem *below, struct log *log, struct error *err);

#endif
