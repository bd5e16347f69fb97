/* SPDX-License-Identifier: ISC */
/*
 * authres_parse.c - read Authentication-Results fields.
 *
 * A cursor with a sticky error over the whole value. Comments may stand
 * almost anywhere and are skipped; nesting is counted, not followed.
 */
#include "proto/authres/authres.h"

struct cursor {
	struct str rest;
	struct arena *arena;
	bool is_bad;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Keywords are letters, digits and dashes; underscores are seen. */
static bool
is_keyword(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

/* What may stand in a value without quotes, seen with generous eyes. */
static bool
is_value(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && c != ';' && c != '(' &&
	       c != ')' && c != '"' && c != '\\';
}

/* Length of the comment at the start of s, or 0 when it does not end. */
static size_t
comment_length(struct str s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

static void
skip_cfws(struct cursor *c)
{
	while (c->rest.n) {
		size_t n = 1;

		if (c->rest.p[0] == '(')
			n = comment_length(c->rest);
		else if (!is_blank(c->rest.p[0]))
			return;
		if (n == 0) {
			c->is_bad = true;
			return;
		}
		c->rest = str_from(c->rest, n);
	}
}

static bool
at(const struct cursor *c, char want)
{
	return !c->is_bad && c->rest.n > 0 && c->rest.p[0] == want;
}

/* Take one character, with comments and blanks around it. */
static bool
take(struct cursor *c, char want)
{
	skip_cfws(c);
	if (!at(c, want))
		return false;
	c->rest = str_from(c->rest, 1);
	skip_cfws(c);
	return !c->is_bad;
}

static void
expect(struct cursor *c, char want)
{
	if (!take(c, want))
		c->is_bad = true;
}

static struct str
take_while(struct cursor *c, bool (*is_it)(char))
{
	size_t n = 0;
	struct str s;

	while (n < c->rest.n && is_it(c->rest.p[n]))
		n++;
	s = str_first(c->rest, n);
	c->rest = str_from(c->rest, n);
	if (n == 0)
		c->is_bad = true;
	return s;
}

/* Offset of the quote that ends the quoted string s, or s.n. */
static size_t
quoted_end(struct str s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '"')
			return i;
		if (s.p[i] == '\\')
			i++;
	}
	return s.n;
}

/* A quoted string, decoded into the arena; line ends of folds are dropped. */
static struct str
take_quoted(struct cursor *c)
{
	size_t end = quoted_end(c->rest), n = 0;
	char *out = arena_alloc(c->arena, end);

	if (!out || end == c->rest.n) {
		c->is_bad = true;
		return STR_NONE;
	}
	for (size_t i = 1; i < end; i++) {
		if (c->rest.p[i] == '\\')
			i++;
		else if (c->rest.p[i] == '\r' || c->rest.p[i] == '\n')
			continue;
		out[n++] = c->rest.p[i];
	}
	c->rest = str_from(c->rest, end + 1);
	return str_make(out, n);
}

/* A token or quoted string, or an address whose local part is quoted. */
static struct str
take_value(struct cursor *c)
{
	struct str begin = c->rest, quoted;

	if (!at(c, '"'))
		return take_while(c, is_value);
	quoted = take_quoted(c);
	if (!at(c, '@'))
		return quoted;
	(void)take_while(c, is_value);
	return str_first(begin, begin.n - c->rest.n);
}

static struct authres_prop
take_prop(struct cursor *c, struct str type)
{
	struct authres_prop p = { .type = type };

	expect(c, '.');
	p.name = take_while(c, is_keyword);
	expect(c, '=');
	p.value = take_value(c);
	return p;
}

/* What follows "method=result": a reason and properties, in any order. */
static void
take_details(struct cursor *c, struct authres_result *r)
{
	struct authres_prop props[AUTHRES_PROPS_MAX], *copy;
	size_t n = 0;

	for (skip_cfws(c); !c->is_bad && c->rest.n && !at(c, ';');
	     skip_cfws(c)) {
		struct str word = take_while(c, is_keyword);

		skip_cfws(c);
		if (str_eq_case(word, STR("reason")) && at(c, '=')) {
			expect(c, '=');
			r->reason = take_value(c);
		} else if (n == AUTHRES_PROPS_MAX) {
			c->is_bad = true;
		} else {
			props[n++] = take_prop(c, word);
		}
	}
	if (c->is_bad || n == 0)
		return;
	copy = arena_calloc(c->arena, n, sizeof(*copy));
	if (!copy) {
		c->is_bad = true;
		return;
	}
	memcpy(copy, props, n * sizeof(*copy));
	r->props = copy;
	r->props_n = n;
}

static struct str
trim_end(struct str s)
{
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static struct authres_result
take_result(struct cursor *c)
{
	struct authres_result r = { 0 };
	struct str begin = c->rest;

	r.method = take_while(c, is_keyword);
	if (take(c, '/'))
		r.version = take_while(c, ascii_is_digit);
	expect(c, '=');
	r.result = take_while(c, is_keyword);
	take_details(c, &r);
	r.raw = trim_end(str_first(begin, begin.n - c->rest.n));
	return r;
}

/* ";" "none" and nothing else? */
static bool
take_none(struct cursor *c)
{
	struct cursor ahead = *c;
	struct str word;

	if (!take(&ahead, ';'))
		return false;
	word = take_while(&ahead, is_keyword);
	skip_cfws(&ahead);
	if (ahead.is_bad || ahead.rest.n || !str_eq_case(word, STR("none")))
		return false;
	*c = ahead;
	return true;
}

static size_t
take_results(struct cursor *c, struct authres_result *results)
{
	size_t n = 0;

	while (take(c, ';')) {
		/* ";;" and a semicolon at the end are seen in real mail. */
		if (c->rest.n == 0 || at(c, ';'))
			continue;
		if (n == AUTHRES_RESULTS_MAX) {
			c->is_bad = true;
			break;
		}
		results[n++] = take_result(c);
	}
	skip_cfws(c);
	if (c->rest.n)
		c->is_bad = true;
	return n;
}

/* The identifier: a token or a quoted string. */
static struct str
take_id(struct cursor *c)
{
	skip_cfws(c);
	return take_value(c);
}

bool
authres_parse(struct str value, struct arena *arena, struct authres *ret)
{
	struct cursor c = { .rest = value, .arena = arena };
	struct authres_result results[AUTHRES_RESULTS_MAX], *copy;
	struct authres a = { 0 };

	if (value.n > AUTHRES_FIELD_MAX)
		return false;
	a.id = take_id(&c);
	skip_cfws(&c);
	if (c.rest.n && ascii_is_digit(c.rest.p[0]))
		a.version = take_while(&c, ascii_is_digit);
	if (!c.is_bad && !take_none(&c))
		a.results_n = take_results(&c, results);
	if (c.is_bad)
		return false;
	copy = arena_calloc(arena, a.results_n, sizeof(*copy));
	if (!copy)
		return false;
	if (a.results_n)
		memcpy(copy, results, a.results_n * sizeof(*copy));
	a.results = copy;
	*ret = a;
	return true;
}

struct str
authres_prop(const struct authres_result *r, const char *type, const char *name)
{
	for (size_t i = 0; i < r->props_n; i++)
		if (str_eq_case(r->props[i].type, str_c(type)) &&
		    str_eq_case(r->props[i].name, str_c(name)))
			return r->props[i].value;
	return STR_NONE;
}

bool
authres_claims(struct str value, struct str id)
{
	struct arena arena;
	struct cursor c = { .rest = str_first(value, AUTHRES_FIELD_MAX),
		.arena = &arena };
	struct str found;
	bool claims;

	arena_init(&arena, AUTHRES_ARENA_MAX);
	found = take_id(&c);
	/* Other readers end the name earlier, or do not mind a final dot. */
	claims = c.is_bad || str_eq_case(found, id) ||
	         (str_starts_case(found, id) && !is_keyword(found.p[id.n]) &&
		     (found.p[id.n] != '.' || found.n == id.n + 1));
	arena_done(&arena);
	return claims;
}

/* Length of the field at the start of header, its folds included. */
static size_t
field_length(struct str header)
{
	size_t n = 0;

	do {
		ptrdiff_t end = str_find(str_from(header, n), '\n');

		if (end < 0)
			return header.n;
		n += (size_t)end + 1;
	} while (n < header.n && (header.p[n] == ' ' || header.p[n] == '\t'));
	return n;
}

static bool
is_forged(struct str field, struct str id)
{
	struct str name, value;

	if (str_find(field, ':') < 0)
		return false;
	value = str_split(field, ':', &name);
	return str_eq_case(trim_end(name), STR("Authentication-Results")) &&
	       authres_claims(value, id);
}

bool
authres_next_forged(struct str header, struct str id, size_t *at,
    size_t *ret_from, size_t *ret_n)
{
	while (*at < header.n) {
		size_t from = *at, n = field_length(str_from(header, from));
		struct str field = str_sub(header, from, n);

		*at = from + n;
		/* Behind an empty line the body begins. */
		if (trim_end(field).n == 0)
			*at = header.n;
		else if (is_forged(field, id)) {
			*ret_from = from;
			*ret_n = n;
			return true;
		}
	}
	return false;
}

size_t
authres_strip(struct str header, struct str id, struct buf *to)
{
	size_t count = 0, at = 0, done = 0, from, n;

	while (authres_next_forged(header, id, &at, &from, &n)) {
		buf_put_str(to, str_sub(header, done, from - done));
		done = from + n;
		count++;
	}
	buf_put_str(to, str_from(header, done));
	return count;
}
