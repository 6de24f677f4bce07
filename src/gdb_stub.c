// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/gdb_stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/text.h"

/* A reply of hexadecimal digits holds half as many bytes. */
#define MEMORY_MAX ((GDB_PACKET_MAX - 16) / 2)

/* --- registers, in the order of the description ------------------------------------------------------------------------- */

/* First the registers that a frame knows, by their place in it; then those that a kernel's stack never has. */
static const struct {
	const char *name, *type;
	uint8_t reg, size;
} known_regs[] = {
	{ "rax", "int64", REG_AX, 8 }, { "rbx", "int64", REG_BX, 8 }, { "rcx", "int64", REG_CX, 8 }, { "rdx", "int64", REG_DX, 8 },
	{ "rsi", "int64", REG_SI, 8 }, { "rdi", "int64", REG_DI, 8 }, { "rbp", "data_ptr", REG_BP, 8 },
	{ "rsp", "data_ptr", REG_SP, 8 }, { "r8", "int64", REG_R8, 8 }, { "r9", "int64", REG_R9, 8 },
	{ "r10", "int64", REG_R10, 8 }, { "r11", "int64", REG_R11, 8 }, { "r12", "int64", REG_R12, 8 },
	{ "r13", "int64", REG_R13, 8 }, { "r14", "int64", REG_R14, 8 }, { "r15", "int64", REG_R15, 8 },
	{ "rip", "code_ptr", REG_IP, 8 }, { "eflags", "int32", REG_FLAGS, 4 }, { "cs", "int32", REG_CS, 4 },
	{ "ss", "int32", REG_SS, 4 },
};
static const char *const unknown_words[] = { "ds", "es", "fs", "gs" };
static const char *const float_words[] = { "fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop" };

#define NR_FLOATS 8
#define FLOAT_SIZE 10
#define UNKNOWN_BYTES (4 * ARRAY_SIZE(unknown_words) + FLOAT_SIZE * NR_FLOATS + 4 * ARRAY_SIZE(float_words))

static void put_description(struct text *t)
{
	text_put(t, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">"
	       "<architecture>i386:x86-64</architecture><feature name=\"org.gnu.gdb.i386.core\">");
	for (size_t i = 0; i < ARRAY_SIZE(known_regs); i++)
		text_put(t, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>", known_regs[i].name, 8U * known_regs[i].size, known_regs[i].type);
	for (size_t i = 0; i < ARRAY_SIZE(unknown_words); i++)
		text_put(t, "<reg name=\"%s\" bitsize=\"32\" type=\"int32\"/>", unknown_words[i]);
	for (unsigned int i = 0; i < NR_FLOATS; i++)
		text_put(t, "<reg name=\"st%u\" bitsize=\"80\" type=\"i387_ext\"/>", i);
	for (size_t i = 0; i < ARRAY_SIZE(float_words); i++)
		text_put(t, "<reg name=\"%s\" bitsize=\"32\" type=\"int\" group=\"float\"/>", float_words[i]);
	text_put(t, "</feature></target>");
}

static void put_registers(struct gdb_stub *stub, struct text *t)
{
	struct unwind_frame frame = { .known = 0 };

	stub->read_registers(stub, &stub->threads[stub->current], &frame);
	for (size_t i = 0; i < ARRAY_SIZE(known_regs); i++)
		for (unsigned int byte = 0; byte < known_regs[i].size; byte++) {
			if (frame.known & 1U << known_regs[i].reg)
				text_put(t, "%02x", (unsigned int)(frame.regs[known_regs[i].reg] >> 8 * byte & 0xff));
			else
				text_put(t, "xx");
		}
	for (size_t i = 0; i < UNKNOWN_BYTES; i++)
		text_put(t, "xx");
}

/* --- memory and threads ----------------------------------------------------------------------------------------------- */

/* "addr,len" in hexadecimal. */
static bool parse_pair(const char *text, uint64_t *first, uint64_t *second)
{
	char *end;

	*first = strtoull(text, &end, 16);
	if (end == text || *end != ',')
		return false;
	text = end + 1;
	*second = strtoull(text, &end, 16);
	return end != text && !*end;
}

static void put_memory(struct gdb_stub *stub, const char *args, struct text *t)
{
	static uint8_t buf[MEMORY_MAX];
	uint64_t addr, len;
	size_t n;

	if (!parse_pair(args, &addr, &len)) {
		text_put(t, "E22");
		return;
	}
	n = stub->read_memory(stub, addr, buf, min_u64(len, sizeof(buf)));
	if (!n && len)
		text_put(t, "E14");
	for (size_t i = 0; i < n; i++)
		text_put(t, "%02x", buf[i]);
}

static bool find_thread(const struct gdb_stub *stub, const char *text, size_t *ret)
{
	uint64_t id = strtoull(text, NULL, 16);

	for (size_t i = 0; i < stub->nr_threads; i++)
		if (stub->threads[i].id == id) {
			*ret = i;
			return true;
		}
	return false;
}

/* As many of those not listed yet as fit. */
static void list_threads(struct gdb_stub *stub, struct text *t)
{
	if (stub->listed == stub->nr_threads) {
		text_put(t, "l");
		return;
	}
	for (bool first = true; stub->listed < stub->nr_threads && t->len + 32 < t->size; first = false)
		text_put(t, first ? "m%llx" : ",%llx", (unsigned long long)stub->threads[stub->listed++].id);
}

static void put_thread_name(struct gdb_stub *stub, const char *id, struct text *t)
{
	size_t i;

	if (!find_thread(stub, id, &i)) {
		text_put(t, "E03");
		return;
	}
	for (const char *p = stub->threads[i].name; *p; p++)
		text_put(t, "%02x", (unsigned char)*p);
}

/* H: for operations of one kind, all of which mean the same here. 0 and -1 leave the choice to us. */
static void select_thread(struct gdb_stub *stub, const char *text, struct text *t)
{
	if (*text && strcmp(text + 1, "0") && strcmp(text + 1, "-1") && !find_thread(stub, text + 1, &stub->current))
		text_put(t, "E03");
	else
		text_put(t, "OK");
}

static void put_description_part(const char *args, struct text *t)
{
	static char whole[GDB_PACKET_MAX];
	struct text all = { whole, 0, sizeof(whole) };
	uint64_t off, len;

	put_description(&all);
	if (!parse_pair(args, &off, &len)) {
		text_put(t, "E22");
	} else if (off >= all.len) {
		text_put(t, "l");
	} else {
		len = min_u64(min_u64(len, all.len - off), t->size - 8);
		text_put(t, "%c%.*s", off + len < all.len ? 'm' : 'l', (int)len, whole + off);
	}
}

static bool begins(const char *packet, const char *with, const char **rest)
{
	size_t len = strlen(with);

	*rest = packet + len;
	return !strncmp(packet, with, len);
}

static void query(struct gdb_stub *stub, const char *packet, struct text *t)
{
	const char *rest;

	if (begins(packet, "qSupported", &rest))
		text_put(t, "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+", GDB_PACKET_MAX - 16);
	else if (begins(packet, "QStartNoAckMode", &rest)) {
		stub->no_ack = true;
		text_put(t, "OK");
	} else if (begins(packet, "qXfer:features:read:target.xml:", &rest)) {
		put_description_part(rest, t);
	} else if (begins(packet, "qfThreadInfo", &rest)) {
		stub->listed = 0;
		list_threads(stub, t);
	} else if (begins(packet, "qsThreadInfo", &rest)) {
		list_threads(stub, t);
	} else if (begins(packet, "qThreadExtraInfo,", &rest)) {
		put_thread_name(stub, rest, t);
	} else if (begins(packet, "qAttached", &rest)) {
		text_put(t, "1");
	} else if (!strcmp(packet, "qC")) {
		text_put(t, "QC%llx", (unsigned long long)stub->threads[stub->current].id);
	} else if (begins(packet, "qSymbol::", &rest)) {
		text_put(t, "OK");
	}
}

void gdb_stub_packet(struct gdb_stub *stub, const char *packet, char reply[GDB_PACKET_MAX])
{
	struct text t = { reply, 0, GDB_PACKET_MAX };
	size_t i;

	reply[0] = 0;
	if (!stub->nr_threads)
		return;
	switch (*packet) {
	case 'q':
	case 'Q': query(stub, packet, &t); break;
	case '?': text_put(&t, "T05thread:%llx;", (unsigned long long)stub->threads[stub->current].id); break;
	case 'H': select_thread(stub, packet + 1, &t); break;
	case 'T': text_put(&t, find_thread(stub, packet + 1, &i) ? "OK" : "E03"); break;
	case 'g': put_registers(stub, &t); break;
	case 'm': put_memory(stub, packet + 1, &t); break;
	case 'D': text_put(&t, "OK"); stub->ended = true; break;
	case 'k': stub->ended = true; break;
	/* The dead stay dead, and as they are. */
	case 'G': case 'P': case 'M': case 'X': case 'c': case 's': text_put(&t, "E01"); break;
	default: break;
	}
}
