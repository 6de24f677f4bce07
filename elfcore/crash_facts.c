// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/crash_facts.h"

#include <stdio.h>
#include <string.h>

#include "elfcore/cpu_notes.h"
#include "elfcore/object.h"

void crash_facts_init(struct crash_facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->cpu = CPU_UNKNOWN;
	facts->task.pid = -1;
}

/*
 * The registers of a CPU. Where all notes are in one PT_NOTE, as /proc/vmcore has them, nobody says whose they are: then it is
 * the one of the task that ran there, which idle tasks (pid 0) do not tell.
 */
static const struct cpu_note *find_note(const struct kernel *kernel, uint32_t cpu, uint32_t pid)
{
	const struct notes *notes = &kernel->crash->notes;
	const struct cpu_note *found = NULL;

	for (unsigned int i = 0; i < notes->nr_cpus; i++)
		if (notes->cpus[i].cpu == cpu)
			return &notes->cpus[i];
	for (unsigned int i = 0; pid && i < notes->nr_cpus; i++) {
		if (notes->cpus[i].cpu != CPU_UNKNOWN || cpu_note_pid(kernel, &notes->cpus[i]) != pid)
			continue;
		if (found)
			return NULL;
		found = &notes->cpus[i];
	}
	return found;
}

static void read_stack(struct crash_facts *facts, struct backtrace *bt)
{
	const struct cpu_note *note = find_note(bt->syms->kernel, facts->cpu, facts->task.pid);
	struct bt_frame frame;

	if (!note || backtrace_start_cpu(bt, note))
		return;
	while (backtrace_next(bt, &frame)) {
		bool is_first = signature_add(&facts->signature, &frame);

		if (frame.unwind.user)
			continue;
		if (is_first) {
			facts->ip = frame.unwind.ip;
			bt_frame_text(&frame, facts->place, sizeof(facts->place));
		}
		if (facts->nr_frames < FACTS_FRAMES)
			bt_frame_text(&frame, facts->frames[facts->nr_frames++], FACTS_FRAME_LEN);
	}
}

/* Made when it was first asked for (drivers/char/random.c); zeros before. */
static void read_boot_id(struct crash_facts *facts, struct backtrace *bt)
{
	static const uint8_t none[16];
	uint8_t id[16];
	vaddr_t addr;
	char *out = facts->boot_id;

	if (symbols_find(bt->syms, "sysctl_bootid", &addr) || kernel_read_vaddr(bt->syms->kernel, addr, id, sizeof(id)) ||
	    !memcmp(id, none, sizeof(id)))
		return;
	for (unsigned int i = 0; i < sizeof(id); i++)
		out += sprintf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
}

void crash_facts_read(struct crash_facts *facts, struct backtrace *bt)
{
	vaddr_t addr;

	facts->cpu = backtrace_panic_cpu(bt);
	if (facts->cpu != CPU_UNKNOWN)
		backtrace_cpu_task(bt, facts->cpu, &facts->task);
	read_stack(facts, bt);
	facts->taint_known = !symbols_find(bt->syms, "tainted_mask", &addr) &&
			     !kernel_read_word(bt->syms->kernel, addr, &facts->taint);
	read_boot_id(facts, bt);
}

/* taint_flags[] in kernel/panic.c; bit 0 has a letter for "not" as well, which is left out. */
void taint_text(uint64_t taint, char ret[TAINT_TEXT_MAX])
{
	static const char letters[] = "PFSRMBUDAWCIOELKXTNJ";
	unsigned int nr = 0;

	for (unsigned int i = 0; i < sizeof(letters) - 1; i++)
		if (taint >> i & 1)
			ret[nr++] = letters[i];
	if (!nr)
		ret[nr++] = '-';
	ret[nr] = 0;
}
