/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTML on a stream. Texts that come from a dump go through html_text(), and nothing else of a dump is written: what looks
 * like markup there is shown, not obeyed.
 */
#ifndef SRC_HTML_H
#define SRC_HTML_H

#include <stdint.h>
#include <stdio.h>

/* Escaped for elements and for attributes in double quotes; control characters and broken UTF-8 become U+FFFD. */
void html_text(FILE *out, const char *text);
void html_text_len(FILE *out, const char *text, size_t len);

/* Our own markup with %s arguments that are escaped; %% is a percent sign, nothing else is understood. */
void html(FILE *out, const char *fmt, ...);

/* "1.4 GB" of bytes, into ret. */
void html_bytes(uint64_t bytes, char ret[32]);

#endif
