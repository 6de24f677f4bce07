// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways to bring a kernel down that /proc/sysrq-trigger does not offer, and crafted elfcorehdr pages, for the end-to-end
 * tests. insmod kcrash.ko mode=oops|softlockup|irqsoff, or header=truncated|phnum|notes to leave a page with a bad ELF
 * header in memory and print its physical address.
 */
#include <linux/delay.h>
#include <linux/elf.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/module.h>

static char *mode = "";
module_param(mode, charp, 0);
static char *header = "";
module_param(header, charp, 0);

/* Three named frames, so that a backtrace has something to show. */
static noinline void kcrash_touch(volatile int *p)
{
	*p = 42;
}

static noinline void kcrash_oops(void)
{
	kcrash_touch(NULL);
	pr_info("kcrash: survived\n");
}

static noinline void kcrash_spin(void)
{
	for (;;)
		cpu_relax();
}

static void kcrash_header(const char *kind)
{
	unsigned char *page = (unsigned char *)get_zeroed_page(GFP_KERNEL);
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)page;
	Elf64_Phdr *phdr = (Elf64_Phdr *)(ehdr + 1);

	if (!page)
		return;
	memcpy(ehdr->e_ident, ELFMAG, SELFMAG);
	if (strcmp(kind, "truncated")) {
		ehdr->e_ident[EI_CLASS] = ELFCLASS64;
		ehdr->e_ident[EI_DATA] = ELFDATA2LSB;
		ehdr->e_ident[EI_VERSION] = EV_CURRENT;
		ehdr->e_type = ET_CORE;
		ehdr->e_machine = EM_X86_64;
		ehdr->e_version = EV_CURRENT;
		ehdr->e_phoff = sizeof(*ehdr);
		ehdr->e_ehsize = sizeof(*ehdr);
		ehdr->e_phentsize = sizeof(*phdr);
		ehdr->e_phnum = strcmp(kind, "phnum") ? 2 : 60;	/* up to the page's end: 6.1 itself dies of junk beyond */
		phdr[0].p_type = PT_NOTE;
		phdr[0].p_offset = phdr[0].p_paddr = virt_to_phys(page) + 2048;
		phdr[0].p_filesz = phdr[0].p_memsz = 512;
		*(Elf64_Nhdr *)(page + 2048) = (Elf64_Nhdr){ .n_namesz = 5, .n_descsz = 0x7fffffff, .n_type = NT_PRSTATUS };
		phdr[1].p_type = PT_LOAD;
		phdr[1].p_vaddr = (unsigned long)page;
		phdr[1].p_offset = phdr[1].p_paddr = virt_to_phys(page);
		phdr[1].p_filesz = phdr[1].p_memsz = PAGE_SIZE;
		memset(page + 3072, 0xa5, 1024);
	}
	pr_info("kcrash: header at 0x%llx\n", (unsigned long long)virt_to_phys(page));
}

static int __init kcrash_init(void)
{
	if (*header) {
		kcrash_header(header);
	} else if (!strcmp(mode, "oops")) {
		kcrash_oops();
	} else if (!strcmp(mode, "softlockup")) {
		preempt_disable();
		kcrash_spin();
	} else if (!strcmp(mode, "irqsoff")) {
		local_irq_disable();
		kcrash_spin();
	} else {
		return -EINVAL;
	}
	return 0;
}
module_init(kcrash_init);

MODULE_DESCRIPTION("Crash the kernel in a chosen way");
MODULE_LICENSE("GPL");
