// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets of a gdb that has lost its mind, separated by '#'. */
#include "src/gdb_stub.h"
#include "tests/fuzz/fuzz.h"

static size_t read_memory(struct gdb_stub *stub, uint64_t addr, uint8_t *buf, size_t len)
{
	(void)stub;
	len = min_u64(len, addr & 0x3ff);
	memset(buf, (uint8_t)addr, len);
	return len;
}

static void read_registers(struct gdb_stub *stub, const struct gdb_thread *thread, struct unwind_frame *ret)
{
	must(thread >= stub->threads && thread < stub->threads + stub->nr_threads);
	ret->known = (uint32_t)thread->id;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gdb_thread threads[3] = { { .id = 1, .name = "one" }, { .id = 0x40000000, .name = "two" }, { .id = ~0ULL, .name = "" } };
	struct gdb_stub stub = { .threads = threads, .nr_threads = 3, .read_memory = read_memory, .read_registers = read_registers };
	static char reply[GDB_PACKET_MAX];
	char *all = copy_string(data, size), *save;

	for (char *packet = strtok_r(all, "#", &save); packet; packet = strtok_r(NULL, "#", &save)) {
		memset(reply, 'z', sizeof(reply));
		gdb_stub_packet(&stub, packet, reply);
		must(memchr(reply, 0, sizeof(reply)));
		must(stub.current < stub.nr_threads && stub.listed <= stub.nr_threads);
	}
	free(all);
	return 0;
}
