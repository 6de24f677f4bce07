/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initramfs/stack.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elfcore/types.h"
#include "initramfs/programs.h"
#include "initramfs/tool.h"
#include "src/device.h"

#define MAX_DEPTH 8

/* In front of the steps that are there: what is found last lies lowest. */
static int prepend(char *steps, size_t size, const char *step, struct error *err)
{
	char old[256];
	/* Several physical volumes may lie on one array. */
	if (strstr(steps, step))
		return 0;
	snprintf(old, sizeof(old), "%s", steps);
	return (size_t)snprintf(steps, size, "%s%s%s", step, old[0] ? " " : "", old) < size ? 0 :
	       fail(err, -EINVAL, "it is made of too many layers");
}

/* "vg--a-lv" is VG vg-a and LV lv: a single '-' is between them, in names it is doubled. */
static void split_lvm_name(const char *name, char *ret, size_t size)
{
	size_t n = 0;
	bool slash = false;
	for (const char *p = name; *p && n + 1 < size; p++) {
		if (p[0] == '-' && p[1] == '-') {
			ret[n++] = '-';
			p++;
		} else if (*p == '-' && !slash) {
			ret[n++] = '/';
			slash = true;
		} else {
			ret[n++] = *p;
		}
	}
	ret[n] = '\0';
}

/* "CRYPT-LUKS2-<32 digits>-NAME" */
static void luks_uuid(const char *dm_uuid, char ret[40])
{
	const char *digits = strchr(dm_uuid + strlen("CRYPT-"), '-');
	size_t n = 0;
	for (digits = digits ? digits + 1 : ""; isxdigit((unsigned char)*digits) && n < 36; digits++) {
		if (n == 8 || n == 13 || n == 18 || n == 23)
			ret[n++] = '-';
		ret[n++] = *digits;
	}
	ret[n] = '\0';
}

static int md_step(const char *name, char *ret, size_t size, struct error *err)
{
	char node[80], *text;
	snprintf(node, sizeof(node), "/dev/%s", name);
	const char *argv[] = { "mdadm", "--detail", "--export", node, NULL };
	int rc = tool_output(argv, &text, err);
	if (rc)
		return rc;
	const char *uuid = strstr(text, "MD_UUID=");
	if (uuid)
		snprintf(ret, size, "md:%.*s", (int)strcspn(uuid + 8, "\n"), uuid + 8);
	free(text);
	return uuid ? 0 : fail(err, -EINVAL, "mdadm does not tell the UUID of %s", node);
}

static int dm_step(const char *sysfs, const char *name, char *ret, size_t size, struct error *err)
{
	char path[PATH_MAX], uuid[160] = "", dm_name[160] = "", text[160];
	if (path_join(path, sizeof(path), sysfs, "class/block/%s/dm/uuid", name) == 0)
		file_read_line(path, uuid, sizeof(uuid));
	if (path_join(path, sizeof(path), sysfs, "class/block/%s/dm/name", name) == 0)
		file_read_line(path, dm_name, sizeof(dm_name));
	if (strncmp(uuid, "LVM-", 4) == 0) {
		split_lvm_name(dm_name, text, sizeof(text));
		snprintf(ret, size, "lvm:%s", text);
		return 0;
	}
	if (strncmp(uuid, "CRYPT-LUKS", 10) == 0) {
		luks_uuid(uuid, text);
		snprintf(ret, size, "luks:%s", text);
		return 0;
	}
	if (strncmp(uuid, "mpath-", 6) == 0) {
		/* Each of its paths is the whole disk, and one is enough. */
		ret[0] = '\0';
		return 0;
	}
	return fail(err, -EINVAL, "%s (%.40s) is a device-mapper device that is neither LVM, LUKS nor multipath", name, uuid);
}

/* The first device below, which is enough to know the layers: "" = a disk. */
static void first_slave(const char *sysfs, const char *name, char *ret, size_t size)
{
	char path[PATH_MAX];
	struct dirent *entry;
	ret[0] = '\0';
	if (path_join(path, sizeof(path), sysfs, "class/block/%s/slaves", name))
		return;
	DIR *dir = opendir(path);
	while (dir && !ret[0] && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			snprintf(ret, size, "%s", entry->d_name);
	if (dir)
		closedir(dir);
}

int stack_derive(struct target_config *target, const char *sysfs, const char *name, struct error *err)
{
	char steps[sizeof(target->assemble)] = "", device[64], below[64], step[200];
	snprintf(device, sizeof(device), "%s", name);
	for (int depth = 0; device[0] && !target->assemble[0] && depth < MAX_DEPTH; depth++) {
		int rc = 0;
		step[0] = '\0';
		if (strncmp(device, "md", 2) == 0)
			rc = md_step(device, step, sizeof(step), err);
		else if (strncmp(device, "dm-", 3) == 0)
			rc = dm_step(sysfs, device, step, sizeof(step), err);
		if (!rc && step[0])
			rc = prepend(steps, sizeof(steps), step, err);
		if (rc)
			return rc;
		first_slave(sysfs, device, below, sizeof(below));
		/* A partition has none; its disk may be an array. */
		snprintf(device, sizeof(device), "%s", below);
	}
	if (!target->assemble[0])
		strcpy(target->assemble, steps);
	return 0;
}

/* The key slot that is cheapest in memory, in KiB; 0 = one without argon2, or nothing is known. */
static unsigned long slot_memory(const char *node)
{
	const char *argv[] = { "cryptsetup", "luksDump", node, NULL };
	unsigned long least = 0;
	char *text;
	struct error none;
	if (tool_output(argv, &text, &none))
		return 0;
	bool cheap = strstr(text, "PBKDF:      pbkdf2") || !strstr(text, "argon2");
	for (const char *p = text; !cheap && (p = strstr(p, "Memory:")); p++) {
		unsigned long memory = strtoul(p + 7, NULL, 10);
		least = least && least < memory ? least : memory;
	}
	free(text);
	return least;
}

int stack_check_luks(const struct target_config *target, uint64_t crash_size, struct error *err)
{
	char place[64], node[160], *save, steps[sizeof(target->assemble)];
	struct error none;
	strcpy(steps, target->assemble);
	for (char *step = strtok_r(steps, " ", &save); step; step = strtok_r(NULL, " ", &save)) {
		if (strncmp(step, "luks:", 5))
			continue;
		if (!target->luks_key[0])
			return fail(err, -EINVAL, "target %s is encrypted (LUKS %s), and there is no luks_key for it", target->place,
				    step + 5);
		snprintf(place, sizeof(place), "UUID=%s", step + 5);
		if (device_look(place, NULL, node, sizeof(node), &none))
			continue;
		unsigned long kib = slot_memory(node);
		if (kib * 1024ULL > crash_size / 2)
			return fail(err, -ENOMEM, "opening %s takes %lu MiB (argon2) and crashkernel= has %llu MiB: give it a key "
				    "slot with --pbkdf pbkdf2, or dump to another target", node, kib / 1024,
				    (unsigned long long)crash_size >> 20);
	}
	return 0;
}

static const struct {
	const char *step, *tool, *needs, *wants;
} kinds[] = {
	{ "md:", "mdadm", "md_mod", "raid1 raid0 raid10 linear" },
	{ "lvm:", "lvm", "dm_mod", "" },
	{ "luks:", "cryptsetup", "dm_crypt", "dm_mod aesni_intel aes_generic xts cbc ecb essiv sha256_ssse3 sha256_generic "
	  "sha512_ssse3 sha512_generic af_alg algif_skcipher algif_hash cryptd" },
};

static bool has_step(const struct target_config *target, const char *step)
{
	const char *found = strstr(target->assemble, step);
	return found && (found == target->assemble || found[-1] == ' ');
}

static int add_wanted(struct kmod *km, const char *list, struct error *err)
{
	char words[256], *save;
	int rc = 0;
	snprintf(words, sizeof(words), "%s", list);
	for (char *word = strtok_r(words, " ", &save); word && !rc; word = strtok_r(NULL, " ", &save))
		rc = kmod_has(km, word) ? kmod_add(km, word, err) : 0;
	return rc;
}

int stack_add_modules(struct kmod *km, const struct target_config *target, struct error *err)
{
	int rc = 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !rc; i++) {
		if (!has_step(target, kinds[i].step))
			continue;
		rc = kmod_add(km, kinds[i].needs, err);
		if (!rc)
			rc = add_wanted(km, kinds[i].wants, err);
	}
	return rc;
}

static int add_target_files(struct archive *ar, const struct target_config *target, unsigned int index, struct error *err)
{
	char name[64];
	int rc = 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !rc; i++)
		if (has_step(target, kinds[i].step))
			rc = programs_add_tool(ar, kinds[i].tool, err);
	if (rc || !target->luks_key[0])
		return rc;
	snprintf(name, sizeof(name), "etc/keys/%u", index);
	return archive_add_copy(ar, name, 0600, target->luks_key, err);
}

int stack_add_files(struct archive *ar, const struct config *cfg, struct error *err)
{
	char text[CONFIG_MAX_TARGETS * (sizeof(cfg->targets[0].assemble) + 8)] = "";
	bool keys = false;
	int rc = 0;
	size_t len = 0;
	for (unsigned int i = 0; i < cfg->nr_targets; i++) {
		keys |= cfg->targets[i].luks_key[0] != '\0';
		if (cfg->targets[i].assemble[0])
			len += snprintf(text + len, sizeof(text) - len, "%u %s\n", i, cfg->targets[i].assemble);
	}
	if (keys)
		rc = archive_add_dir(ar, "etc/keys", err);
	if (!rc && len)
		rc = archive_add_text(ar, "etc/assemble", 0644, text, len, err);
	for (unsigned int i = 0; i < cfg->nr_targets && !rc; i++)
		rc = add_target_files(ar, &cfg->targets[i], i, err);
	return rc;
}
