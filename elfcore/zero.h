/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ELFCORE_ZERO_H
#define ELFCORE_ZERO_H

#include <stdbool.h>
#include <stddef.h>

/* Are all len bytes zero? Ends at the first 64 bytes that are not. */
bool mem_is_zero(const void *buf, size_t len);

#endif
