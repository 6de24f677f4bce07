// SPDX-License-Identifier: GPL-2.0-or-later
/* Any kernel command line: what is found can be said again in its plainest form and is then the same. */
#include "tests/fuzz/fuzz.h"

#include "elfcore/elfcorehdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = copy_string(data, size), plain[96];
	struct elfcorehdr hdr, again;
	struct error err;
	int rc = elfcorehdr_parse(line, &hdr, &err);

	if (!rc) {
		must(hdr.addr < UINT64_MAX - 1);
		snprintf(plain, sizeof(plain), "elfcorehdr=0x%llx@0x%llx", (unsigned long long)hdr.size,
			 (unsigned long long)hdr.addr);
		must(!elfcorehdr_parse(plain, &again, &err));
		must(again.addr == hdr.addr && again.size == hdr.size);
		must(strstr(line, "elfcorehdr="));
	} else {
		must(rc == -ENOENT || rc == -EINVAL);
		must(err.code == rc && memchr(err.text, 0, sizeof(err.text)));
	}
	free(line);
	return 0;
}
