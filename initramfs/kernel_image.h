/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The capture kernel's own file: where it is and how much memory it takes when it runs. */
#ifndef INITRAMFS_KERNEL_IMAGE_H
#define INITRAMFS_KERNEL_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "elfcore/error.h"

/* Look for the image of a version in the places where distributions put it. */
int kernel_image_find(const char *root, const char *version, char *ret, size_t size, struct error *err);

/*
 * Bytes of memory that the kernel itself needs: init_size of an x86 bzImage (it covers unpacking, text, data and bss),
 * image_size of an arm64 or riscv Image, otherwise the size of the file.
 */
int kernel_image_memory(const char *path, uint64_t *ret, struct error *err);

#endif
