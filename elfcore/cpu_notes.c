// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/cpu_notes.h"

#include "elfcore/object.h"

#define NO_PID (-1)

uint32_t cpu_note_pid(const struct kernel *kernel, const struct cpu_note *note)
{
	const struct notes *notes = &kernel->crash->notes;
	unsigned int off = kernel->arch ? kernel->arch->pid_off : 0;

	return off && off + 4 <= note->descsz ? elf_get(notes->data, notes->buf + note->desc_off + off, 4) : 0;
}

/* PID of what a CPU was running, NO_PID when it was not online. */
static int pid_on(struct backtrace *bt, uint32_t cpu)
{
	struct bt_task task;
	uint64_t word;
	vaddr_t mask;

	if (symbols_find(bt->syms, "__cpu_online_mask", &mask) ||
	    kernel_read_word(bt->syms->kernel, mask + cpu / 64 * 8, &word) || !(word >> cpu % 64 & 1) ||
	    backtrace_cpu_task(bt, cpu, &task))
		return NO_PID;
	return task.pid;
}

static uint32_t count_cpus(struct backtrace *bt)
{
	uint64_t nr;
	vaddr_t addr;

	return symbols_find(bt->syms, "nr_cpu_ids", &addr) || kernel_read_uint(bt->syms->kernel, addr, 4, &nr) ? 0 :
	       min_u64(nr, BT_CPUS_MAX);
}

/* In order, one after the other. Does it come out even? */
static bool number_all(struct backtrace *bt, struct notes *notes, uint32_t nr_cpus, bool really)
{
	unsigned int n = 0;

	for (uint32_t cpu = 0; cpu < nr_cpus; cpu++) {
		int pid = pid_on(bt, cpu);

		if (pid == NO_PID)
			continue;
		if (n == notes->nr_cpus || cpu_note_pid(bt->syms->kernel, &notes->cpus[n]) != (uint32_t)pid)
			return false;
		if (really)
			notes->cpus[n].cpu = cpu;
		n++;
	}
	return n == notes->nr_cpus;
}

/* The only note of a task; NULL when there is none or more. */
static struct cpu_note *only_note(struct backtrace *bt, struct notes *notes, uint32_t pid)
{
	struct cpu_note *found = NULL;

	for (unsigned int i = 0; i < notes->nr_cpus; i++) {
		if (cpu_note_pid(bt->syms->kernel, &notes->cpus[i]) != pid)
			continue;
		if (found)
			return NULL;
		found = &notes->cpus[i];
	}
	return found;
}

void cpu_notes_number(struct backtrace *bt, struct notes *notes)
{
	uint32_t nr_cpus = count_cpus(bt);

	for (unsigned int i = 0; i < notes->nr_cpus; i++)
		if (notes->cpus[i].cpu != CPU_UNKNOWN)
			return;
	if (number_all(bt, notes, nr_cpus, false)) {
		number_all(bt, notes, nr_cpus, true);
		return;
	}
	for (uint32_t cpu = 0; cpu < nr_cpus; cpu++) {
		int pid = pid_on(bt, cpu);
		struct cpu_note *note = pid > 0 ? only_note(bt, notes, pid) : NULL;

		if (note)
			note->cpu = cpu;
	}
}
