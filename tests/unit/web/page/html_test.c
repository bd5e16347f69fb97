/* SPDX-License-Identifier: ISC */
/* html_test.c - whatever a text holds, on a page it is text. */
#include "../../test.h"
#include "web/page/html.h"

TEST(texts_are_escaped)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "plain", "plain" },
		{ "<script>alert(1)</script>",
		    "&lt;script&gt;alert(1)&lt;/script&gt;" },
		{ "\" onload='x' a=\"", "&quot; onload=&#39;x&#39; a=&quot;" },
		{ "a & b &amp; c", "a &amp; b &amp;amp; c" },
		{ "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
		    "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" },
		{ "tab\tline\nbell\a nul-ish\x01\x7F",
		    "tab\tline\nbell? nul-ish??" },
		/* A control of C1, an override, an isolate. */
		{ "a\xC2\x85z", "a?z" },
		{ "a\xE2\x80\xAEz\xE2\x81\xA6y", "a?z?y" },
		{ "dash \xE2\x80\x93 stays", "dash \xE2\x80\x93 stays" },
		/* No UTF-8: every byte that is not ASCII goes. */
		{ "\xFF<b>\xC3", "?&lt;b&gt;?" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(KIB(1));

		html_text(&b, str_c(cases[i].in));
		assert_string_equal(buf_c(&b), cases[i].want);
		buf_done(&b);
	}
}

TEST(parts_of_paths_are_encoded)
{
	struct buf b = BUF_INIT(KIB(1));

	html_path(&b, "/tag/", STR("a/b ?\"<\xC3\xA9"));
	assert_string_equal(buf_c(&b), "/tag/a%2Fb%20%3F%22%3C%C3%A9");
	buf_done(&b);
}

TEST_MAIN(UNIT(texts_are_escaped), UNIT(parts_of_paths_are_encoded))
