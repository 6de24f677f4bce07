// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/interrupt.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "elfcore/types.h"

static char text[2 * 4096];
static volatile sig_atomic_t text_len;
static pid_t owner;

/* Ends as if nobody had caught it. */
static void on_signal(int sig)
{
	if (text_len && getpid() == owner && write(STDERR_FILENO, text, text_len) < 0) {
		/* nobody to tell */
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

void interrupt_leaves(const char *fmt, ...)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	size_t len;
	va_list ap;

	text_len = 0;
	va_start(ap, fmt);
	len = snprintf(text, sizeof(text), "\nkcapture: interrupted: ");
	len += vsnprintf(text + len, sizeof(text) - len - 1, fmt, ap);
	va_end(ap);
	len = min_u64(len, sizeof(text) - 2);
	text[len++] = '\n';
	owner = getpid();
	text_len = len;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction old;

		if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			signal(signals[i], on_signal);
	}
}

void interrupt_leaves_nothing(void)
{
	text_len = 0;
}
