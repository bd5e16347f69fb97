/* SPDX-License-Identifier: ISC */
/*
 * mime_address.c - address lists. See mime_address.h.
 *
 * A recursive descent over the whole value with one rule for garbage: what
 * cannot go on is skipped up to the next "," or ";" and something is made of
 * what was read. Words are gathered first; what follows them ("<", "@", ":")
 * says whether they were a name, a local part or a group.
 */
#include "proto/mime/mime_address.h"

#include "proto/mime/mime_token_internal.h"

struct parser {
	struct str in;
	struct arena *arena;
	struct mime_address **tail;
	size_t left; /* addresses that may still be added */
	bool is_truncated;
	bool in_group;
	struct str comment; /* the last one seen in this address */
};

static char
peek(const struct parser *p)
{
	return p->in.n ? p->in.p[0] : '\0';
}

/* A phrase keeps blanks between its words; a domain has no quoted strings. */
enum words { PHRASE, LOCAL, DOMAIN };

/* Skip blanks and comments; the last comment is kept as a possible name. */
static void
skip_cfws(struct parser *p)
{
	for (;;) {
		size_t n;

		p->in = token_skip_blanks(p->in);
		if (peek(p) != '(')
			return;
		n = token_enclosed_length(p->in);
		p->comment = str_first(p->in, n);
		p->in = str_from(p->in, n);
	}
}

static bool
is_special(char c)
{
	return token_is_blank(c) || c == '(' || c == ')' || c == '<' ||
	       c == '>' || c == '@' || c == ',' || c == ';' || c == ':' ||
	       c == '"';
}

static struct mime_address *
add(struct parser *p, enum mime_address_kind kind)
{
	struct mime_address *a = NULL;

	if (p->left)
		a = ARENA_NEW(p->arena, struct mime_address);
	if (!a) {
		p->is_truncated = true;
		p->in = STR_NONE;
		return NULL;
	}
	p->left--;
	a->kind = kind;
	*p->tail = a;
	p->tail = &a->next;
	return a;
}

/* An atom (dots and whatever is not special allowed) or a quoted string. */
static struct str
take_word(struct parser *p)
{
	struct str word;
	size_t n = 0;

	if (peek(p) == '"') {
		n = token_enclosed_length(p->in);
		word = token_unquote(str_first(p->in, n), p->arena);
		if (!word.p)
			word = str_make("", 0);
	} else {
		while (n < p->in.n && !is_special(p->in.p[n]))
			n++;
		word = str_first(p->in, n);
	}
	p->in = str_from(p->in, n);
	return word;
}

/* Put b behind a, with sep between them when it is not NUL. */
static struct str
glue(struct parser *p, struct str a, char sep, struct str b)
{
	char *to = arena_alloc(p->arena, a.n + b.n + 2);
	size_t n = a.n;

	if (!to)
		return a;
	if (n)
		memcpy(to, a.p, n);
	if (sep)
		to[n++] = sep;
	if (b.n)
		memcpy(to + n, b.p, b.n);
	return str_make(to, n + b.n);
}

/*
 * Words up to a special; in a local part and a domain only dots hold words
 * together that have blanks between them: of a local part the last such words
 * are taken, as those before were meant to be a name, of a domain the first.
 * The pieces are measured first and copied once, so that a million words
 * cost linear time.
 */
static struct str
take_words(struct parser *p, enum words what)
{
	struct str first = STR_NONE, word = STR_NONE;
	struct buf b = BUF_INIT(p->in.n + 1);
	size_t n = 0;
	bool had_blank = false;

	for (;;) {
		struct str before = p->in;

		skip_cfws(p);
		had_blank |= p->in.n < before.n;
		if (!p->in.n ||
		    (is_special(peek(p)) && (peek(p) != '"' || what == DOMAIN)))
			break;
		if (n && had_blank && what != PHRASE && peek(p) != '.' &&
		    !str_ends(word, STR("."))) {
			if (what == DOMAIN)
				break;
			n = b.n = 0;
		}
		word = take_word(p);
		if (n == 0)
			first = word;
		if (n == 1)
			buf_put_str(&b, first);
		if (n && what == PHRASE && had_blank)
			buf_put_char(&b, ' ');
		if (n)
			buf_put_str(&b, word);
		n++;
		had_blank = false;
	}
	if (n > 1 && !arena_str(p->arena, buf_str(&b), &first)) {
		p->is_truncated = true;
		first = STR_NONE;
	}
	buf_done(&b);
	return first;
}

/*
 * Length of the address literal at the start of s; 0 when it is none. ":" and
 * "," may stand in it, but nothing that would begin something else.
 */
static size_t
literal_length(struct str s)
{
	for (size_t i = 1; i < s.n && s.p[0] == '['; i++) {
		char c = s.p[i];

		if (c == ']')
			return i + 1 == s.n || is_special(s.p[i + 1]) ? i + 1
			                                              : 0;
		if ((unsigned char)c <= ' ' || strchr("[\\<>\"()", c))
			break;
	}
	return 0;
}

/* What follows "@": a literal, or words without the blanks between them. */
static struct str
take_domain(struct parser *p)
{
	struct str domain;
	size_t n;

	skip_cfws(p);
	n = literal_length(p->in);
	domain = str_first(p->in, n);
	p->in = str_from(p->in, n);
	if (!n)
		domain = take_words(p, DOMAIN);
	return domain.p ? domain : str_make("", 0);
}

/* RFC 5322 section 4.4: "@a,@b:" in front of the address in brackets. */
static struct str
take_route(struct parser *p)
{
	struct str route = STR_NONE;

	while (peek(p) == '@' || peek(p) == ',') {
		char c = peek(p);

		p->in = str_from(p->in, 1);
		skip_cfws(p);
		if (c == ',')
			continue;
		route =
		    route.p ? glue(p, route, ',', STR("@")) : str_make("@", 1);
		route = glue(p, route, '\0', take_domain(p));
		skip_cfws(p);
	}
	if (peek(p) == ':')
		p->in = str_from(p->in, 1);
	return route;
}

/* Up to the "," or ";" that ends this address; garbage goes. */
static void
skip_to_end(struct parser *p)
{
	while (p->in.n) {
		char c;

		skip_cfws(p);
		c = peek(p);
		if (!p->in.n || c == ',' || c == ';')
			return;
		p->in = str_from(
		    p->in, c == '"' ? token_enclosed_length(p->in) : 1);
	}
}

/*
 * Behind the ">", when it comes before the next address: a ";" in between,
 * as in "<undisclosed-recipients:;@b>", ends nothing.
 */
static void
skip_to_bracket(struct parser *p)
{
	skip_cfws(p);
	for (size_t i = 0; i < p->in.n; i++) {
		char c = p->in.p[i];

		if (c == '>')
			p->in = str_from(p->in, i + 1);
		if (c == '>' || c == ',' || c == '<' || c == '"' || c == '(')
			return;
	}
}

/* The last comment, when nothing better names the address. */
static struct str
comment_name(struct parser *p)
{
	struct str name;

	if (!p->comment.p)
		return STR_NONE;
	name = token_unquote(p->comment, p->arena);
	name = token_skip_blanks(name);
	while (name.n && token_is_blank(name.p[name.n - 1]))
		name.n--;
	return name.n ? name : STR_NONE;
}

/* Behind "<": route, local part, domain, ">". */
static void
take_angle(struct parser *p, struct str name)
{
	struct mime_address *a = add(p, MIME_ADDRESS_MAILBOX);

	if (!a)
		return;
	a->name = name;
	/* "<<a@b>>" is common enough in what robots write. */
	while (peek(p) == '<') {
		p->in = str_from(p->in, 1);
		skip_cfws(p);
	}
	if (peek(p) == '@')
		a->route = take_route(p);
	a->local = take_words(p, LOCAL);
	if (!a->local.p)
		a->local = str_make("", 0);
	if (peek(p) == '@') {
		p->in = str_from(p->in, 1);
		a->domain = take_domain(p);
	}
	skip_to_bracket(p);
	skip_to_end(p);
	if (!a->name.p)
		a->name = comment_name(p);
}

/* "local@domain" or a local part alone, which began where words began. */
static void
take_bare(struct parser *p, struct str start)
{
	struct mime_address *a = add(p, MIME_ADDRESS_MAILBOX);
	struct str after;

	if (!a)
		return;
	after = p->in;
	p->in = str_first(start, start.n - after.n);
	a->local =
	    take_words(p, !after.n || after.p[0] != '@' ? PHRASE : LOCAL);
	p->in = after;
	if (!a->local.p)
		a->local = str_make("", 0);
	if (peek(p) == '@') {
		p->in = str_from(p->in, 1);
		a->domain = take_domain(p);
	}
	skip_to_end(p);
	a->name = comment_name(p);
}

static void
close_group(struct parser *p)
{
	if (p->in_group)
		add(p, MIME_ADDRESS_GROUP_END);
	p->in_group = false;
}

static void
open_group(struct parser *p, struct str name)
{
	struct mime_address *a;

	close_group(p);
	a = add(p, MIME_ADDRESS_GROUP);
	if (!a)
		return;
	a->name = name.p ? name : str_make("", 0);
	p->in_group = true;
	p->in = str_from(p->in, 1);
}

static void
take_address(struct parser *p)
{
	struct str start, phrase;

	p->comment = STR_NONE;
	skip_cfws(p);
	start = p->in;
	switch (peek(p)) {
	case ',':
		p->in = str_from(p->in, 1);
		return;
	case ';':
		close_group(p);
		p->in = str_from(p->in, 1);
		return;
	default:
		break;
	}
	if (!p->in.n)
		return;
	phrase = take_words(p, PHRASE);
	switch (peek(p)) {
	case '<':
		take_angle(p, phrase);
		break;
	case ':':
		open_group(p, phrase);
		break;
	case ')':
	case '>':
		/* Nothing begins with these: without words they are noise. */
		if (!phrase.p) {
			p->in = str_from(p->in, 1);
			break;
		}
		take_bare(p, start);
		break;
	default:
		take_bare(p, start);
		break;
	}
}

struct mime_address *
mime_address_parse(
    struct str in, size_t max, struct arena *a, bool *ret_truncated)
{
	struct mime_address *first = NULL;
	struct parser p = {
		.in = in,
		.arena = a,
		.tail = &first,
		.left = max,
	};

	while (p.in.n)
		take_address(&p);
	close_group(&p);
	if (ret_truncated)
		*ret_truncated = p.is_truncated;
	return first;
}
