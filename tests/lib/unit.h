/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmocka with what it needs. To be included last: it has a macro named fail(). */
#ifndef TESTS_LIB_UNIT_H
#define TESTS_LIB_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define assert_text(text, wanted) \
	do { \
		if (!strstr(text, wanted)) \
			fail_msg("\"%s\" is not in \"%s\"", wanted, text); \
	} while (0)

#endif
