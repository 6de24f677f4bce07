/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alias segments: PT_LOADs that give the addresses outside the direct map and the kernel's image, of stacks, modules and
 * all else in vmalloc space, a place in data that is stored already. Their p_paddr is PADDR_NONE and they come after every
 * real PT_LOAD, so that only readers by virtual address (gdb) use them. They are not sorted: room is limited, and what
 * makes backtraces work comes first:
 *
 *   1. the stacks that the CPUs were on, and those that these had been entered from: at most half of the room
 *   2. the areas that are not mixed (arch_ops.areas), which are modules and exception stacks: each at most half of what is
 *      left by then
 *   3. of the mixed areas what has the size of a stack between two gaps
 *   4. the rest, in this order
 */
#ifndef ELFCORE_PLAN_ALIAS_H
#define ELFCORE_PLAN_ALIAS_H

#include "elfcore/kernel.h"
#include "elfcore/plan.h"

/*
 * Add at most max alias segments to a plan that has all its other ones; each area's page tables are walked once. What is
 * missing, knowledge or memory, costs aliases and is said in the log.
 */
void plan_add_aliases(struct plan *plan, struct kernel *kernel, unsigned int max, struct log *log);

#endif
