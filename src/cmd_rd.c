// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/object.h"
#include "src/cmd.h"
#include "src/json.h"
#include "src/session.h"

static const char help[] =
	"usage: kcapture rd [OPTIONS] CORE ADDR [COUNT]\n"
	"\n"
	"Show memory of the crashed kernel: COUNT words (default 16) from ADDR on, a symbol or an address, as numbers and as\n"
	"text.\n"
	"\n"
	"  -1, -2, -4, -8   bytes in a word (default 8)\n"
	"  -p, --physical   ADDR is a physical address\n"
	"  -s, --symbols    addresses of symbols by their names\n"
	"      --json       one object: address, size, words\n"
	"  -h, --help       this text\n";

#define LINE 16
#define COUNT_MAX (1U << 24)

struct request {
	unsigned int size;	/* bytes in a word */
	uint64_t count;
	bool physical, symbols, json;
};

/* Page by page, so that what a page lacks costs that page. */
static int read_line(struct session *s, const struct request *rq, uint64_t addr, uint8_t *buf, size_t len)
{
	return rq->physical ? kernel_read_paddr(&s->kernel, addr, buf, len) : kernel_read_vaddr(&s->kernel, addr, buf, len);
}

static uint64_t word(const struct session *s, const struct request *rq, const uint8_t *p)
{
	return elf_get(s->in.crash.ehdr.form.data, p, rq->size);
}

static void print_line(struct session *s, const struct request *rq, uint64_t addr, const uint8_t *buf, size_t len)
{
	char text[KSYM_NAME_MAX + 128];
	size_t width = 0;

	printf("%016llx: ", (unsigned long long)addr);
	for (size_t i = 0; i < len; i += rq->size) {
		uint64_t value = word(s, rq, buf + i);

		if (rq->symbols && rq->size == 8 && symbols_format(&s->symbols, value, text, sizeof(text)))
			width += printf(" %-16s", text);
		else
			width += printf(" %0*llx", (int)(2 * rq->size), (unsigned long long)value);
	}
	if (!rq->symbols) {
		printf("%*s", (int)(LINE / rq->size * (2 * rq->size + 1) - width) + 2, "");
		for (size_t i = 0; i < len; i++)
			putchar(buf[i] >= 0x20 && buf[i] < 0x7f ? buf[i] : '.');
	}
	putchar('\n');
}

static int show_text(struct session *s, const struct request *rq, uint64_t addr)
{
	uint64_t left = rq->count * rq->size;
	uint8_t buf[LINE];
	bool any = false;

	while (left) {
		size_t len = min_u64(left, LINE);

		if (!read_line(s, rq, addr, buf, len)) {
			print_line(s, rq, addr, buf, len);
			any = true;
		} else {
			printf("%016llx:  not in the dump\n", (unsigned long long)addr);
			/* The rest of the page is not there either. */
			len = min_u64(left, round_up(4096 - addr % 4096, LINE));
		}
		addr += len;
		left -= len;
	}
	return any ? 0 : 1;
}

static int show_json(struct session *s, const struct request *rq, uint64_t addr)
{
	struct json json;
	int rc = 1;

	json_init(&json, stdout);
	json_object(&json, NULL);
	json_address(&json, "address", addr);
	json_int(&json, "size", rq->size);
	json_array(&json, "words");
	for (uint64_t i = 0; i < rq->count; i++, addr += rq->size) {
		uint8_t buf[8];

		if (read_line(s, rq, addr, buf, rq->size)) {
			json_null(&json, NULL);
			continue;
		}
		json_address(&json, NULL, word(s, rq, buf));
		rc = 0;
	}
	json_end_array(&json);
	json_end_object(&json);
	json_newline(&json);
	return rc;
}

static int show(const char *path, const struct request *rq, const char *where)
{
	static struct session s;
	struct error err;
	uint64_t addr;
	int rc;

	if (session_open(&s, path, 0, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	if (session_address(&s, where, &addr, &err)) {
		session_close(&s);
		return cmd_fail("%s: %s", path, err.text);
	}
	rc = rq->json ? show_json(&s, rq, addr) : show_text(&s, rq, addr);
	session_close(&s);
	return rc ? cmd_fail("%s: 0x%llx is not in the dump", path, (unsigned long long)addr) : 0;
}

int cmd_rd(int argc, char **argv)
{
	static const struct option options[] = {
		{ "physical", no_argument, NULL, 'p' },
		{ "symbols", no_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct request rq = { .size = 8, .count = 16 };
	char *end;
	int opt;

	while ((opt = cmd_getopt(argc, argv, ":1248psh", options, help, -2)) != -1) {
		switch (opt) {
		case '1': case '2': case '4': case '8': rq.size = opt - '0'; break;
		case 'p': rq.physical = true; break;
		case 's': rq.symbols = true; break;
		case 'j': rq.json = true; break;
		case 'h': return 0;
		default: return 2;
		}
	}
	if (argc - optind > 3)
		return usage_error(argv[0], "unexpected argument \"%s\"", argv[optind + 3]);
	if (argc - optind == 3) {
		rq.count = strtoull(argv[optind + 2], &end, 0);
		if (*end || !rq.count || rq.count > COUNT_MAX)
			return usage_error(argv[0], "COUNT is a number from 1 to %u, not \"%s\"", COUNT_MAX, argv[optind + 2]);
	}
	return show(argv[optind], &rq, argv[optind + 1]);
}
