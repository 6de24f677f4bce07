// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kcapture receive: listen, and give every connection a process (receive.h).
 */
#include "src/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/net_sock.h"
#include "src/receive.h"
#include "src/sys.h"

#define IDLE_S 300
#define EXPIRE_EVERY_MS (3600 * 1000)

static const char help[] =
	"usage: kcapture receive --dir DIR --key FILE [--listen ADDRESS[:PORT]] [--quota SIZE] [--quota-machine SIZE]\n"
	"                        [--keep N] [--idle SECONDS] [--once]\n"
	"\n"
	"Receive dumps from capture kernels whose target is \"tcp HOST[:PORT]\", into DIR/HOST/HOST-TIME/.\n"
	"\n"
	"      --dir DIR             where the dumps go; made if it is not there\n"
	"      --key FILE            the key that senders must know, 16 to 4096 bytes (the same file on both sides)\n"
	"      --listen ADDR[:PORT]  default [::]:7227, which is IPv4, too\n"
	"      --quota SIZE          bytes (or K, M, G, T) that all dumps may take\n"
	"      --quota-machine SIZE  the same for those of one machine\n"
	"      --keep N              remove the oldest complete dumps of a machine when a new one is complete, down to N\n"
	"      --idle SECONDS        end a connection on which nothing comes for so long (default 300)\n"
	"      --once                end with the first dump: 0 if it is complete, else 1\n"
	"  -h, --help                this text\n";

static const struct option longs[] = {
	{ "dir", required_argument, NULL, 'd' },   { "key", required_argument, NULL, 'k' },
	{ "listen", required_argument, NULL, 'l' }, { "quota", required_argument, NULL, 'q' },
	{ "quota-machine", required_argument, NULL, 'm' }, { "keep", required_argument, NULL, 'n' },
	{ "idle", required_argument, NULL, 'i' },  { "once", no_argument, NULL, '1' },
	{ "help", no_argument, NULL, 'h' },	    { NULL, 0, NULL, 0 },
};

struct server {
	struct receive r;
	const char *key_file, *listen;
	bool once;
	int fd;
	int result;			/* exit code, -1 = go on */
};

static volatile sig_atomic_t stopped, child_ended;

static void on_signal(int sig)
{
	if (sig == SIGCHLD)
		child_ended = 1;
	else
		stopped = 1;
}

void receive_log(const char *fmt, ...)
{
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	/* One write: the lines of many processes do not mix. */
	dprintf(STDERR_FILENO, "kcapture receive: %s\n", line);
}

static int parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	unsigned int shift = unit ? 10 * (unit - units + 1) : 0;

	if (end == text || text[0] == '-' || (*end && (!unit || end[1])) || !n || n > (unsigned long long)INT64_MAX >> shift)
		return -EINVAL;
	*ret = n << shift;
	return 0;
}

static int parse_number(const char *text, unsigned int *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || text[0] == '-' || !n || n > 1000000)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int parse_option(struct server *server, int c)
{
	struct receive *r = &server->r;
	unsigned int seconds;

	switch (c) {
	case 'd': r->dir = optarg; return 0;
	case 'k': server->key_file = optarg; return 0;
	case 'l': server->listen = optarg; return 0;
	case '1': server->once = true; return 0;
	case 'q':
	case 'm':
		if (!parse_size(optarg, c == 'q' ? &r->quota : &r->machine_quota))
			return 0;
		return usage_error("receive", "\"%s\" is not a size: bytes, or a number of K, M, G, T", optarg);
	case 'n':
		if (!parse_number(optarg, &r->keep))
			return 0;
		return usage_error("receive", "--keep %s is not a number from 1 on", optarg);
	case 'i':
		if (parse_number(optarg, &seconds))
			return usage_error("receive", "--idle %s is not a number of seconds from 1 on", optarg);
		r->idle_ms = seconds * 1000;
		return 0;
	default:
		return 2;
	}
}

static int read_key(struct server *server, struct error *err)
{
	char text[WIRE_KEY_MAX + 1];
	struct stat st;
	int fd = open(server->key_file, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (len < 0)
		fail(err, -errno, "%s: %s", server->key_file, strerror(errno));
	else if (!fstat(fd, &st) && st.st_mode & 077)
		receive_log("warning: %s is readable by others than its owner", server->key_file);
	if (fd >= 0)
		close(fd);
	if (len < 0)
		return err->code;
	return wire_key_init(&server->r.key, text, len, err) ? fail_prefix(err, "%s", server->key_file) : 0;
}

static int open_dir(struct receive *r, struct error *err)
{
	int rc = make_dirs(r->dir, 0700);

	if (rc)
		return fail(err, rc, "%s: %s", r->dir, strerror(-rc));
	r->dir_fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir_fd < 0)
		return fail(err, -errno, "%s: %s", r->dir, strerror(errno));
	r->shared = mmap(NULL, sizeof(*r->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->shared == MAP_FAILED)
		return fail(err, -errno, "shared memory: %s", strerror(errno));
	quota_count(r);
	store_expire(r);
	return 0;
}

static int listen_on(struct server *server, const struct net_addr *addr)
{
	int one = 1, zero = 0, rc = 0, fd = socket(addr->u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (addr->u.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, &addr->u.any, addr->len) || listen(fd, SOMAXCONN))
		rc = -errno;
	if (rc)
		close(fd);
	else
		server->fd = fd;
	return rc;
}

static int start_listening(struct server *server, struct error *err)
{
	char host[64], text[NET_ADDR_TEXT];
	struct net_addr addr;
	uint16_t port;
	int rc = net_split(server->listen, host, sizeof(host), WIRE_PORT, &port, err);

	if (!rc)
		rc = net_addr_parse(&addr, host, port, err);
	if (rc)
		return rc;
	rc = listen_on(server, &addr);
	/* A kernel without IPv6. */
	if (rc == -EAFNOSUPPORT && !strcmp(host, "::") && !net_addr_parse(&addr, "0.0.0.0", port, err))
		rc = listen_on(server, &addr);
	net_addr_text(&addr, text);
	if (rc)
		return fail(err, rc, "%s: %s", text, strerror(-rc));
	receive_log("listening on %s, dumps go to %s", text, server->r.dir);
	return 0;
}

/* Room for a connection: when too many strangers are there, the one that has been there longest goes. */
static struct receive_slot *find_slot(struct server *server)
{
	struct receive_slot *free = NULL, *oldest = NULL;
	unsigned int nr_strangers = 0;

	for (unsigned int i = 0; i < RECEIVE_MAX_CONNECTIONS; i++) {
		struct receive_slot *slot = &server->r.shared->slots[i];

		if (slot->state == SLOT_FREE && !free)
			free = slot;
		if (slot->state != SLOT_STRANGER)
			continue;
		nr_strangers++;
		if (!oldest || slot->start_ms < oldest->start_ms)
			oldest = slot;
	}
	if (oldest && (!free || nr_strangers >= RECEIVE_MAX_STRANGERS)) {
		kill(oldest->pid, SIGKILL);
		waitpid(oldest->pid, NULL, 0);
		oldest->state = SLOT_FREE;
		return oldest;
	}
	return free;
}

/* In the child: nothing of the listener's but what the session needs. */
static int serve(struct server *server, struct receive_slot *slot, int fd, const char *peer, pid_t parent)
{
	int one = 1;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return SESSION_NOTHING;
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	close(server->fd);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	return session_run(&server->r, slot, fd, peer);
}

static void take_connection(struct server *server)
{
	struct net_addr addr = { .len = sizeof(addr.u) };
	int fd = accept4(server->fd, &addr.u.any, &addr.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct receive_slot *slot;
	char peer[NET_ADDR_TEXT];
	pid_t parent = getpid(), child;

	if (fd < 0)
		return;
	net_addr_text(&addr, peer);
	slot = find_slot(server);
	if (!slot) {
		receive_log("%s: turned away, %d dumps are coming in already", peer, RECEIVE_MAX_CONNECTIONS);
		close(fd);
		return;
	}
	memset(slot, 0, sizeof(*slot));
	slot->state = SLOT_STRANGER;
	slot->start_ms = now_ms();
	child = fork();
	if (!child)
		_exit(serve(server, slot, fd, peer, parent));
	close(fd);
	slot->pid = child;
	if (child > 0)
		return;
	slot->state = SLOT_FREE;
	receive_log("%s: turned away: %s", peer, strerror(errno));
}

/* Bookkeeping of a connection that ended. */
static void forget_child(struct server *server, pid_t pid, int status)
{
	struct receive_shared *shared = server->r.shared;
	unsigned int nr_left = 0;

	for (unsigned int i = 0; i < RECEIVE_MAX_CONNECTIONS; i++) {
		if (shared->slots[i].pid == pid)
			memset(&shared->slots[i], 0, sizeof(shared->slots[i]));
		nr_left += shared->slots[i].state != SLOT_FREE;
	}
	if (!nr_left)
		quota_count(&server->r);
	if (!server->once || !WIFEXITED(status))
		return;
	if (WEXITSTATUS(status) == SESSION_SAVED)
		server->result = 0;
	else if (WEXITSTATUS(status) == SESSION_INCOMPLETE)
		server->result = 1;
}

static void reap(struct server *server)
{
	int status;
	pid_t pid;

	child_ended = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		forget_child(server, pid, status);
}

static int run(struct server *server)
{
	struct pollfd pfd = { .fd = server->fd, .events = POLLIN };
	uint64_t expired_ms = now_ms();
	sigset_t mask, old;

	/* Signals come in ppoll() only, so that none is lost between a look at its flag and the wait. */
	sigfillset(&mask);
	sigprocmask(SIG_BLOCK, &mask, &old);
	server->result = -1;
	while (!stopped && server->result < 0) {
		struct timespec hour = { EXPIRE_EVERY_MS / 1000, 0 };

		if (ppoll(&pfd, 1, &hour, &old) > 0) {
			sigprocmask(SIG_SETMASK, &old, NULL);
			take_connection(server);
			sigprocmask(SIG_BLOCK, &mask, NULL);
		}
		if (child_ended)
			reap(server);
		if (now_ms() - expired_ms < EXPIRE_EVERY_MS)
			continue;
		store_expire(&server->r);
		expired_ms = now_ms();
	}
	return server->result < 0 ? 0 : server->result;
}

static void end_children(struct server *server)
{
	for (unsigned int i = 0; i < RECEIVE_MAX_CONNECTIONS; i++)
		if (server->r.shared->slots[i].pid > 0)
			kill(server->r.shared->slots[i].pid, SIGTERM);
}

static void catch_signals(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGCHLD };
	struct sigaction action = { .sa_handler = on_signal };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

int cmd_receive(int argc, char **argv)
{
	struct server server = { .listen = "[::]", .r.idle_ms = IDLE_S * 1000 };
	struct error err = { 0 };
	int rc;

	optind = 0;
	for (int c; (c = cmd_getopt(argc, argv, ":h", longs, help, 0)) != -1;) {
		if (c == 'h')
			return 0;
		if (c == '?' || parse_option(&server, c))
			return 2;
	}
	if (!server.r.dir || !server.key_file)
		return usage_error("receive", "--dir and --key are needed");
	umask(077);
	catch_signals();
	rc = read_key(&server, &err);
	if (!rc)
		rc = open_dir(&server.r, &err);
	if (!rc)
		rc = start_listening(&server, &err);
	if (rc)
		return cmd_fail("%s", err.text);
	rc = run(&server);
	end_children(&server);
	return rc;
}
