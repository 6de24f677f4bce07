// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/last_words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "elfcore/printk.h"
#include "src/notes_console.h"
#include "src/sys.h"

#define TAIL_SIZE 6144
#define EFIVARS "/sys/firmware/efi/efivars"

/* A GUID of our own; the firmware's variables of others are not touched. */
#define VARIABLE EFIVARS "/KcaptureLastCrash-5f1c2d0e-7a3b-4c9d-8e6f-6b6361707475"

/* The last TAIL_SIZE bytes of a text that grows. */
struct tail {
	char buf[TAIL_SIZE + PRINTK_FORMAT_MAX];
	size_t len;
	char panic[160];
};

static int add_record(void *arg, const struct printk_record *record)
{
	static const char mark[] = "Kernel panic";
	struct tail *tail = arg;
	size_t surplus;

	if (record->text_len >= sizeof(mark) - 1 && !memcmp(record->text, mark, sizeof(mark) - 1))
		snprintf(tail->panic, sizeof(tail->panic), "%.*s", (int)min_u64(record->text_len, 150), record->text);
	tail->len += printk_format(record, NULL, tail->buf + tail->len, PRINTK_FORMAT_MAX);
	surplus = tail->len > TAIL_SIZE ? tail->len - TAIL_SIZE : 0;
	memmove(tail->buf, tail->buf + surplus, tail->len - surplus);
	tail->len -= surplus;
	return 0;
}

static void show_tail(struct tail *tail, struct log_ring *ring)
{
	char *line = memchr(tail->buf, '\n', tail->len), *save;	/* the first one may be a part */

	tail->buf[tail->len] = 0;
	log_ring_console(ring, "the end of the crashed kernel's log:");
	for (line = strtok_r(line ? line : tail->buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		log_ring_console(ring, line);
	log_ring_console(ring, "the end of the crashed kernel's log was above");
}

static void tell_pmsg(const struct tail *tail, struct log *log)
{
	int fd = open("/dev/pmsg0", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (!write_all(fd, tail->buf, tail->len))
		log_info(log, "the end of the log was written to /dev/pmsg0");
	close(fd);
}

/* Four bytes of attributes (non-volatile, boot and runtime access) in one write(2) with the data. */
static void tell_firmware(const struct tail *tail, const char *reason, struct log *log)
{
	char data[512] = { 7 };
	size_t len = 4 + snprintf(data + 4, sizeof(data) - 4, "%s; not saved: %s\n", tail->panic, reason);
	int fd;

	if (mount("efivarfs", EFIVARS, "efivarfs", MS_NOSUID | MS_NOEXEC, NULL))
		return;
	fd = open(VARIABLE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, data, min_u64(len, sizeof(data))) > 0)
		log_info(log, "the last words were written to the EFI variable KcaptureLastCrash");
	if (fd >= 0)
		close(fd);
	umount2(EFIVARS, 0);
}

void last_words(struct kernel *kernel, const char *reason, struct log_ring *ring)
{
	static struct tail tail;
	struct error err;

	if (notes_console_write(&ring->console, kernel->crash, &err))
		log_warn(&ring->log, "the notes cannot be told: %s", err.text);
	tail.len = 0;
	if (printk_each(kernel, add_record, &tail, &err) && !tail.len) {
		log_warn(&ring->log, "the crashed kernel's log cannot be read: %s", err.text);
		return;
	}
	show_tail(&tail, ring);
	tell_pmsg(&tail, &ring->log);
	tell_firmware(&tail, reason, &ring->log);
}
