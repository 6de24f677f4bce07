/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The remote protocol of gdb (its manual, appendix "Remote Serial Protocol"), of a machine that stands still for ever: memory
 * and registers can be read, threads listed, and nothing else. One packet's text in, one reply's text out; whoever calls
 * does the framing. x86_64.
 */
#ifndef SRC_GDB_STUB_H
#define SRC_GDB_STUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elfcore/unwind.h"

#define GDB_PACKET_MAX 0x4000

struct gdb_thread {
	uint64_t id;		/* > 0 */
	vaddr_t task;
	uint32_t cpu;		/* CPU_UNKNOWN = it slept */
	char name[48];
};

struct gdb_stub {
	struct gdb_thread *threads;	/* the current one first */
	size_t nr_threads;
	size_t current, listed;
	bool no_ack, ended;

	/* Read as much as there is of [addr, addr + len) from its start on; the number of bytes. */
	size_t (*read_memory)(struct gdb_stub *stub, uint64_t addr, uint8_t *buf, size_t len);

	/* Fill what is known of the registers. */
	void (*read_registers)(struct gdb_stub *stub, const struct gdb_thread *thread, struct unwind_frame *ret);
};

/* packet is what stands between $ and #, terminated; the reply is terminated too, "" = not supported. */
void gdb_stub_packet(struct gdb_stub *stub, const char *packet, char reply[GDB_PACKET_MAX]);

#endif
