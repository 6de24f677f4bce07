// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/object.h"

#include <errno.h>
#include <string.h>

/* More entries than any list of a kernel has that somebody wants to see; a longer one is taken for broken. */
#define LIST_LIMIT (1ULL << 22)

size_t kernel_word_size(const struct kernel *kernel)
{
	return kernel->crash->ehdr.machine == EM_386 || kernel->crash->ehdr.machine == EM_ARM ? 4 : 8;
}

int kernel_read_uint(struct kernel *kernel, vaddr_t vaddr, size_t size, uint64_t *ret)
{
	uint8_t buf[8];
	int rc;

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return -EINVAL;
	rc = kernel_read_vaddr(kernel, vaddr, buf, size);
	if (!rc)
		*ret = elf_get(kernel->crash->ehdr.form.data, buf, size);
	return rc;
}

int kernel_read_word(struct kernel *kernel, vaddr_t vaddr, uint64_t *ret)
{
	return kernel_read_uint(kernel, vaddr, kernel_word_size(kernel), ret);
}

size_t kernel_read_prefix(struct kernel *kernel, vaddr_t vaddr, void *buf, size_t len)
{
	uint64_t page = kernel->page_size ? kernel->page_size : 4096;
	uint8_t *out = buf;
	size_t done = 0;

	if (len && !kernel_read_vaddr(kernel, vaddr, buf, len))
		return len;
	while (done < len) {
		size_t piece = min_u64(len - done, page - (vaddr + done) % page);

		if (kernel_read_vaddr(kernel, vaddr + done, out + done, piece))
			break;
		done += piece;
	}
	memset(out + done, 0, len - done);
	return done;
}

int kernel_read_string(struct kernel *kernel, vaddr_t vaddr, char *ret, size_t size)
{
	size_t len = kernel_read_prefix(kernel, vaddr, ret, size);

	if (!len) {
		ret[0] = 0;
		return -ENODATA;
	}
	ret[len < size ? len : size - 1] = 0;
	for (char *p = ret; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
	return 0;
}

bool kernel_is_address(const struct kernel *kernel, vaddr_t vaddr)
{
	return kernel_word_size(kernel) == 8 ? vaddr >> 47 : vaddr >= 0x1000;
}

void list_walk_init(struct list_walk *walk, struct kernel *kernel, vaddr_t head)
{
	memset(walk, 0, sizeof(*walk));
	walk->kernel = kernel;
	walk->head = head;
	walk->limit = 1;
	if (kernel_read_word(kernel, head, &walk->at)) {
		walk->error = -EIO;
		walk->at = head;
	}
}

void list_walk_init_chain(struct list_walk *walk, struct kernel *kernel, vaddr_t first)
{
	memset(walk, 0, sizeof(*walk));
	walk->kernel = kernel;
	walk->at = first;
	walk->limit = 1;
}

/* Brent: the mark moves forward in growing steps; whoever walks in a circle meets it. */
static bool in_circle(struct list_walk *walk, vaddr_t entry)
{
	if (entry == walk->mark || walk->steps >= LIST_LIMIT)
		return true;
	if (++walk->steps == walk->limit) {
		walk->limit *= 2;
		walk->mark = entry;
	}
	return false;
}

bool list_walk_next(struct list_walk *walk, vaddr_t *ret)
{
	vaddr_t entry = walk->at;

	if (walk->error || entry == walk->head)
		return false;
	if (in_circle(walk, entry)) {
		walk->error = -ELOOP;
		return false;
	}
	/* Read ahead: the caller may show the entry and need not look at it again. */
	if (kernel_read_word(walk->kernel, entry, &walk->at)) {
		walk->error = -EIO;
		return false;
	}
	*ret = entry;
	return true;
}

enum { RB_PARENT, RB_RIGHT, RB_LEFT };

/* A pointer of a node; 0 for NULL and after an error. */
static vaddr_t rb_pointer(struct rb_walk *walk, vaddr_t node, unsigned int which)
{
	vaddr_t value;

	if (!walk->budget--)
		walk->error = -ELOOP;
	else if (kernel_read_word(walk->kernel, node + which * kernel_word_size(walk->kernel), &value))
		walk->error = -EIO;
	if (walk->error)
		return 0;
	return which == RB_PARENT ? value & ~3ULL : value;
}

static vaddr_t leftmost(struct rb_walk *walk, vaddr_t node)
{
	vaddr_t left;

	while (node && (left = rb_pointer(walk, node, RB_LEFT)))
		node = left;
	return walk->error ? 0 : node;
}

void rb_walk_init(struct rb_walk *walk, struct kernel *kernel, vaddr_t root)
{
	memset(walk, 0, sizeof(*walk));
	walk->kernel = kernel;
	walk->budget = LIST_LIMIT;
	walk->at = leftmost(walk, root);
}

bool rb_walk_next(struct rb_walk *walk, vaddr_t *ret)
{
	vaddr_t node = walk->at, right, parent;

	if (!node || walk->error)
		return false;
	*ret = node;
	right = rb_pointer(walk, node, RB_RIGHT);
	if (right) {
		walk->at = leftmost(walk, right);
		return true;
	}
	parent = rb_pointer(walk, node, RB_PARENT);
	while (parent && rb_pointer(walk, parent, RB_RIGHT) == node) {
		node = parent;
		parent = rb_pointer(walk, node, RB_PARENT);
	}
	walk->at = walk->error ? 0 : parent;
	return true;
}
