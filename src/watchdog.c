// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/sys.h"

#define FEED_MS 1000

void watchdog_init(struct watchdog *dog, const char *device)
{
	dog->device = device;
	dog->fd = -1;
	dog->fed_ms = 0;
}

static void take_over(struct watchdog *dog, struct log *log)
{
	int seconds = WATCHDOG_TIMEOUT, none = 0;

	dog->fd = open(dog->device, O_WRONLY | O_CLOEXEC);
	if (dog->fd < 0) {
		if (errno != ENOENT && errno != ENODEV) {
			log_warn(log, "watchdog %s: %s", dog->device, strerror(errno));
			dog->device = "";
		}
		return;
	}
	/* An NMI before the bite would panic this kernel. */
	ioctl(dog->fd, WDIOC_SETPRETIMEOUT, &none);
	if (ioctl(dog->fd, WDIOC_SETTIMEOUT, &seconds) && ioctl(dog->fd, WDIOC_GETTIMEOUT, &seconds))
		seconds = 0;
	log_info(log, "watchdog %s is fed, it bites after %d s", dog->device, seconds);
}

void watchdog_feed(struct watchdog *dog, struct log *log)
{
	uint64_t now = now_ms();

	if (!dog->device[0] || now - dog->fed_ms < FEED_MS)
		return;
	dog->fed_ms = now;
	if (dog->fd < 0)
		take_over(dog, log);
	if (dog->fd >= 0)
		write_all(dog->fd, "", 1);
}

void watchdog_stop(struct watchdog *dog)
{
	int off = WDIOS_DISABLECARD;

	if (dog->fd < 0)
		return;
	write_all(dog->fd, "V", 1);	/* drivers with a magic close want it */
	ioctl(dog->fd, WDIOC_SETOPTIONS, &off);
	close(dog->fd);
	dog->fd = -1;
	dog->device = "";
}
