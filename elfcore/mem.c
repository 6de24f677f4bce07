// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/mem.h"

#include <stdarg.h>
#include <stdio.h>

void mem_get_facts(struct mem *mem, struct mem_facts *facts)
{
	if (mem->ops->facts)
		mem->ops->facts(mem, facts);
}

int mem_check_whole(struct mem *mem, struct error *err)
{
	return mem->ops->whole ? mem->ops->whole(mem, err) : 0;
}

int mem_check(struct mem *mem, struct error *err)
{
	return mem->ops->check ? mem->ops->check(mem, err) : 0;
}

void mem_fact(struct mem_facts *facts, const char *key, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	facts->row(facts, key, text);
}
