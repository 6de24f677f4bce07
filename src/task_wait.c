// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/task_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/printk.h"
#include "src/kobject.h"

#define NS 1000000000ULL

static int last_record(void *arg, const struct printk_record *record)
{
	uint64_t *now = arg;

	*now = max_u64(*now, record->ts_nsec);
	return 0;
}

/*
 * local_clock(), by which the log is stamped, is what rq->clock shows; rq->clock_task, which exec_start is set from, runs
 * slower by the time of interrupts and what a hypervisor stole (update_rq_clock_task()). The clock of a CPU that idles
 * stands still, so the latest of all is the time.
 */
void task_wait_init(struct task_wait *wait, struct session *s)
{
	vaddr_t runqueues;
	struct error err;

	memset(wait, 0, sizeof(*wait));
	wait->s = s;
	printk_each(&s->kernel, last_record, &wait->now_ns, &err);
	wait->nr_cpus = kobject_nr_cpus(s);
	wait->lag_ns = calloc(wait->nr_cpus, sizeof(*wait->lag_ns));
	if (!wait->lag_ns || symbols_find(&s->symbols, "runqueues", &runqueues)) {
		wait->nr_cpus = 0;
		return;
	}
	for (unsigned int cpu = 0; cpu < wait->nr_cpus; cpu++) {
		vaddr_t rq = kobject_percpu(s, runqueues, cpu);
		uint64_t clock, task;

		if (!rq || !kobject_uint(s, rq, "rq", "clock", &clock) || !kobject_uint(s, rq, "rq", "clock_task", &task) || task > clock)
			continue;
		wait->now_ns = max_u64(wait->now_ns, clock);
		wait->lag_ns[cpu] = clock - task;
	}
}

void task_wait_deinit(struct task_wait *wait)
{
	free(wait->lag_ns);
}

bool task_wait_ns(const struct task_wait *wait, const struct task *task, uint64_t *ret)
{
	uint64_t last;

	*ret = 0;
	if (task->on_cpu || task->cpu >= wait->nr_cpus || !kobject_uint(wait->s, task->addr, "task_struct", "se.exec_start", &last) ||
	    !last || last + wait->lag_ns[task->cpu] > wait->now_ns)
		return false;
	*ret = wait->now_ns - last - wait->lag_ns[task->cpu];
	return true;
}

void task_wait_text(uint64_t ns, char ret[TASK_WAIT_TEXT])
{
	unsigned long long sec = ns / NS;

	if (sec < 10)
		snprintf(ret, TASK_WAIT_TEXT, "%llu.%llu s", sec, (unsigned long long)(ns % NS / (NS / 10)));
	else if (sec < 60)
		snprintf(ret, TASK_WAIT_TEXT, "%llu s", sec);
	else if (sec < 3600)
		snprintf(ret, TASK_WAIT_TEXT, "%llu min %llu s", sec / 60, sec % 60);
	else if (sec < 86400)
		snprintf(ret, TASK_WAIT_TEXT, "%llu h %llu min", sec / 3600, sec / 60 % 60);
	else
		snprintf(ret, TASK_WAIT_TEXT, "%llu d %llu h", sec / 86400, sec / 3600 % 24);
}
