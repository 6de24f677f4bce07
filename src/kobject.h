/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of objects in the dead kernel, by the names of type and member. A path may have alternatives for kernels that
 * called it otherwise: "__state|state". What is missing or unreadable is false, and 0: lists go on without it.
 */
#ifndef SRC_KOBJECT_H
#define SRC_KOBJECT_H

#include "elfcore/object.h"
#include "src/session.h"

/* Where a member is; false = this kernel has none of the alternatives. */
bool kobject_field(struct session *s, const char *type, const char *path, struct btf_field *ret);

/* A number of up to 8 bytes, a bit field too. */
bool kobject_uint(struct session *s, vaddr_t object, const char *type, const char *path, uint64_t *ret);

/* The same, 0 when it cannot be read: for pointers and counters. */
uint64_t kobject_get(struct session *s, vaddr_t object, const char *type, const char *path);

/* A char array inside the object, terminated; false = unreadable, and "". */
bool kobject_text(struct session *s, vaddr_t object, const char *type, const char *path, char *ret, size_t size);

/* A string that a member points to. */
bool kobject_string(struct session *s, vaddr_t object, const char *type, const char *path, char *ret, size_t size);

/* The address of a member, 0 = there is none. */
vaddr_t kobject_member(struct session *s, vaddr_t object, const char *type, const char *path);

/* The object whose member the address is (container_of), 0 = no such member. */
vaddr_t kobject_container(struct session *s, vaddr_t member, const char *type, const char *path);

/*
 * The sum over all CPUs of a per-CPU variable of size 1, 2, 4 or 8 bytes at this per-CPU address, taken as signed; CPUs whose
 * part cannot be read count nothing.
 */
int64_t kobject_percpu_sum(struct session *s, vaddr_t percpu, size_t size);

/* The same for one CPU: its address; 0 = unknown. */
vaddr_t kobject_percpu(struct session *s, vaddr_t percpu, unsigned int cpu);

/* How many CPUs there may be (nr_cpu_ids), bounded. */
unsigned int kobject_nr_cpus(struct session *s);

#endif
