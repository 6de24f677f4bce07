// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/elfcorehdr.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static int digit(char c, unsigned int base)
{
	unsigned int value = 99;

	if (c >= '0' && c <= '9')
		value = c - '0';
	else if (c >= 'a' && c <= 'f')
		value = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		value = c - 'A' + 10;
	return value < base ? (int)value : -1;
}

static unsigned int suffix_shift(char c)
{
	static const char suffixes[] = "kmgtpe";
	const char *hit = c ? strchr(suffixes, c | 0x20) : NULL;

	return hit ? 10 * (hit - suffixes + 1) : 0;
}

/* One memparse() number; returns the character after it, or NULL if there is no number or it does not fit 64 bits. */
static const char *parse_number(const char *p, uint64_t *ret)
{
	unsigned int base = 10, shift;
	uint64_t value = 0;
	const char *start;

	if (p[0] == '0' && (p[1] | 0x20) == 'x' && digit(p[2], 16) >= 0) {
		base = 16;
		p += 2;
	} else if (p[0] == '0') {
		base = 8;
	}
	for (start = p; digit(*p, base) >= 0; p++) {
		if (value > (UINT64_MAX - digit(*p, base)) / base)
			return NULL;
		value = value * base + digit(*p, base);
	}
	if (p == start)
		return NULL;
	shift = suffix_shift(*p);
	if (shift) {
		if (value > UINT64_MAX >> shift)
			return NULL;
		value <<= shift;
		p++;
	}
	*ret = value;
	return p;
}

static bool parse_value(const char *p, const char *end, struct elfcorehdr *ret)
{
	struct elfcorehdr hdr = { 0 };

	p = parse_number(p, &hdr.addr);
	if (p && *p == '@') {
		hdr.size = hdr.addr;
		p = parse_number(p + 1, &hdr.addr);
	}
	/* The kernel uses all ones and the number below as "none" and "broken" (include/linux/crash_dump.h). */
	if (p != end || hdr.addr >= UINT64_MAX - 1)
		return false;
	*ret = hdr;
	return true;
}

int elfcorehdr_parse(const char *cmdline, struct elfcorehdr *ret, struct error *err)
{
	static const char key[] = "elfcorehdr=";
	int rc = fail(err, -ENOENT, "no elfcorehdr= on the kernel command line: this is not a capture kernel");
	bool found = false;

	while (*cmdline) {
		const char *end = cmdline + strcspn(cmdline, " \t\n");

		if (!strncmp(cmdline, key, sizeof(key) - 1)) {
			const char *value = cmdline + sizeof(key) - 1;

			if (parse_value(value, end, ret))
				found = true;
			else
				rc = fail(err, -EINVAL, "elfcorehdr=%.*s is not [size[KMG]@]offset[KMG]",
					  (int)(end - value), value);
		}
		cmdline = end + strspn(end, " \t\n");
	}
	return found ? 0 : rc;
}
