/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of the dead kernel: words, strings, lists. Nothing there is trusted: strings are cut, lists may lead in circles
 * or into nowhere, and the walk over one ends then with the reason.
 */
#ifndef ELFCORE_OBJECT_H
#define ELFCORE_OBJECT_H

#include "elfcore/kernel.h"

/* Bytes of an unsigned long or a pointer: 4 or 8. */
size_t kernel_word_size(const struct kernel *kernel);

/* An unsigned integer of 1, 2, 4 or 8 bytes in the dead kernel's byte order. */
int kernel_read_uint(struct kernel *kernel, vaddr_t vaddr, size_t size, uint64_t *ret);

/* An unsigned long or a pointer. */
int kernel_read_word(struct kernel *kernel, vaddr_t vaddr, uint64_t *ret);

/*
 * As much of [vaddr, vaddr + len) as is readable from its start on, in steps that end at page boundaries; the rest of buf
 * is zero. Returns the number of bytes.
 */
size_t kernel_read_prefix(struct kernel *kernel, vaddr_t vaddr, void *buf, size_t len);

/* A string, always terminated, cut at size - 1; bytes that no terminal should get are replaced by '?'. -ENODATA: unreadable. */
int kernel_read_string(struct kernel *kernel, vaddr_t vaddr, char *ret, size_t size);

/* Does the address lie where kernels have theirs? A cheap sieve for garbage, not a proof. */
bool kernel_is_address(const struct kernel *kernel, vaddr_t vaddr);

/* A circular list (struct list_head, by its next pointers), or an hlist: one that ends with NULL. */
struct list_walk {
	struct kernel *kernel;
	vaddr_t head;		/* 0 = the list ends with NULL */
	vaddr_t at;		/* next entry to give out */
	vaddr_t mark;		/* an entry that was seen: meeting it again is a circle (Brent) */
	uint64_t steps, limit;
	int error;		/* why the walk ended: 0 at its end, -ELOOP, -EIO */
};

/* Entries of the list whose head is at this address. */
void list_walk_init(struct list_walk *walk, struct kernel *kernel, vaddr_t head);

/* Entries from first on, up to NULL (hlist, or any chain whose pointer stands at offset 0). */
void list_walk_init_chain(struct list_walk *walk, struct kernel *kernel, vaddr_t first);

/* The address of the next list_head, false at the end. */
bool list_walk_next(struct list_walk *walk, vaddr_t *ret);

/* A red-black tree (struct rb_root), in order. Its nodes begin with parent and colour, right, left. */
struct rb_walk {
	struct kernel *kernel;
	vaddr_t at;		/* next node, 0 = none */
	uint64_t budget;	/* of pointers that may still be followed */
	int error;		/* why the walk ended: 0 at its end, -ELOOP, -EIO */
};

/* root is the value of rb_root.rb_node. */
void rb_walk_init(struct rb_walk *walk, struct kernel *kernel, vaddr_t root);
bool rb_walk_next(struct rb_walk *walk, vaddr_t *ret);

#endif
