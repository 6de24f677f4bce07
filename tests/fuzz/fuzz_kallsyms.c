// SPDX-License-Identifier: GPL-2.0-or-later
/* Any memory as a kernel that carries symbols: whatever the tables say, names end and addresses lead back to symbols. */
#include "tests/fuzz/fuzz.h"

#include "elfcore/symbols.h"

#define BASE 0xffffffff81000000ULL

static int see(void *arg, const struct symbol *symbol)
{
	unsigned int *left = arg;

	must(strlen(symbol->name) < KSYM_NAME_MAX);
	return !--*left;
}

static void use(struct symbols *syms)
{
	const struct kallsyms *ks = &syms->kallsyms;
	unsigned int left = 2000;
	struct symbol symbol;
	uint64_t off;
	vaddr_t addr;
	uint32_t i;

	symbols_each(syms, see, &left);
	symbols_find(syms, "init_task", &addr);
	symbols_at(syms, BASE + 0x1234, &off);
	for (uint32_t n = 0; n < ks->nr && n < 300; n += 7) {
		addr = kallsyms_addr(ks, n);
		if (!kallsyms_at(ks, addr, &i))
			must(i < ks->nr && kallsyms_addr(ks, i) <= addr);
		if (!symbols_resolve(syms, addr, &symbol))
			must(addr - symbol.addr < symbol.size);
	}
}

/* The first byte chooses how the tables are found, the rest is the kernel's image. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char info[] =
		"PAGESIZE=4096\nSYMBOL(kallsyms_names)=ffffffff81000c00\nSYMBOL(kallsyms_num_syms)=ffffffff81000000\n"
		"SYMBOL(kallsyms_token_table)=ffffffff81000400\nSYMBOL(kallsyms_token_index)=ffffffff81000200\n"
		"SYMBOL(kallsyms_offsets)=ffffffff81000800\nSYMBOL(_stext)=ffffffff81000040\n";
	static const char relative[] = "SYMBOL(kallsyms_relative_base)=ffffffff81000008\n";
	struct bytes_mem mem = { .mem.ops = &bytes_mem_ops, .data = data + 1, .size = size - 1 };
	struct segment seg = { .vaddr = BASE, .filesz = size - 1, .memsz = size - 1 };
	struct crash crash = { .segs = &seg, .nr_segs = 1 };
	struct kernel kernel = { .crash = &crash, .mem = &mem.mem, .page_size = 4096 };
	struct symbols syms;
	struct error err;
	char text[1024];

	if (size < 2)
		return 0;
	snprintf(text, sizeof(text), "%s%s", data[0] & 1 ? info : "PAGESIZE=4096\nSYMBOL(_stext)=ffffffff81000000\n", data[0] & 2 ? relative : "");
	crash.vmcoreinfo = (struct vmcoreinfo){ text, strlen(text) };
	crash.ehdr.form = (struct elf_form){ ELFCLASS64, data[0] & 4 ? ELFDATA2MSB : ELFDATA2LSB };
	crash.ehdr.machine = EM_X86_64;
	if (symbols_init(&syms, &kernel, &err)) {
		must(err.code < 0);
		return 0;
	}
	use(&syms);
	symbols_deinit(&syms);
	return 0;
}
