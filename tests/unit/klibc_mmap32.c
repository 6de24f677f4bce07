// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A 32-bit klibc program: map_at() must reach what lies beyond 4 GiB, where klibc's own mmap() silently maps the page
 * 4 GiB below. argv[1] is a file to make and remove.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/sys.h"

#define PAGE 4096

static int check(int fd, uint64_t off, const char *wanted)
{
	const char *p = map_at(fd, off, PAGE, PROT_READ, MAP_SHARED);

	if (p && !strcmp(p, wanted))
		return 0;
	printf("at 0x%llx is \"%.20s\", not \"%s\"\n", (unsigned long long)off, p ? p : "(not mapped)", wanted);
	return 1;
}

int main(int argc, char **argv)
{
	static const struct {
		uint64_t off;
		const char *text;
	} marks[] = {
		{ 0x1000, "low" }, { 0x100001000ULL, "above 4 GiB" }, { 0xff00001000ULL, "just below 1 TiB" },
	};
	int fd = argc == 2 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600) : -1, bad = 0;
	char page[PAGE];

	if (fd < 0)
		return 2;
	unlink(argv[1]);
	for (int i = 0; i < 3; i++) {
		memset(page, 0, sizeof(page));
		strcpy(page, marks[i].text);
		if (write_all_at(fd, marks[i].off, page, sizeof(page)))
			return 2;
	}
	for (int i = 0; i < 3; i++)
		bad |= check(fd, marks[i].off, marks[i].text);
	return bad;
}
