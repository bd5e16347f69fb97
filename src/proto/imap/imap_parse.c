/* SPDX-License-Identifier: ISC */
/*
 * imap_parse.c - the tokens of RFC 3501 section 9. See imap_internal.h.
 */
#include "proto/imap/imap_internal.h"

#include "proto/imap/imap_utf7.h"
#include "proto/imap/imap_write.h"

#define FIRST_VEC 8

bool
imap_fail_as(struct imap_cursor *c, enum imap_parse result, const char *reason)
{
	if (c->result == IMAP_PARSE_OK) {
		c->result = result;
		c->error = reason;
	}
	c->in = STR_NONE;
	return false;
}

bool
imap_fail(struct imap_cursor *c, const char *reason)
{
	return imap_fail_as(c, IMAP_PARSE_BAD, reason);
}

bool
imap_fail_memory(struct imap_cursor *c)
{
	return imap_fail(c, "Command needs too much memory");
}

bool
imap_try(struct imap_cursor *c, char ch)
{
	if (c->in.n == 0 || c->in.p[0] != ch)
		return false;
	c->in = str_from(c->in, 1);
	return true;
}

bool
imap_get(struct imap_cursor *c, char ch)
{
	if (imap_try(c, ch))
		return true;
	switch (ch) {
	case '(':
		return imap_fail(c, "Expected \"(\"");
	case ')':
		return imap_fail(c, "Expected \")\"");
	default:
		return imap_fail(c, "Syntax error");
	}
}

bool
imap_get_space(struct imap_cursor *c)
{
	if (imap_try(c, ' '))
		return true;
	return imap_fail(c, c->in.n ? "Expected a space" : "Missing arguments");
}

bool
imap_get_end(struct imap_cursor *c)
{
	if (c->in.n == 0)
		return c->result == IMAP_PARSE_OK;
	return imap_fail(c, "Unexpected text at the end of the command");
}

bool
imap_try_word(struct imap_cursor *c, struct str word)
{
	if (!str_starts_case(c->in, word))
		return false;
	if (c->in.n > word.n && imap_is_atom_char(c->in.p[word.n]))
		return false;
	c->in = str_from(c->in, word.n);
	return true;
}

/* The longest run of bytes for which is_member holds. */
static struct str
take_run(struct imap_cursor *c, bool (*is_member)(char))
{
	size_t n = 0;
	struct str run;

	while (n < c->in.n && is_member(c->in.p[n]))
		n++;
	run = str_first(c->in, n);
	c->in = str_from(c->in, n);
	return run;
}

static bool
is_name_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-';
}

static bool
is_list_char(char c)
{
	return c == '%' || c == '*' || imap_is_astring_char(c);
}

static bool
is_set_char(char c)
{
	return ascii_is_digit(c) || c == ':' || c == ',' || c == '*' ||
	       c == '$';
}

bool
imap_get_atom(struct imap_cursor *c, struct str *ret)
{
	struct str run = take_run(c, imap_is_atom_char);

	if (run.n == 0)
		return imap_fail(c, "Expected an atom");
	*ret = run;
	return true;
}

bool
imap_get_name(struct imap_cursor *c, struct str *ret)
{
	struct str run = take_run(c, is_name_char);

	if (run.n == 0)
		return imap_fail(c, "Expected a name");
	*ret = run;
	return true;
}

bool
imap_get_u64(struct imap_cursor *c, uint64_t max, uint64_t *ret)
{
	if (!str_to_u64(take_run(c, ascii_is_digit), max, ret))
		return imap_fail(c, "Expected a number");
	return true;
}

bool
imap_get_u32(struct imap_cursor *c, uint32_t min, uint32_t *ret)
{
	uint64_t v;

	if (!imap_get_u64(c, UINT32_MAX, &v))
		return false;
	if (v < min)
		return imap_fail(c, "Number is too small");
	*ret = (uint32_t)v;
	return true;
}

/* Copy of a quoted string without its backslashes. */
static bool
unescape(struct imap_cursor *c, struct str raw, struct str *ret)
{
	char *p = arena_alloc(c->arena, raw.n + 1);
	size_t n = 0;

	if (!p)
		return imap_fail_memory(c);
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\')
			i++;
		p[n++] = raw.p[i];
	}
	*ret = str_make(p, n);
	return true;
}

static bool
get_quoted(struct imap_cursor *c, struct str *ret)
{
	bool has_escape = false;
	struct str raw;
	size_t n = 1;

	for (; n < c->in.n && c->in.p[n] != '"'; n++) {
		char ch = c->in.p[n];

		if (ch == '\r' || ch == '\n' || ch == '\0')
			break;
		if (ch != '\\')
			continue;
		has_escape = true;
		n++;
		if (n == c->in.n || (c->in.p[n] != '"' && c->in.p[n] != '\\'))
			return imap_fail(c, "Bad escape in quoted string");
	}
	if (n >= c->in.n || c->in.p[n] != '"')
		return imap_fail(c, "Quoted string does not end");

	raw = str_sub(c->in, 1, n - 1);
	c->in = str_from(c->in, n + 1);
	/* RFC 9051 and RFC 6855 allow UTF-8 here; RFC 3501 only ASCII. */
	if (!str_is_utf8(raw))
		return imap_fail(c, "Quoted string is not UTF-8");
	if (has_escape)
		return unescape(c, raw, ret);
	*ret = raw;
	return true;
}

/*
 * Behind the "{n" of a header: the mark of the framer ("!"), or that of the
 * client ("+"), the end of the line, and the bytes.
 */
static bool
get_literal_data(struct imap_cursor *c, struct imap_literal_arg *lit)
{
	bool has_data;

	lit->is_streamed = imap_try(c, '!');
	if (!lit->is_streamed)
		(void)imap_try(c, '+');
	if (!imap_get(c, '}'))
		return false;
	has_data = !lit->is_streamed;
	if (c->is_prefix && c->in.n == 0)
		return !lit->is_streamed || imap_fail(c, "Bad literal");
	if (!imap_try(c, '\r') || !imap_try(c, '\n'))
		return imap_fail(c, "Bad literal");
	if (!has_data)
		return true;
	if (lit->size > c->in.n)
		return imap_fail(c, "Literal is cut short");
	lit->data = str_first(c->in, (size_t)lit->size);
	c->in = str_from(c->in, (size_t)lit->size);
	return true;
}

bool
imap_get_literal(struct imap_cursor *c, struct imap_literal_arg *ret)
{
	struct imap_literal_arg lit = { .is_binary = imap_try(c, '~') };

	if (!imap_try(c, '{'))
		return imap_fail(c, "Expected a literal");
	if (!imap_get_u64(c, UINT64_MAX, &lit.size) ||
	    !get_literal_data(c, &lit))
		return false;
	*ret = lit;
	return true;
}

bool
imap_get_string(struct imap_cursor *c, struct str *ret)
{
	struct imap_literal_arg lit;

	if (imap_peek(c) == '"')
		return get_quoted(c, ret);
	if (imap_peek(c) != '{')
		return imap_fail(c, "Expected a string");
	if (!imap_get_literal(c, &lit))
		return false;
	if (lit.is_streamed || lit.data.n != lit.size)
		return imap_fail(c, "Literal is not expected here");
	if (str_find(lit.data, '\0') >= 0)
		return imap_fail(c, "Literal contains NUL");
	*ret = lit.data;
	return true;
}

static bool
get_run_or_string(
    struct imap_cursor *c, bool (*is_member)(char), struct str *ret)
{
	struct str run = take_run(c, is_member);

	if (run.n == 0)
		return imap_get_string(c, ret);
	*ret = run;
	return true;
}

bool
imap_get_astring(struct imap_cursor *c, struct str *ret)
{
	return get_run_or_string(c, imap_is_astring_char, ret);
}

bool
imap_get_pattern(struct imap_cursor *c, struct str *ret)
{
	return get_run_or_string(c, is_list_char, ret);
}

bool
imap_get_set(struct imap_cursor *c, struct imap_set *ret)
{
	struct str run = take_run(c, is_set_char);

	if (imap_set_parse(c->arena, run, ret))
		return true;
	return imap_fail(c, "Bad sequence set");
}

bool
imap_decode_name(struct imap_cursor *c, struct str wire, struct str *ret)
{
	struct buf utf8 = BUF_INIT(2 * IMAP_MAX_MAILBOX_BYTES);
	bool ok;

	if (wire.n > 4 * IMAP_MAX_MAILBOX_BYTES)
		return false;
	if (c->utf8_names) {
		*ret = wire;
		return str_is_utf8(wire);
	}
	if (!imap_utf7_decode(&utf8, wire)) {
		buf_done(&utf8);
		return false;
	}
	ok = arena_str(c->arena, buf_str(&utf8), ret);
	buf_done(&utf8);
	return ok || imap_fail_memory(c);
}

static bool
get_mailbox(struct imap_cursor *c, bool is_new, struct imap_mailbox *ret)
{
	struct imap_mailbox m = { 0 };
	enum imap_name result;
	struct str wire;

	if (!imap_get_astring(c, &wire))
		return false;
	if (!imap_decode_name(c, wire, &m.name))
		return imap_fail_as(c, IMAP_PARSE_BAD_NAME,
		    c->utf8_names ? "Mailbox name is not UTF-8"
				  : "Mailbox name is not valid modified UTF-7");
	if (is_new && m.name.n > 1 && str_ends(m.name, STR("/"))) {
		m.name = str_first(m.name, m.name.n - 1);
		m.has_trailing_separator = true;
	}
	result = imap_name_check(m.name);
	if (result != IMAP_NAME_OK)
		return imap_fail_as(
		    c, IMAP_PARSE_BAD_NAME, imap_name_error(result));
	if (!imap_name_canonical(c->arena, m.name, &m.name))
		return imap_fail_memory(c);
	*ret = m;
	return true;
}

bool
imap_get_mailbox(struct imap_cursor *c, struct imap_mailbox *ret)
{
	return get_mailbox(c, false, ret);
}

bool
imap_get_new_mailbox(struct imap_cursor *c, struct imap_mailbox *ret)
{
	return get_mailbox(c, true, ret);
}

bool
imap_get_date(struct imap_cursor *c, int32_t *ret_day)
{
	bool is_quoted = imap_try(c, '"');
	struct str text = take_run(c, is_name_char);

	if (!imap_date_parse(text, ret_day))
		return imap_fail(c, "Expected a date like 1-Feb-1994");
	return !is_quoted || imap_get(c, '"');
}

void *
imap_vec_add(struct imap_cursor *c, struct imap_vec *v)
{
	size_t cap = v->cap ? 2 * v->cap : FIRST_VEC;
	void *p;

	if (v->n >= v->max) {
		imap_fail(c, "List is too long");
		return NULL;
	}
	if (v->n == v->cap) {
		p = arena_calloc(c->arena, cap, v->elem);
		if (!p) {
			imap_fail_memory(c);
			return NULL;
		}
		if (v->n)
			memcpy(p, v->p, v->n * v->elem);
		v->p = p;
		v->cap = cap;
	}
	return (char *)v->p + v->n++ * v->elem;
}

unsigned
imap_word_bit(const struct imap_word *words, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq_case(words[i].word, name))
			return words[i].bit;
	}
	return 0;
}

bool
imap_get_word_bit(struct imap_cursor *c, const struct imap_word *words,
    size_t n, unsigned *bits)
{
	struct str name;
	unsigned bit;

	if (!imap_get_name(c, &name))
		return false;
	bit = imap_word_bit(words, n, name);
	if (!bit)
		return imap_fail(c, "Unknown option or item");
	*bits |= bit;
	return true;
}
