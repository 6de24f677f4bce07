/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error is a negative errno for code and one line of text for a person. Functions that can fail return 0 or -errno
 * and, where the cause needs words, fill a caller-owned struct error; callers may put what they were doing in front.
 */
#ifndef ELFCORE_ERROR_H
#define ELFCORE_ERROR_H

struct error {
	int code;		/* negative errno, 0 = none */
	char text[256];		/* always terminated; long texts are cut at the end */
};

/* Set code and text; returns code, so that "return fail(err, -EINVAL, ...)" reads as one statement. */
int fail(struct error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "<fmt>: " in front of the text; returns the code that is already there. */
int fail_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
