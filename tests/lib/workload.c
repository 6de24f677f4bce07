// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fills the memory of a machine under test with pages of every kind that page selection tells apart, says which it got,
 * and stays. Linked statically: it runs in an initramfs. What a kernel does not offer is passed over.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1UL << 20)
#define PAGE 4096UL
#define HUGE_1G (30 << 26)	/* MAP_HUGE_1GB */
#define PAGEOUT 21		/* MADV_PAGEOUT */
#define HWPOISON 100		/* MADV_HWPOISON */

static void say(const char *what, unsigned long mib)
{
	printf("workload: %s %lu MiB\n", what, mib);
	fflush(stdout);
}

static uint8_t *map(size_t size, int flags)
{
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Text, numbers and zeros in turn: pages that are neither all alike nor all random. */
static void fill(uint8_t *p, size_t size)
{
	static uint64_t seed = 88172645463325252ULL;

	for (size_t page = 0; page < size; page += PAGE) {
		for (size_t i = 0; i < PAGE && page / PAGE % 4; i += 8) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			*(uint64_t *)(p + page + i) = page / PAGE % 4 == 1 ? seed : 0x2065727574706163ULL + page;
		}
		p[page] |= page / PAGE % 4 != 0;
	}
}

/* Whole huge pages, one of which has lost its middle, one split by protection. */
static void transparent_huge(size_t size)
{
	uint8_t *p = map(size + 2 * MIB, 0);

	if (!p)
		return;
	p = (uint8_t *)(((uintptr_t)p + 2 * MIB - 1) & ~(2 * MIB - 1));
	madvise(p, size, MADV_HUGEPAGE);
	fill(p, size);
	madvise(p + 65 * PAGE, 100 * PAGE, MADV_DONTNEED);
	mprotect(p + 2 * MIB + 8 * PAGE, 16 * PAGE, PROT_READ);
	say("transparent huge", size / MIB);
}

static void hugetlb(size_t size, int flags, const char *name)
{
	uint8_t *p = map(size, MAP_HUGETLB | flags);

	if (!p)
		return;
	fill(p, 16 * PAGE);
	for (size_t pos = 0; pos < size; pos += 2 * MIB)
		p[pos] = 1;
	say(name, size / MIB);
}

static void small_pages(size_t size)
{
	uint8_t *p = map(size, 0);

	if (!p)
		return;
	madvise(p, size, MADV_NOHUGEPAGE);
	fill(p, size);
	mlock(p, size / 4);
	for (int i = 0; i < 8; i++)
		if (!fork()) {
			p[i * PAGE] ^= 1;	/* copied on write */
			for (;;)
				pause();
		}
	say("small", size / MIB);
}

/* Out to the swap device and half of it back in: pages of the swap cache. */
static void swapped(size_t size)
{
	uint8_t *p = map(size, 0);
	unsigned int sum = 0;

	if (!p)
		return;
	madvise(p, size, MADV_NOHUGEPAGE);
	fill(p, size);
	if (madvise(p, size, PAGEOUT))
		return;
	for (size_t pos = 0; pos < size / 2; pos += PAGE)
		sum += p[pos];
	say(sum ? "swapped out and half in" : "swapped", size / MIB);
}

/* Much memory for little of a core: the pages are zeros, but they are the process's own. */
static void touched(size_t size, int advice)
{
	uint8_t *p = map(size, 0);

	if (!p)
		return;
	madvise(p, size, advice);
	for (size_t pos = 0; pos < size; pos += PAGE)
		p[pos] = 0;
	say("touched", size / MIB);
}

static void mergeable(size_t size)
{
	uint8_t *p = map(size, 0);

	if (!p)
		return;
	memset(p, 0x77, size);
	if (!madvise(p, size, MADV_MERGEABLE))
		say("mergeable", size / MIB);
}

/* The memory error ends the process that meets it, so a child does. */
static void poisoned(void)
{
	static const int kinds[] = { 0, MAP_HUGETLB };

	for (unsigned int i = 0; i < 2; i++) {
		uint8_t *p = map(2 * MIB, kinds[i]);

		if (!p || fork())
			continue;
		fill(p, 16 * PAGE);
		printf("workload: poisoning\n");
		fflush(stdout);
		madvise(p + 3 * PAGE, PAGE, HWPOISON);
		for (;;)
			pause();
	}
	sleep(1);
}

/* Inodes, dentries, pipes and sockets. */
static void slab(unsigned int nr)
{
	char name[64];

	mkdir("/tmp/many", 0755);
	for (unsigned int i = 0; i < nr; i++) {
		int fd;

		snprintf(name, sizeof(name), "/tmp/many/file-with-a-long-name-for-the-dentry-%u", i);
		fd = open(name, O_CREAT | O_WRONLY, 0644);
		if (fd >= 0)
			close(fd);
	}
	for (unsigned int i = 0; i < 400; i++) {
		int pair[2];

		if ((i % 2 ? pipe(pair) : socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) || write(pair[1], name, sizeof(name)) < 0)
			break;
	}
	say("slab objects, thousands:", nr / 1000);
}

/* Shared memory, kept by its mapping; and anonymous memory that is freed again dirty. */
static void shared_and_freed(size_t size)
{
	int fd = memfd_create("shared", 0);
	uint8_t *p = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, size))
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) {
		fill(p, size);
		say("shared", size / MIB);
	}
	p = map(size, 0);
	if (p) {
		fill(p, size);
		for (size_t pos = 0; pos < size; pos += 5 * PAGE)
			munmap(p + pos, 3 * PAGE);
	}
}

int main(void)
{
	transparent_huge(48 * MIB);
	hugetlb(16 * MIB, 0, "hugetlb 2M");
	hugetlb(1024 * MIB, HUGE_1G, "hugetlb 1G");
	swapped(16 * MIB);
	mergeable(16 * MIB);
	slab(20000);
	shared_and_freed(24 * MIB);
	small_pages(32 * MIB);
	touched(640 * MIB, MADV_NOHUGEPAGE);
	touched(256 * MIB, MADV_HUGEPAGE);
	poisoned();
	printf("workload: done\n");
	fflush(stdout);
	for (;;)
		pause();
}
