/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/cmdline.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "elfcore/types.h"

/* The first rule whose pattern fits decides: a pattern ending in '=' or '.' or '_' is a prefix, others are whole names. */
static const struct {
	const char *pattern;
	bool carry;
} rules[] = {
	/* Dotted words that look like module parameters and are userspace's, or would harm. */
	{ "systemd.", false },
	{ "rd.", false },
	{ "luks.", false },
	{ "udev.", false },
	{ "dracut.", false },
	{ "modprobe.", false },
	{ "fsck.", false },
	{ "plymouth.", false },
	{ "vconsole.", false },
	{ "locale.", false },
	{ "zswap.", false },
	{ "sysctl.", false },		/* panic_on_oops, nr_hugepages: production's wishes */
	{ "memory_hotplug.", false },
	{ "page_reporting.", false },

	/* Where to look and to speak. */
	{ "console=", true },
	{ "earlyprintk", true },
	{ "earlyprintk=", true },
	{ "earlycon", true },
	{ "earlycon=", true },
	{ "nomodeset", true },

	/* Which hardware there is and what is wrong with it. */
	{ "acpi=", true },
	{ "acpi_", true },
	{ "noacpi", true },
	{ "pci=", true },
	{ "pcie_", true },
	{ "iommu=", true },
	{ "intel_iommu=", true },
	{ "amd_iommu=", true },
	{ "intremap=", true },
	{ "efi=", true },
	{ "noefi", true },
	{ "apic=", true },
	{ "noapic", true },
	{ "nolapic", true },
	{ "nox2apic", true },
	{ "x2apic_", true },
	{ "lapic=", true },
	{ "clocksource=", true },
	{ "tsc=", true },
	{ "hpet=", true },
	{ "no_timer_check", true },
	{ "nopat", true },
	{ "noxsave", true },
	{ "mce=", true },
	{ "hest_disable", true },
	{ "erst_disable", true },
	{ "bert_disable", true },
	{ "idle=", true },
	{ "reboot=", true },
	{ "mitigations=", true },
	{ "mem_encrypt=", true },
	{ "clk_ignore_unused", true },
	{ "pd_ignore_unused", true },
	{ "fw_devlink=", true },

	/* Names of network interfaces, for targets across the network. */
	{ "net.ifnames=", true },
	{ "biosdevname=", true },
};

/*
 * reset_devices    drivers expect a device left running
 * nr_cpus=1        other CPUs are in an unknown state, and each costs memory
 * iomem=relaxed    with IO_STRICT_DEVMEM /dev/mem refuses old memory that lies in a "RAM buffer" otherwise
 * panic=10         a capture kernel that panics itself must not leave the machine standing
 * acpi_no_memhotplug  ACPI would online the dead kernel's hotplugged memory, and overwrite it
 * transparent_hugepage=never  keeps khugepaged from raising the free memory that the kernel holds back
 * cgroup_disable=memory       its per-page bookkeeping is wasted here
 *
 * Not here: oops=panic, because an oops in some driver that the target does not need must not cost the dump; if it hits
 * /init itself, the kernel panics anyway, and if it blocks /init, /init's deadlines end it. No nokaslr: nothing depends
 * on the addresses of the capture kernel. irqpoll is for x86's level-triggered lines, which a dead driver left asserted.
 */
static const char *const always[] = { "reset_devices", "nr_cpus=1", "iomem=relaxed", "panic=10", "acpi_no_memhotplug",
				      "transparent_hugepage=never", "cgroup_disable=memory" };
static const char *const x86_only[] = { "irqpoll" };

static bool rule_fits(const char *pattern, const char *word, size_t len)
{
	size_t n = strlen(pattern);
	if (strchr("=._", pattern[n - 1]))
		return len >= n && strncmp(word, pattern, n) == 0;
	return len == n && strncmp(word, pattern, n) == 0;
}

/* Is it "module.parameter=..." or "module.parameter"? */
static bool is_module_parameter(const char *word, size_t len)
{
	size_t name = 0;
	while (name < len && (isalnum((unsigned char)word[name]) || word[name] == '_' || word[name] == '-'))
		name++;
	return name > 0 && name + 1 < len && word[name] == '.';
}

static bool is_carried(const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rule_fits(rules[i].pattern, word, len))
			return rules[i].carry;
	return is_module_parameter(word, len);
}

/* Length of the word at p; blanks inside double quotes belong to it, as in the kernel's next_arg(). */
static size_t word_len(const char *p)
{
	bool quoted = false;
	size_t len = 0;
	for (; p[len] && (quoted || !isspace((unsigned char)p[len])); len++)
		if (p[len] == '"')
			quoted = !quoted;
	return len;
}

struct text {
	char *buf;
	size_t size, len;
	bool full;
};

static void put_word(struct text *text, const char *word, size_t len)
{
	size_t blank = text->len ? 1 : 0;
	if (text->full || text->len + blank + len + 1 > text->size) {
		text->full = true;
		return;
	}
	if (blank)
		text->buf[text->len++] = ' ';
	memcpy(text->buf + text->len, word, len);
	text->len += len;
	text->buf[text->len] = '\0';
}

static void put_list(struct text *text, const char *const *words, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		put_word(text, words[i], strlen(words[i]));
}

int capture_cmdline(const char *running, const char *machine, const char *append, char *ret, size_t size, struct error *err)
{
	struct text text = { .buf = ret, .size = min_u64(size, CAPTURE_CMDLINE_SIZE - CAPTURE_CMDLINE_RESERVE) };
	if (!size)
		return fail(err, -E2BIG, "no room for a command line");
	ret[0] = '\0';
	for (const char *p = running;;) {
		p += strspn(p, " \t\n");
		size_t len = word_len(p);
		/* What follows "--" is for the running system's init. */
		if (!len || (len == 2 && p[0] == '-' && p[1] == '-'))
			break;
		if (is_carried(p, len))
			put_word(&text, p, len);
		p += len;
	}
	put_list(&text, always, ARRAY_SIZE(always));
	if (strcmp(machine, "x86_64") == 0 || (machine[0] == 'i' && strcmp(machine + 2, "86") == 0))
		put_list(&text, x86_only, ARRAY_SIZE(x86_only));
	if (append && append[0])
		put_word(&text, append, strlen(append));
	if (text.full)
		return fail(err, -E2BIG, "the capture kernel's command line is longer than %zu bytes", text.size - 1);
	return 0;
}

int capture_cmdline_cpus(char *cmdline, size_t size, unsigned int nr, int boot_apic_id, struct error *err)
{
	static const char one[] = "nr_cpus=1";
	char *word = strstr(cmdline, one), more[64];
	size_t len, tail;

	/* The user's own word stands. */
	if (!word || (word > cmdline && word[-1] != ' ') || (word[sizeof(one) - 1] && word[sizeof(one) - 1] != ' '))
		return 0;
	if (boot_apic_id < 0)
		snprintf(more, sizeof(more), "nr_cpus=%u", nr);
	else
		snprintf(more, sizeof(more), "nr_cpus=%u disable_cpu_apicid=%d", nr, boot_apic_id);
	len = strlen(more);
	tail = strlen(word + sizeof(one) - 1) + 1;
	if (word - cmdline + len + tail > min_u64(size, CAPTURE_CMDLINE_SIZE - CAPTURE_CMDLINE_RESERVE))
		return fail(err, -E2BIG, "no room on the command line for \"%s\"", more);
	memmove(word + len, word + sizeof(one) - 1, tail);
	memcpy(word, more, len);
	return 0;
}
