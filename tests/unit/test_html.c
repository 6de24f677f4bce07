// SPDX-License-Identifier: GPL-2.0-or-later
/* Nothing that a dump says becomes markup. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/html.h"

#include "tests/lib/unit.h"

static void expect(const char *text, size_t len, const char *wanted)
{
	char *made;
	size_t size;
	FILE *out = open_memstream(&made, &size);

	html_text_len(out, text, len);
	fclose(out);
	assert_string_equal(made, wanted);
	free(made);
}

#define EXPECT(text, wanted) expect(text, sizeof(text) - 1, wanted)

static void test_markup(void **state)
{
	(void)state;
	EXPECT("<script>\"&'</script>", "&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;");
	EXPECT("a\tb\n", "a\tb\n");
	EXPECT("\x1b[31m\0\x7f", "&#xfffd;[31m&#xfffd;&#xfffd;");
}

static void test_utf8(void **state)
{
	(void)state;
	EXPECT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7");
	EXPECT("\xc0\xbc", "&#xfffd;&#xfffd;");			/* overlong '<' */
	EXPECT("\xe0\x80\xbc<", "&#xfffd;&#xfffd;&#xfffd;&lt;");
	EXPECT("\xed\xa0\x80", "&#xfffd;&#xfffd;&#xfffd;");		/* a surrogate */
	EXPECT("\xf5\x80\x80\x80", "&#xfffd;&#xfffd;&#xfffd;&#xfffd;");
	EXPECT("\xe2\x82", "&#xfffd;&#xfffd;");				/* cut */
	EXPECT("\xc3<", "&#xfffd;&lt;");
}

static void test_format(void **state)
{
	char *made;
	size_t size;
	FILE *out = open_memstream(&made, &size);

	(void)state;
	html(out, "<b title=\"%s\">%s</b> 5 %%", "\">", "<i>");
	fclose(out);
	assert_string_equal(made, "<b title=\"&quot;&gt;\">&lt;i&gt;</b> 5 %");
	free(made);
}

static void test_bytes(void **state)
{
	static const struct { uint64_t bytes; const char *wanted; } cases[] = {
		{ 0, "0 B" }, { 999, "999 B" }, { 4096, "4.1 kB" }, { 1000000, "1 MB" }, { 367900000, "367.9 MB" },
		{ 1ULL << 40, "1.1 TB" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		html_bytes(cases[i].bytes, text);
		assert_string_equal(text, cases[i].wanted);
	}
	html_bytes(UINT64_MAX, text);
	assert_non_null(strchr(text, 'B'));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markup),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
