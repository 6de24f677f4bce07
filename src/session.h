/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A core opened for looking into: what every verb that analyses one needs. How much there is depends on the kernel and on
 * what the dump kept; a verb says what it cannot do without.
 */
#ifndef SRC_SESSION_H
#define SRC_SESSION_H

#include "elfcore/btf.h"
#include "elfcore/symbols.h"
#include "src/input.h"

#define SESSION_SYMBOLS 1	/* the kernel's own symbol table */
#define SESSION_TYPES 2		/* and BTF */
#define SESSION_MODULES 4	/* and the list of modules */
#define SESSION_ALL 7

struct session {
	const char *path;
	struct input in;
	struct kernel kernel;
	struct symbols symbols;
	struct btf btf;
	unsigned int have;		/* SESSION_ bits */
	struct btf *module_btfs;	/* by index of symbols.modules; loaded when asked for */
	uint64_t *cpu_offsets;		/* where each CPU's variables are; kobject.c reads them once */
	unsigned int nr_cpus;
	struct error missing;		/* why a bit of have is not set: of the first one */
};

/*
 * Open path; a missing bit of needs is an error with the reason, other bits are got if they can be. Large: keep it static.
 * On error nothing needs to be closed.
 */
int session_open(struct session *s, const char *path, unsigned int needs, struct log *log, struct error *err);
void session_close(struct session *s);

/* The types of a module (module NULL: the kernel's); NULL when it has none. */
const struct btf *session_btf(struct session *s, const struct module *mod);

/* Find a type by name in the kernel, then in all modules; -ENOENT. */
int session_find_type(struct session *s, const char *name, const struct btf **btf_ret, uint32_t *id_ret);

/* An address as people give one: 0x..., plain hexadecimal of 8 digits and more, or SYMBOL[+OFFSET]. */
int session_address(struct session *s, const char *text, vaddr_t *ret, struct error *err);

#endif
