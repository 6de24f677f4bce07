// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/signature.h"

#include <stdio.h>
#include <string.h>

/* FNV-1a, 64 bit. */
#define FNV_START 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

void signature_init(struct signature *sig)
{
	memset(sig, 0, sizeof(*sig));
}

/* Does the name match one of these? A '*' at the end stands for anything. */
static bool in_list(const char *name, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		size_t len = strlen(list[i]);

		if (list[i][len - 1] == '*' ? !strncmp(name, list[i], len - 1) : !strcmp(name, list[i]))
			return true;
	}
	return false;
}

/* The way every panic goes, and how the kernel is entered. */
static bool is_frame_of_every_crash(const char *name)
{
	static const char *const names[] = {
		"__crash_kexec", "crash_kexec", "panic", "vpanic", "nmi_panic", "oops_end", "die", "die_addr", "__die*",
		"__stack_chk_fail", "asm_*", "sysvec_*", "__sysvec_*", "instr_sysvec_*", "common_interrupt", "__common_interrupt",
		"entry_*", "do_syscall_*", "x64_sys_call", "irq_exit_rcu", "__irq_exit_rcu", "do_softirq", "__do_softirq",
		"handle_softirqs", "ret_from_fork*",
	};

	return in_list(name, names, ARRAY_SIZE(names));
}

/* What runs in an interrupt and panics because of what it found interrupted. */
static bool is_watchdog(const char *name)
{
	static const char *const names[] = { "watchdog_timer_fn", "rcu_sched_clock_irq", "check_cpu_stall", "watchdog_*_check" };

	return in_list(name, names, ARRAY_SIZE(names));
}

/* Does what was counted so far only handle what happened in this frame? */
static bool is_only_handling(const struct signature *sig, const struct bt_frame *frame)
{
	return frame->boundary == BT_EXCEPTION || frame->boundary == BT_NMI ||
	       (frame->boundary == BT_INTERRUPT && sig->watchdog);
}

bool signature_add(struct signature *sig, const struct bt_frame *frame)
{
	char name[SIGNATURE_NAME], full[SIGNATURE_NAME];
	size_t len = strcspn(frame->name + 1, ".") + 1;

	/* An NMI may have met the way into an interrupt: then it is what that one met. */
	if (frame->boundary != BT_CALL && !frame->unwind.user && is_only_handling(sig, frame))
		sig->handler = true;
	else if (frame->boundary != BT_CALL && ((sig->nr && !sig->handler) || frame->unwind.user))
		sig->closed = true;
	if (sig->closed || !frame->name[0])
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)min_u64(len, sizeof(name) - 1), frame->name);
	if (is_frame_of_every_crash(name))
		return false;
	if (sig->handler)
		signature_init(sig);
	sig->watchdog |= is_watchdog(name);
	if (sig->nr == SIGNATURE_DEPTH)
		return false;
	snprintf(full, sizeof(full), frame->module[0] ? "%s:%s" : "%s%s", frame->module, name);
	/* Recursion is as deep as the stack happens to allow. */
	if (sig->nr && !strcmp(sig->names[sig->nr - 1], full))
		return false;
	memcpy(sig->names[sig->nr++], full, sizeof(full));
	return sig->nr == 1;
}

void signature_text(const struct signature *sig, char ret[SIGNATURE_LEN])
{
	uint64_t hash = FNV_START;

	ret[0] = 0;
	if (!sig->nr)
		return;
	for (unsigned int i = 0; i < sig->nr; i++)
		for (const char *p = sig->names[i];; p++) {
			hash = (hash ^ (uint8_t)*p) * FNV_PRIME;
			if (!*p)
				break;
		}
	snprintf(ret, SIGNATURE_LEN, "k1-%016llx", (unsigned long long)hash);
}
