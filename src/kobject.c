// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/kobject.h"

#include <stdlib.h>
#include <string.h>

#define CPUS_MAX 8192

bool kobject_field(struct session *s, const char *type, const char *path, struct btf_field *ret)
{
	while (*path) {
		size_t len = strcspn(path, "|");
		char one[128];

		if (len < sizeof(one)) {
			memcpy(one, path, len);
			one[len] = 0;
			if (!btf_member(&s->btf, type, one, ret))
				return true;
		}
		path += len + (path[len] == '|');
	}
	return false;
}

bool kobject_uint(struct session *s, vaddr_t object, const char *type, const char *path, uint64_t *ret)
{
	struct btf_field field;
	uint8_t buf[16];

	*ret = 0;
	if (!object || !kobject_field(s, type, path, &field) || field.size > sizeof(buf) ||
	    kernel_read_vaddr(&s->kernel, object + field.off, buf, field.size))
		return false;
	field.off = 0;
	*ret = btf_get(&s->btf, &field, buf, field.size);
	return true;
}

uint64_t kobject_get(struct session *s, vaddr_t object, const char *type, const char *path)
{
	uint64_t value;

	kobject_uint(s, object, type, path, &value);
	return value;
}

bool kobject_text(struct session *s, vaddr_t object, const char *type, const char *path, char *ret, size_t size)
{
	struct btf_field field;

	ret[0] = 0;
	return object && kobject_field(s, type, path, &field) &&
	       !kernel_read_string(&s->kernel, object + field.off, ret, min_u64(size, field.size + 1));
}

bool kobject_string(struct session *s, vaddr_t object, const char *type, const char *path, char *ret, size_t size)
{
	vaddr_t at = kobject_get(s, object, type, path);

	ret[0] = 0;
	return at && !kernel_read_string(&s->kernel, at, ret, size);
}

vaddr_t kobject_member(struct session *s, vaddr_t object, const char *type, const char *path)
{
	struct btf_field field;

	return object && kobject_field(s, type, path, &field) ? object + field.off : 0;
}

vaddr_t kobject_container(struct session *s, vaddr_t member, const char *type, const char *path)
{
	struct btf_field field;

	return kobject_field(s, type, path, &field) ? member - field.off : 0;
}

/* Finding a symbol walks through the whole table: once is enough. A kernel for one CPU has neither of them. */
static void read_cpus(struct session *s)
{
	size_t word = kernel_word_size(&s->kernel);
	uint64_t nr = 1;
	vaddr_t addr;

	if (s->nr_cpus)
		return;
	if (!symbols_find(&s->symbols, "nr_cpu_ids", &addr))
		kernel_read_uint(&s->kernel, addr, 4, &nr);
	s->nr_cpus = nr && nr <= CPUS_MAX ? nr : 1;
	s->cpu_offsets = calloc(s->nr_cpus, sizeof(*s->cpu_offsets));
	if (!s->cpu_offsets || symbols_find(&s->symbols, "__per_cpu_offset", &addr))
		return;
	for (unsigned int i = 0; i < s->nr_cpus; i++)
		if (kernel_read_word(&s->kernel, addr + i * word, &s->cpu_offsets[i]))
			s->cpu_offsets[i] = 0;
}

unsigned int kobject_nr_cpus(struct session *s)
{
	read_cpus(s);
	return s->nr_cpus;
}

vaddr_t kobject_percpu(struct session *s, vaddr_t percpu, unsigned int cpu)
{
	read_cpus(s);
	return percpu && s->cpu_offsets && cpu < s->nr_cpus ? percpu + s->cpu_offsets[cpu] : 0;
}

int64_t kobject_percpu_sum(struct session *s, vaddr_t percpu, size_t size)
{
	int64_t sum = 0;

	for (unsigned int cpu = 0, nr = kobject_nr_cpus(s); cpu < nr; cpu++) {
		vaddr_t addr = kobject_percpu(s, percpu, cpu);
		uint64_t value;

		if (addr && !kernel_read_uint(&s->kernel, addr, size, &value))
			sum += size < 8 ? (int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size) : (int64_t)value;
	}
	return sum;
}
