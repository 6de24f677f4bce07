/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is on a block device: the identity that its superblock gives it, and that of a partition in its disk's table.
 * Layouts: ext4 (Documentation/filesystems/ext4/super.rst), xfs (xfs_format.h), btrfs (uapi/linux/btrfs_tree.h), FAT
 * (boot sector), LUKS (header of cryptsetup's on-disk formats 1 and 2), md (uapi/linux/raid/md_p.h), LVM2 (label header),
 * GPT (UEFI specification, chapter 5), MBR.
 */
#ifndef SRC_BLKID_H
#define SRC_BLKID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blkid {
	char type[24];		/* ext, xfs, btrfs, vfat, crypto_LUKS, linux_raid_member, LVM2_member */
	char uuid[40];		/* as blkid(8) writes it; "" = has none */
	char label[64];		/* cut where it is longer; "" = has none */
};

/* Superblocks only, at most some 70 KiB are read. false: nothing that is known here, or unreadable. */
bool blkid_probe(int fd, struct blkid *ret);

/* The UUID of partition number nr (from 1) in the table of the whole disk behind fd, whose sectors are sector_size. */
bool blkid_partuuid(int fd, unsigned int sector_size, unsigned int nr, char ret[40]);

#endif
