// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_line(struct log *log, enum log_level level, const char *fmt, ...)
{
	char line[320];
	va_list ap;

	if (!log)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log->emit(log, level, line);
}
