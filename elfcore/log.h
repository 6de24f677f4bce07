/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine never prints: it hands finished lines to the log that its caller gave it. A NULL log is silence.
 */
#ifndef ELFCORE_LOG_H
#define ELFCORE_LOG_H

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log {
	/* One line of text without newline; borrowed for the time of the call. */
	void (*emit)(struct log *log, enum log_level level, const char *line);
};

void log_line(struct log *log, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define log_err(log, ...) log_line(log, LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(log, ...) log_line(log, LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(log, ...) log_line(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_line(log, LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
