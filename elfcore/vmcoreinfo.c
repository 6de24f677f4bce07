// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/vmcoreinfo.h"

#include <stdlib.h>
#include <string.h>

int vmcoreinfo_get(const struct vmcoreinfo *info, const char *key, const char **ret)
{
	const char *line = info->text, *end = info->text + info->len;
	size_t key_len = strlen(key);

	while (line < end) {
		const char *eol = memchr(line, '\n', end - line);

		if (!eol)
			eol = end;
		if ((size_t)(eol - line) > key_len && line[key_len] == '=' && !memcmp(line, key, key_len)) {
			*ret = line + key_len + 1;
			return eol - *ret;
		}
		line = eol + 1;
	}
	return -1;
}

bool vmcoreinfo_string(const struct vmcoreinfo *info, const char *key, char *ret, size_t size)
{
	const char *value;
	int len = vmcoreinfo_get(info, key, &value);

	if (len < 0)
		return false;
	if ((size_t)len >= size)
		len = size - 1;
	memcpy(ret, value, len);
	ret[len] = 0;
	return true;
}

bool vmcoreinfo_hex(const struct vmcoreinfo *info, const char *key, uint64_t *ret)
{
	char text[32], *end;
	uint64_t value;

	if (!vmcoreinfo_string(info, key, text, sizeof(text)) || !text[0])
		return false;
	value = strtoull(text, &end, 16);
	if (*end)
		return false;
	*ret = value;
	return true;
}

bool vmcoreinfo_number(const struct vmcoreinfo *info, const char *key, int64_t *ret)
{
	char text[32], *end;
	uint64_t value;
	bool negative;

	if (!vmcoreinfo_string(info, key, text, sizeof(text)) || !text[0])
		return false;
	negative = text[0] == '-';
	value = strtoull(text + negative, &end, 0);
	if (*end)
		return false;
	*ret = negative ? -value : value;
	return true;
}
