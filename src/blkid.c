// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/blkid.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elfcore/types.h"
#include "src/sys.h"

#define HEAD_SIZE 8192
#define MD_MAGIC 0xa92b4efcU
#define GPT_MAX_ENTRIES 1024

static uint32_t le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t le64(const uint8_t *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static void format_uuid(const uint8_t *id, char ret[40])
{
	int n = 0;

	for (int i = 0; i < 16; i++)
		n += snprintf(ret + n, 40 - n, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
}

/* A text of up to len bytes, ended by zero or filled with blanks. */
static void copy_text(char *ret, size_t size, const uint8_t *text, size_t len)
{
	size_t n = 0;

	while (n < len && n < size - 1 && text[n])
		n++;
	while (n && text[n - 1] == ' ')
		n--;
	memcpy(ret, text, n);
	ret[n] = 0;
}

static bool found(struct blkid *ret, const char *type, const uint8_t *uuid, const uint8_t *label, size_t label_len)
{
	snprintf(ret->type, sizeof(ret->type), "%s", type);
	if (uuid)
		format_uuid(uuid, ret->uuid);
	if (label)
		copy_text(ret->label, sizeof(ret->label), label, label_len);
	return true;
}

/* Members of an array first: with metadata at the end, what they begin with is the filesystem of the whole array. */
static bool probe_md(int fd, const uint8_t *head, struct blkid *ret)
{
	off_t size = lseek(fd, 0, SEEK_END);
	uint8_t super[64];
	/* 1.1, 1.2, 1.0, 0.90 */
	const int64_t places[] = { 0, 4096, size / 4096 * 4096 - 8192, size / 65536 * 65536 - 65536 };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (places[i] < 0)
			continue;
		if (i < 2)
			memcpy(super, head + places[i], sizeof(super));
		else if (read_all_at(fd, places[i], super, sizeof(super)))
			continue;
		if (le32(super) == MD_MAGIC && le32(super + 4) == (i == 3 ? 0 : 1))
			return found(ret, "linux_raid_member", i == 3 ? NULL : super + 16, i == 3 ? NULL : super + 32, 32);
	}
	return false;
}

static bool probe_lvm(const uint8_t *head, struct blkid *ret)
{
	for (int sector = 0; sector < 4; sector++) {
		const uint8_t *label = head + 512 * sector;

		if (!memcmp(label, "LABELONE", 8) && !memcmp(label + 24, "LVM2 001", 8)) {
			found(ret, "LVM2_member", NULL, NULL, 0);
			copy_text(ret->uuid, sizeof(ret->uuid), label + 32, 32);
			return true;
		}
	}
	return false;
}

static bool probe_luks(const uint8_t *head, struct blkid *ret)
{
	if (memcmp(head, "LUKS\xba\xbe", 6))
		return false;
	found(ret, "crypto_LUKS", NULL, head[7] == 2 ? head + 24 : NULL, 48);
	copy_text(ret->uuid, sizeof(ret->uuid), head + 168, 40);
	return true;
}

static bool probe_fat(const uint8_t *head, struct blkid *ret)
{
	const uint8_t *tail;	/* serial number, then the label */

	if (head[510] != 0x55 || head[511] != 0xaa)
		return false;
	if (!memcmp(head + 82, "FAT32", 5))
		tail = head + 67;
	else if (!memcmp(head + 54, "FAT1", 4))
		tail = head + 39;
	else
		return false;
	found(ret, "vfat", NULL, memcmp(tail + 4, "NO NAME    ", 11) ? tail + 4 : NULL, 11);
	snprintf(ret->uuid, sizeof(ret->uuid), "%02X%02X-%02X%02X", tail[3], tail[2], tail[1], tail[0]);
	return true;
}

static bool probe_btrfs(int fd, struct blkid *ret)
{
	uint8_t super[512];

	if (read_all_at(fd, 65536, super, sizeof(super)) || memcmp(super + 64, "_BHRfS_M", 8))
		return false;
	return found(ret, "btrfs", super + 32, super + 299, sizeof(super) - 299);
}

bool blkid_probe(int fd, struct blkid *ret)
{
	uint8_t head[HEAD_SIZE];

	memset(ret, 0, sizeof(*ret));
	if (read_all_at(fd, 0, head, sizeof(head)))
		return false;
	if (probe_md(fd, head, ret) || probe_luks(head, ret) || probe_lvm(head, ret))
		return true;
	if (!memcmp(head, "XFSB", 4))
		return found(ret, "xfs", head + 32, head + 108, 12);
	if (head[1024 + 56] == 0x53 && head[1024 + 57] == 0xef)
		return found(ret, "ext", head + 1024 + 104, head + 1024 + 120, 16);
	return probe_btrfs(fd, ret) || probe_fat(head, ret);
}

static bool gpt_partuuid(int fd, unsigned int sector_size, unsigned int nr, char ret[40])
{
	uint8_t header[96], entry[32], id[16];
	uint32_t nr_entries, entry_size;

	if (read_all_at(fd, sector_size, header, sizeof(header)) || memcmp(header, "EFI PART", 8))
		return false;
	nr_entries = le32(header + 80);
	entry_size = le32(header + 84);
	if (nr > nr_entries || nr > GPT_MAX_ENTRIES || entry_size < 128 || entry_size > 4096 || le64(header + 72) > 1U << 30)
		return false;
	if (read_all_at(fd, le64(header + 72) * sector_size + (uint64_t)(nr - 1) * entry_size, entry, sizeof(entry)))
		return false;
	/* The first three fields of a GUID are little-endian numbers. */
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	for (int i = 0; i < 16; i++)
		id[i] = entry[16 + order[i]];
	format_uuid(id, ret);
	return true;
}

bool blkid_partuuid(int fd, unsigned int sector_size, unsigned int nr, char ret[40])
{
	uint8_t mbr[512];

	if (!nr || sector_size < 512 || sector_size > 65536)
		return false;
	if (gpt_partuuid(fd, sector_size, nr, ret))
		return true;
	if (read_all_at(fd, 0, mbr, sizeof(mbr)) || mbr[510] != 0x55 || mbr[511] != 0xaa || !le32(mbr + 440))
		return false;
	snprintf(ret, 40, "%08x-%02x", le32(mbr + 440), nr & 0xff);
	return true;
}
