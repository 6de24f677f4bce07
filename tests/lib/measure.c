// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * measure PROGRAM ARGUMENTS...: run it and print "wall-ms user-ms sys-ms peak-KiB" on standard error. A program of its own,
 * because what a process inherits from a large parent (a Python) counts as its peak.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/sys.h"

static long ms(struct timeval time)
{
	return time.tv_sec * 1000 + time.tv_usec / 1000;
}

int main(int argc, char **argv)
{
	uint64_t start = now_ms();
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = fork();
	if (!pid) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 1;
	fprintf(stderr, "measure %llu %ld %ld %ld\n", (unsigned long long)(now_ms() - start), ms(usage.ru_utime), ms(usage.ru_stime),
		usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
