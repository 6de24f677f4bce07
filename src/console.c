// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/console.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/types.h"

#define BAR_WIDTH 64
#define ROW_PROGRESS 10

enum heading { CRASHED, BECAUSE, TO, VERDICT };

/* The lines that become headings; the verdict is the last of them that came. */
static const struct {
	const char *prefix;
	enum heading heading;
	const char *text;		/* in front of what follows the prefix */
	bool over;			/* nothing comes any more */
} marks[] = {
	{ "crashed: ", CRASHED, "", false },
	{ "the last words: ", BECAUSE, "", false },
	{ "saving to ", TO, "", false },
	{ "saved ", VERDICT, "SAVED ", true },
	{ "FAILED: ", VERDICT, "NOT SAVED: ", true },
	{ "trying the next target: ", VERDICT, "not yet, the next target is tried: ", false },
};

/* A console may be stopped by flow control: what it does not take within a second is lost to it, and nothing else is. */
static void write_patiently(int fd, const char *text, size_t len)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno == EAGAIN && poll(&poll_fd, 1, 1000) > 0)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= n;
	}
}

struct page {
	char buf[4096];
	size_t len;
};

static void put(struct page *page, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct page *page, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(page->buf + page->len, sizeof(page->buf) - page->len, fmt, ap);
	va_end(ap);
	page->len += min_u64(n > 0 ? n : 0, sizeof(page->buf) - page->len - 1);
}

/* One row, cut to the width, the rest of it erased. Bytes that a terminal may act upon are not sent. */
static void put_row_of(struct page *page, unsigned int row, const char *label, const char *text, size_t len)
{
	char clean[CONSOLE_WIDTH + 1];
	int n = snprintf(clean, sizeof(clean), "%s%.*s", label, (int)len, text);

	for (char *p = clean; *p && n > 0; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			*p = '?';
	put(page, "\033[%u;1H%s\033[K", row, clean);
}

static void put_row(struct page *page, unsigned int row, const char *label, const char *text)
{
	put_row_of(page, row, label, text, strlen(text));
}

/* Two rows, the second one indented like what stands behind the label. */
static void put_rows(struct page *page, unsigned int row, const char *label, const char *text)
{
	size_t room = CONSOLE_WIDTH - strlen(label), len = strlen(text), first = len;

	/* Where there is a blank to break at, or an end of a word. */
	while (first > room || (first < len && first > room / 2 && text[first] != ' ' && text[first - 1] != '/'))
		first--;
	put_row_of(page, row, label, text, first);
	put_row(page, row + 1, "           ", text + first + (text[first] == ' '));
}

static void put_bar(const struct console *console, struct page *page)
{
	char bar[BAR_WIDTH + 16] = "  [";
	unsigned int done = console->percent * BAR_WIDTH / 100;

	if (!console->progress[0]) {
		put_row(page, ROW_PROGRESS, "", "");
		put_row(page, ROW_PROGRESS + 1, "", "");
		return;
	}
	memset(bar + 3, '#', done);
	memset(bar + 3 + done, '.', BAR_WIDTH - done);
	snprintf(bar + 3 + BAR_WIDTH, sizeof(bar) - 3 - BAR_WIDTH, "] %3u %%", console->percent);
	put_row(page, ROW_PROGRESS, "", bar);
	put_row(page, ROW_PROGRESS + 1, "  ", console->progress);
}

static void put_screen(const struct console *console, struct page *page)
{
	static const char rule[] = "-------------------------------------------------------------------------------";

	put(page, "\033[H");
	put_row(page, 1, "", "  kcapture: this machine has crashed, and its memory is being saved.");
	put_row(page, 2, "", rule);
	put(page, "\033[3;1H\033[7m  %s  \033[0m\033[K", console->over ? "IT IS OVER: the machine ends by itself now." :
	    "DO NOT RESET OR SWITCH OFF: it ends by itself.");
	put_row(page, 4, "  crashed  ", console->headings[CRASHED]);
	put_row(page, 5, "  because  ", console->headings[BECAUSE]);
	put_row(page, 6, "  to       ", console->headings[TO]);
	put_rows(page, 7, "  result   ", console->headings[VERDICT][0] ? console->headings[VERDICT] : "not yet");
	put_row(page, 9, "", "");
	put_bar(console, page);
	put_row(page, 12, "", rule);
	for (unsigned int i = 0; i < CONSOLE_NR_LINES; i++)
		put_row(page, 13 + i, "  ", i < console->nr_lines ? console->lines[i] : "");
	put(page, "\033[%u;1H\033[J", 13 + CONSOLE_NR_LINES);
}

static void tell(const struct console *console, const char *plain, size_t plain_len, const struct page *page)
{
	for (unsigned int i = 0; i < console->nr; i++) {
		if (console->list[i].screen)
			write_patiently(console->list[i].fd, page->buf, page->len);
		else
			write_patiently(console->list[i].fd, plain, plain_len);
	}
}

void console_init(struct console *console)
{
	memset(console, 0, sizeof(*console));
}

void console_add(struct console *console, int fd, bool screen)
{
	static const char clear[] = "\033[2J";

	if (console->nr == CONSOLE_MAX)
		return;
	console->list[console->nr].fd = fd;
	console->list[console->nr++].screen = screen;
	if (screen)
		write_patiently(fd, clear, sizeof(clear) - 1);
}

static void take_heading(struct console *console, const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		size_t len = strlen(marks[i].prefix);

		if (strncmp(line, marks[i].prefix, len))
			continue;
		snprintf(console->headings[marks[i].heading], sizeof(console->headings[0]), "%s%s", marks[i].text, line + len);
		if (marks[i].heading == VERDICT)
			console->progress[0] = 0;
		console->over |= marks[i].over;
	}
}

void console_line(struct console *console, const char *line)
{
	struct page page = { .len = 0 };
	char plain[400];
	int len = snprintf(plain, sizeof(plain), "kcapture: %s\n", line);

	take_heading(console, line);
	if (console->nr_lines == CONSOLE_NR_LINES)
		memmove(console->lines[0], console->lines[1], sizeof(console->lines) - sizeof(console->lines[0]));
	else
		console->nr_lines++;
	snprintf(console->lines[console->nr_lines - 1], sizeof(console->lines[0]), "%s", line);
	put_screen(console, &page);
	tell(console, plain, min_u64(len, sizeof(plain) - 1), &page);
}

void console_plain(struct console *console, const char *line)
{
	char plain[400];
	int len = snprintf(plain, sizeof(plain), "kcapture: %s\n", line);

	for (unsigned int i = 0; i < console->nr; i++)
		if (!console->list[i].screen)
			write_patiently(console->list[i].fd, plain, min_u64(len, sizeof(plain) - 1));
}

void console_progress(struct console *console, const char *line, unsigned int percent)
{
	struct page page = { .len = 0 };
	char plain[400];
	int len = snprintf(plain, sizeof(plain), "kcapture: %s\n", line);

	snprintf(console->progress, sizeof(console->progress), "%s", line);
	console->percent = percent > 100 ? 100 : percent;
	put_bar(console, &page);
	put(&page, "\033[%u;1H", 13 + CONSOLE_NR_LINES);
	tell(console, plain, min_u64(len, sizeof(plain) - 1), &page);
}
