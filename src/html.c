// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/html.h"

#include <stdarg.h>
#include <string.h>

/* Bytes of a UTF-8 character that is whole, 0 for anything else. Overlong forms and surrogates are nothing good. */
static size_t utf8_len(const unsigned char *p, size_t len)
{
	size_t n = *p >= 0xf0 && *p < 0xf5 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;

	if (n < 2 || *p >= 0xf5 || n > len)
		return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
	    (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

void html_text_len(FILE *out, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;

	for (size_t n; len; p += n, len -= n) {
		n = 1;
		switch (*p) {
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '&': fputs("&amp;", out); break;
		case '"': fputs("&quot;", out); break;
		case '\'': fputs("&#39;", out); break;
		default:
			if (*p >= 0x80)
				n = utf8_len(p, len);
			if (!n || (*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f) {
				fputs("&#xfffd;", out);
				n = 1;
			} else {
				fwrite(p, 1, n, out);
			}
		}
	}
}

void html_text(FILE *out, const char *text)
{
	html_text_len(out, text, strlen(text));
}

void html(FILE *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		if (*fmt != '%')
			fputc(*fmt, out);
		else if (*++fmt == 's')
			html_text(out, va_arg(ap, const char *));
		else
			fputc('%', out);
	}
	va_end(ap);
}

void html_bytes(uint64_t bytes, char ret[32])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	unsigned int unit = 0;
	uint64_t tenths = bytes * 10;

	if (bytes > UINT64_MAX / 10)
		tenths = UINT64_MAX;
	for (; tenths >= 10000 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		tenths = (tenths + 500) / 1000;
	if (unit && tenths % 10)
		snprintf(ret, 32, "%llu.%u %s", (unsigned long long)(tenths / 10), (unsigned int)(tenths % 10), units[unit]);
	else
		snprintf(ret, 32, "%llu %s", (unsigned long long)(tenths / 10), units[unit]);
}
