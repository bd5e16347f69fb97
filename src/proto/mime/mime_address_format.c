/* SPDX-License-Identifier: ISC */
/*
 * mime_address_format.c - address lists written. See mime_address.h.
 *
 * What needs quotes gets them, so that parsing gives back what was written.
 */
#include "proto/mime/mime_address.h"

static bool
is_atext(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || (c & 0x80) ||
	       (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* RFC 5322 section 3.2.3: atoms with single dots between them. */
static bool
is_dot_atom(struct str s)
{
	bool dot_fits = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '.' && !is_atext(s.p[i]))
			return false;
		if (s.p[i] == '.' && !dot_fits)
			return false;
		dot_fits = s.p[i] != '.';
	}
	return dot_fits;
}

/* Atoms with single blanks between them need no quotes in a name. */
static bool
is_phrase(struct str s)
{
	bool blank_fits = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ' ' && !is_atext(s.p[i]))
			return false;
		if (s.p[i] == ' ' && !blank_fits)
			return false;
		blank_fits = s.p[i] != ' ';
	}
	return blank_fits;
}

static void
put_quoted(struct str s, struct buf *out)
{
	buf_put_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\r' || c == '\n' || c == '\0')
			continue;
		if (c == '"' || c == '\\')
			buf_put_char(out, '\\');
		buf_put_char(out, c);
	}
	buf_put_char(out, '"');
}

void
mime_address_put_spec(const struct mime_address *addr, struct buf *out)
{
	if (addr->kind != MIME_ADDRESS_MAILBOX)
		return;
	if (is_dot_atom(addr->local))
		buf_put_str(out, addr->local);
	else
		put_quoted(addr->local, out);
	if (addr->domain.p) {
		buf_put_char(out, '@');
		buf_put_str(out, addr->domain);
	}
}

static void
put_name(struct str name, struct buf *out)
{
	if (is_phrase(name))
		buf_put_str(out, name);
	else
		put_quoted(name, out);
}

void
mime_address_format(const struct mime_address *list, struct buf *out)
{
	const char *comma = "";

	for (const struct mime_address *a = list; a; a = a->next) {
		if (a->kind == MIME_ADDRESS_GROUP_END) {
			buf_put_char(out, ';');
			comma = ", ";
			continue;
		}
		buf_put_c(out, comma);
		if (a->name.p)
			put_name(a->name, out);
		if (a->kind == MIME_ADDRESS_GROUP) {
			buf_put_char(out, ':');
			comma = " ";
			continue;
		}
		buf_put_c(out, a->name.p ? " <" : "<");
		mime_address_put_spec(a, out);
		buf_put_char(out, '>');
		comma = ", ";
	}
}
