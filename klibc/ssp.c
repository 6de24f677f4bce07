// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stack protector, as a distribution's static libraries expect it from a libc: on x86_64 a canary in the thread
 * control block at %fs:0x28, elsewhere in a global, and a function to call when it was overwritten. klibc has neither
 * and is itself built without.
 */
#include "klibc/ssp.h"

#include <signal.h>
#include <unistd.h>

void __stack_chk_fail(void) __attribute__((noreturn));
void __stack_chk_fail(void)
{
	static const char text[] = "stack smashing detected\n";
	ssize_t n = write(2, text, sizeof(text) - 1);

	(void)n;
	kill(getpid(), SIGABRT);
	_exit(134);
}

#if defined(__x86_64__)

#define ARCH_SET_FS 0x1002
#define SYS_ARCH_PRCTL 158

/* fs:0 points at itself by convention; the canary's low byte is zero so that string functions stop at it. */
static unsigned long tcb[16];

int ssp_init(unsigned long seed)
{
	long rc;

	tcb[0] = (unsigned long)tcb;
	tcb[0x28 / sizeof(long)] = (seed ^ (unsigned long)&rc * 0x9e3779b97f4a7c15UL) & ~0xffUL;
	__asm__ volatile("syscall" : "=a"(rc) : "a"(SYS_ARCH_PRCTL), "D"(ARCH_SET_FS), "S"(tcb) : "rcx", "r11", "memory");
	return rc;
}

#elif defined(__aarch64__) || defined(__arm__)

unsigned long __stack_chk_guard;

int ssp_init(unsigned long seed)
{
	__stack_chk_guard = (seed ^ (unsigned long)&seed) & ~0xffUL;
	return 0;
}

#else
#error "where does this architecture keep the stack protector's canary?"
#endif
