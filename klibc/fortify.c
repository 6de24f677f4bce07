// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The checked variants that glibc's headers make of mem*() (_FORTIFY_SOURCE): a distribution's static libraries call
 * them, and klibc does not have them.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *__memcpy_chk(void *dst, const void *src, size_t len, size_t room);
void *__memmove_chk(void *dst, const void *src, size_t len, size_t room);
void *__memset_chk(void *dst, int c, size_t len, size_t room);

void *__memcpy_chk(void *dst, const void *src, size_t len, size_t room)
{
	if (len > room)
		abort();
	return memcpy(dst, src, len);
}

void *__memmove_chk(void *dst, const void *src, size_t len, size_t room)
{
	if (len > room)
		abort();
	return memmove(dst, src, len);
}

void *__memset_chk(void *dst, int c, size_t len, size_t room)
{
	if (len > room)
		abort();
	return memset(dst, c, len);
}
