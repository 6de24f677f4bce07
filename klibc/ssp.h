/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KLIBC_SSP_H
#define KLIBC_SSP_H

/*
 * Make a place for the stack protector's canary. Must have been called before any function of a static library that
 * the distribution compiled (libz, libcrypto, libbearssl), from a function that returns only after the last such call.
 * seed is any number that differs between runs. 0 or -errno.
 */
int ssp_init(unsigned long seed);

#endif
