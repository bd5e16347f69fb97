/* SPDX-License-Identifier: ISC */
/*
 * mime_param.c - parameters and their continuations. See mime_param.h.
 *
 * First every "name=value" is taken as it stands, then the pieces of one
 * value (name*0, name*1*, ...) are joined into one parameter.
 */
#include "proto/mime/mime_param.h"

#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_token_internal.h"
#include "proto/mime/mime_word.h"

struct piece {
	struct str name; /* without its stars */
	struct str value;
	uint32_t number;
	bool has_number;
	bool is_extended;
	bool is_taken;
};

static bool
ends_value(char c)
{
	return c == ';' || token_is_blank(c) || c == '(';
}

/*
 * A value without quotes ends at ";". File names with blanks and without
 * quotes are common enough to be read to the ";" too.
 */
static struct str
take_bare_value(struct str *s)
{
	struct str value;
	size_t n = 0, last = 0;

	for (; n < s->n && s->p[n] != ';' && s->p[n] != '\n'; n++) {
		bool is_after_blank = n && token_is_blank(s->p[n - 1]);

		if (s->p[n] == '(' && is_after_blank)
			break;
		if (!token_is_blank(s->p[n]))
			last = n + 1;
	}
	value = str_first(*s, last);
	*s = str_from(*s, n);
	return value;
}

static struct str
take_value(struct str *s, struct arena *a)
{
	struct str value;
	size_t n;

	*s = token_skip_cfws(*s);
	if (!s->n || s->p[0] != '"')
		return take_bare_value(s);
	n = token_enclosed_length(*s);
	value = token_unquote(str_first(*s, n), a);
	*s = str_from(*s, n);
	return value;
}

/* "name*3*" is name, number 3, extended. RFC 2231 section 7. */
static void
split_name(struct piece *p)
{
	ptrdiff_t star;

	if (p->name.n > 1 && p->name.p[p->name.n - 1] == '*') {
		p->is_extended = true;
		p->name.n--;
	}
	star = str_rfind(p->name, '*');
	if (star > 0 && str_to_u32(str_from(p->name, (size_t)star + 1),
			    MIME_PARAM_MAX, &p->number)) {
		p->has_number = true;
		p->name.n = (size_t)star;
	}
}

/* Take the next parameter off *s. False at the end. */
static bool
take_piece(struct str *s, struct arena *a, struct piece *ret)
{
	while (s->n) {
		struct piece p = { 0 };
		size_t n = 0;

		*s = token_skip_cfws(*s);
		if (s->n && s->p[0] == ';') {
			*s = str_from(*s, 1);
			continue;
		}
		while (n < s->n && !ends_value(s->p[n]) && s->p[n] != '=')
			n++;
		p.name = str_first(*s, n);
		*s = token_skip_cfws(str_from(*s, n));
		if (!s->n || s->p[0] != '=') {
			/* No parameter: a stray word. */
			if (!n && s->n && s->p[0] != ';')
				*s = str_from(*s, 1);
			continue;
		}
		*s = str_from(*s, 1);
		p.value = take_value(s, a);
		if (!p.name.n)
			continue;
		split_name(&p);
		*ret = p;
		return true;
	}
	return false;
}

/* --- joining ------------------------------------------------------------------ */

static struct piece *
find_piece(struct piece *v, size_t n, struct str name, uint32_t number)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].has_number && !v[i].is_taken &&
		    v[i].number == number && str_eq_case(v[i].name, name))
			return &v[i];
	return NULL;
}

/* A literal piece in an extended value needs its "%" and others escaped. */
static void
put_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' ||
		    c == '-' || c == '_')
			buf_put_char(b, c);
		else
			buf_printf(b, "%%%02X", (unsigned char)c);
	}
}

static void
join(struct piece *v, size_t n, struct piece *first, struct arena *a,
    struct mime_param *ret)
{
	struct buf b = BUF_INIT(MIME_PARAM_VALUE_MAX);
	struct piece *p = first;
	struct str name = first->name;

	for (uint32_t i = 1; p; i++) {
		p->is_taken = true;
		if (first->is_extended && !p->is_extended)
			put_escaped(&b, p->value);
		else
			buf_put_str(&b, p->value);
		p = find_piece(v, n, name, i);
	}
	*ret = (struct mime_param){ .name = name };
	if (!arena_str(a, buf_str(&b), &ret->value))
		ret->value = STR_NONE;
	buf_done(&b);
}

/* The name with one star behind it, for an extended value. */
static struct str
starred(struct str name, struct arena *a)
{
	char *p = arena_alloc(a, name.n + 1);

	if (!p)
		return name;
	memcpy(p, name.p, name.n);
	p[name.n] = '*';
	return str_make(p, name.n + 1);
}

static void
put_param(struct piece *v, size_t n, struct piece *p, struct arena *a,
    struct mime_params *ret)
{
	struct mime_param *to = &ret->v[ret->n++];

	if (p->has_number)
		join(v, n, p, a, to);
	else
		*to = (struct mime_param){ p->name, p->value };
	if (p->is_extended)
		to->name = starred(to->name, a);
}

/*
 * What stands before the parameters, and in *ret_end where they begin: at
 * ";", or at a blank when that was forgotten. "text / plain" is one head, and
 * so is "text (a) / (b) plain".
 */
static struct str
take_head(struct str in, size_t *ret_end)
{
	size_t n = 0, last = 0;

	for (; n < in.n && in.p[n] != ';'; n++) {
		if (in.p[n] == '(') {
			n += token_enclosed_length(str_from(in, n)) - 1;
			continue;
		}
		if (token_is_blank(in.p[n]))
			continue;
		if (last && last < n && in.p[n] != '/' &&
		    in.p[last - 1] != '/') {
			n = last;
			break;
		}
		last = n + 1;
	}
	*ret_end = n;
	return str_first(in, last);
}

void
mime_param_parse(struct str in, struct arena *a, struct str *ret_head,
    struct mime_params *ret)
{
	struct piece v[MIME_PARAM_MAX];
	struct str head, rest;
	size_t n = 0, end = 0;

	*ret = (struct mime_params){ 0 };
	in = token_skip_cfws(in);
	head = take_head(in, &end);
	*ret_head = head;

	rest = str_from(in, end);
	while (n < MIME_PARAM_MAX && take_piece(&rest, a, &v[n]))
		n++;
	if (!n)
		return;
	ret->v = arena_calloc(a, n, sizeof(*ret->v));
	for (size_t i = 0; i < n && ret->v; i++)
		if (!v[i].is_taken && (!v[i].has_number || !v[i].number))
			put_param(v, n, &v[i], a, ret);
}

/* --- reading -------------------------------------------------------------------- */

const struct mime_param *
mime_param_find(const struct mime_params *params, struct str name)
{
	for (size_t i = 0; i < params->n; i++)
		if (str_eq_case(params->v[i].name, name))
			return &params->v[i];
	return NULL;
}

static int
hex(char c)
{
	c = ascii_lower(c);
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* charset'language'percent-encoded; without quotes it is all text. */
static void
decode_extended(struct str value, struct buf *out)
{
	struct str charset = STR_NONE, lang, text = value;
	struct buf bytes = BUF_INIT(value.n);

	if (str_find(value, '\'') >= 0) {
		text = str_split(value, '\'', &charset);
		if (str_find(text, '\'') >= 0)
			text = str_split(text, '\'', &lang);
	}
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '%' && i + 2 < text.n && hex(text.p[i + 1]) >= 0 &&
		    hex(text.p[i + 2]) >= 0) {
			c = (char)(hex(text.p[i + 1]) << 4 |
				   hex(text.p[i + 2]));
			i += 2;
		}
		buf_put_char(
		    &bytes, c == '\0' || c == '\r' || c == '\n' ? ' ' : c);
	}
	mime_charset_to_utf8(charset, buf_str(&bytes), out);
	buf_done(&bytes);
}

bool
mime_param_decode(
    const struct mime_params *params, struct str name, struct buf *out)
{
	const struct mime_param *plain = NULL;

	for (size_t i = 0; i < params->n; i++) {
		const struct mime_param *p = &params->v[i];

		if (p->name.n == name.n + 1 && p->name.p[name.n] == '*' &&
		    str_eq_case(str_first(p->name, name.n), name)) {
			decode_extended(p->value, out);
			return true;
		}
		if (!plain && str_eq_case(p->name, name))
			plain = p;
	}
	if (plain)
		mime_word_decode(plain->value, out);
	return plain;
}
