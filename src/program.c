// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/sys.h"

#define TICK_US 20000
#define MAX_FDS 64

static void child(const char *const *argv, int out)
{
	/* There is no udev that device-mapper and md could wait for. */
	static char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LC_ALL=C", "DM_DISABLE_UDEV=1",
				     "MDADM_NO_UDEV=1", NULL };
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	for (int fd = 3; fd < MAX_FDS; fd++)	/* the pipe and whatever this program has open: some tools complain */
		close(fd);
	execve(argv[0], (char *const *)argv, env);
	_exit(127);
}

/* Complete lines go to the log. */
static void take_output(int fd, char *buf, size_t size, size_t *len, const char *name, struct log *log)
{
	ssize_t n = read(fd, buf + *len, size - 1 - *len);
	char *end;

	if (n > 0)
		*len += n;
	buf[*len] = 0;
	while ((end = strchr(buf, '\n')) || *len == size - 1) {
		size_t used = end ? (size_t)(end - buf) + 1 : *len;

		if (end)
			*end = 0;
		log_info(log, "%s: %s", name, buf);
		*len -= used;
		memmove(buf, buf + used, *len + 1);
	}
}

static int wait_for(pid_t pid, int fd, const char *name, const struct program_run *run)
{
	char buf[240];
	size_t len = 0;
	int status;

	for (;;) {
		pid_t ended = waitpid(pid, &status, WNOHANG);

		take_output(fd, buf, sizeof(buf), &len, name, run->log);
		if (ended == pid)
			break;
		if (run->tick)
			run->tick();
		if (now_ms() >= run->deadline_ms) {
			kill(-pid, SIGKILL);
			return -ETIMEDOUT;
		}
		usleep(TICK_US);
	}
	if (len)
		log_info(run->log, "%s: %s", name, buf);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_run(const char *const *argv, const struct program_run *run)
{
	const char *slash = strrchr(argv[0], '/');
	int fds[2], rc;
	pid_t pid;

	if (access(argv[0], X_OK))
		return -errno;
	if (pipe(fds))
		return -errno;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (!pid)
		child(argv, fds[1]);
	close(fds[1]);
	rc = pid < 0 ? -errno : wait_for(pid, fds[0], slash ? slash + 1 : argv[0], run);
	close(fds[0]);
	return rc;
}
