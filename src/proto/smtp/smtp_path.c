/* SPDX-License-Identifier: ISC */
/*
 * smtp_path.c - envelope addresses. See smtp_path.h.
 *
 * Recursive descent over a cursor. Each rule takes its text from the front
 * of the cursor; the first error sticks and every later rule does nothing.
 */
#include "proto/smtp/smtp_path.h"

#include <arpa/inet.h>

struct cursor {
	struct str in; /* what is left */
	struct arena *arena;
	unsigned flags;
	enum smtp_path_error error;
	bool has_utf8;
};

static void
fail(struct cursor *c, enum smtp_path_error e)
{
	if (c->error == SMTP_PATH_OK)
		c->error = e;
}

static bool
at(const struct cursor *c, char want)
{
	return c->error == SMTP_PATH_OK && c->in.n > 0 && c->in.p[0] == want;
}

static bool
take(struct cursor *c, char want)
{
	if (!at(c, want))
		return false;
	c->in = str_from(c->in, 1);
	return true;
}

static void
expect(struct cursor *c, char want)
{
	if (!take(c, want))
		fail(c, SMTP_PATH_SYNTAX);
}

static bool
is_utf8_byte(char ch)
{
	return (unsigned char)ch >= 0x80;
}

/* Characters of well-formed UTF-8; for ASCII that is octets. */
static size_t
chars(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
	return n;
}

/* U+0080 to U+009F: controls, and so in no address. */
static bool
has_c1_control(struct str s)
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if ((unsigned char)s.p[i] == 0xC2 &&
		    (unsigned char)s.p[i + 1] < 0xA0)
			return true;
	return false;
}

/* Text that a rule has taken: UTF-8 only where allowed, and well-formed. */
static void
check_text(struct cursor *c, struct str s)
{
	if (str_is_ascii(s))
		return;
	if (!(c->flags & SMTP_PATH_ALLOW_UTF8))
		fail(c, SMTP_PATH_NEEDS_UTF8);
	else if (!str_is_utf8(s) || has_c1_control(s))
		fail(c, SMTP_PATH_SYNTAX);
	c->has_utf8 = true;
}

/* atext of RFC 5322 section 3.2.3, with RFC 6531's UTF8-non-ascii. */
static bool
is_atext(char ch)
{
	static const char marks[] = "!#$%&'*+-/=?^_`{|}~";

	return ascii_is_alpha(ch) || ascii_is_digit(ch) || is_utf8_byte(ch) ||
	       (ch != '\0' && strchr(marks, ch));
}

static bool
is_dot_string(struct str s)
{
	bool after_dot = true;

	for (size_t i = 0; i < s.n; i++) {
		bool is_dot = s.p[i] == '.';

		if (is_dot ? after_dot : !is_atext(s.p[i]))
			return false;
		after_dot = is_dot;
	}
	return !after_dot;
}

static struct str
take_dot_string(struct cursor *c)
{
	struct str got;
	size_t n = 0;

	while (n < c->in.n && (c->in.p[n] == '.' || is_atext(c->in.p[n])))
		n++;
	got = str_first(c->in, n);
	c->in = str_from(c->in, n);
	if (!is_dot_string(got))
		fail(c, SMTP_PATH_SYNTAX);
	return got;
}

/* What may stand behind a backslash: graphic ASCII and space. */
static bool
is_quotable(char ch)
{
	return ch >= ' ' && ch <= '~';
}

/* Behind the opening quote. Writes the bytes that are meant to `to`. */
static size_t
take_quoted(struct cursor *c, char *to)
{
	size_t n = 0, i = 0;

	for (; i < c->in.n && c->in.p[i] != '"'; i++) {
		if (c->in.p[i] == '\\') {
			if (++i == c->in.n || !is_quotable(c->in.p[i]))
				break;
		} else if (!is_quotable(c->in.p[i]) &&
			   !is_utf8_byte(c->in.p[i])) {
			break;
		}
		to[n++] = c->in.p[i];
	}
	c->in = str_from(c->in, i);
	expect(c, '"');
	return n;
}

static struct str
take_local(struct cursor *c)
{
	struct str before = c->in, raw, local;

	if (take(c, '"')) {
		char *to = arena_alloc(c->arena, before.n);

		if (!to) {
			fail(c, SMTP_PATH_NO_MEMORY);
			return STR_NONE;
		}
		local = str_make(to, take_quoted(c, to));
	} else {
		local = take_dot_string(c);
	}
	raw = str_first(before, before.n - c->in.n);
	check_text(c, raw);
	if (chars(raw) > SMTP_LOCAL_MAX)
		fail(c, SMTP_PATH_LOCAL_TOO_LONG);
	return local;
}

static bool
is_label_char(const struct cursor *c, char ch)
{
	return ascii_is_alpha(ch) || ascii_is_digit(ch) || ch == '-' ||
	       is_utf8_byte(ch) ||
	       (ch == '_' && (c->flags & SMTP_PATH_ALLOW_UNDERSCORE));
}

/*
 * sub-domain: whether a label of other letters is a legal U-label is for
 * whoever converts it with the IDNA tables.
 */
static void
take_label(struct cursor *c)
{
	struct str label;
	size_t n = 0;

	while (n < c->in.n && is_label_char(c, c->in.p[n]))
		n++;
	label = str_first(c->in, n);
	c->in = str_from(c->in, n);
	if (n == 0 || label.p[0] == '-' || label.p[n - 1] == '-')
		fail(c, SMTP_PATH_SYNTAX);
	if (chars(label) > SMTP_LABEL_MAX)
		fail(c, SMTP_PATH_DOMAIN_TOO_LONG);
}

static struct str
take_domain(struct cursor *c)
{
	struct str before = c->in, domain;

	do
		take_label(c);
	while (take(c, '.'));
	domain = str_first(before, before.n - c->in.n);
	check_text(c, domain);
	if (chars(domain) > SMTP_DOMAIN_MAX)
		fail(c, SMTP_PATH_DOMAIN_TOO_LONG);
	return domain;
}

/*
 * Address of the family in its normal text form behind prefix, as a literal.
 * Numbers with leading zeros are refused, since some readers take them for
 * octal.
 */
static bool
literal_of(int family, const char *prefix, struct str text, struct buf *to)
{
	unsigned char addr[sizeof(struct in6_addr)];
	char in[INET6_ADDRSTRLEN], out[INET6_ADDRSTRLEN];

	if (text.n >= sizeof(in) || memchr(text.p, '\0', text.n))
		return false;
	memcpy(in, text.p, text.n);
	in[text.n] = '\0';
	if (inet_pton(family, in, addr) != 1 ||
	    !inet_ntop(family, addr, out, sizeof(out)))
		return false;
	buf_printf(to, "[%s%s]", prefix, out);
	return true;
}

/*
 * Behind "[". Only the two kinds of address that exist: no tag was ever
 * registered for General-address-literal.
 */
static struct str
take_literal(struct cursor *c)
{
	static const char tag[] = "IPv6:";
	struct buf text = BUF_INIT(SMTP_DOMAIN_MAX);
	struct str inner, rest, kept = STR_NONE;
	bool ok;

	rest = str_split(c->in, ']', &inner);
	if (inner.n == c->in.n || inner.n == 0) {
		fail(c, SMTP_PATH_SYNTAX);
		return STR_NONE;
	}
	if (str_starts_case(inner, str_c(tag)))
		ok = literal_of(
		    AF_INET6, tag, str_from(inner, strlen(tag)), &text);
	else
		ok = literal_of(AF_INET, "", inner, &text);
	if (!ok)
		fail(c, SMTP_PATH_SYNTAX);
	else if (!arena_str(c->arena, buf_str(&text), &kept))
		fail(c, SMTP_PATH_NO_MEMORY);
	buf_done(&text);
	c->in = rest;
	return kept;
}

static void
take_domain_or_literal(struct cursor *c, struct smtp_path *path)
{
	path->is_literal = take(c, '[');
	path->domain = path->is_literal ? take_literal(c) : take_domain(c);
}

static void
take_mailbox(struct cursor *c, struct smtp_path *path)
{
	path->local = take_local(c);
	if (!take(c, '@')) {
		fail(c, c->in.n == 0 || c->in.p[0] == '>' ? SMTP_PATH_NO_DOMAIN
							  : SMTP_PATH_SYNTAX);
		return;
	}
	take_domain_or_literal(c, path);
}

/* A-d-l ":": at-domains with commas between them. */
static void
take_route(struct cursor *c)
{
	do {
		expect(c, '@');
		take_domain(c);
	} while (take(c, ','));
	expect(c, ':');
}

static bool
take_word_postmaster(struct cursor *c)
{
	const struct str word = STR("postmaster");

	if (c->error != SMTP_PATH_OK || !str_starts_case(c->in, word) ||
	    c->in.n == word.n || c->in.p[word.n] != '>')
		return false;
	c->in = str_from(c->in, word.n);
	return true;
}

static void
take_path(struct cursor *c, struct smtp_path *path)
{
	expect(c, '<');
	if ((c->flags & SMTP_PATH_ALLOW_NULL) && take(c, '>')) {
		path->is_null = true;
		return;
	}
	path->has_route = at(c, '@');
	if (path->has_route) {
		take_route(c);
		/* A route is not kept, so neither is what it needed. */
		c->has_utf8 = false;
	}
	if (!path->has_route && (c->flags & SMTP_PATH_ALLOW_POSTMASTER) &&
	    take_word_postmaster(c)) {
		path->is_postmaster = true;
		path->local = STR("postmaster");
	} else {
		take_mailbox(c, path);
	}
	expect(c, '>');
}

/* What the path keeps moves to the arena; domains in lower case. */
static void
keep(struct cursor *c, struct smtp_path *path)
{
	struct str domain;
	char *p;

	if (c->error != SMTP_PATH_OK)
		return;
	p = arena_alloc(c->arena, path->domain.n + 1);
	if (!p || !arena_str(c->arena, path->local, &path->local)) {
		fail(c, SMTP_PATH_NO_MEMORY);
		return;
	}
	domain = path->domain;
	for (size_t i = 0; i < domain.n; i++)
		p[i] =
		    path->is_literal ? domain.p[i] : ascii_lower(domain.p[i]);
	path->domain = str_make(p, domain.n);
	path->is_utf8 = c->has_utf8;
}

enum smtp_path_error
smtp_path_parse(struct arena *a, struct str in, unsigned flags,
    struct smtp_path *ret, struct str *ret_rest)
{
	struct cursor c = { .in = in, .arena = a, .flags = flags };
	struct smtp_path path = { 0 };

	take_path(&c, &path);
	if (chars(str_first(in, in.n - c.in.n)) > SMTP_PATH_MAX)
		fail(&c, SMTP_PATH_TOO_LONG);
	keep(&c, &path);
	if (c.error != SMTP_PATH_OK)
		return c.error;
	*ret = path;
	*ret_rest = c.in;
	return SMTP_PATH_OK;
}

enum smtp_path_error
smtp_mailbox_parse(
    struct arena *a, struct str in, unsigned flags, struct smtp_path *ret)
{
	struct cursor c = { .in = in, .arena = a, .flags = flags };
	struct smtp_path path = { 0 };

	take_mailbox(&c, &path);
	if (c.in.n > 0)
		fail(&c, SMTP_PATH_SYNTAX);
	/* In an envelope two brackets would stand around it. */
	if (chars(in) > SMTP_PATH_MAX - 2)
		fail(&c, SMTP_PATH_TOO_LONG);
	keep(&c, &path);
	if (c.error == SMTP_PATH_OK)
		*ret = path;
	return c.error;
}

enum smtp_path_error
smtp_domain_parse(
    struct arena *a, struct str in, unsigned flags, struct smtp_path *ret)
{
	struct cursor c = { .in = in, .arena = a, .flags = flags };
	struct smtp_path path = { 0 };

	take_domain_or_literal(&c, &path);
	if (c.in.n > 0)
		fail(&c, SMTP_PATH_SYNTAX);
	keep(&c, &path);
	if (c.error == SMTP_PATH_OK)
		*ret = path;
	return c.error;
}

static void
format_local(struct buf *to, struct str local)
{
	if (is_dot_string(local)) {
		buf_put_str(to, local);
		return;
	}
	buf_put_char(to, '"');
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			buf_put_char(to, '\\');
		buf_put_char(to, local.p[i]);
	}
	buf_put_char(to, '"');
}

void
smtp_mailbox_format(struct buf *to, const struct smtp_path *path)
{
	if (path->is_null)
		return;
	format_local(to, path->local);
	if (path->is_postmaster)
		return;
	buf_put_char(to, '@');
	buf_put_str(to, path->domain);
}

void
smtp_path_format(struct buf *to, const struct smtp_path *path)
{
	buf_put_char(to, '<');
	smtp_mailbox_format(to, path);
	buf_put_char(to, '>');
}

bool
smtp_path_eq(const struct smtp_path *a, const struct smtp_path *b)
{
	return a->is_null == b->is_null &&
	       a->is_postmaster == b->is_postmaster &&
	       str_eq(a->local, b->local) && str_eq(a->domain, b->domain);
}

const char *
smtp_path_error_str(enum smtp_path_error e)
{
	switch (e) {
	case SMTP_PATH_OK:
		return "ok";
	case SMTP_PATH_SYNTAX:
		return "bad address syntax";
	case SMTP_PATH_NO_DOMAIN:
		return "address without a domain";
	case SMTP_PATH_LOCAL_TOO_LONG:
		return "local part too long";
	case SMTP_PATH_DOMAIN_TOO_LONG:
		return "domain too long";
	case SMTP_PATH_TOO_LONG:
		return "address too long";
	case SMTP_PATH_NEEDS_UTF8:
		return "address needs SMTPUTF8";
	case SMTP_PATH_NO_MEMORY:
		return "too much for one command";
	}
	return "unknown";
}
