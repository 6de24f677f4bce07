/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dead x86_64 kernel whose memory is one segment of zeros, for tests that write into it what they read.
 */
#ifndef TESTS_LIB_SMALL_KERNEL_H
#define TESTS_LIB_SMALL_KERNEL_H

#include "elfcore/kernel.h"
#include "tests/lib/corebuilder.h"

/* What it consists of lies side by side in a struct of the test, which is cleared: kernel and crash point into it. */
struct small_kernel {
	struct fake_mem mem;
	struct segment seg;
	struct crash crash;
	struct kernel kernel;
};

/* size bytes from address 0 of mem are at vaddr; info is its VMCOREINFO, borrowed, NULL = none. */
void small_kernel_init(struct small_kernel *small, vaddr_t vaddr, size_t size, const char *info);

/* The number at an offset of its memory. */
void small_kernel_put(struct small_kernel *small, size_t off, size_t size, uint64_t value);

#endif
