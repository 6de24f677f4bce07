// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as BTF, and types of it used as structures: everything ends, stays inside, and values fit what is read. */
#include "tests/fuzz/fuzz.h"

#include "elfcore/btf.h"
#include "elfcore/modules.h"
#include "elfcore/object.h"

static void use(const struct btf *btf)
{
	static const uint8_t object[512];
	char text[64];

	for (uint32_t id = 0; id < btf->first_id + btf->nr_types + 2 && id < 400; id++) {
		struct btf_field field;
		struct btf_type type;
		const char *name;

		btf_type(btf, id, &type);
		btf_declare(btf, id, "x", text, sizeof(text));
		must(memchr(text, 0, sizeof(text)));
		btf_type_size(btf, id);
		btf_enum_name(btf, id, 1);
		for (unsigned int i = 0; i < type.vlen && i < 20; i++) {
			struct btf_member member;

			if (type.kind == BTF_ENUM || type.kind == BTF_ENUM64)
				btf_enum_at(&type, i, &name);
			if (type.kind != BTF_STRUCT && type.kind != BTF_UNION)
				continue;
			btf_member_at(&type, i, &member);
			btf_member_field(btf, &member, &field);
			btf_get(btf, &field, object, sizeof(object));
			btf_type_member(btf, id, member.name, &field);
		}
	}
}

/* The same bytes as the dead kernel's memory, with a list of modules in it. */
static void use_modules(const struct btf *btf, const uint8_t *data, size_t size)
{
	struct bytes_mem mem = { .mem.ops = &bytes_mem_ops, .data = data, .size = size };
	struct segment seg = { .vaddr = 0x10000, .filesz = size, .memsz = size };
	struct crash crash = { .segs = &seg, .nr_segs = 1 };
	struct kernel kernel = { .crash = &crash, .mem = &mem.mem, .page_size = 4096 };
	struct modules mods;
	struct error err;
	struct rb_walk walk;
	vaddr_t at;

	crash.ehdr.form = (struct elf_form){ ELFCLASS64, btf->data };
	crash.ehdr.machine = EM_X86_64;
	rb_walk_init(&walk, &kernel, 0x10000);
	while (rb_walk_next(&walk, &at))
		;
	if (modules_init(&mods, &kernel, btf, 0x10000, &err))
		return;
	for (unsigned int i = 0; i < mods.nr && i < 8; i++) {
		module_load_symbols(&mods, &mods.list[i]);
		must(strlen(mods.list[i].name) < sizeof(mods.list[i].name));
	}
	modules_deinit(&mods);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct btf btf, module;
	uint8_t *copy;
	struct error err;

	if (size < 2)
		return 0;
	copy = malloc(size - 1);
	must(copy);
	memcpy(copy, data + 1, size - 1);
	if (btf_init(&btf, NULL, data[0] & 1 ? ELFDATA2MSB : ELFDATA2LSB, copy, size - 1, &err))
		return 0;
	use(&btf);
	use_modules(&btf, data + 1, size - 1);
	copy = malloc(size - 1);
	must(copy);
	memcpy(copy, data + 1, size - 1);
	if (!btf_init(&module, &btf, btf.data, copy, size - 1, &err)) {
		use(&module);
		btf_deinit(&module);
	}
	btf_deinit(&btf);
	return 0;
}
