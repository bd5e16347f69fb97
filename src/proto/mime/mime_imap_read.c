/* SPDX-License-Identifier: ISC */
/*
 * mime_imap_read.c - pre-rendered IMAP texts, read without trust. See
 * mime_imap_internal.h.
 *
 * A text that gets through here cannot end the response it is put into:
 * every parenthesis, quote and literal in it is balanced.
 */
#include "proto/mime/mime_imap_internal.h"

/* Length of the quoted string at the start of s; 0 when it is none. */
static size_t
quoted_length(struct str s)
{
	for (size_t i = 1; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"')
			return i + 1;
		if (c == '\\' &&
		    (++i == s.n || (s.p[i] != '"' && s.p[i] != '\\')))
			return 0;
		if ((c < ' ' && c != '\t') || c >= 127)
			return 0;
	}
	return 0;
}

/* "{3}CRLFabc" */
static size_t
literal_length(struct str s)
{
	struct str digits, rest = str_split(str_sub(s, 1, 12), '}', &digits);
	size_t at = digits.n + 4;
	uint32_t n;

	if (!rest.p || !str_to_u32(digits, MIME_STRUCTURE_MAX, &n) ||
	    !str_eq(str_sub(s, digits.n + 2, 2), STR("\r\n")) || s.n < at ||
	    n > s.n - at || (n && memchr(s.p + at, '\0', n)))
		return 0;
	return at + n;
}

static size_t
atom_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && (ascii_is_alpha(s.p[n]) || ascii_is_digit(s.p[n])))
		n++;
	return n;
}

/* A string, NIL or a number. */
static size_t
scalar_length(struct str s)
{
	if (!s.n)
		return 0;
	if (s.p[0] == '"')
		return quoted_length(s);
	return s.p[0] == '{' ? literal_length(s) : atom_length(s);
}

static size_t
list_length(struct str s)
{
	size_t i = 0, depth = 0;

	do {
		size_t n = 1;

		if (i >= s.n)
			return 0;
		if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')')
			depth--;
		else if (s.p[i] != ' ')
			n = scalar_length(str_from(s, i));
		if (!n || depth > IMAP_TEXT_DEPTH)
			return 0;
		i += n;
	} while (depth);
	return i;
}

static size_t
item_length(struct str s)
{
	return s.n && s.p[0] == '(' ? list_length(s) : scalar_length(s);
}

bool
imap_is_list(struct str s)
{
	return s.n && s.p[0] == '(' && list_length(s) == s.n;
}

struct reader {
	struct str in;
	struct buf *out; /* or NULL: only look */
	unsigned depth;
};

static void
put(struct reader *r, struct str s)
{
	if (r->out)
		buf_put_str(r->out, s);
}

static bool
take_char(struct reader *r, char c)
{
	if (!r->in.n || r->in.p[0] != c)
		return false;
	put(r, str_first(r->in, 1));
	r->in = str_from(r->in, 1);
	return true;
}

/* A blank, if before is set, and an item behind it. */
static bool
take_item(struct reader *r, bool before, struct str *ret)
{
	size_t n;

	if (before && !take_char(r, ' '))
		return false;
	n = item_length(r->in);
	if (!n)
		return false;
	*ret = str_first(r->in, n);
	put(r, *ret);
	r->in = str_from(r->in, n);
	return true;
}

/* What is left of the list, closing parenthesis included, is not copied. */
static bool
skip_extension(struct reader *r)
{
	struct buf *out = r->out;
	struct str item;

	r->out = NULL;
	while (r->in.n && r->in.p[0] == ' ')
		if (!take_item(r, true, &item))
			return false;
	r->out = out;
	return take_char(r, ')');
}

static bool take_body(struct reader *r);

static bool
take_single(struct reader *r)
{
	struct str type, subtype, item;
	bool is_message;

	if (!take_item(r, false, &type) || !take_item(r, true, &subtype))
		return false;
	for (int i = 0; i < 5; i++)
		if (!take_item(r, true, &item))
			return false;
	is_message = str_eq_case(type, STR("\"message\"")) &&
	             str_eq_case(subtype, STR("\"rfc822\""));
	if (is_message &&
	    (!take_item(r, true, &item) || !take_char(r, ' ') || !take_body(r)))
		return false;
	if ((is_message || str_eq_case(type, STR("\"text\""))) &&
	    !take_item(r, true, &item))
		return false;
	return skip_extension(r);
}

static bool
take_multipart(struct reader *r)
{
	struct str item;

	while (r->in.n && r->in.p[0] == '(')
		if (!take_body(r))
			return false;
	return take_item(r, true, &item) && skip_extension(r);
}

static bool
take_body(struct reader *r)
{
	bool ok;

	if (r->depth++ > IMAP_TEXT_DEPTH || !take_char(r, '('))
		return false;
	ok = r->in.n && r->in.p[0] == '(' ? take_multipart(r) : take_single(r);
	r->depth--;
	return ok;
}

bool
imap_copy_body(struct str bodystructure, struct buf *out)
{
	struct reader r = { .in = bodystructure, .out = out };

	return take_body(&r) && r.in.n == 0;
}
