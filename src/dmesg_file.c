// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/dmesg_file.h"

#include <errno.h>
#include <string.h>

#include "elfcore/printk.h"

struct writer {
	struct sink *sink;
	uint64_t off;
	size_t len;
	struct dmesg_summary *summary;
	char buf[4 * PRINTK_FORMAT_MAX];
};

static int flush(struct writer *w)
{
	int rc = sink_write(w->sink, w->off, w->buf, w->len);

	w->off += w->len;
	w->len = 0;
	return rc;
}

/* What a person wants to read first, most telling kind last in the table; within a kind the latest line wins. */
static void note_panic(struct dmesg_summary *summary, const struct printk_record *record)
{
	static const char *const marks[] = { "Oops:", "BUG:", "Kernel panic - not syncing" };
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
	w->summary->last_ns = max_u64(w->summary->last_ns, record->ts_nsec);
	note_panic(w->summary, record);
	w->len += printk_format(record, NULL, w->buf + w->len, PRINTK_FORMAT_MAX);
	return sizeof(w->buf) - w->len < PRINTK_FORMAT_MAX ? flush(w) : 0;
}

int dmesg_file_write(struct sink *sink, struct kernel *kernel, struct dmesg_summary *ret, struct error *err)
{
	static struct writer w;
	int rc;

	memset(ret, 0, sizeof(*ret));
	w.sink = sink;
	w.off = w.len = 0;
	w.summary = ret;
	err->code = 0;
	rc = printk_each(kernel, write_record, &w, err);
	if (!rc)
		rc = flush(&w);
	else
		flush(&w);	/* what could be read is worth having */
	if (!rc)
		rc = sink_commit(sink, w.off);
	if (rc) {
		sink_retry(sink);
		sink_keep(sink, w.off);
	}
	if (rc && !err->code)
		fail(err, rc, "%s", strerror(-rc));
	return rc;
}
