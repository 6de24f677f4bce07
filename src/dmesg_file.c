// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/dmesg_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/printk.h"
#include "src/sys.h"

#define NAME "vmcore-dmesg.txt"
#define UNFINISHED "vmcore-dmesg-incomplete.txt"

struct writer {
	int fd;
	size_t len;
	struct dmesg_summary *summary;
	char buf[4 * PRINTK_FORMAT_MAX];
};

static int flush(struct writer *w)
{
	int rc = write_all(w->fd, w->buf, w->len);

	w->len = 0;
	return rc;
}

/* What a person wants to read first, most telling kind last in the table; within a kind the latest line wins. */
static void note_panic(struct dmesg_summary *summary, const struct printk_record *record)
{
	static const char *const marks[] = { "BUG:", "Oops:", "Kernel panic - not syncing" };
	size_t known = 0;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (!strncmp(summary->panic, marks[i], strlen(marks[i])))
			known = i;
	for (size_t i = known; i < ARRAY_SIZE(marks); i++) {
		size_t len = strlen(marks[i]), n = min_u64(record->text_len, sizeof(summary->panic) - 1);

		if (record->text_len < len || memcmp(record->text, marks[i], len))
			continue;
		memcpy(summary->panic, record->text, n);
		summary->panic[n] = 0;
		for (char *p = summary->panic; *p; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				*p = ' ';
	}
}

static int write_record(void *arg, const struct printk_record *record)
{
	struct writer *w = arg;

	w->summary->nr_records++;
	note_panic(w->summary, record);
	w->len += printk_format(record, NULL, w->buf + w->len, PRINTK_FORMAT_MAX);
	return sizeof(w->buf) - w->len < PRINTK_FORMAT_MAX ? flush(w) : 0;
}

static int write_log(const char *unfinished, struct kernel *kernel, struct dmesg_summary *ret, struct error *err)
{
	static struct writer w;
	int rc;

	w.len = 0;
	w.summary = ret;
	w.fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (w.fd < 0)
		return fail(err, -errno, "%s: %s", unfinished, strerror(errno));
	err->code = 0;
	rc = printk_each(kernel, write_record, &w, err);
	if (!rc)
		rc = flush(&w);
	else
		flush(&w);	/* what could be read is worth having */
	if (!rc && fsync(w.fd))
		rc = -errno;
	close(w.fd);
	if (rc && !err->code)
		fail(err, rc, "%s: %s", unfinished, strerror(-rc));
	return rc;
}

int dmesg_file_write(const char *dir, struct kernel *kernel, struct dmesg_summary *ret, struct error *err)
{
	char unfinished[400], name[400];
	int rc;

	memset(ret, 0, sizeof(*ret));
	snprintf(unfinished, sizeof(unfinished), "%s/" UNFINISHED, dir);
	snprintf(name, sizeof(name), "%s/" NAME, dir);
	rc = write_log(unfinished, kernel, ret, err);
	if (rc)
		return rc;
	return rename(unfinished, name) ? fail(err, -errno, "%s: %s", name, strerror(errno)) : 0;
}
