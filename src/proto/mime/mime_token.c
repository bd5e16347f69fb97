/* SPDX-License-Identifier: ISC */
/*
 * mime_token.c - lexical pieces of structured fields. See
 * mime_token_internal.h.
 */
#include "proto/mime/mime_token_internal.h"

static char
closing_of(char open)
{
	return (char)(open == '(' ? ')' : open == '[' ? ']' : '"');
}

size_t
token_enclosed_length(struct str s)
{
	char open = s.p[0], close = closing_of(open);
	size_t depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\')
			i++;
		else if (c == open && (open == '(' || depth == 0))
			depth++;
		else if (c == close && --depth == 0)
			return i + 1;
	}
	return s.n;
}

struct str
token_skip_blanks(struct str s)
{
	while (s.n && token_is_blank(s.p[0]))
		s = str_from(s, 1);
	return s;
}

struct str
token_skip_cfws(struct str s)
{
	for (;;) {
		s = token_skip_blanks(s);
		if (!s.n || s.p[0] != '(')
			return s;
		s = str_from(s, token_enclosed_length(s));
	}
}

size_t
token_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] > ' ' && s.p[n] != 127 &&
	       !strchr("()<>@,;:\\\"/[]?=", s.p[n]))
		n++;
	return n;
}

static bool
needs_copy(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\\' || s.p[i] == '\r' || s.p[i] == '\n' ||
		    s.p[i] == '\0')
			return true;
	return false;
}

/* Is the last byte of s behind an odd number of backslashes? */
static bool
ends_escaped(struct str s)
{
	size_t n = 0;

	while (n + 1 < s.n && s.p[s.n - 2 - n] == '\\')
		n++;
	return n % 2;
}

struct str
token_unquote(struct str s, struct arena *a)
{
	char close = closing_of(s.p[0]), *to;
	size_t n = 0;

	if (s.n > 1 && s.p[s.n - 1] == close && !ends_escaped(s))
		s.n--;
	s = str_from(s, 1);
	if (!needs_copy(s))
		return s;
	to = arena_alloc(a, s.n);
	if (!to)
		return STR_NONE;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		if (s.p[i] != '\r' && s.p[i] != '\n' && s.p[i] != '\0')
			to[n++] = s.p[i];
	}
	return str_make(to, n);
}
