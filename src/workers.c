// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/workers.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void work(struct workers *workers, int fd) __attribute__((noreturn));
static void work(struct workers *workers, int fd)
{
	unsigned char batch;

	while (read(fd, &batch, 1) == 1) {
		workers->pack(workers->arg, batch);
		if (send(fd, &batch, 1, MSG_NOSIGNAL) != 1)
			break;
	}
	_exit(0);
}

static bool start_one(struct workers *workers)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		return false;
	pid = fork();
	if (!pid) {
		/* The parent's ends of the others would keep their sockets open when the parent is gone. */
		for (unsigned int i = 0; i < workers->nr; i++)
			close(workers->list[i].fd);
		close(fds[0]);
		work(workers, fds[1]);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return false;
	}
	workers->list[workers->nr++] = (struct worker){ .pid = pid, .fd = fds[0], .batch = -1 };
	return true;
}

unsigned int workers_start(struct workers *workers, unsigned int nr, void (*pack)(void *arg, unsigned int batch), void *arg)
{
	workers->nr = 0;
	workers->pack = pack;
	workers->arg = arg;
	while (workers->nr < nr && workers->nr < JOBS_MAX && start_one(workers))
		;
	workers->nr_alive = workers->nr;
	return workers->nr;
}

static void bury(struct workers *workers, struct worker *worker)
{
	close(worker->fd);
	worker->fd = -1;
	worker->batch = -1;
	workers->nr_alive--;
	kill(worker->pid, SIGKILL);
	waitpid(worker->pid, NULL, 0);
}

bool workers_give(struct workers *workers, unsigned int batch)
{
	unsigned char number = batch;

	for (unsigned int i = 0; i < workers->nr; i++) {
		struct worker *worker = &workers->list[i];

		if (worker->fd < 0 || worker->batch >= 0)
			continue;
		if (send(worker->fd, &number, 1, MSG_NOSIGNAL) == 1) {
			worker->batch = batch;
			return true;
		}
		bury(workers, worker);
	}
	return false;
}

int workers_wait(struct workers *workers, bool *lost_ret)
{
	struct pollfd fds[JOBS_MAX];
	unsigned char number;

	for (;;) {
		unsigned int nr = 0;

		for (unsigned int i = 0; i < workers->nr; i++) {
			bool busy = workers->list[i].fd >= 0 && workers->list[i].batch >= 0;

			fds[i] = (struct pollfd){ .fd = busy ? workers->list[i].fd : -1, .events = POLLIN };
			nr += busy;
		}
		if (!nr)
			return -1;
		if (poll(fds, workers->nr, -1) < 0 && errno != EINTR)
			return -1;
		for (unsigned int i = 0; i < workers->nr; i++) {
			struct worker *worker = &workers->list[i];
			int batch = worker->batch;

			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			*lost_ret = recv(worker->fd, &number, 1, 0) != 1;
			worker->batch = -1;
			if (*lost_ret)
				bury(workers, worker);
			return batch;
		}
	}
}

void workers_stop(struct workers *workers)
{
	for (unsigned int i = 0; i < workers->nr; i++)
		if (workers->list[i].fd >= 0)
			bury(workers, &workers->list[i]);
	workers->nr = 0;
}
