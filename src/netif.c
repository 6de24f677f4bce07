// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/netif.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_vlan.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/netif6.h"
#include "src/sys.h"

#define POLL_US 20000

static int control(int family, unsigned long request, void *arg)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	rc = ioctl(fd, request, arg) ? -errno : 0;
	close(fd);
	return rc;
}

static ssize_t sysfs_text(const char *dev, const char *name, char *ret, size_t size)
{
	char path[128];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/class/net/%.64s/%s", dev, name);
	len = read_text(path, ret, size);
	if (len > 0 && ret[len - 1] == '\n')
		ret[--len] = 0;
	return len;
}

/* The last component of a path, which is cut off. */
static const char *cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return "";
	*slash = 0;
	return slash + 1;
}

/*
 * Has the device behind the interface this name? The interface's own link in sysfs leads by it:
 * ../../devices/pci0000:00/0000:00:03.0/net/eth0, and where virtio has a device of its own, that one's bus device is meant, too:
 * .../0000:00:03.0/virtio0/net/eth0.
 */
static bool is_device(const char *dev, const char *name)
{
	char path[128], target[256];
	const char *device;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%.64s", dev);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = 0;
	cut_last(target);
	if (strcmp(cut_last(target), "net"))
		return false;
	device = cut_last(target);
	return !strcmp(device, name) || (!strncmp(device, "virtio", 6) && !strcmp(cut_last(target), name));
}

static bool is_wanted(const char *dev, const char *which)
{
	char mac[32], parent[16];

	if (!strcmp(dev, which))
		return true;
	if (!net_is_mac(which))
		return is_device(dev, which);
	/* What stands on another interface (a VLAN) has that one's address, but no device of its own. */
	return sysfs_text(dev, "address", mac, sizeof(mac)) > 0 && !strcasecmp(mac, which) &&
	       sysfs_text(dev, "device/uevent", parent, sizeof(parent)) != -ENOENT;
}

static int look(const char *which, char dev[IFNAMSIZ])
{
	DIR *dir = opendir("/sys/class/net");
	int rc = -ENODEV;

	if (!dir)
		return rc;
	for (struct dirent *entry; rc && (entry = readdir(dir));) {
		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= IFNAMSIZ || !is_wanted(entry->d_name, which))
			continue;
		strcpy(dev, entry->d_name);
		rc = 0;
	}
	closedir(dir);
	return rc;
}

static int set_up(const char *dev, unsigned int mtu)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	int rc = 0;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	ifr.ifr_mtu = mtu;
	if (mtu)
		rc = control(AF_INET, SIOCSIFMTU, &ifr);
	if (!rc)
		rc = control(AF_INET, SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags |= IFF_UP;
	return rc ? rc : control(AF_INET, SIOCSIFFLAGS, &ifr);
}

/* carrier cannot be read while the interface is down, and some drivers take seconds to find out. */
static int wait_for_carrier(const char *dev, uint64_t deadline_ms, struct error *err)
{
	char text[16];

	while (sysfs_text(dev, "carrier", text, sizeof(text)) <= 0 || text[0] != '1') {
		if (now_ms() >= deadline_ms)
			return fail(err, -ENETDOWN, "%s: no carrier", dev);
		usleep(POLL_US);
	}
	return 0;
}

static int add_vlan(char dev[IFNAMSIZ], unsigned int id, struct error *err)
{
	struct vlan_ioctl_args args = { .cmd = SET_VLAN_NAME_TYPE_CMD, .u.name_type = VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD };
	char name[IFNAMSIZ + 8];
	int rc;

	snprintf(name, sizeof(name), "%s.%u", dev, id);
	if (strlen(name) >= IFNAMSIZ)
		return fail(err, -ENAMETOOLONG, "%s: too long a name", name);
	control(AF_INET, SIOCSIFVLAN, &args);
	args.cmd = ADD_VLAN_CMD;
	strcpy(args.device1, dev);
	args.u.VID = id;
	rc = control(AF_INET, SIOCSIFVLAN, &args);
	if (rc && rc != -EEXIST)
		return fail(err, rc, "%s: %s%s", name, strerror(-rc), rc == -ENOPKG ? " (8021q missing in the initramfs?)" : "");
	strcpy(dev, name);
	return 0;
}

/* Run ipconfig until it ends or the time is over. */
static int run_ipconfig(const char *spec, const char *method, uint64_t deadline_ms, struct error *err)
{
	uint64_t now = now_ms();
	char seconds[16];
	char *argv[] = { IPCONFIG, "-t", seconds, "-c", (char *)method, "-d", (char *)spec, NULL };
	char *envp[] = { NULL };
	int status;
	pid_t child;

	snprintf(seconds, sizeof(seconds), "%u", deadline_ms > now + 1000 ? (unsigned int)((deadline_ms - now) / 1000) : 1);
	child = fork();
	if (!child) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		execve(IPCONFIG, argv, envp);
		_exit(127);
	}
	while (child > 0 && waitpid(child, &status, WNOHANG) != child) {
		if (now_ms() > deadline_ms + 1000) {
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			break;
		}
		usleep(POLL_US);
	}
	if (child > 0 && WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return fail(err, -ENOENT, IPCONFIG " is not in the image");
	return fail(err, -ETIMEDOUT, "%s: no address by %s", spec, method);
}

static void say_address(const char *dev, struct log *log)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	struct sockaddr_in addr;
	char text[32];

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (control(AF_INET, SIOCGIFADDR, &ifr))
		return;
	memcpy(&addr, &ifr.ifr_addr, sizeof(addr));
	log_info(log, "%s has %s", dev, inet_ntop(AF_INET, &addr.sin_addr, text, sizeof(text)));
}

static int set_address4(const struct net_config *net, const char *dev, uint64_t deadline_ms, struct error *err)
{
	char spec[200], mask[32];
	struct in_addr bits;

	if (net->method == NET_DHCP)
		return run_ipconfig(dev, "dhcp", deadline_ms, err);
	bits.s_addr = htonl(net->prefix ? UINT32_MAX << (32 - net->prefix) : 0);
	inet_ntop(AF_INET, &bits, mask, sizeof(mask));
	snprintf(spec, sizeof(spec), "%s::%s:%s::%s:none", net->address, net->gateway, mask, dev);
	return run_ipconfig(spec, "none", deadline_ms, err);
}

static int bring_up(const struct net_config *net, uint64_t deadline_ms, struct log *log, struct error *err)
{
	bool is_6 = net->method == NET_SLAAC || (net->method == NET_STATIC && strchr(net->address, ':'));
	char dev[IFNAMSIZ];
	int rc;

	while (look(net->which, dev)) {
		if (now_ms() >= deadline_ms)
			return fail(err, -ENODEV, "no interface is %s (is its driver in the initramfs?)", net->which);
		usleep(POLL_US);
	}
	if (strcmp(dev, net->which))
		log_info(log, "%s is %s", net->which, dev);
	netif6_prepare(dev);
	rc = set_up(dev, net->mtu);
	if (rc)
		return fail(err, rc, "%s: %s", dev, strerror(-rc));
	rc = wait_for_carrier(dev, deadline_ms, err);
	if (!rc && net->vlan) {
		rc = add_vlan(dev, net->vlan, err);
		if (!rc) {
			netif6_prepare(dev);
			rc = set_up(dev, 0);
			if (rc)
				fail(err, rc, "%s: %s", dev, strerror(-rc));
		}
	}
	if (rc)
		return rc;
	if (is_6)
		return netif6_address(net, dev, deadline_ms, log, err);
	rc = set_address4(net, dev, deadline_ms, err);
	if (!rc)
		say_address(dev, log);
	return rc;
}

/* The kernel's own notation, for who has it on the command line: ipconfig reads it as it is. */
static int from_cmdline(uint64_t deadline_ms, struct error *err)
{
	char cmdline[4096];
	ssize_t len = read_text("/proc/cmdline", cmdline, sizeof(cmdline));

	for (char *save, *word = len > 0 ? strtok_r(cmdline, " \n", &save) : NULL; word; word = strtok_r(NULL, " \n", &save)) {
		char dev[64], *colon;

		if (strncmp(word, "ip=", 3))
			continue;
		word += 3;
		colon = strchr(word, ':');
		/* "dhcp" means all interfaces, "eth0:dhcp" is dracut's way to say it of one. */
		if (!strcmp(word, "dhcp") || !strcmp(word, "on") || !strcmp(word, "any"))
			return run_ipconfig("all", "dhcp", deadline_ms, err);
		if (colon && !strcmp(colon, ":dhcp")) {
			snprintf(dev, sizeof(dev), "%.*s", (int)(colon - word), word);
			return run_ipconfig(dev, "dhcp", deadline_ms, err);
		}
		return run_ipconfig(word, "none", deadline_ms, err);
	}
	return fail(err, -EINVAL, "no \"net\" line in the configuration and no ip= on the kernel command line");
}

int netif_up(const struct config *cfg, uint64_t deadline_ms, struct log *log, struct error *err)
{
	int rc = 0;

	if (!cfg->nr_nets)
		return from_cmdline(deadline_ms, err);
	for (unsigned int i = 0; i < cfg->nr_nets && !rc; i++)
		rc = bring_up(&cfg->nets[i], deadline_ms, log, err);
	return rc;
}
