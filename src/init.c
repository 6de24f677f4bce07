// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PID 1 of the capture kernel. It sets the stage, lets a child do the work (rescue.c), watches it, and ends the
 * machine. It never exits: every ending, a fatal signal included, goes through terminate().
 *
 * The child may crash, be killed for its memory or hang in a dead disk's driver: PID 1 is not touched by any of that.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "klibc/compat.h"
#include "src/config.h"
#include "src/guard.h"
#include "src/log_ring.h"
#include "src/progress.h"
#include "src/rescue.h"
#include "src/sys.h"
#include "src/target.h"

#define CONFIG_FILE "/etc/kcapture.conf"
#define MODULE_LIST "/modules/load"
#define WATCH_US 20000
#define CLEANUP_TIMEOUT_MS 10000
#define SHUTDOWN_TIMEOUT_MS 30000

/* What PID 1 and its child both see. */
struct shared {
	struct log_ring ring;
	volatile uint64_t moved;	/* counts while bytes move */
};

/* Signal handlers must reach these. */
static struct {
	struct config cfg;
	struct shared *shared;
	pid_t pid;
	struct shared early;		/* used when shared memory cannot be had */
	char cmdline[8192];
} init;

static void say(const char *text)
{
	log_ring_console(&init.shared->ring, text);
}

static void sysrq(char command)
{
	int fd = command ? open("/proc/sysrq-trigger", O_WRONLY) : -1;

	if (fd >= 0)
		write_all(fd, &command, 1);
}

/* Run fn in a child for at most CLEANUP_TIMEOUT_MS: sync and unmount wait for ever on a disk that is gone. */
static bool run_bounded(void (*fn)(void))
{
	uint64_t deadline = now_ms() + CLEANUP_TIMEOUT_MS;
	pid_t child = fork();

	if (!child) {
		fn();
		_exit(0);
	}
	while (child > 0 && now_ms() < deadline) {
		if (waitpid(child, NULL, WNOHANG) == child)
			return true;
		usleep(WATCH_US);
	}
	return false;
}

static void clean_up(void)
{
	sync();
	umount2(TARGET_MOUNT_POINT, 0);
}

/* reboot(2) shuts down every device first, and one that hangs there would hang the machine. */
static void force_later(char command)
{
	if (!command || fork())
		return;
	usleep(SHUTDOWN_TIMEOUT_MS * 1000);
	sysrq(command);
	_exit(0);
}

/* The one ending. rc 0 = a complete dump was saved. clean = the target was unmounted by who used it. */
static void terminate(int rc, bool clean) __attribute__((noreturn));
static void terminate(int rc, bool clean)
{
	static const struct {
		const char *text;
		int command;
		char forced;		/* sysrq that skips what the kernel does before (device shutdown may hang) */
	} ends[] = {
		[ACTION_REBOOT] = { "rebooting", RB_AUTOBOOT, 'b' },
		[ACTION_HALT] = { "halting", RB_HALT_SYSTEM, 0 },
		[ACTION_POWEROFF] = { "powering off", RB_POWER_OFF, 'o' },
	};
	enum action action = rc ? init.cfg.failure_action : init.cfg.final_action;

	say(ends[action].text);
	if (!clean && !run_bounded(clean_up)) {
		say("the target does not answer, ending without it");
		sysrq(ends[action].forced);
	}
	force_later(ends[action].forced);
	reboot(ends[action].command, NULL);
	sysrq(ends[action].forced);
	for (;;)
		pause();
}

static void on_fatal(int sig)
{
	char text[64];

	if (getpid() != init.pid)
		_exit(128 + sig);
	snprintf(text, sizeof(text), "FAILED: signal %d in /init itself", sig);
	say(text);
	terminate(-EFAULT, false);
}

static void catch_signals(void)
{
	static const int fatal[] = { SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP };

	guard_init(on_fatal);
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		signal(fatal[i], on_fatal);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

static void mount_api(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	mount(type, dir, type, MS_NOSUID | MS_NOEXEC, NULL);
}

static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return;
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static void open_log(uint64_t start_ms)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	init.shared = shared == MAP_FAILED ? &init.early : shared;
	log_ring_init(&init.shared->ring, 1, start_ms);
}

static void read_config(void)
{
	struct log *log = &init.shared->ring.log;
	char text[8192];
	ssize_t len = read_text(CONFIG_FILE, text, sizeof(text));

	config_init(&init.cfg);
	if (len < 0)
		log_warn(log, CONFIG_FILE ": %s", strerror(-len));
	else
		config_parse(&init.cfg, text, len, CONFIG_FILE, log);
	if (read_text("/proc/cmdline", init.cmdline, sizeof(init.cmdline)) < 0)
		log_warn(log, "/proc/cmdline is not readable");
	config_parse_cmdline(&init.cfg, init.cmdline, log);
}

static void load_module(const char *name, struct log *log)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "/modules/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* ENODEV is what a driver says whose hardware is not there: the list has alternatives. */
	if (fd < 0 || (finit_module(fd, "", 0) && errno != EEXIST && errno != ENODEV))
		log_warn(log, "module %s: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* The list is in the order of dependencies; it was made with the image. */
static void load_modules(void)
{
	struct log *log = &init.shared->ring.log;
	char list[8192], *save;
	ssize_t len = read_text(MODULE_LIST, list, sizeof(list));
	unsigned int nr = 0;

	if (len < 0 && len != -ENOENT)
		log_warn(log, MODULE_LIST ": %s", strerror(-len));
	if (len <= 0)
		return;
	for (char *name = strtok_r(list, "\n", &save); name; name = strtok_r(NULL, "\n", &save), nr++)
		load_module(name, log);
	log_info(log, "%u modules loaded", nr);
}

static void show_progress(struct progress *progress, const char *line)
{
	(void)progress;
	say(line);
}

/* 0 = still within the limits. Until bytes move for the first time, the target's own deadline comes on top. */
static int check_deadlines(uint64_t start_ms, uint64_t moved_ms)
{
	struct log *log = &init.shared->ring.log;
	uint64_t now = now_ms(), stall = init.cfg.stall_timeout;

	if (!init.shared->moved)
		stall += init.cfg.target_timeout;

	if (init.cfg.timeout && now - start_ms > 1000ULL * init.cfg.timeout)
		log_err(log, "FAILED: not done within %u s", init.cfg.timeout);
	else if (init.cfg.stall_timeout && now - moved_ms > 1000 * stall)
		log_err(log, "FAILED: no byte moved for %u s", init.cfg.stall_timeout);
	else
		return 0;
	return -ETIMEDOUT;
}

/* Wait for the child, no longer than the deadlines allow; returns its verdict. *clean_ret: it ended by itself. */
static int watch(pid_t child, uint64_t start_ms, bool *clean_ret)
{
	uint64_t moved = 0, moved_ms = start_ms;
	int status, rc;

	*clean_ret = false;
	for (;;) {
		if (waitpid(child, &status, WNOHANG) == child)
			break;
		if (moved != init.shared->moved) {
			moved = init.shared->moved;
			moved_ms = now_ms();
		}
		rc = check_deadlines(start_ms, moved_ms);
		if (rc) {
			kill(child, SIGKILL);
			return rc;
		}
		usleep(WATCH_US);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) < 128) {
		*clean_ret = true;
		return WEXITSTATUS(status) ? -EIO : 0;
	}
	log_err(&init.shared->ring.log, "FAILED: the capture process was ended by signal %d",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - 128);
	return -EFAULT;
}

/* All that may hang or crash, the drivers' own start among it: an oops there ends who asked for it, and must not end PID 1. */
static int work(struct progress *progress)
{
	load_modules();
	return rescue(&init.cfg, init.cmdline, &init.shared->ring, progress);
}

int main(void)
{
	struct progress progress = { .show = show_progress };
	uint64_t start_ms = now_ms();
	bool clean = true;
	pid_t child;
	int rc;

	init.pid = getpid();
	umask(077);
	mount_api("proc", "/proc");
	mount_api("sysfs", "/sys");
	mount_api("devtmpfs", "/dev");
	mkdir(TARGET_MOUNT_POINT, 0700);
	open_console();
	open_log(start_ms);
	catch_signals();
	log_info(&init.shared->ring.log, "capturing the crashed kernel, do not reset this machine");
	read_config();
	progress.moved = &init.shared->moved;
	child = fork();
	if (!child)
		_exit(work(&progress) ? 1 : 0);
	if (child > 0)
		rc = watch(child, start_ms, &clean);
	else
		rc = work(&progress);
	terminate(rc, clean);
}
