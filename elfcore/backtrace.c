// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/backtrace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "elfcore/object.h"

/* struct inactive_task_frame (arch/x86/include/asm/switch_to.h) of all kernels since 4.9, for those without types. */
#define FRAME_BP_OFF 40
#define FRAME_RET_OFF 48

static vaddr_t function_start(struct orc *orc, vaddr_t ip)
{
	struct backtrace *bt = container_of(orc, struct backtrace, orc);
	struct symbol symbol;

	return symbols_resolve(bt->syms, ip, &symbol) ? 0 : symbol.addr;
}

/* 6.3 put a "signal" bit before the bit "end". */
static unsigned int end_bit(const struct btf *btf)
{
	struct btf_field field;

	return btf && !btf_member(btf, "struct orc_entry", "end", &field) && (field.off * 8 + field.bit_off) % 8 == 3 ? 3 : 2;
}

static int add_kernel_table(struct backtrace *bt, struct error *err)
{
	vaddr_t ips, start, stop, fp;
	uint8_t entry[ORC_ENTRY_SIZE];
	int rc;

	if (symbols_find(bt->syms, "__start_orc_unwind_ip", &ips) || symbols_find(bt->syms, "__start_orc_unwind", &start) ||
	    symbols_find(bt->syms, "__stop_orc_unwind", &stop) || symbols_find(bt->syms, "orc_fp_entry", &fp) || stop < start)
		return fail(err, -ENODATA, "the crashed kernel has no symbols of ORC tables");
	rc = kernel_read_vaddr(bt->syms->kernel, fp, entry, sizeof(entry));
	if (rc)
		return fail(err, rc, "orc_fp_entry is not readable at 0x%llx", (unsigned long long)fp);
	orc_init(&bt->orc, bt->syms->kernel, entry, end_bit(bt->btf));
	bt->orc.function_start = function_start;
	if (!bt->orc.usable)
		return fail(err, -EINVAL, "an unknown encoding of ORC entries (%02x%02x)", entry[4], entry[5]);
	rc = orc_add_table(&bt->orc, ips, start, (stop - start) / ORC_ENTRY_SIZE);
	return rc ? fail(err, rc, "the ORC table at 0x%llx is not readable", (unsigned long long)ips) : 0;
}

static void add_module_tables(struct backtrace *bt)
{
	struct kernel *kernel = bt->syms->kernel;
	struct btf_field ips, entries, nr;

	if (!bt->btf || btf_member(bt->btf, "struct module", "arch.orc_unwind_ip", &ips) ||
	    btf_member(bt->btf, "struct module", "arch.orc_unwind", &entries) ||
	    btf_member(bt->btf, "struct module", "arch.num_orcs", &nr))
		return;
	for (unsigned int i = 0; i < bt->syms->modules.nr; i++) {
		vaddr_t mod = bt->syms->modules.list[i].addr;
		uint64_t at_ips, at_entries, n;

		/* A broken one costs the frames in that module. */
		if (!kernel_read_word(kernel, mod + ips.off, &at_ips) && !kernel_read_word(kernel, mod + entries.off, &at_entries) &&
		    !kernel_read_uint(kernel, mod + nr.off, nr.size, &n))
			orc_add_table(&bt->orc, at_ips, at_entries, n);
	}
}

int backtrace_init(struct backtrace *bt, struct symbols *syms, const struct btf *btf, struct log *log, struct error *err)
{
	static const uint8_t unusable[ORC_ENTRY_SIZE];
	struct btf_field field;
	struct error why;

	memset(bt, 0, sizeof(*bt));
	bt->syms = syms;
	bt->btf = btf;
	bt->sp_off = btf ? btf_offset(btf, "struct task_struct", "thread.sp") : -1;
	bt->bp_off = FRAME_BP_OFF;
	bt->ret_off = FRAME_RET_OFF;
	if (syms->kernel->crash->ehdr.machine != EM_X86_64)
		return fail(err, -EOPNOTSUPP, "stacks are known of x86_64 only, this is %s",
			    arch_machine_name(syms->kernel->crash->ehdr.machine));
	if (btf && !btf_member(btf, "struct inactive_task_frame", "bp", &field))
		bt->bp_off = field.off;
	if (btf && !btf_member(btf, "struct inactive_task_frame", "ret_addr", &field))
		bt->ret_off = field.off;
	orc_init(&bt->orc, syms->kernel, unusable, 2);
	bt->orc.function_start = function_start;
	if (add_kernel_table(bt, &why))
		log_warn(log, "stacks by frame pointers only: %s", why.text);
	else
		add_module_tables(bt);
	return 0;
}

void backtrace_deinit(struct backtrace *bt)
{
	orc_deinit(&bt->orc);
}

int backtrace_start_cpu(struct backtrace *bt, const struct cpu_note *cpu)
{
	const struct crash *crash = bt->syms->kernel->crash;
	const struct arch_ops *arch = bt->syms->kernel->arch;

	if (!arch || cpu->descsz < arch->prstatus_size)
		return -EINVAL;
	bt->last[0] = 0;
	unwind_init_regs(&bt->unwind, &bt->orc, crash->notes.buf + cpu->desc_off + arch->ip_off - 8 * REG_IP);
	return 0;
}

int backtrace_start_task(struct backtrace *bt, vaddr_t task)
{
	uint64_t sp;

	if (bt->sp_off < 0 || kernel_read_word(bt->syms->kernel, task + bt->sp_off, &sp))
		return -ENODATA;
	bt->last[0] = 0;
	unwind_init_task(&bt->unwind, &bt->orc, sp, bt->bp_off, bt->ret_off);
	return bt->unwind.end == UNWIND_RUNNING ? 0 : -ENODATA;
}

/* The entry code's names say what came in: asm_exc_page_fault, asm_sysvec_apic_timer_interrupt, entry_SYSCALL_64_after_hwframe. */
static enum bt_boundary classify(struct backtrace *bt)
{
	static const struct {
		const char *prefix;
		enum bt_boundary boundary;
		const char *cause;	/* NULL = the rest of the name */
	} entries[] = {
		{ "asm_exc_nmi", BT_NMI, "" }, { "end_repeat_nmi", BT_NMI, "" }, { "repeat_nmi", BT_NMI, "" }, { "nmi", BT_NMI, "" },
		{ "first_nmi", BT_NMI, "" },
		{ "asm_exc_", BT_EXCEPTION, NULL },
		{ "asm_sysvec_", BT_INTERRUPT, NULL },
		{ "asm_common_interrupt", BT_INTERRUPT, "" }, { "common_interrupt", BT_INTERRUPT, "" },
		{ "asm_spurious_interrupt", BT_INTERRUPT, "spurious" }, { "asm_", BT_INTERRUPT, NULL },
		{ "ret_from_intr", BT_INTERRUPT, "" }, { "common_interrupt_return", BT_INTERRUPT, "" },
		{ "entry_SYSCALL", BT_SYSCALL, "" }, { "entry_SYSENTER", BT_SYSCALL, "" }, { "entry_INT80", BT_SYSCALL, "" },
		{ "ret_from_fork", BT_SYSCALL, "" }, { "syscall_return", BT_SYSCALL, "" },
	};

	bt->cause[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		size_t len = strlen(entries[i].prefix);

		if (strncmp(bt->last, entries[i].prefix, len))
			continue;
		snprintf(bt->cause, sizeof(bt->cause), "%s", entries[i].cause ? entries[i].cause : bt->last + len);
		return entries[i].boundary;
	}
	return BT_EXCEPTION;
}

static void add_name(struct backtrace *bt, struct bt_frame *frame)
{
	/* A return address may lie behind the function's end: the call before it does not. */
	uint64_t back = frame->unwind.exact ? 0 : 1;
	struct symbol symbol;

	frame->name[0] = frame->module[0] = 0;
	frame->offset = frame->size = 0;
	if (frame->unwind.user || symbols_resolve(bt->syms, frame->unwind.ip - back, &symbol))
		return;
	snprintf(frame->name, sizeof(frame->name), "%s", symbol.name);
	snprintf(frame->module, sizeof(frame->module), "%s", symbol.module ? symbol.module : "");
	frame->offset = frame->unwind.ip - symbol.addr;
	frame->size = symbol.size;
}

int backtrace_next(struct backtrace *bt, struct bt_frame *ret)
{
	if (!unwind_next(&bt->unwind, &ret->unwind))
		return 0;
	ret->cause = "";
	ret->boundary = BT_CALL;
	if (ret->unwind.interrupted) {
		ret->boundary = classify(bt);
		ret->cause = bt->cause;
	}
	add_name(bt, ret);
	snprintf(bt->last, sizeof(bt->last), "%s", ret->name);
	return 1;
}

void bt_frame_text(const struct bt_frame *frame, char *ret, size_t size)
{
	if (!frame->name[0])
		snprintf(ret, size, "0x%llx", (unsigned long long)frame->unwind.ip);
	else
		snprintf(ret, size, frame->module[0] ? "%s+0x%llx/0x%llx [%s]" : "%s+0x%llx/0x%llx", frame->name,
			 (unsigned long long)frame->offset, (unsigned long long)frame->size, frame->module);
}

void backtrace_read_task(struct backtrace *bt, vaddr_t addr, struct bt_task *ret)
{
	struct btf_field comm, pid;
	uint64_t number;

	memset(ret, 0, sizeof(*ret));
	ret->addr = addr;
	ret->pid = -1;
	if (!bt->btf || btf_member(bt->btf, "struct task_struct", "comm", &comm) ||
	    btf_member(bt->btf, "struct task_struct", "pid", &pid))
		return;
	if (!kernel_read_uint(bt->syms->kernel, addr + pid.off, pid.size, &number))
		ret->pid = (int)number;
	kernel_read_string(bt->syms->kernel, addr + comm.off, ret->comm, sizeof(ret->comm));
}

/* pcpu_hot from 6.2 to 6.14, before and after it a variable of its own. */
static int current_offset(struct backtrace *bt, vaddr_t *ret)
{
	int64_t off;

	if (!symbols_find(bt->syms, "pcpu_hot", ret)) {
		off = bt->btf ? btf_offset(bt->btf, "struct pcpu_hot", "current_task") : 0;
		*ret += off < 0 ? 0 : off;
		return 0;
	}
	return symbols_find(bt->syms, "current_task", ret);
}

int backtrace_cpu_task(struct backtrace *bt, uint32_t cpu, struct bt_task *ret)
{
	vaddr_t offsets, variable;
	uint64_t base, task;

	memset(ret, 0, sizeof(*ret));
	ret->pid = -1;
	if (cpu >= BT_CPUS_MAX || symbols_find(bt->syms, "__per_cpu_offset", &offsets) || current_offset(bt, &variable) ||
	    kernel_read_word(bt->syms->kernel, offsets + 8ULL * cpu, &base) ||
	    kernel_read_word(bt->syms->kernel, base + variable, &task) || !kernel_is_address(bt->syms->kernel, task))
		return -ENODATA;
	backtrace_read_task(bt, task, ret);
	return 0;
}

uint32_t backtrace_panic_cpu(struct backtrace *bt)
{
	static const char *const names[] = { "panic_cpu", "crashing_cpu" };
	uint64_t cpu;
	vaddr_t addr;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!symbols_find(bt->syms, names[i], &addr) && !kernel_read_uint(bt->syms->kernel, addr, 4, &cpu) &&
		    cpu < BT_CPUS_MAX)
			return cpu;
	return CPU_UNKNOWN;
}
