// SPDX-License-Identifier: GPL-2.0-or-later
/* gdb's remote protocol, packet by packet. */
#include <stdio.h>
#include <string.h>

#include "src/gdb_stub.h"

#include "tests/lib/unit.h"

#define MEMORY 0x1000ULL
#define MEMORY_SIZE 64

static char reply[GDB_PACKET_MAX];

static size_t read_memory(struct gdb_stub *stub, uint64_t addr, uint8_t *buf, size_t len)
{
	size_t n;

	(void)stub;
	if (addr < MEMORY || addr >= MEMORY + MEMORY_SIZE)
		return 0;
	n = min_u64(len, MEMORY + MEMORY_SIZE - addr);
	for (size_t i = 0; i < n; i++)
		buf[i] = (uint8_t)(addr + i);
	return n;
}

static void read_registers(struct gdb_stub *stub, const struct gdb_thread *thread, struct unwind_frame *ret)
{
	(void)stub;
	ret->known = 1U << REG_IP | 1U << REG_AX;
	ret->regs[REG_IP] = 0xffffffff81000000ULL + thread->id;
	ret->regs[REG_AX] = 0x1122334455667788ULL;
}

static struct gdb_thread threads[3] = {
	{ .id = 7, .name = "panicked" }, { .id = 1, .name = "init" }, { .id = 0x40000001, .name = "swapper/1, CPU 1" },
};

static struct gdb_stub make(void)
{
	return (struct gdb_stub){ .threads = threads, .nr_threads = 3, .read_memory = read_memory, .read_registers = read_registers };
}

static const char *ask(struct gdb_stub *stub, const char *packet)
{
	memset(reply, 'z', sizeof(reply));
	gdb_stub_packet(stub, packet, reply);
	assert_non_null(memchr(reply, 0, sizeof(reply)));
	return reply;
}

static void test_threads(void **state)
{
	struct gdb_stub stub = make();

	(void)state;
	assert_text(ask(&stub, "qSupported:multiprocess+"), "qXfer:features:read+");
	assert_string_equal(ask(&stub, "?"), "T05thread:7;");
	assert_string_equal(ask(&stub, "qfThreadInfo"), "m7,1,40000001");
	assert_string_equal(ask(&stub, "qsThreadInfo"), "l");
	assert_string_equal(ask(&stub, "qThreadExtraInfo,1"), "696e6974");
	assert_string_equal(ask(&stub, "qThreadExtraInfo,99"), "E03");
	assert_string_equal(ask(&stub, "Hg1"), "OK");
	assert_string_equal(ask(&stub, "qC"), "QC1");
	assert_string_equal(ask(&stub, "Hg99"), "E03");
	assert_string_equal(ask(&stub, "Hc-1"), "OK");
	assert_string_equal(ask(&stub, "qC"), "QC1");
	assert_string_equal(ask(&stub, "T40000001"), "OK");
	assert_string_equal(ask(&stub, "T2"), "E03");
}

static void test_registers(void **state)
{
	struct gdb_stub stub = make();

	(void)state;
	ask(&stub, "g");
	assert_memory_equal(reply, "8877665544332211xxxx", 20);
	assert_memory_equal(reply + 16 * 16, "07000081ffffffffxxxx", 20);
	assert_int_equal(strlen(reply), 2 * (17 * 8 + 3 * 4 + 4 * 4 + 80 + 32));
}

static void test_memory(void **state)
{
	struct gdb_stub stub = make();

	(void)state;
	assert_string_equal(ask(&stub, "m1001,3"), "010203");
	assert_string_equal(ask(&stub, "m103e,8"), "3e3f");
	assert_string_equal(ask(&stub, "m2000,8"), "E14");
	assert_string_equal(ask(&stub, "m1000"), "E22");
	assert_string_equal(ask(&stub, "mz,1"), "E22");
	assert_string_equal(ask(&stub, "m1000,ffffffffffffffff") + 2 * MEMORY_SIZE, "");
	assert_string_equal(ask(&stub, "M1000,1:00"), "E01");
	assert_string_equal(ask(&stub, "c"), "E01");
}

/* The description in parts is the description. */
static void test_description(void **state)
{
	static char whole[GDB_PACKET_MAX];
	struct gdb_stub stub = make();
	char packet[80];
	size_t len = 0;

	(void)state;
	do {
		snprintf(packet, sizeof(packet), "qXfer:features:read:target.xml:%zx,200", len);
		ask(&stub, packet);
		len += snprintf(whole + len, sizeof(whole) - len, "%s", reply + 1);
	} while (reply[0] == 'm');
	assert_string_equal(ask(&stub, "qXfer:features:read:target.xml:0,ffff") + 1, whole);
	assert_text(whole, "</target>");
	assert_string_equal(ask(&stub, "qXfer:features:read:target.xml:ffffff,10"), "l");
	assert_string_equal(ask(&stub, "qXfer:features:read:target.xml:"), "E22");
}

static void test_end(void **state)
{
	struct gdb_stub stub = make();

	(void)state;
	assert_string_equal(ask(&stub, "vMustReplyEmpty"), "");
	assert_string_equal(ask(&stub, ""), "");
	assert_string_equal(ask(&stub, "QStartNoAckMode"), "OK");
	assert_true(stub.no_ack && !stub.ended);
	assert_string_equal(ask(&stub, "D"), "OK");
	assert_true(stub.ended);
	stub.nr_threads = 0;
	assert_string_equal(ask(&stub, "g"), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_description),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
