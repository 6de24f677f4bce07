/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elfcore/types.h"

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };

/* State of a process-wide resource, the signal dispositions; hence static. */
static volatile sig_atomic_t got_signal;
static struct sigaction saved_actions[ARRAY_SIZE(caught)];

static void note_signal(int sig)
{
	got_signal = sig;
}

void tool_catch_signals(void)
{
	struct sigaction action = { .sa_handler = note_signal };	/* no SA_RESTART: waitpid() has to return */
	got_signal = 0;
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++) {
		sigaction(caught[i], NULL, &saved_actions[i]);
		/* Started by nohup: stays ignored. */
		if (saved_actions[i].sa_handler != SIG_IGN)
			sigaction(caught[i], &action, NULL);
	}
}

void tool_release_signals(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &saved_actions[i], NULL);
	int sig = got_signal;
	got_signal = 0;
	if (sig)
		raise(sig);
}

bool tool_interrupted(void)
{
	return got_signal != 0;
}

int tool_find(const char *name, char *ret, size_t size)
{
	char dirs[4096];
	const char *path = getenv("PATH");
	if (name[0] == '/')
		return (size_t)snprintf(ret, size, "%s", name) < size && access(name, X_OK) == 0 ? 0 : -ENOENT;
	snprintf(dirs, sizeof(dirs), "%s:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", path ? path : "");
	char *save = NULL;
	for (char *dir = strtok_r(dirs, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		int n = snprintf(ret, size, "%s/%s", dir, name);
		if (n > 0 && (size_t)n < size && access(ret, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

/* The child's side: never returns. */
static void child_exec(const char *path, const char *const *argv, const struct tool_io *io, int err_fd)
{
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(io->in < 0 ? null : io->in, 0) < 0 || dup2(io->out < 0 ? null : io->out, 1) < 0 ||
	    dup2(err_fd, 2) < 0)
		_exit(126);
	if (io->dir && chdir(io->dir) < 0)
		_exit(126);
	/* Messages are shown to the user as they are, sorting and formats must not follow his locale. */
	setenv("LC_ALL", "C", 1);
	/* The options of these would change the bytes that the archive is made of. */
	unsetenv("GZIP");
	unsetenv("XZ_OPT");
	unsetenv("XZ_DEFAULTS");
	unsetenv("ZSTD_CLEVEL");
	unsetenv("ZSTD_NBTHREADS");
	execv(path, (char *const *)argv);
	_exit(127);
}

static int child_wait(pid_t pid, int *status)
{
	bool ended = false;
	while (waitpid(pid, status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
		if (tool_interrupted() && !ended) {
			kill(pid, SIGTERM);
			ended = true;
		}
	}
	return tool_interrupted() ? -EINTR : 0;
}

/* Last line that is not empty: tools end with what stopped them. */
static void last_line(FILE *f, char *ret, size_t size)
{
	char line[200];
	ret[0] = '\0';
	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			snprintf(ret, size, "%s", line);
	}
}

int tool_run(const char *const *argv, const struct tool_io *io, struct error *err)
{
	static const struct tool_io none = { .in = -1, .out = -1 };
	char path[PATH_MAX];
	if (tool_find(argv[0], path, sizeof(path)))
		return fail(err, -ENOENT, "the program %s is not installed", argv[0]);
	if (tool_interrupted())
		return fail(err, -EINTR, "interrupted");
	FILE *messages = tmpfile();
	if (!messages)
		return fail(err, -errno, "temporary file: %s", strerror(errno));

	pid_t pid = fork();
	if (pid == 0)
		child_exec(path, argv, io ? io : &none, fileno(messages));
	int status = 0;
	int rc = pid < 0 ? -errno : child_wait(pid, &status);
	char line[200];
	last_line(messages, line, sizeof(line));
	fclose(messages);
	if (rc == -EINTR)
		return fail(err, rc, "interrupted");
	if (rc)
		return fail(err, rc, "%s: %s", argv[0], strerror(-rc));
	if (WIFSIGNALED(status))
		return fail(err, -EIO, "%s was killed by signal %d", argv[0], WTERMSIG(status));
	if (WEXITSTATUS(status))
		return fail(err, -EIO, "%s failed with status %d%s%s", argv[0], WEXITSTATUS(status),
			    line[0] ? ": " : "", line);
	return 0;
}

int tool_temp(const char *name, bool file, char *ret, size_t size, struct error *err)
{
	const char *tmp = getenv("TMPDIR");
	if (path_join(ret, size, tmp && tmp[0] == '/' ? tmp : "/tmp", "%s.XXXXXX", name)) {
		ret[0] = '\0';
		return fail(err, -ENAMETOOLONG, "TMPDIR is too long");
	}
	int fd = file ? mkstemp(ret) : -1;
	if (file ? fd < 0 : !mkdtemp(ret)) {
		int rc = fail(err, -errno, "%s: %s", ret, strerror(errno));
		ret[0] = '\0';
		return rc;
	}
	if (fd >= 0)
		close(fd);
	return 0;
}

/* Read from the current position to the end. */
static int fd_read_rest(int fd, char **ret, size_t *len_ret)
{
	size_t size = 4096, len = 0;
	char *buf = malloc(size);
	while (buf) {
		ssize_t n = read(fd, buf + len, size - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int rc = -errno;
			free(buf);
			return rc;
		}
		if (n == 0)
			break;
		len += n;
		if (size - len > 1)
			continue;
		char *bigger = realloc(buf, size * 2);
		if (!bigger) {
			free(buf);
			return -ENOMEM;
		}
		buf = bigger;
		size *= 2;
	}
	if (!buf)
		return -ENOMEM;
	buf[len] = '\0';
	*ret = buf;
	if (len_ret)
		*len_ret = len;
	return 0;
}

int tool_output(const char *const *argv, char **ret, struct error *err)
{
	FILE *out = tmpfile();
	if (!out)
		return fail(err, -errno, "temporary file: %s", strerror(errno));
	struct tool_io io = { .in = -1, .out = fileno(out) };
	int rc = tool_run(argv, &io, err);
	if (!rc) {
		lseek(fileno(out), 0, SEEK_SET);
		rc = fd_read_rest(fileno(out), ret, NULL);
		if (rc)
			fail(err, rc, "output of %s: %s", argv[0], strerror(-rc));
	}
	fclose(out);
	return rc;
}

int file_read(const char *path, char **ret, size_t *len_ret, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(err, -errno, "%s: %s", path, strerror(errno));
	int rc = fd_read_rest(fd, ret, len_ret);
	close(fd);
	return rc ? fail(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

int file_read_line(const char *path, char *ret, size_t size)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return -errno;
	errno = 0;
	int rc = fgets(ret, (int)size, f) ? 0 : errno ? -errno : -ENODATA;
	fclose(f);
	if (rc)
		return rc;
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

int fd_write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	while (len) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR && !tool_interrupted())
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= n;
	}
	return 0;
}

int path_join(char *ret, size_t size, const char *root, const char *fmt, ...)
{
	size_t len = strlen(root);
	while (len && root[len - 1] == '/')
		len--;
	if (len + 1 >= size)
		return -ENAMETOOLONG;
	memcpy(ret, root, len);
	ret[len] = '/';
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(ret + len + 1, size - len - 1, fmt, args);
	va_end(args);
	return n < 0 || (size_t)n >= size - len - 1 ? -ENAMETOOLONG : 0;
}
