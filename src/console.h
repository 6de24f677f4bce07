/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person in front of the machine sees. A plain console gets one line after the other, without any escape codes; a
 * screen of 80x24 or more is drawn: what crashed and why, where it goes, a bar, the latest lines, and the verdict. The
 * headings are taken from the lines that the log says them with, so that both cannot tell different stories. Lies in
 * shared memory with the log: whichever process speaks, the screen is one.
 */
#ifndef SRC_CONSOLE_H
#define SRC_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#define CONSOLE_MAX 4
#define CONSOLE_WIDTH 79	/* the last column stays free: some terminals wrap when it is written */
#define CONSOLE_NR_LINES 9
#define CONSOLE_NR_HEADINGS 4

struct console {
	struct {
		int fd;
		bool screen;
	} list[CONSOLE_MAX];
	unsigned int nr;
	char headings[CONSOLE_NR_HEADINGS][160];
	char lines[CONSOLE_NR_LINES][CONSOLE_WIDTH + 1];	/* the latest ones, oldest first */
	unsigned int nr_lines;
	char progress[CONSOLE_WIDTH + 1];
	unsigned int percent;
	bool over;			/* the verdict was said */
};

void console_init(struct console *console);

/* fd is borrowed. What is more than CONSOLE_MAX is left out. */
void console_add(struct console *console, int fd, bool screen);

/* Something happened. */
void console_line(struct console *console, const char *line);

/* For who reads a log of it: nothing that a person in front of a screen has any use for. */
void console_plain(struct console *console, const char *line);

/* How far it is: replaces what was said before on a screen. */
void console_progress(struct console *console, const char *line, unsigned int percent);

#endif
