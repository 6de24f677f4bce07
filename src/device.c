// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "src/blkid.h"
#include "src/sys.h"

#define SYSFS "/sys/class/block"
#define POLL_US 20000

struct wanted {
	const char *value;
	unsigned int partition;		/* ID= with -partN, 0 = the whole disk */
	size_t value_len;
};

/* A block device as sysfs knows it. */
struct candidate {
	char name[64];		/* as in sysfs, with '!' for '/' */
	char node[80];
	char disk[64];		/* the whole disk's name, of a partition; else its own */
	unsigned int partition;	/* 0 = none */
};

/* A line of a file in sysfs without blanks around it; 0 = not there. */
static size_t read_line(const char *path, char *buf, size_t size)
{
	ssize_t len = read_text(path, buf, size);
	size_t start;

	if (len <= 0)
		return 0;
	while (len && (buf[len - 1] == '\n' || buf[len - 1] == ' '))
		buf[--len] = 0;
	start = strspn(buf, " ");
	memmove(buf, buf + start, len - start + 1);
	return len - start;
}

static bool same_uuid(const char *a, const char *b)
{
	return *b && !strcasecmp(a, b);
}

static bool on_device(const struct candidate *dev, bool (*fits)(const struct blkid *, const char *), const char *value)
{
	int fd = open(dev->node, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct blkid id;
	bool result;

	if (fd < 0)
		return false;
	result = blkid_probe(fd, &id) && fits(&id, value);
	close(fd);
	return result;
}

static bool uuid_fits(const struct blkid *id, const char *value)
{
	return same_uuid(value, id->uuid);
}

static bool label_fits(const struct blkid *id, const char *value)
{
	return id->label[0] && !strcmp(value, id->label);
}

static bool has_uuid(const struct candidate *dev, const struct wanted *wanted)
{
	return on_device(dev, uuid_fits, wanted->value);
}

static bool has_label(const struct candidate *dev, const struct wanted *wanted)
{
	return on_device(dev, label_fits, wanted->value);
}

static bool has_partuuid(const struct candidate *dev, const struct wanted *wanted)
{
	char node[80], uuid[40];
	int sector_size = 512, fd;
	bool result;

	if (!dev->partition)
		return false;
	snprintf(node, sizeof(node), "/dev/%s", dev->disk);
	fd = open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	ioctl(fd, BLKSSZGET, &sector_size);
	result = blkid_partuuid(fd, sector_size, dev->partition, uuid) && same_uuid(wanted->value, uuid);
	close(fd);
	return result;
}

/* The serial number is all of the name, or as in /dev/disk/by-id the last part of it. */
static bool is_serial(const struct wanted *wanted, const char *serial)
{
	size_t len = strlen(serial);

	if (!len || len > wanted->value_len || strncasecmp(wanted->value + wanted->value_len - len, serial, len))
		return false;
	return len == wanted->value_len || strchr("_-", wanted->value[wanted->value_len - len - 1]);
}

/* SCSI: page 0x80 of the vital product data, a header of four bytes and the text. */
static bool is_vpd_serial(const struct wanted *wanted, const char *path)
{
	char page[260] = "", *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, page, sizeof(page) - 1);
	char *text = page + 4;

	if (fd >= 0)
		close(fd);
	if (len <= 4)
		return false;
	page[len] = 0;
	text += strspn(text, " ");
	for (end = text + strlen(text); end > text && end[-1] == ' ';)
		*--end = 0;
	return is_serial(wanted, text);
}

/* Where the drivers put it: virtio-blk, NVMe and MMC, SCSI and ATA, a USB device some levels up. */
static bool has_serial(const struct candidate *dev, const struct wanted *wanted)
{
	static const char *const files[] = { "serial", "device/serial", "device/cid", "device/../../../../serial",
					     "device/../../../../../serial" };
	char path[160], serial[64];

	if (dev->partition != wanted->partition)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), SYSFS "/%s/%s", dev->disk, files[i]);
		if (read_line(path, serial, sizeof(serial)) && is_serial(wanted, serial))
			return true;
	}
	snprintf(path, sizeof(path), SYSFS "/%s/device/vpd_pg80", dev->disk);
	return is_vpd_serial(wanted, path);
}

static const struct key {
	const char *name;
	bool (*fits)(const struct candidate *dev, const struct wanted *wanted);
} keys[] = {
	{ "UUID=", has_uuid },
	{ "LABEL=", has_label },
	{ "PARTUUID=", has_partuuid },
	{ "ID=", has_serial },
};

/* "3" of "disk-part3", and without it. */
static void split_partition(struct wanted *wanted)
{
	const char *part = strstr(wanted->value, "-part");
	char *end;
	unsigned long nr;

	wanted->value_len = strlen(wanted->value);
	if (!part)
		return;
	nr = strtoul(part + 5, &end, 10);
	if (*end || !nr)
		return;
	wanted->partition = nr;
	wanted->value_len = part - wanted->value;
}

/* Its link in sysfs leads to .../DISK/PARTITION, or .../DISK. */
static bool fill_candidate(struct candidate *dev, const char *name)
{
	char path[160], link[512], number[16], size[32], *slash;
	ssize_t len;

	if (strlen(name) >= sizeof(dev->name))
		return false;
	strcpy(dev->name, name);
	snprintf(path, sizeof(path), SYSFS "/%s/size", name);
	if (!read_line(path, size, sizeof(size)) || !strcmp(size, "0"))
		return false;
	strcpy(dev->disk, name);
	snprintf(path, sizeof(path), SYSFS "/%s/partition", name);
	dev->partition = read_line(path, number, sizeof(number)) ? strtoul(number, NULL, 10) : 0;
	if (dev->partition) {
		snprintf(path, sizeof(path), SYSFS "/%s", name);
		len = readlink(path, link, sizeof(link) - 1);
		link[len > 0 ? len : 0] = 0;
		slash = strrchr(link, '/');
		if (!slash)
			return false;
		*slash = 0;
		slash = strrchr(link, '/');
		snprintf(dev->disk, sizeof(dev->disk), "%s", slash ? slash + 1 : link);
	}
	snprintf(dev->node, sizeof(dev->node), "/dev/%s", name);
	for (char *p = dev->node; *p; p++)
		if (*p == '!')
			*p = '/';
	return true;
}

static bool is_dead(const struct device_memo *memo, const char *name)
{
	for (unsigned int i = 0; memo && i < memo->nr_dead; i++)
		if (!strcmp(memo->dead[i], name))
			return true;
	return false;
}

void device_memo_bury(struct device_memo *memo)
{
	if (memo->looking_at[0] && memo->nr_dead < ARRAY_SIZE(memo->dead))
		strcpy(memo->dead[memo->nr_dead++], memo->looking_at);
	memo->looking_at[0] = 0;
}

static bool try_device(const struct key *key, const struct wanted *wanted, const char *name, struct device_memo *memo,
		       struct candidate *dev)
{
	bool result;

	/* Nothing that is to last lies in these. */
	if (!strncmp(name, "ram", 3) || !strncmp(name, "zram", 4) || is_dead(memo, name) || !fill_candidate(dev, name))
		return false;
	if (memo)
		strcpy(memo->looking_at, name);
	result = key->fits(dev, wanted);
	if (memo)
		memo->looking_at[0] = 0;
	return result;
}

/* Of several that show the same filesystem, the one that is made of the others (multipath, an array) is meant. */
static int search(const struct key *key, const struct wanted *wanted, struct device_memo *memo, char *ret, size_t size)
{
	DIR *dir = opendir(SYSFS);
	struct candidate dev;
	struct dirent *entry;
	int rc = -ENOENT;

	while (dir && (entry = readdir(dir))) {
		bool stacked = !strncmp(entry->d_name, "dm-", 3) || !strncmp(entry->d_name, "md", 2);

		if (entry->d_name[0] == '.' || (!rc && !stacked) || !try_device(key, wanted, entry->d_name, memo, &dev))
			continue;
		snprintf(ret, size, "%s", dev.node);
		rc = 0;
	}
	if (dir)
		closedir(dir);
	return rc;
}

int device_look(const char *place, struct device_memo *memo, char *ret, size_t size, struct error *err)
{
	struct wanted wanted = { 0 };
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(keys[i].name);

		if (strncmp(place, keys[i].name, len))
			continue;
		wanted.value = place + len;
		split_partition(&wanted);
		return search(&keys[i], &wanted, memo, ret, size);
	}
	if (stat(place, &st))
		return -ENOENT;
	snprintf(ret, size, "%s", place);
	return S_ISBLK(st.st_mode) ? 0 : fail(err, -ENOTBLK, "target %s is not a block device", place);
}

int device_wait(const char *place, const struct device_wait *wait, char *ret, size_t size, struct error *err)
{
	bool said = false;
	int rc;

	for (;;) {
		rc = device_look(place, wait->memo, ret, size, err);
		if (rc != -ENOENT)
			return rc;
		if (now_ms() >= wait->deadline_ms)
			return fail(err, -ETIMEDOUT, "target %s did not appear", place);
		if (!said)
			log_info(wait->log, "waiting for %s", place);
		said = true;
		/* To look by content is to read from every disk. */
		usleep(place[0] == '/' ? POLL_US : 10 * POLL_US);
	}
}
