/* SPDX-License-Identifier: ISC */
/*
 * Markdown, whatever it is. Properties: the HTML has the elements of one list
 * and no others, each with the attributes that it may have and no others, ended
 * in order; links have a scheme of another list; neither form fails for a
 * text of a legal length.
 */
#include "base/markdown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OPEN_MAX 200

struct reader {
	struct str rest;
	const char *open[OPEN_MAX];
	size_t n_open;
};

static bool
take(struct reader *r, struct str s)
{
	if (!str_starts(r->rest, s))
		return false;
	r->rest = str_from(r->rest, s.n);
	return true;
}

static bool
take_c(struct reader *r, const char *s)
{
	return take(r, str_c(s));
}

static void
check_link(struct reader *r)
{
	static const char *const good[] = { "http://", "https://",
		"mailto:", "tel:", "sip:", "#", "/" };
	struct str url;
	bool is_good = false;

	ASSERT(str_find(r->rest, '"') > 0);
	r->rest = str_split(r->rest, '"', &url);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		is_good |= str_starts_case(url, str_c(good[i]));
	ASSERT(is_good && !str_starts(url, STR("//")));
	for (size_t i = 0; i < url.n; i++)
		ASSERT(url.p[i] > ' ' && url.p[i] < 0x7F && url.p[i] != '<');
	ASSERT(take_c(r, " rel=\"nofollow noopener\">"));
}

static void
check_start(struct reader *r, const char *name)
{
	ASSERT(r->n_open < OPEN_MAX);
	r->open[r->n_open++] = name;
	if (strcmp(name, "a") == 0) {
		ASSERT(take_c(r, " href=\""));
		for (size_t i = 0; i + 1 < r->n_open; i++)
			ASSERT(strcmp(r->open[i], "a") != 0);
		check_link(r);
	} else if (strcmp(name, "ol") == 0 && take_c(r, " start=\"")) {
		struct str digits;
		uint32_t n;

		r->rest = str_split(r->rest, '"', &digits);
		ASSERT(str_to_u32(digits, UINT32_MAX, &n) && take_c(r, ">"));
	} else {
		ASSERT(take_c(r, ">"));
	}
}

static void
check_tag(struct reader *r)
{
	static const char *const names[] = { "blockquote", "strong", "code",
		"pre", "ul", "ol", "li", "em", "h3", "h4", "h5", "h6", "p",
		"a" };
	bool is_end = take_c(r, "/");

	if (!is_end && (take_c(r, "hr>\n") || take_c(r, "br>\n")))
		return;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!take_c(r, names[i]))
			continue;
		if (!is_end) {
			check_start(r, names[i]);
			return;
		}
		ASSERT(r->n_open > 0 && r->open[--r->n_open] == names[i]);
		ASSERT(take_c(r, ">"));
		return;
	}
	ASSERT(!"an element of the list");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);
	struct buf html = BUF_INIT(MARKDOWN_HTML_MAX);
	struct buf text = BUF_INIT(MARKDOWN_TEXT_MAX);
	struct buf line = BUF_INIT(MARKDOWN_TEXT_MAX);
	struct reader r = { 0 };

	markdown_html(in, 3, &html);
	markdown_text(in, size % 80, &text);
	markdown_line(in, &line);
	ASSERT(line.failed == html.failed);
	ASSERT(str_find(buf_str(&line), '\n') < 0);
	ASSERT(html.failed == (size > MARKDOWN_MAX));
	ASSERT(text.failed == html.failed);
	r.rest = buf_str(&html);
	while (r.rest.n > 0 && !html.failed) {
		char c = r.rest.p[0];

		r.rest = str_from(r.rest, 1);
		if (c == '<')
			check_tag(&r);
		ASSERT(c != '>' && c != '"' && c != '\'');
	}
	ASSERT(r.n_open == 0);
	buf_done(&html);
	buf_done(&text);
	buf_done(&line);
	return 0;
}
