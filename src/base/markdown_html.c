/* SPDX-License-Identifier: ISC */
/* markdown_html.c - Markdown as HTML. See markdown.h. */
#include "base/markdown.h"

struct writer {
	struct buf *to;
	unsigned heading;
	unsigned
	    above; /* a bit for each level that the last one is below, and its own */
	unsigned blocks;  /* open ones, written or not */
	unsigned inlines; /* likewise */
	unsigned links;
	bool is_link_written; /* the outermost one */
};

void
markdown_put_escaped(struct buf *to, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (str_turns_around(str_from(s, i))) {
			buf_put_char(to, '?');
			i += 2;
			continue;
		}
		switch (s.p[i]) {
		case '&':
			buf_put_c(to, "&amp;");
			break;
		case '<':
			buf_put_c(to, "&lt;");
			break;
		case '>':
			buf_put_c(to, "&gt;");
			break;
		case '"':
			buf_put_c(to, "&quot;");
			break;
		case '\'':
			buf_put_c(to, "&#39;");
			break;
		default:
			buf_put_char(to, s.p[i]);
		}
	}
}

/* A URL in quotes: what may not stand in one is %-encoded (RFC 3986). */
static void
put_url(struct buf *to, struct str url)
{
	for (size_t i = 0; i < url.n; i++) {
		unsigned char c = (unsigned char)url.p[i];

		if (c <= ' ' || c >= 0x7F || strchr("\"<>\\^`{|}", c) != NULL)
			buf_printf(to, "%%%02X", c);
		else
			markdown_put_escaped(to, str_sub(url, i, 1));
	}
}

static void
open_link(struct buf *to, struct str url)
{
	buf_put_c(to, "<a href=\"");
	put_url(to, url);
	buf_put_c(to, "\" rel=\"nofollow noopener\">");
}

/* --- addresses in a text ------------------------------------------------------- */

static bool
is_url_char(char c)
{
	return c > ' ' && c < 0x7F && strchr("<>\"`{}|\\^", c) == NULL;
}

/* How much of s, which begins with a scheme, is the address: punctuation at
 * its end belongs to the sentence. */
static size_t
url_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && is_url_char(s.p[n]))
		n++;
	while (n > 0 &&
	       (strchr(".,;:!?'*_", s.p[n - 1]) != NULL ||
		   (s.p[n - 1] == ')' && str_find(str_first(s, n), '(') < 0)))
		n--;
	return n;
}

static size_t
scheme_length(struct str s)
{
	return str_starts(s, STR("https://"))  ? 8
	       : str_starts(s, STR("http://")) ? 7
	                                       : 0;
}

static void
put_text(struct writer *w, struct str s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n && w->links == 0; i++) {
		struct str rest = str_from(s, i);
		size_t scheme, n;

		if (s.p[i] != 'h' || (i > 0 && ascii_is_alpha(s.p[i - 1])))
			continue;
		scheme = scheme_length(rest);
		n = scheme > 0 ? url_length(rest) : 0;
		if (n <= scheme)
			continue;
		markdown_put_escaped(w->to, str_sub(s, from, i - from));
		open_link(w->to, str_first(rest, n));
		markdown_put_escaped(w->to, str_first(rest, n));
		buf_put_c(w->to, "</a>");
		from = i + n;
		i = from - 1;
	}
	markdown_put_escaped(w->to, str_from(s, from));
}

/* --- elements -------------------------------------------------------------------- */

/* Begin or end something that nests; is it shallow enough to be written? */
static bool
nest(unsigned *depth, bool is_end)
{
	if (is_end)
		return (*depth)-- <= MARKDOWN_DEPTH;
	return ++*depth <= MARKDOWN_DEPTH;
}

static void
put_block(struct writer *w, const struct markdown_event *e, const char *name)
{
	if (!nest(&w->blocks, e->is_end))
		return;
	if (e->node == MARKDOWN_LIST && e->is_ordered && !e->is_end &&
	    e->number != 1)
		buf_printf(w->to, "<%s start=\"%u\">", name, e->number);
	else
		buf_printf(w->to, e->is_end ? "</%s>" : "<%s>", name);
	if (e->node != MARKDOWN_ITEM || e->is_end || !e->is_tight)
		buf_put_char(w->to, '\n');
}

static void
put_inline(struct writer *w, const struct markdown_event *e, const char *name)
{
	if (nest(&w->inlines, e->is_end))
		buf_printf(w->to, e->is_end ? "</%s>" : "<%s>", name);
}

/* A link in a link (of an image) is none. */
static void
put_link(struct writer *w, const struct markdown_event *e)
{
	if (e->is_end) {
		if (--w->links == 0 && w->is_link_written)
			buf_put_c(w->to, "</a>");
		return;
	}
	if (++w->links > 1)
		return;
	w->is_link_written = e->url.n > 0;
	if (w->is_link_written)
		open_link(w->to, e->url);
}

static void
put_leaf(struct writer *w, const char *before, struct str s, const char *behind)
{
	buf_put_c(w->to, before);
	markdown_put_escaped(w->to, s);
	buf_put_c(w->to, behind);
}

static void
put_heading(struct writer *w, const struct markdown_event *e)
{
	unsigned level;

	/* As deep as there are headings above it: no level is left out. */
	if (!e->is_end)
		w->above =
		    (w->above & ((1U << e->number) - 1)) | 1U << e->number;
	level = w->heading + (unsigned)__builtin_popcount(w->above) - 1;
	level = MIN(level, 6);
	buf_printf(w->to, e->is_end ? "</h%u>\n" : "<h%u>", level);
}

static void
put_paragraph(struct writer *w, const struct markdown_event *e)
{
	if (!e->is_tight)
		buf_put_c(w->to, e->is_end ? "</p>\n" : "<p>");
	else if (e->is_end)
		buf_put_char(w->to, '\n');
}

static void
on_event(void *arg, const struct markdown_event *e)
{
	struct writer *w = arg;

	switch (e->node) {
	case MARKDOWN_QUOTE:
		put_block(w, e, "blockquote");
		break;
	case MARKDOWN_LIST:
		put_block(w, e, e->is_ordered ? "ol" : "ul");
		break;
	case MARKDOWN_ITEM:
		put_block(w, e, "li");
		break;
	case MARKDOWN_CODE_BLOCK:
		put_leaf(w, "<pre><code>", e->text, "</code></pre>\n");
		break;
	case MARKDOWN_PARAGRAPH:
		put_paragraph(w, e);
		break;
	case MARKDOWN_HEADING:
		put_heading(w, e);
		break;
	case MARKDOWN_RULE:
		buf_put_c(w->to, "<hr>\n");
		break;
	case MARKDOWN_TEXT:
		put_text(w, e->text);
		break;
	case MARKDOWN_SPACE:
		buf_put_char(w->to, '\n');
		break;
	case MARKDOWN_BREAK:
		buf_put_c(w->to, "<br>\n");
		break;
	case MARKDOWN_CODE:
		put_leaf(w, "<code>", e->text, "</code>");
		break;
	case MARKDOWN_EMPHASIS:
		put_inline(w, e, "em");
		break;
	case MARKDOWN_STRONG:
		put_inline(w, e, "strong");
		break;
	case MARKDOWN_LINK:
		put_link(w, e);
		break;
	}
}

void
markdown_html(struct str text, unsigned heading, struct buf *to)
{
	struct writer w = { .to = to, .heading = heading };

	ASSERT(heading >= 1 && heading <= 6);
	if (!markdown_walk(text, on_event, &w))
		to->failed = true;
}
