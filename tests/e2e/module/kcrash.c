// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ways to bring a kernel down that /proc/sysrq-trigger does not offer, and crafted elfcorehdr pages, for the end-to-end
 * tests. insmod kcrash.ko mode=oops|softlockup|irqsoff|ipi|timer|overflow, or header=truncated|phnum|notes to leave a page
 * with a bad ELF header in memory and print its physical address; mode=locks leaves tasks blocked on locks and returns.
 */
#include <linux/delay.h>
#include <linux/elf.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/smp.h>
#include <linux/timer.h>

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

/* A page fault inside an interrupt, on another CPU when there is one. */
static void kcrash_interrupt(void *unused)
{
	kcrash_touch(NULL);
	pr_info("kcrash: survived\n");
}

static noinline void kcrash_ipi(void)
{
	int other = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());

	smp_call_function_single(other < nr_cpu_ids ? other : 0, kcrash_interrupt, NULL, 1);
}

/* A panic without any exception, in a softirq that runs at the end of an interrupt. */
static void kcrash_expired(struct timer_list *unused)
{
	panic("kcrash: timer");
}

static DEFINE_TIMER(kcrash_timer, kcrash_expired);

/* Runs into the guard page below the stack: with VMAP_STACK a double fault. */
static noinline int kcrash_recurse(volatile int *above)
{
	volatile int here[64];

	here[0] = *above + 1;
	return kcrash_recurse(here) + here[0];
}

/* One task holds two locks for good, three others want them. */
static DEFINE_MUTEX(kcrash_mutex);
static DECLARE_RWSEM(kcrash_rwsem);

static int kcrash_hold(void *unused)
{
	mutex_lock(&kcrash_mutex);
	down_write(&kcrash_rwsem);
	for (;;)
		msleep(1000000);
	return 0;
}

static int kcrash_want(void *what)
{
	if (what == &kcrash_mutex)
		mutex_lock(&kcrash_mutex);
	else if (what == &kcrash_rwsem)
		down_write(&kcrash_rwsem);
	else
		down_read(&kcrash_rwsem);
	for (;;)
		msleep(1000000);
	return 0;
}

static void kcrash_locks(void)
{
	pr_info("kcrash: blocking\n");
	kthread_run(kcrash_hold, NULL, "kcrash-hold");
	msleep(200);
	kthread_run(kcrash_want, &kcrash_mutex, "kcrash-mutex");
	kthread_run(kcrash_want, &kcrash_rwsem, "kcrash-write");
	kthread_run(kcrash_want, NULL, "kcrash-read");
	msleep(200);
	pr_info("kcrash: blocked\n");
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
		phdr[1].p_filesz = PAGE_SIZE;
		phdr[1].p_memsz = strcmp(kind, "memsz") ? PAGE_SIZE : 1ULL << 50;
		memset(page + 3072, 0xa5, 1024);
	}
	pr_info("kcrash: header at 0x%llx\n", (unsigned long long)virt_to_phys(page));
}

static int __init kcrash_init(void)
{
	if (*header) {
		kcrash_header(header);
	} else if (!strcmp(mode, "locks")) {
		kcrash_locks();
	} else if (!strcmp(mode, "oops")) {
		kcrash_oops();
	} else if (!strcmp(mode, "softlockup")) {
		preempt_disable();
		kcrash_spin();
	} else if (!strcmp(mode, "irqsoff")) {
		pr_info("kcrash: spinning\n");
		local_irq_disable();
		kcrash_spin();
	} else if (!strcmp(mode, "ipi")) {
		kcrash_ipi();
	} else if (!strcmp(mode, "timer")) {
		mod_timer(&kcrash_timer, jiffies + 1);
		kcrash_spin();
	} else if (!strcmp(mode, "overflow")) {
		volatile int top = 0;

		local_irq_disable();
		kcrash_recurse(&top);
	} else {
		return -EINVAL;
	}
	return 0;
}
module_init(kcrash_init);

MODULE_DESCRIPTION("Crash the kernel in a chosen way");
MODULE_LICENSE("GPL");
