/* SPDX-License-Identifier: ISC */
/* markdown_test.c - Markdown as HTML and as text, and what must not come out. */
#include "../test.h"
#include "base/markdown.h"

#include <time.h>

#define REL " rel=\"nofollow noopener\">"

static const struct {
	const char *in, *html, *text; /* at a width of 30 */
} cases[] = {
	{ "", "", "" },
	{ "One *two* **three** `four`.\n",
	    "<p>One <em>two</em> "
	    "<strong>three</strong> "
	    "<code>four</code>.</p>\n",
	    "One two three four.\n" },
	{ "# A\n\ntext\n", "<h3>A</h3>\n<p>text</p>\n", "A\n\ntext\n" },
	{ "###### A", "<h3>A</h3>\n", "A\n" },
	{ "# A\n### B\n### C\n## D\n",
	    "<h3>A</h3>\n<h4>B</h4>\n<h4>C</h4>\n<h4>D</h4>\n",
	    "A\n\nB\n\nC\n\nD\n" },
	{ "# A\n## B\n### C\n#### D\n##### E\n",
	    "<h3>A</h3>\n<h4>B</h4>\n<h5>C</h5>\n<h6>D</h6>\n<h6>E</h6>\n",
	    "A\n\nB\n\nC\n\nD\n\nE\n" },
	{ "a\nb  \nc", "<p>a\nb<br>\nc</p>\n", "a b\nc\n" },
	{ "- a\n- b\n  - c\n",
	    "<ul>\n<li>a\n</li>\n<li>b\n<ul>\n<li>c\n"
	    "</li>\n</ul>\n</li>\n</ul>\n",
	    "- a\n- b\n  - c\n" },
	{ "3. a\n4. b", "<ol start=\"3\">\n<li>a\n</li>\n<li>b\n</li>\n</ol>\n",
	    "3. a\n4. b\n" },
	{ "1. a\n\n2. b",
	    "<ol>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n"
	    "</ol>\n",
	    "1. a\n\n2. b\n" },
	{ "> a\n>\n> b\n\nc",
	    "<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>\n<p>c</p>\n",
	    "> a\n>\n> b\n\nc\n" },
	{ "- > q\n\n  r\n",
	    "<ul>\n<li>\n<blockquote>\n<p>q</p>\n</blockquote>\n<p>r</p>\n"
	    "</li>\n</ul>\n",
	    "- > q\n\n  r\n" },
	{ "```\na <b>\n  c\n```\n",
	    "<pre><code>a &lt;b&gt;\n  c\n</code></pre>\n",
	    "    a <b>\n      c\n" },
	{ "---", "<hr>\n", "---\n" },
	{ "[a & b](https://x.example/?a=1&b=\"2\")",
	    "<p><a href=\"https://x.example/?a=1&amp;b=%222%22\"" REL
	    "a &amp; b</a></p>\n",
	    "a & b\n(https://x.example/?a=1&b=\"2\")\n" },
	{ "[own page](/posts/17#x) [top](#top)",
	    "<p><a href=\"/posts/17#x\"" REL "own page</a> "
	    "<a href=\"#top\"" REL "top</a></p>\n",
	    "own page (/posts/17#x) top\n(#top)\n" },
	{ "![a *cat*](https://x.example/c.png)",
	    "<p><a href=\"https://x.example/c.png\"" REL
	    "a <em>cat</em></a></p>\n",
	    "a cat\n(https://x.example/c.png)\n" },
	{ "![[in](https://a.example/)](https://b.example/)",
	    "<p><a href=\"https://b.example/\"" REL "in</a></p>\n",
	    "in (https://b.example/)\n" },
	/* What is not a good place to go to is no link. */
	{ "[x](javascript:alert(1))", "<p>x</p>\n", "x\n" },
	{ "[x](JavaScript:alert(1))", "<p>x</p>\n", "x\n" },
	{ "[x](&#106;avascript:alert(1))", "<p>x</p>\n", "x\n" },
	{ "[x](java&#10;script:alert(1))", "<p>x</p>\n", "x\n" },
	{ "[x](data:text/html,y)", "<p>x</p>\n", "x\n" },
	{ "[x](//evil.example/)", "<p>x</p>\n", "x\n" },
	{ "[x](/\\evil.example/)", "<p>x</p>\n", "x\n" },
	{ "[x](relative)", "<p>x</p>\n", "x\n" },
	{ "<javascript:alert(1)>", "<p>javascript:alert(1)</p>\n",
	    "javascript:alert(1)\n" },
	/* Addresses are links; the end of the sentence is not theirs. */
	{ "See https://x.example/a_b_c. (http://y.example/(1)) xhttps://z",
	    "<p>See <a href=\"https://x.example/a_b_c\"" REL
	    "https://x.example/a_b_c</a>. (<a "
	    "href=\"http://y.example/(1))\"" REL
	    "http://y.example/(1))</a> xhttps://z</p>\n",
	    "See "
	    "https://x.example/a_b_c.\n(http://y.example/(1))\nxhttps://z\n" },
	{ "(https://x.example) https://",
	    "<p>(<a href=\"https://x.example\"" REL "https://x.example</a>) "
	    "https://</p>\n",
	    "(https://x.example) https://\n" },
	{ "<https://x.example/>",
	    "<p><a href=\"https://x.example/\"" REL
	    "https://x.example/</a></p>\n",
	    "https://x.example/\n" },
	{ "<a@x.example>",
	    "<p><a href=\"mailto:a@x.example\"" REL "a@x.example</a></p>\n",
	    "a@x.example\n" },
	/* HTML is text. */
	{ "<script>alert(1)</script>\n",
	    "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n",
	    "<script>alert(1)</script>\n" },
	{ "a <b onclick='x'>c</b>\n",
	    "<p>a &lt;b onclick=&#39;x&#39;&gt;c&lt;/b&gt;</p>\n",
	    "a <b onclick='x'>c</b>\n" },
	{ "<!-- <img src=x onerror=alert(1)> -->",
	    "<p>&lt;!-- &lt;img src=x onerror=alert(1)&gt; --&gt;</p>\n",
	    "<!-- <img src=x\nonerror=alert(1)> -->\n" },
	{ "\xff \xc3\xa9", "<p>\xef\xbf\xbd \xc3\xa9</p>\n",
	    "\xef\xbf\xbd \xc3\xa9\n" },
	/* What turns the direction of a text around. */
	{ "a &#8238;b \xe2\x80\xae"
	  "c \xe2\x81\xa7",
	    "<p>a ?b ?c ?</p>\n",
	    "a \xe2\x80\xae"
	    "b \xe2\x80\xae"
	    "c \xe2\x81\xa7\n" },
	{ "one two three four five six seven eight",
	    "<p>one two three four five six seven eight</p>\n",
	    "one two three four five six\nseven eight\n" },
	{ "> - one two three four five six seven\n",
	    "<blockquote>\n<ul>\n<li>one two three four five six seven\n</li>\n"
	    "</ul>\n</blockquote>\n",
	    "> - one two three four five\n>   six seven\n" },
};

TEST(markdown_is_html_and_text)
{
	struct buf html = BUF_INIT(KIB(4)), text = BUF_INIT(KIB(4));

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&html, KIB(4));
		buf_reset(&text, KIB(4));
		markdown_html(str_c(cases[i].in), 3, &html);
		markdown_text(str_c(cases[i].in), 30, &text);
		if (!str_eq(buf_str(&html), str_c(cases[i].html)) ||
		    !str_eq(buf_str(&text), str_c(cases[i].text)))
			fail_msg("%s\n--- html\n%s--- text\n%s", cases[i].in,
			    buf_c(&html), buf_c(&text));
	}
	buf_done(&html);
	buf_done(&text);
}

TEST(it_is_put_behind_what_was_there)
{
	struct buf text = BUF_INIT(KIB(4));

	buf_put_c(&text, "Hello,\n\n  ");
	markdown_text(STR("- a\n- b"), 0, &text);
	assert_string_equal(buf_c(&text), "Hello,\n\n  - a\n- b\n");
	buf_done(&text);
}

TEST(a_line_tells_blocks_and_items_apart)
{
	static const struct {
		const char *in, *out;
	} lines[] = {
		{ "", "" },
		{ "One\nparagraph.", "One paragraph." },
		{ "no answer from:\n\n- SHOP since 12:37\n- NC041\n\nWritten "
		  "so.",
		    "no answer from: SHOP since 12:37 \xC2\xB7 NC041 \xC2\xB7 "
		    "Written so." },
		{ "# Head\n\nOne.\n\nTwo.",
		    "Head \xC2\xB7 One. \xC2\xB7 Two." },
		{ "3. a\n4. b\n\n> c\n\n---\n\n    d\n    e",
		    "a \xC2\xB7 b \xC2\xB7 c \xC2\xB7 d e" },
		{ "a  \nb", "a b" },
		{ "- a\n  - b\n- [c](https://x.example/)",
		    "a \xC2\xB7 b \xC2\xB7 c (https://x.example/)" },
		{ "- \n- a", "a" },
	};
	struct buf line = BUF_INIT(KIB(4));

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		buf_reset(&line, KIB(4));
		markdown_line(str_c(lines[i].in), &line);
		assert_string_equal(buf_c(&line), lines[i].out);
	}
	buf_reset(&line, KIB(4));
	buf_put_c(&line, "x ");
	markdown_line(STR("a\n\nb"), &line);
	assert_string_equal(buf_c(&line), "x a \xC2\xB7 b");
	buf_done(&line);
}

TEST(what_is_too_long_fails)
{
	static char long_text[MARKDOWN_MAX + 1];
	struct buf b = BUF_INIT(MARKDOWN_HTML_MAX);

	memset(long_text, 'x', sizeof(long_text));
	markdown_html(str_make(long_text, MARKDOWN_MAX), 1, &b);
	assert_false(b.failed);
	markdown_html(str_make(long_text, MARKDOWN_MAX + 1), 1, &b);
	assert_true(b.failed);
	buf_reset(&b, 0);
	markdown_text(str_make(long_text, MARKDOWN_MAX + 1), 0, &b);
	assert_true(b.failed);
	buf_done(&b);
}

/* What is repeated up to the largest size, and what stands before it. */
static const struct {
	const char *head, *repeat;
} hostile[] = {
	{ "", "[" },
	{ "", "]" },
	{ "", "![" },
	{ "", "![]()" },
	{ "", "[a](" },
	{ "", "[](" },
	{ "", "[a](b" },
	{ "", "[a](<b" },
	{ "", "[ (](" },
	{ "", "[[]()" },
	{ "", "](\n[" },
	{ "", "*_* _ " },
	{ "", "*a **a " },
	{ "", "**a *a " },
	{ "", "a**bc* " },
	{ "", "*a_ " },
	{ "", "_" },
	{ "", "`a``b```c" },
	{ "a", "<!--" },
	{ "a", "<?" },
	{ "a", "<!A " },
	{ "a", "<![CDATA[" },
	{ "", "<" },
	{ "", "<a b='" },
	{ "", "</" },
	{ "", "&" },
	{ "", "&a" },
	{ "", ">" },
	{ "", "> " },
	{ "", "- " },
	{ "", "1. " },
	{ "", "* a\n" },
	{ "", "- a\n\n" },
	{ "", ">\n-\n" },
	{ "[a]: /u\n\n", "[a] " },
	{ "", "[a]: b\n" },
	{ "", "\t- " },
	{ "", "https://" },
	{ "", "h" },
	{ "", "<a@b.c> " },
	{ "", "\\" },
	{ "", "a  \n" },
	{ "", "x\n" },
	{ "", "\n" },
};

/* Each 50 and more times what it takes: 10 ms and less without sanitizers. */
TEST(hostile_text_costs_little)
{
	struct buf in = BUF_INIT(MARKDOWN_MAX);
	struct buf out = BUF_INIT(MARKDOWN_HTML_MAX);

	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		struct str repeat = str_c(hostile[i].repeat);
		clock_t start = clock();

		buf_reset(&in, MARKDOWN_MAX);
		buf_put_c(&in, hostile[i].head);
		while (in.n + repeat.n <= MARKDOWN_MAX)
			buf_put_str(&in, repeat);
		buf_reset(&out, MARKDOWN_HTML_MAX);
		markdown_html(buf_str(&in), 3, &out);
		CHECK(!out.failed, hostile[i].repeat);
		buf_reset(&out, MARKDOWN_HTML_MAX);
		markdown_text(buf_str(&in), 72, &out);
		CHECK(!out.failed, hostile[i].repeat);
		CHECK((clock() - start) / (CLOCKS_PER_SEC / 1000) < 1000,
		    hostile[i].repeat);
	}
	buf_done(&in);
	buf_done(&out);
}

TEST(nesting_has_an_end)
{
	struct buf in = BUF_INIT(KIB(1)), out = BUF_INIT(KIB(64));
	struct str rest;
	size_t n = 0;

	for (size_t i = 0; i < 100; i++)
		buf_put_char(&in, '>');
	buf_put_char(&in, 'x');
	markdown_html(buf_str(&in), 3, &out);
	rest = buf_str(&out);
	for (ptrdiff_t at; (at = str_search(rest, STR("<blockquote>"))) >= 0;
	     n++)
		rest = str_from(rest, (size_t)at + 1);
	assert_int_equal(n, MARKDOWN_DEPTH);
	assert_true(
	    str_search(buf_str(&out), STR("<p>x</p>\n</blockquote>")) > 0);
	buf_done(&in);
	buf_done(&out);
}

TEST_MAIN(UNIT(markdown_is_html_and_text),
    UNIT(it_is_put_behind_what_was_there),
    UNIT(a_line_tells_blocks_and_items_apart), UNIT(what_is_too_long_fails),
    UNIT(hostile_text_costs_little), UNIT(nesting_has_an_end))
