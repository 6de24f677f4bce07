// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "src/cmd.h"
#include "src/json.h"
#include "src/session.h"

static const char help[] =
	"usage: kcapture sym [OPTIONS] CORE ADDR|NAME...\n"
	"\n"
	"Tell the symbol that an address lies in, or the address of a symbol, from the crashed kernel's own tables. NAME may be\n"
	"MODULE:NAME.\n"
	"\n"
	"      --json       one object a line\n"
	"  -h, --help       this text\n";

static void show(const struct symbol *symbol, vaddr_t addr, bool as_json)
{
	uint64_t off = addr - symbol->addr;
	struct json json;

	if (!as_json) {
		printf("%016llx %c %s", (unsigned long long)addr, symbol->type, symbol->name);
		if (off || symbol->size)
			printf("+0x%llx/0x%llx", (unsigned long long)off, (unsigned long long)symbol->size);
		printf(symbol->module ? " [%s]\n" : "\n", symbol->module);
		return;
	}
	json_init(&json, stdout);
	json_object(&json, NULL);
	json_address(&json, "address", addr);
	json_string(&json, "name", symbol->name);
	json_text(&json, "type", &symbol->type, 1);
	json_address(&json, "start", symbol->addr);
	json_int(&json, "offset", off);
	json_int(&json, "size", symbol->size);
	json_string(&json, "module", symbol->module);
	json_end_object(&json);
	json_newline(&json);
}

static int look_up(struct session *s, const char *text, bool as_json)
{
	struct symbol symbol;
	struct error err;
	vaddr_t addr;

	if (session_address(s, text, &addr, &err))
		return cmd_fail("%s: %s", s->path, err.text);
	/* By name, the symbol asked for and not its alias. */
	if (!symbols_lookup(&s->symbols, text, &symbol) || !symbols_resolve(&s->symbols, addr, &symbol)) {
		show(&symbol, addr, as_json);
		return 0;
	}
	return cmd_fail("%s: 0x%llx lies neither in the kernel's image nor in a module", s->path, (unsigned long long)addr);
}

int cmd_sym(int argc, char **argv)
{
	static struct session s;
	struct error err;
	bool json = false;
	int code = cmd_only_json(argc, argv, help, -2, &json), rc = 0;

	if (code >= 0)
		return code;
	if (session_open(&s, argv[optind], SESSION_SYMBOLS, stderr_log(), &err))
		return cmd_fail("%s", err.text);
	for (int i = optind + 1; i < argc; i++)
		rc |= look_up(&s, argv[i], json);
	session_close(&s);
	return rc;
}
