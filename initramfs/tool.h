/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs that do part of the work (depmod, cpio, gzip, xz, zstd, blkid, kexec), and the small things that every
 * file here needs: whole files in memory, and an orderly end when the user presses ^C.
 *
 * Signals: between tool_catch_signals() and tool_release_signals() SIGINT, SIGTERM and SIGHUP only set a flag. A running
 * tool is then ended and tool_run() returns -EINTR, so every caller unwinds by its ordinary error path and removes its
 * temporary files; tool_release_signals() puts the old handlers back and, if a signal came, raises it again.
 */
#ifndef INITRAMFS_TOOL_H
#define INITRAMFS_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "elfcore/error.h"

struct tool_io {
	const char *dir;	/* directory to run in, NULL = here */
	int in;			/* standard input, -1 = /dev/null */
	int out;		/* standard output, -1 = /dev/null */
};

/* Full path of a program from PATH and the sbin directories (an ordinary user's PATH lacks them), unless it is one; -ENOENT. */
int tool_find(const char *name, char *ret, size_t size);

/*
 * Run argv (NULL terminated, argv[0] looked up by tool_find()) and wait for it. Anything but exit status 0 is an error
 * whose text has the last line that the tool wrote to stderr. io NULL = no input, no output.
 */
int tool_run(const char *const *argv, const struct tool_io *io, struct error *err);

/* Run argv and return all of its output, terminated, to be freed by the caller. */
int tool_output(const char *const *argv, char **ret, struct error *err);

/* A new directory or, with file, an empty file, "NAME.xxxxxx" in $TMPDIR or /tmp, for the caller to remove. */
int tool_temp(const char *name, bool file, char *ret, size_t size, struct error *err);

void tool_catch_signals(void);
void tool_release_signals(void);
bool tool_interrupted(void);

/* The whole of a file, terminated, to be freed by the caller; works for /proc and /sys, too. len_ret may be NULL. */
int file_read(const char *path, char **ret, size_t *len_ret, struct error *err);

/* First line of a small file such as those in /sys, without newline. Returns 0 or -errno. */
int file_read_line(const char *path, char *ret, size_t size);

/* All of buf to fd, over short writes and EINTR. */
int fd_write_all(int fd, const void *buf, size_t len);

/* root "/" and dir "lib/x" become "/lib/x"; -ENAMETOOLONG. */
int path_join(char *ret, size_t size, const char *root, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
