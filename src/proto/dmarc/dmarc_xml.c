/* SPDX-License-Identifier: ISC */
/*
 * dmarc_xml.c - a pull parser for the XML of aggregate reports.
 */
#include "proto/dmarc/dmarc_xml.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_name_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '-' ||
	       c == '.' || c == ':';
}

static void
skip_space(struct str *s)
{
	while (s->n > 0 && is_space(s->p[0]))
		*s = str_from(*s, 1);
}

/* Drop prefix from the start of *s when it is there. */
static bool
take(struct str *s, struct str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	*s = str_from(*s, prefix.n);
	return true;
}

/* Drop all up to the end of what. */
static bool
skip_past(struct str *s, struct str what)
{
	ptrdiff_t at = str_search(*s, what);

	if (at < 0)
		return false;
	*s = str_from(*s, (size_t)at + what.n);
	return true;
}

/* A name as it is written, with its prefix. */
static bool
take_name(struct str *s, struct str *ret)
{
	size_t n = 0;

	while (n < s->n && n <= DMARC_XML_NAME_MAX && is_name_char(s->p[n]))
		n++;
	if (n == 0 || n > DMARC_XML_NAME_MAX || !ascii_is_alpha(s->p[0]))
		return false;
	*ret = str_first(*s, n);
	*s = str_from(*s, n);
	return true;
}

static struct str
without_prefix(struct str name)
{
	ptrdiff_t colon = str_rfind(name, ':');

	return str_from(name, (size_t)(colon + 1));
}

/* name="value", which nobody asks for. */
static bool
skip_attribute(struct str *s)
{
	struct str name, value;
	char quote;

	if (!take_name(s, &name))
		return false;
	skip_space(s);
	if (!take(s, STR("=")))
		return false;
	skip_space(s);
	if (s->n == 0 || (s->p[0] != '"' && s->p[0] != '\''))
		return false;
	quote = s->p[0];
	*s = str_from(*s, 1);
	if (str_find(*s, quote) < 0)
		return false;
	*s = str_split(*s, quote, &value);
	return str_find(value, '<') < 0;
}

static enum dmarc_xml_event
bad(struct dmarc_xml *x)
{
	/* Whatever is asked next, it is bad again. */
	x->rest = STR("<");
	x->depth = 0;
	x->is_empty = false;
	return DMARC_XML_BAD;
}

static enum dmarc_xml_event
open_element(struct dmarc_xml *x, struct str *ret)
{
	struct str name;
	bool has_space;

	if ((x->depth == 0 && x->has_root) || x->depth == DMARC_XML_DEPTH_MAX ||
	    !take_name(&x->rest, &name))
		return bad(x);
	for (;;) {
		has_space = x->rest.n > 0 && is_space(x->rest.p[0]);
		skip_space(&x->rest);
		if (take(&x->rest, STR(">")))
			break;
		if (take(&x->rest, STR("/>"))) {
			x->is_empty = true;
			break;
		}
		if (!has_space || !skip_attribute(&x->rest))
			return bad(x);
	}
	x->has_root = true;
	x->open[x->depth++] = name;
	*ret = without_prefix(name);
	return DMARC_XML_OPEN;
}

static enum dmarc_xml_event
close_element(struct dmarc_xml *x, struct str *ret)
{
	*ret = without_prefix(x->open[--x->depth]);
	return DMARC_XML_CLOSE;
}

static enum dmarc_xml_event
end_tag(struct dmarc_xml *x, struct str *ret)
{
	struct str name;

	if (x->depth == 0 || !take_name(&x->rest, &name) ||
	    !str_eq(name, x->open[x->depth - 1]))
		return bad(x);
	skip_space(&x->rest);
	if (!take(&x->rest, STR(">")))
		return bad(x);
	return close_element(x, ret);
}

void
dmarc_xml_init(struct dmarc_xml *x, struct str document)
{
	*x = (struct dmarc_xml){ .rest = document };
	take(&x->rest, STR("\xef\xbb\xbf"));
	/* One check here, and no name or text below needs one. */
	if (!str_is_utf8(document))
		bad(x);
}

static enum dmarc_xml_event
take_text(struct dmarc_xml *x, struct str *ret)
{
	ptrdiff_t at = str_find(x->rest, '<');

	if (at < 0)
		return bad(x);
	*ret = str_first(x->rest, (size_t)at);
	x->rest = str_from(x->rest, (size_t)at);
	return DMARC_XML_TEXT;
}

enum dmarc_xml_event
dmarc_xml_next(struct dmarc_xml *x, struct str *ret)
{
	if (x->is_empty) {
		x->is_empty = false;
		return close_element(x, ret);
	}
	for (;;) {
		if (x->depth == 0)
			skip_space(&x->rest);
		if (x->rest.n == 0)
			return x->depth == 0 && x->has_root ? DMARC_XML_END
			                                    : bad(x);
		if (x->rest.p[0] != '<')
			return x->depth > 0 ? take_text(x, ret) : bad(x);
		x->rest = str_from(x->rest, 1);
		if (take(&x->rest, STR("/")))
			return end_tag(x, ret);
		if (take(&x->rest, STR("?"))) {
			if (!skip_past(&x->rest, STR("?>")))
				return bad(x);
		} else if (take(&x->rest, STR("!--"))) {
			if (!skip_past(&x->rest, STR("-->")))
				return bad(x);
		} else {
			return open_element(x, ret);
		}
	}
}

/* The characters of XML 1.0, section 2.2. */
static bool
is_character(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return c < 0xd800 || (c >= 0xe000 && c <= 0xfffd) ||
	       (c >= 0x10000 && c <= 0x10ffff);
}

static void
put_utf8(struct buf *to, uint32_t c)
{
	if (c < 0x80) {
		buf_put_char(to, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_put_char(to, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_put_char(to, (char)(0xe0 | c >> 12));
		} else {
			buf_put_char(to, (char)(0xf0 | c >> 18));
			buf_put_char(to, (char)(0x80 | (c >> 12 & 63)));
		}
		buf_put_char(to, (char)(0x80 | (c >> 6 & 63)));
	}
	buf_put_char(to, (char)(0x80 | (c & 63)));
}

/* "#65" or "#x41": up to eight digits, so that nothing overflows. */
static bool
read_number(struct str s, uint32_t *ret)
{
	bool is_hex = str_starts(s, STR("#x"));
	uint32_t c = 0;

	s = str_from(s, is_hex ? 2 : 1);
	if (s.n == 0 || s.n > 8)
		return false;
	if (!is_hex)
		return str_to_u32(s, 0x10ffff, ret);
	for (size_t i = 0; i < s.n; i++) {
		char d = ascii_lower(s.p[i]);

		if (!ascii_is_digit(d) && (d < 'a' || d > 'f'))
			return false;
		c = c << 4 |
		    (uint32_t)(ascii_is_digit(d) ? d - '0' : d - 'a' + 10);
	}
	*ret = c;
	return true;
}

static bool
put_reference(struct str name, struct buf *to)
{
	static const struct {
		const char *name;
		char c;
	} known[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' },
		{ "quot", '"' }, { "apos", '\'' } };
	uint32_t c;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!str_eq(name, str_c(known[i].name)))
			continue;
		buf_put_char(to, known[i].c);
		return true;
	}
	if (!str_starts(name, STR("#")) || !read_number(name, &c) ||
	    !is_character(c))
		return false;
	put_utf8(to, c);
	return true;
}

bool
dmarc_xml_decode(struct str text, struct buf *to)
{
	struct str plain, name;

	while (text.n > 0) {
		bool has_more = str_find(text, '&') >= 0;

		text = str_split(text, '&', &plain);
		for (size_t i = 0; i < plain.n; i++)
			if (!is_character((unsigned char)plain.p[i]))
				return false;
		buf_put_str(to, plain);
		if (!has_more)
			break;
		if (str_find(text, ';') < 0)
			return false;
		text = str_split(text, ';', &name);
		if (!put_reference(name, to))
			return false;
	}
	return !to->failed;
}

static size_t
character_length(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	return n <= s.n && str_is_utf8(str_first(s, n)) ? n : 0;
}

void
dmarc_xml_put_text(struct buf *to, struct str s)
{
	while (s.n > 0) {
		size_t n = character_length(s);

		/* U+FFFE and U+FFFF are no characters of XML. */
		if (n == 0 ||
		    (n == 1 &&
			(s.p[0] == 0x7f || (unsigned char)s.p[0] < ' ')) ||
		    str_starts(s, STR("\xef\xbf\xbe")) ||
		    str_starts(s, STR("\xef\xbf\xbf")))
			buf_put_char(to, '?');
		else if (s.p[0] == '&')
			buf_put_c(to, "&amp;");
		else if (s.p[0] == '<')
			buf_put_c(to, "&lt;");
		else if (s.p[0] == '>')
			buf_put_c(to, "&gt;");
		else
			buf_put(to, s.p, n);
		s = str_from(s, MAX(n, (size_t)1));
	}
}
