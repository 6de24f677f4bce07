// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/backtrace.h"
#include "elfcore/cpu_notes.h"
#include "elfcore/object.h"
#include "elfcore/tasks.h"
#include "src/cmd.h"
#include "src/gdb_stub.h"
#include "src/session.h"
#include "src/sys.h"

static const char help[] =
	"usage: kcapture gdbserver CORE\n"
	"\n"
	"Speak gdb's remote protocol on standard input and output: \"target remote | kcapture gdbserver CORE\". Every task is a\n"
	"thread with its name and registers, memory is read through the crashed kernel's page tables. See \"kcapture gdb\".\n"
	"\n"
	"  -h, --help       this text\n";

#define IDLE_ID 0x40000000	/* and the CPU: the idle tasks all have PID 0, which is no thread for gdb */
#define THREADS_MAX (1U << 20)

struct server {
	struct gdb_stub stub;
	struct session session;
	struct backtrace bt;
	struct tasks tasks;
	size_t cap;
	struct btf_field frame_regs[NR_UNWIND_REGS];	/* in struct inactive_task_frame; size 0 = not there */
	char packet[GDB_PACKET_MAX], reply[GDB_PACKET_MAX];
};

static size_t read_memory(struct gdb_stub *stub, uint64_t addr, uint8_t *buf, size_t len)
{
	struct server *server = container_of(stub, struct server, stub);

	if (len > UINT64_MAX - addr)
		len = UINT64_MAX - addr;
	return kernel_read_prefix(&server->session.kernel, addr, buf, len);
}

static const struct cpu_note *note_of(struct server *server, uint32_t cpu)
{
	const struct notes *notes = &server->session.in.crash.notes;

	for (unsigned int i = 0; i < notes->nr_cpus; i++)
		if (notes->cpus[i].cpu == cpu && cpu != CPU_UNKNOWN)
			return &notes->cpus[i];
	return NULL;
}

/* What a task pushed before it was switched away, and where it goes on. */
static void read_inactive(struct server *server, const struct gdb_thread *thread, struct unwind_frame *ret)
{
	uint64_t sp;

	if (backtrace_start_task(&server->bt, thread->task) ||
	    kernel_read_word(&server->session.kernel, thread->task + server->bt.sp_off, &sp))
		return;
	*ret = server->bt.unwind.frame;
	for (unsigned int i = 0; i < NR_UNWIND_REGS; i++)
		if (server->frame_regs[i].size == 8 &&
		    !kernel_read_word(&server->session.kernel, sp + server->frame_regs[i].off, &ret->regs[i]))
			ret->known |= 1U << i;
}

static void read_registers(struct gdb_stub *stub, const struct gdb_thread *thread, struct unwind_frame *ret)
{
	struct server *server = container_of(stub, struct server, stub);
	const struct cpu_note *note = note_of(server, thread->cpu);

	if (!note)
		read_inactive(server, thread, ret);
	else if (!backtrace_start_cpu(&server->bt, note))
		*ret = server->bt.unwind.frame;
}

static int add_thread(struct server *server, const struct gdb_thread *thread)
{
	struct gdb_stub *stub = &server->stub;

	if (stub->nr_threads == server->cap) {
		size_t cap = server->cap ? 2 * server->cap : 256;
		struct gdb_thread *grown = cap <= THREADS_MAX ? realloc(stub->threads, cap * sizeof(*grown)) : NULL;

		if (!grown)
			return -ENOMEM;
		stub->threads = grown;
		server->cap = cap;
	}
	stub->threads[stub->nr_threads++] = *thread;
	return 0;
}

/* CPUs first, the one that panicked before all. */
static int add_cpu(struct server *server, uint32_t cpu)
{
	struct gdb_thread thread = { .id = IDLE_ID + (uint64_t)cpu, .cpu = cpu };
	struct bt_task task;

	if (backtrace_cpu_task(&server->bt, cpu, &task)) {
		snprintf(thread.name, sizeof(thread.name), "CPU %u", cpu);
	} else {
		thread.task = task.addr;
		if (task.pid > 0)
			thread.id = task.pid;
		snprintf(thread.name, sizeof(thread.name), "%s, CPU %u", task.comm, cpu);
	}
	return add_thread(server, &thread);
}

static int add_cpus(struct server *server)
{
	const struct notes *notes = &server->session.in.crash.notes;
	uint32_t panicked = backtrace_panic_cpu(&server->bt);
	int rc = note_of(server, panicked) ? add_cpu(server, panicked) : 0;

	for (unsigned int i = 0; i < notes->nr_cpus && !rc; i++)
		if (notes->cpus[i].cpu != panicked)
			rc = add_cpu(server, notes->cpus[i].cpu);
	return rc;
}

static int add_task(void *arg, const struct task *task)
{
	struct server *server = arg;
	struct gdb_thread thread = { .id = task->pid, .task = task->addr, .cpu = CPU_UNKNOWN };
	const struct notes *notes = &server->session.in.crash.notes;

	if (task->pid <= 0)
		return 0;
	/* Only the first threads run on CPUs. */
	for (size_t i = 0; i < server->stub.nr_threads && i < notes->nr_cpus; i++)
		if (server->stub.threads[i].task == task->addr)
			return 0;
	snprintf(thread.name, sizeof(thread.name), "%s", task->comm);
	return add_thread(server, &thread);
}

static void find_frame_regs(struct server *server)
{
	static const struct { const char *name; enum unwind_reg reg; } members[] = {
		{ "r15", REG_R15 }, { "r14", REG_R14 }, { "r13", REG_R13 }, { "r12", REG_R12 }, { "bx", REG_BX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		btf_member(&server->session.btf, "struct inactive_task_frame", members[i].name, &server->frame_regs[members[i].reg]);
}

/* --- the line ---------------------------------------------------------------------------------------------------------- */

/* A byte, or -1 at the end. */
static int next_byte(void)
{
	static uint8_t buf[4096];
	static size_t at, len;
	ssize_t n;

	if (at == len) {
		do
			n = read(STDIN_FILENO, buf, sizeof(buf));
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			return -1;
		at = 0;
		len = n;
	}
	return buf[at++];
}

static int hex_digit(int c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The next packet, terminated: 1; 0 when it came broken; -1 at the end. Acknowledgements and interrupts are passed over. */
static int read_packet(char packet[GDB_PACKET_MAX])
{
	size_t len = 0;
	uint8_t sum = 0;
	int c, high, low;

	do
		c = next_byte();
	while (c >= 0 && c != '$');
	while (c >= 0 && (c = next_byte()) >= 0 && c != '#') {
		sum += c;
		if (len < GDB_PACKET_MAX - 1)
			packet[len] = c;
		len++;
	}
	high = c < 0 ? -1 : next_byte();
	low = high < 0 ? -1 : next_byte();
	if (low < 0)
		return -1;
	packet[min_u64(len, GDB_PACKET_MAX - 1)] = 0;
	return len < GDB_PACKET_MAX && hex_digit(high) >= 0 && hex_digit(high) * 16 + hex_digit(low) == sum;
}

static int send_packet(const char *text)
{
	static char out[GDB_PACKET_MAX + 8];
	uint8_t sum = 0;

	for (const char *p = text; *p; p++)
		sum += *p;
	return write_all(STDOUT_FILENO, out, snprintf(out, sizeof(out), "$%s#%02x", text, sum));
}

static int serve(struct server *server)
{
	int rc;

	while (!server->stub.ended && (rc = read_packet(server->packet)) >= 0) {
		if (!server->stub.no_ack && write_all(STDOUT_FILENO, rc ? "+" : "-", 1))
			return 1;
		if (!rc)
			continue;
		gdb_stub_packet(&server->stub, server->packet, server->reply);
		if (*server->packet != 'k' && send_packet(server->reply))
			return 1;
	}
	return 0;
}

static int run(struct server *server, const char *path)
{
	struct session *s = &server->session;
	struct error err;
	int rc;

	if (session_open(s, path, SESSION_TYPES, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	rc = backtrace_init(&server->bt, &s->symbols, &s->btf, NULL, &err);
	if (!rc)
		rc = tasks_init(&server->tasks, &s->symbols, &s->btf, &err);
	if (rc) {
		session_close(s);
		return cmd_fail("%s: %s", path, err.text);
	}
	find_frame_regs(server);
	cpu_notes_number(&server->bt, &s->in.crash.notes);
	if (add_cpus(server) || tasks_each(&server->tasks, add_task, server))
		rc = cmd_fail("%s: too many tasks", path);
	else
		rc = serve(server);
	free(server->stub.threads);
	backtrace_deinit(&server->bt);
	session_close(s);
	return rc;
}

int cmd_gdbserver(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	static struct server server = { .stub = { .read_memory = read_memory, .read_registers = read_registers } };
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":h", options, help, 1)) != -1)
		return opt == 'h' ? 0 : 2;
	return run(&server, argv[optind]);
}
