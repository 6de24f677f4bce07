// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes, compressed as one page and as several of one context: they come back, and the room that they took is enough. */
#include <libdeflate.h>

#include "tests/fuzz/fuzz.h"

#include "elfcore/deflate_page.h"

static struct deflate_page d;
static struct libdeflate_decompressor *decompressor;

static size_t check(const uint8_t *data, size_t size)
{
	size_t room = size + size / 1000 + 64, n, again;
	uint8_t *out = malloc(room), *back = malloc(size + 1), *exact;

	must(out && back);
	n = deflate_page(&d, data, size, out, room);
	must(n);
	must(!libdeflate_zlib_decompress(decompressor, out, n, back, size, NULL));
	must(!memcmp(back, data, size));
	exact = malloc(n);
	must(exact);
	again = deflate_page(&d, data, size, exact, n);
	must(again == n && !memcmp(exact, out, n));
	must(!deflate_page(&d, data, size, exact, n - 1));
	free(exact);
	/* Near its end a buffer is written in another way. */
	for (size_t more = 1; more < 16; more += 4) {
		exact = malloc(n + more);
		must(exact);
		must(deflate_page(&d, data, size, exact, n + more) == n && !memcmp(exact, out, n));
		free(exact);
	}
	free(back);
	free(out);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copies, times;

	if (!decompressor) {
		decompressor = libdeflate_alloc_decompressor();
		deflate_page_init(&d);
	}
	if (!size || size > 20000)
		return 0;
	times = data[0] & 3;
	data++;
	size--;
	check(data, size);
	/* Longer than one block, with far matches. */
	if (times && size * (times + 1) <= DEFLATE_PAGE_MAX) {
		copies = malloc(size * (times + 1) + 1);
		must(copies);
		for (int i = 0; i <= times; i++)
			memcpy(copies + i * size, data, size);
		check(copies, size * (times + 1));
		free(copies);
	}
	return 0;
}
