// SPDX-License-Identifier: GPL-2.0-or-later
#include "src/guard.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

/* Signal handlers have no other way to know: the one piece of state in this file. */
static struct {
	sigjmp_buf env;
	volatile bool armed;
	void (*fatal)(int sig);
} guard;

static void on_fault(int sig)
{
	if (guard.armed) {
		guard.armed = false;
		siglongjmp(guard.env, 1);
	}
	if (guard.fatal)
		guard.fatal(sig);
	signal(sig, SIG_DFL);
	raise(sig);
}

void guard_init(void (*fatal)(int sig))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_fault;
	action.sa_flags = SA_NODEFER;
	guard.fatal = fatal;
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

/* volatile keeps the compiler from making a memcpy() of it, which may use unaligned or wider accesses. */
static void copy_words(uint8_t *dst, const volatile uint8_t *src, size_t len)
{
	for (; len && (uintptr_t)src % 8; len--)
		*dst++ = *src++;
	for (; len >= 32; dst += 32, src += 32, len -= 32) {
		const volatile uint64_t *in = (const volatile uint64_t *)src;
		uint64_t w[4] = { in[0], in[1], in[2], in[3] };

		__builtin_memcpy(dst, w, sizeof(w));
	}
	for (; len >= 8; dst += 8, src += 8, len -= 8) {
		uint64_t w = *(const volatile uint64_t *)src;

		__builtin_memcpy(dst, &w, sizeof(w));
	}
	while (len--)
		*dst++ = *src++;
}

int guard_copy(void *dst, const void *src, size_t len)
{
	if (sigsetjmp(guard.env, 0))
		return -EIO;
	guard.armed = true;
	copy_words(dst, src, len);
	guard.armed = false;
	return 0;
}

int guard_look(void (*fn)(void *arg, const uint8_t *p), void *arg, const uint8_t *p)
{
	if (sigsetjmp(guard.env, 0))
		return -EIO;
	guard.armed = true;
	fn(arg, p);
	guard.armed = false;
	return 0;
}
