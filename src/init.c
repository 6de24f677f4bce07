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

#include "klibc/ssp.h"
#include "src/config.h"
#include "src/guard.h"
#include "src/log_ring.h"
#include "src/modules.h"
#include "src/program.h"
#include "src/progress.h"
#include "src/rescue.h"
#include "src/sys.h"
#include "src/target.h"
#include "src/watchdog.h"

#define CONFIG_FILE "/etc/kcapture.conf"
#define ASSEMBLE_LIST "/etc/assemble"
#define WATCH_US 20000
#define CLEANUP_TIMEOUT_MS 10000
#define LAST_WORDS_TIMEOUT_MS 30000	/* a serial line carries 300 kB in that time */
#define HOOK_TIMEOUT_MS 60000
#define EXIT_CALLED_OFF 2		/* of a rung's process; 0 = saved, 1 = not */
#define SHUTDOWN_TIMEOUT_MS 30000

/* What PID 1 and its child both see. */
struct shared {
	struct log_ring ring;
	volatile uint64_t moved;	/* counts while bytes move */
	volatile unsigned int nr_modules;	/* of the list that were loaded, or tried at least */
	struct device_memo memo;
	char reason[RESCUE_REASON_MAX];
	char remains[TARGET_NAME_MAX];
};

/* Signal handlers must reach these. */
static struct {
	struct config cfg;
	struct shared *shared;
	struct watchdog dog;
	uint64_t start_ms;
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

/* Run fn in a child that is waited for no longer than that: sync and unmount wait for ever on a disk that is gone. */
static bool run_bounded(void (*fn)(void), unsigned int timeout_ms)
{
	uint64_t deadline = now_ms() + timeout_ms;
	pid_t child = fork();

	if (!child) {
		fn();
		_exit(0);
	}
	while (child > 0 && now_ms() < deadline) {
		watchdog_feed(&init.dog, &init.shared->ring.log);
		if (waitpid(child, NULL, WNOHANG) == child)
			return true;
		usleep(WATCH_US);
	}
	return false;
}

static void clean_up(void)
{
	char dir[32];

	sync();
	for (unsigned int i = 0; i < CONFIG_MAX_TARGETS; i++) {
		snprintf(dir, sizeof(dir), TARGET_MOUNT_POINT "/%u", i);
		umount2(dir, 0);
	}
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
	/* If the reboot hangs, the watchdog ends it; the other endings are to last. */
	if (action != ACTION_REBOOT)
		watchdog_stop(&init.dog);
	if (!clean && !run_bounded(clean_up, CLEANUP_TIMEOUT_MS)) {
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

/* Of all processes the kernel may end one for its memory, but not this one. */
static void set_oom_score(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0)
		return;
	write_all(fd, score, strlen(score));
	close(fd);
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

static void add_console(const char *name)
{
	/* "tty0" and "hvc0" are consoles, of which only the former is surely one that draws; tty1 and so on are like it. */
	bool is_vt = !strncmp(name, "tty", 3) && name[3] >= '0' && name[3] <= '9';
	bool screen = init.cfg.console == CONSOLE_SCREEN || (init.cfg.console == CONSOLE_AUTO && is_vt);
	const char *term = getenv("TERM");
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
	if (fd >= 0)
		console_add(&init.shared->ring.console, fd, screen && !(term && !strcmp(term, "dumb")));
}

/* Each console that the kernel has, so that whoever looks sees something; without knowledge of them, standard output. */
static void open_consoles(void)
{
	struct log_ring *ring = &init.shared->ring;
	char names[256], *save;
	int fd = open("/proc/sys/kernel/printk_devkmsg", O_WRONLY);

	if (read_text("/sys/class/tty/console/active", names, sizeof(names)) > 0)
		for (char *name = strtok_r(names, " \n", &save); name; name = strtok_r(NULL, " \n", &save))
			add_console(name);
	if (!ring->console.nr)
		console_add(&ring->console, 1, init.cfg.console == CONSOLE_SCREEN);
	if (fd >= 0) {
		write_all(fd, "on\n", 3);	/* else some lines are suppressed, and that is said instead */
		close(fd);
	}
	ring->kmsg_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
}

static void open_log(uint64_t start_ms)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	init.shared = shared == MAP_FAILED ? &init.early : shared;
	log_ring_init(&init.shared->ring, start_ms);
}

/* What who armed found out about each target: lines of "NUMBER STEP ...". */
static void read_assemble(void)
{
	char text[4096], *save;

	if (read_text(ASSEMBLE_LIST, text, sizeof(text)) <= 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *steps;
		unsigned long i = strtoul(line, &steps, 10);

		if (i < init.cfg.nr_targets && *steps == ' ')
			snprintf(init.cfg.targets[i].assemble, sizeof(init.cfg.targets[i].assemble), "%s", steps + 1);
	}
}

static void read_config(struct log *log)
{
	char text[8192];
	ssize_t len = read_text(CONFIG_FILE, text, sizeof(text));

	config_init(&init.cfg);
	if (len < 0)
		log_warn(log, CONFIG_FILE ": %s", strerror(-len));
	else
		config_parse(&init.cfg, text, len, CONFIG_FILE, log);
	read_assemble();
	if (read_text("/proc/cmdline", init.cmdline, sizeof(init.cmdline)) < 0)
		log_warn(log, "/proc/cmdline is not readable");
	config_parse_cmdline(&init.cfg, init.cmdline, log);
}

static void show_progress(struct progress *progress, const char *line)
{
	unsigned int percent = progress->total ? min_u64(progress->done, progress->total) * 100 / progress->total : 0;

	console_progress(&init.shared->ring.console, line, percent);
}

/* When what has to be over. */
struct clock {
	const struct target_config *target;
	uint64_t start_ms;		/* of the rung */
	uint64_t moved, moved_ms;	/* the count of moves that was seen last, and when */
};

/*
 * 0 = still within the limits, else why it is over. Until bytes move for the first time, the target's own deadline comes
 * on top.
 */
static int check_deadlines(const struct clock *clock)
{
	uint64_t now = now_ms(), stall = clock->target->stall_timeout;
	char *reason = init.shared->reason;

	if (!clock->moved)
		stall += clock->target->target_timeout;
	if (init.cfg.timeout && now - init.start_ms > 1000ULL * init.cfg.timeout)
		snprintf(reason, RESCUE_REASON_MAX, "not done within %u s", init.cfg.timeout);
	else if (clock->target->target_limit && now - clock->start_ms > 1000ULL * clock->target->target_limit)
		snprintf(reason, RESCUE_REASON_MAX, "%s: not done within %u s", clock->target->place,
			 clock->target->target_limit);
	else if (clock->target->stall_timeout && now - clock->moved_ms > 1000 * stall)
		snprintf(reason, RESCUE_REASON_MAX, "no byte moved for %u s", clock->target->stall_timeout);
	else
		return 0;
	return -ETIMEDOUT;
}

/* Without a deadline of ours for it, it is the watchdog that ends what does not move any more. */
static bool is_lively(const struct clock *clock)
{
	uint64_t limit = clock->target->stall_timeout ? clock->target->stall_timeout : 2 * WATCHDOG_TIMEOUT;

	if (!clock->moved || clock->target->stall_timeout)
		limit += clock->target->target_timeout;
	return now_ms() - clock->moved_ms < 1000 * limit;
}

/* Wait for the child, no longer than the deadlines allow; returns its verdict. *said_ret: it has told it itself. */
static int watch(pid_t child, struct clock *clock, bool *said_ret)
{
	int status, rc;

	*said_ret = false;
	for (;;) {
		if (waitpid(child, &status, WNOHANG) == child)
			break;
		if (clock->moved != init.shared->moved) {
			clock->moved = init.shared->moved;
			clock->moved_ms = now_ms();
		}
		rc = check_deadlines(clock);
		if (rc) {
			kill(child, SIGKILL);
			return rc;
		}
		if (is_lively(clock))
			watchdog_feed(&init.dog, &init.shared->ring.log);
		usleep(WATCH_US);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) < 128) {
		*said_ret = true;
		return WEXITSTATUS(status) == EXIT_CALLED_OFF ? -ECANCELED : WEXITSTATUS(status) ? -EIO : 0;
	}
	snprintf(init.shared->reason, RESCUE_REASON_MAX, "the capture process was ended by signal %d",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - 128);
	return -EFAULT;
}

static void feed(void)
{
	watchdog_feed(&init.dog, &init.shared->ring.log);
}

/* kdump_pre and kdump_post; its exit code, 0 when there is none. */
static int run_hook(const char *path, const char *argument)
{
	const char *argv[] = { path, argument, NULL };
	const struct program_run run = { .deadline_ms = now_ms() + HOOK_TIMEOUT_MS, .tick = getpid() == init.pid ? feed : NULL,
					 .log = &init.shared->ring.log };
	int rc;

	if (!path[0])
		return 0;
	log_info(run.log, "running %s", path);
	rc = program_run(argv, &run);
	if (rc < 0)
		log_warn(run.log, "%s: %s", path, strerror(-rc));
	else if (rc)
		log_warn(run.log, "%s ended with %d", path, rc);
	return rc;
}

/* All that may hang or crash, the drivers' own start among it: an oops there ends who asked for it, and must not end PID 1. */
static int work(const struct rescue *job)
{
	set_oom_score("0");
	modules_load(&init.shared->nr_modules, &init.shared->ring.log);
	/* As with kdump: it can call the dump off, and that is no failure. One that cannot be run has no say. */
	if (job->first && run_hook(init.cfg.kdump_pre, NULL) > 0) {
		log_warn(&job->ring->log, "no dump: %s does not want one", init.cfg.kdump_pre);
		return -ECANCELED;
	}
	return rescue(job);
}

static int exit_code(int rc)
{
	return rc == -ECANCELED ? EXIT_CALLED_OFF : rc != 0;
}

/* One rung of the ladder, in a child of its own. *clean_ret: its target was unmounted. */
static int step(const struct rescue *job, bool *clean_ret)
{
	const struct config *cfg = &init.cfg;
	struct clock clock = { .target = cfg->nr_targets ? &cfg->targets[job->target] : &cfg->defaults, .start_ms = now_ms() };
	bool said = true;
	pid_t child;
	int rc;

	clock.moved_ms = clock.start_ms;
	init.shared->moved = 0;
	child = fork();
	if (!child)
		_exit(exit_code(work(job)));
	rc = child > 0 ? watch(child, &clock, &said) : work(job);
	if (!said) {
		*clean_ret = false;
		device_memo_bury(&init.shared->memo);
		log_err(&init.shared->ring.log, "%s%s", job->last ? "FAILED: " : "", init.shared->reason);
	}
	return rc;
}

static bool time_is_up(void)
{
	return init.cfg.timeout && now_ms() - init.start_ms > 1000ULL * init.cfg.timeout;
}

/* The targets one after the other, until one has a complete dump. */
static int climb(bool *clean_ret)
{
	struct progress progress = { .show = show_progress, .moved = &init.shared->moved };
	struct rescue job = { .cfg = &init.cfg, .cmdline = init.cmdline, .ring = &init.shared->ring, .progress = &progress,
			      .memo = &init.shared->memo, .reason = init.shared->reason,
			      .remains = init.shared->remains };
	unsigned int nr = init.cfg.nr_targets ? init.cfg.nr_targets : 1;	/* with none, the reason is all that is said */
	int rc = -ENOENT;

	for (unsigned int i = 0; i < nr && rc && rc != -ECANCELED; i++) {
		if (i && time_is_up()) {
			log_err(&init.shared->ring.log, "FAILED: no time left for %s", init.cfg.targets[i].place);
			return -ETIMEDOUT;
		}
		if (i)
			log_info(&init.shared->ring.log, "trying the next target: %s %s", init.cfg.targets[i].word,
				 init.cfg.targets[i].place);
		job.target = i;
		job.first = i == 0;
		job.last = i + 1 == nr;
		rc = step(&job, clean_ret);
	}
	return rc;
}

static void tell_last_words(void)
{
	const struct rescue job = { .cfg = &init.cfg, .cmdline = init.cmdline, .ring = &init.shared->ring,
				    .reason = init.shared->reason };

	rescue_last_words(&job);
}

/* No complete dump: what there is instead. */
static void say_remains(void)
{
	if (init.shared->remains[0])
		log_info(&init.shared->ring.log, "what there is of the crash is in %s", init.shared->remains);
	else
		run_bounded(tell_last_words, LAST_WORDS_TIMEOUT_MS);
}

int main(void)
{
	bool clean = true;
	int rc;

	watchdog_init(&init.dog, "");
	init.start_ms = now_ms();
	ssp_init((unsigned long)init.start_ms);
	init.pid = getpid();
	umask(077);
	mount_api("proc", "/proc");
	mount_api("sysfs", "/sys");
	mount_api("devtmpfs", "/dev");
	mkdir(TARGET_MOUNT_POINT, 0700);
	set_oom_score("-1000");
	open_console();
	open_log(init.start_ms);
	catch_signals();
	read_config(NULL);		/* how to speak comes first, what to say about the rest of it then */
	open_consoles();
	log_info(&init.shared->ring.log, "capturing the crashed kernel, do not reset this machine");
	read_config(&init.shared->ring.log);
	watchdog_init(&init.dog, init.cfg.watchdog);
	rc = climb(&clean);
	if (rc == -ECANCELED)
		terminate(0, clean);
	if (rc)
		say_remains();
	run_hook(init.cfg.kdump_post, rc ? "1" : "0");
	terminate(rc, clean);
}
