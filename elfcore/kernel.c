// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfcore/kernel.h"

#include <errno.h>
#include <string.h>

#define UTS_LEN 65	/* __NEW_UTS_LEN + 1, include/uapi/linux/utsname.h */

static bool holds(const struct segment *seg, paddr_t paddr, size_t len)
{
	return seg && paddr >= seg->paddr && paddr - seg->paddr < seg->filesz && len <= seg->filesz - (paddr - seg->paddr);
}

/* Where segments overlap they share their data, so any of them will do. */
static int find_segment(struct kernel *kernel, paddr_t paddr, size_t len)
{
	const struct crash *crash = kernel->crash;

	for (unsigned int i = 0; !holds(kernel->last_seg, paddr, len); i++) {
		if (i == crash->nr_segs)
			return -ENODATA;
		if (crash->segs[i].paddr != PADDR_NONE && holds(&crash->segs[i], paddr, len))
			kernel->last_seg = &crash->segs[i];
	}
	return 0;
}

int kernel_read_paddr(struct kernel *kernel, paddr_t paddr, void *buf, size_t len)
{
	if (find_segment(kernel, paddr, len))
		return -ENODATA;
	return mem_read(kernel->mem, kernel->last_seg->src + (paddr - kernel->last_seg->paddr), buf, len);
}

/* Through the page tables; *len_ret is how much follows in the same page. */
static int translate(struct kernel *kernel, vaddr_t vaddr, paddr_t *ret, uint64_t *len_ret)
{
	struct mapping *last = &kernel->last_mapping;
	int rc;

	if (vaddr - last->vaddr >= last->len) {
		last->len = 0;
		rc = kernel->arch->vtop(kernel, vaddr, &last->paddr, &last->len);
		if (rc) {
			last->len = 0;
			return rc;
		}
		last->vaddr = vaddr;
	}
	*ret = last->paddr + (vaddr - last->vaddr);
	*len_ret = last->len - (vaddr - last->vaddr);
	return 0;
}

/* PT_LOADs know the direct map and the image; for everything else, vmalloc space above all, the page tables are walked. */
int kernel_read_vaddr(struct kernel *kernel, vaddr_t vaddr, void *buf, size_t len)
{
	bool mapped = vaddr - kernel->last_mapping.vaddr < kernel->last_mapping.len;
	uint8_t *out = buf;
	uint64_t room;
	maddr_t src;

	if (!mapped && !crash_find_vaddr(kernel->crash, vaddr, &src, &room) && room >= len)
		return mem_read(kernel->mem, src, buf, len);
	if (!kernel->can_translate)
		return -ENODATA;
	while (len) {
		uint64_t piece;
		paddr_t paddr;
		int rc = translate(kernel, vaddr, &paddr, &piece);

		if (rc)
			return rc;
		piece = min_u64(piece, len);
		rc = kernel_read_paddr(kernel, paddr, out, piece);
		if (rc)
			return rc;
		vaddr += piece;
		out += piece;
		len -= piece;
	}
	return 0;
}

int kernel_find_vaddr(struct kernel *kernel, vaddr_t vaddr, maddr_t *ret, uint64_t *len_ret)
{
	paddr_t paddr;
	int rc;

	if (vaddr - kernel->last_mapping.vaddr >= kernel->last_mapping.len &&
	    !crash_find_vaddr(kernel->crash, vaddr, ret, len_ret))
		return 0;
	if (!kernel->can_translate)
		return -ENODATA;
	rc = translate(kernel, vaddr, &paddr, len_ret);
	if (!rc)
		rc = find_segment(kernel, paddr, 1);
	if (rc)
		return rc;
	*ret = kernel->last_seg->src + (paddr - kernel->last_seg->paddr);
	*len_ret = min_u64(*len_ret, kernel->last_seg->filesz - (paddr - kernel->last_seg->paddr));
	return 0;
}

/* A name of the dead kernel goes into paths and onto consoles: only what a host name may have survives. */
static void copy_name(char *ret, const char *field)
{
	size_t i;

	for (i = 0; i < UTS_LEN - 1 && field[i]; i++) {
		char c = field[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			     strchr(" .-_+~#:()/", c);

		ret[i] = plain ? c : '_';
	}
	ret[i] = 0;
}

/* struct new_utsname inside init_uts_ns: sysname, nodename, release, version, machine, domainname. */
static void read_utsname(struct kernel *kernel, struct log *log)
{
	char uts[6][UTS_LEN];
	int64_t name_off;
	vaddr_t ns;

	if (!vmcoreinfo_hex(&kernel->crash->vmcoreinfo, "SYMBOL(init_uts_ns)", &ns))
		return;
	/* Exported since 5.11; before it the name followed a 4-byte kref. */
	if (!vmcoreinfo_number(&kernel->crash->vmcoreinfo, "OFFSET(uts_namespace.name)", &name_off))
		name_off = 4;
	if (kernel_read_vaddr(kernel, ns + name_off, uts, sizeof(uts)) || strncmp(uts[0], "Linux", UTS_LEN)) {
		log_warn(log, "host name of the crashed kernel not readable at 0x%llx", (unsigned long long)(ns + name_off));
		return;
	}
	copy_name(kernel->nodename, uts[1]);
	if (!kernel->release[0])
		copy_name(kernel->release, uts[2]);
	copy_name(kernel->version, uts[3]);
	copy_name(kernel->machine, uts[4]);
}

void kernel_init(struct kernel *kernel, const struct crash *crash, struct mem *mem, struct log *log)
{
	const struct vmcoreinfo *info = &crash->vmcoreinfo;
	struct error err;
	int64_t number;

	memset(kernel, 0, sizeof(*kernel));
	kernel->crash = crash;
	kernel->mem = mem;
	kernel->arch = arch_find(crash->ehdr.machine);
	if (!info->len) {
		log_warn(log, "no VMCOREINFO: the crashed kernel stays unnamed");
		return;
	}
	if (vmcoreinfo_string(info, "OSRELEASE", kernel->release, sizeof(kernel->release)))
		copy_name(kernel->release, kernel->release);
	if (vmcoreinfo_number(info, "PAGESIZE", &number) && number >= 4096 && number <= 1 << 20 && !(number & (number - 1)))
		kernel->page_size = number;
	if (vmcoreinfo_number(info, "CRASHTIME", &number))
		kernel->crashtime = number;
	vmcoreinfo_hex(info, "KERNELOFFSET", &kernel->kaslr_offset);
	if (!kernel->arch)
		log_info(log, "no address translation for %s", arch_machine_name(crash->ehdr.machine));
	else if (!kernel->page_size)
		log_warn(log, "no address translation: VMCOREINFO has no valid PAGESIZE");
	else if (kernel->arch->init(kernel, &err))
		log_warn(log, "no address translation: %s", err.text);
	else
		kernel->can_translate = true;
	read_utsname(kernel, log);
}
