// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/dump_dmesg.h"

#include <errno.h>
#include <string.h>

#include "elfcore/printk.h"

struct writer {
	FILE *out;
	uint64_t first_seq;
	char text[PRINTK_FORMAT_MAX];
};

static int write_record(void *arg, const struct printk_record *record)
{
	struct writer *w = arg;
	size_t len, stamp;
	const char *end;

	if (record->seq < w->first_seq)
		return 0;
	len = printk_format(record, NULL, w->text, sizeof(w->text));
	end = memchr(w->text, ']', len);
	stamp = end ? end + 2 - w->text : 0;
	for (char *nl = memchr(w->text, '\n', len); nl && (size_t)(nl + 1 + stamp - w->text) < len;
	     nl = memchr(nl + 1, '\n', len - (nl + 1 - w->text)))
		memset(nl + 1, ' ', stamp);
	return fwrite(w->text, 1, len, w->out) == len ? 0 : -EIO;
}

/*
 * Since 5.13 clear_seq is a pair of values behind a sequence counter whose lowest bit says which one is valid (struct
 * latched_seq, kernel commit 7d7a23a91c91); before that it was the value itself.
 */
static int find_clear_seq(struct kernel *kernel, uint64_t *ret, struct error *err)
{
	const struct vmcoreinfo *info = &kernel->crash->vmcoreinfo;
	uint8_t data = kernel->crash->ehdr.form.data, raw[8];
	int64_t val_off;
	vaddr_t addr;

	if (!vmcoreinfo_hex(info, "SYMBOL(clear_seq)", &addr))
		return fail(err, -ENODATA, "VMCOREINFO has no SYMBOL(clear_seq): what came before dmesg --clear is unknown");
	if (vmcoreinfo_number(info, "OFFSET(latched_seq.val)", &val_off)) {
		if (kernel_read_vaddr(kernel, addr, raw, 4))
			return fail(err, -EIO, "clear_seq at 0x%llx is not readable", (unsigned long long)addr);
		addr += val_off + (elf_get(data, raw, 4) & 1) * 8;
	}
	if (kernel_read_vaddr(kernel, addr, raw, 8))
		return fail(err, -EIO, "clear_seq at 0x%llx is not readable", (unsigned long long)addr);
	*ret = elf_get(data, raw, 8);
	return 0;
}

int dump_dmesg(struct kernel *kernel, bool partial, FILE *out, struct error *err)
{
	static struct writer w;
	int rc;

	w.out = out;
	w.first_seq = 0;
	err->code = 0;
	rc = partial ? find_clear_seq(kernel, &w.first_seq, err) : 0;
	if (!rc)
		rc = printk_each(kernel, write_record, &w, err);
	if (!rc && fflush(out))
		rc = -EIO;
	return rc && !err->code ? fail(err, rc, "the log cannot be written: %s", strerror(errno)) : rc;
}
