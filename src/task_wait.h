/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For how long tasks had not run when the kernel died: from when the scheduler last accounted for them (sched_entity's
 * exec_start, all classes) to the last that is known of the time, by its log and its CPUs' clocks. For a task that is
 * blocked this is how long it was.
 */
#ifndef SRC_TASK_WAIT_H
#define SRC_TASK_WAIT_H

#include "elfcore/tasks.h"
#include "src/session.h"

struct task_wait {
	struct session *s;
	uint64_t now_ns;		/* since boot, 0 = unknown */
	uint64_t *lag_ns;		/* by CPU: what its interrupts took from the clock that exec_start is of */
	unsigned int nr_cpus;
};

/* Without these times tasks' times are unknown, which is no error. */
void task_wait_init(struct task_wait *wait, struct session *s);
void task_wait_deinit(struct task_wait *wait);

/* false = unknown, or it was running. */
bool task_wait_ns(const struct task_wait *wait, const struct task *task, uint64_t *ret);

/* "12 s", "3 min 20 s", "5 h 12 min", "2 d 4 h": for people. */
#define TASK_WAIT_TEXT 32
void task_wait_text(uint64_t ns, char ret[TASK_WAIT_TEXT]);

#endif
