/* SPDX-License-Identifier: ISC */
/*
 * dkim_canon.c - canonical forms of header fields and bodies.
 */
#include "proto/dkim/dkim_canon.h"

static void
put(const struct dkim_sink *to, struct str s)
{
	if (s.n)
		to->put(to->arg, s);
}

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* --- header fields (sections 3.4.1 and 3.4.2) ------------------------------ */

static void
put_lower(struct str s, const struct dkim_sink *to)
{
	char part[64];

	while (s.n) {
		size_t n = MIN(s.n, sizeof(part));

		for (size_t i = 0; i < n; i++)
			part[i] = ascii_lower(s.p[i]);
		put(to, str_make(part, n));
		s = str_from(s, n);
	}
}

/* Length of the blank at the start of s: spaces, tabs, and CRLF of a fold. */
static size_t
blank_length(struct str s)
{
	size_t n = 0;

	while (n < s.n) {
		if (is_wsp(s.p[n]))
			n++;
		else if (str_starts(str_from(s, n), STR("\r\n")))
			n += 2;
		else
			break;
	}
	return n;
}

/* Length of what stands before the next blank. */
static size_t
word_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && !is_wsp(s.p[n]) &&
	       !(s.p[n] == '\r' && n + 1 < s.n && s.p[n + 1] == '\n'))
		n++;
	return n;
}

static void
put_relaxed_value(struct str s, const struct dkim_sink *to)
{
	bool is_first = true;

	for (s = str_from(s, blank_length(s)); s.n;
	     s = str_from(s, blank_length(s))) {
		size_t n = word_length(s);

		if (!is_first)
			put(to, STR(" "));
		put(to, str_first(s, n));
		s = str_from(s, n);
		is_first = false;
	}
}

void
dkim_canon_field(enum dkim_canon canon, struct str field, bool with_crlf,
    const struct dkim_sink *to)
{
	ptrdiff_t colon = str_find(field, ':');

	if (canon == DKIM_SIMPLE || colon < 0) {
		put(to, field);
	} else {
		struct str name = str_first(field, (size_t)colon);

		while (name.n && is_wsp(name.p[name.n - 1]))
			name.n--;
		put_lower(name, to);
		put(to, STR(":"));
		put_relaxed_value(str_from(field, (size_t)colon + 1), to);
	}
	if (with_crlf)
		put(to, STR("\r\n"));
}

/* --- bodies (sections 3.4.3 and 3.4.4) ------------------------------------- */

void
dkim_body_init(
    struct dkim_body *b, enum dkim_canon canon, const struct dkim_sink *to)
{
	*b = (struct dkim_body){ .canon = canon, .to = *to };
}

static void
put_line_ends(struct dkim_body *b)
{
	static const char many[] = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
				   "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

	while (b->line_ends > 0) {
		uint64_t n = MIN(b->line_ends, (sizeof(many) - 1) / 2);

		put(&b->to, str_make(many, (size_t)(2 * n)));
		b->line_ends -= n;
	}
}

/* Bytes that are neither blanks (when those count) nor part of a line end. */
static void
put_data(struct dkim_body *b, struct str s)
{
	put_line_ends(b);
	if (b->has_blank)
		put(&b->to, STR(" "));
	b->has_blank = false;
	put(&b->to, s);
	b->has_content = true;
}

/* A lone SP between two words stays what it is. */
static bool
is_lone_blank(struct str s, size_t n)
{
	return n > 0 && n + 1 < s.n && s.p[n] == ' ' && !is_wsp(s.p[n + 1]) &&
	       s.p[n + 1] != '\r';
}

/* Length of the run that needs no second look: mostly all of a line. */
static size_t
data_length(const struct dkim_body *b, struct str s)
{
	size_t n = 0;

	if (b->canon == DKIM_SIMPLE) {
		const char *cr = memchr(s.p, '\r', s.n);

		return cr ? (size_t)(cr - s.p) : s.n;
	}
	while (n < s.n && s.p[n] != '\r' &&
	       (!is_wsp(s.p[n]) || is_lone_blank(s, n)))
		n++;
	return n;
}

/* The byte behind a CR; answers whether it was the LF of a line end. */
static bool
after_cr(struct dkim_body *b, char c)
{
	b->has_cr = false;
	if (c != '\n') {
		put_data(b, STR("\r"));
		return false;
	}
	b->has_blank = false;
	b->line_ends++;
	return true;
}

void
dkim_body_feed(struct dkim_body *b, struct str part)
{
	while (part.n) {
		size_t n;

		if (b->has_cr && after_cr(b, part.p[0])) {
			part = str_from(part, 1);
			continue;
		}
		n = data_length(b, part);
		if (n > 0) {
			put_data(b, str_first(part, n));
			part = str_from(part, n);
			continue;
		}
		if (part.p[0] == '\r')
			b->has_cr = true;
		else
			b->has_blank = true;
		part = str_from(part, 1);
	}
}

void
dkim_body_finish(struct dkim_body *b)
{
	if (b->has_cr)
		put_data(b, STR("\r"));
	b->has_cr = false;
	b->has_blank = false;
	/*
	 * One line end closes a body, whether there was none or many. Without
	 * any content, simple still has it, and relaxed has nothing at all.
	 */
	if (b->has_content || b->canon == DKIM_SIMPLE)
		put(&b->to, STR("\r\n"));
	b->line_ends = 0;
}
