/* SPDX-License-Identifier: ISC */
/*
 * spf_macro.c - macros in names and explanations, RFC 7208 section 7.
 *
 * One reader cuts a text into items, literal runs and expansions; checking
 * and expanding are two walks over the same items, so that they cannot
 * disagree about what is right.
 */
#include "proto/spf/spf_macro.h"

/*
 * Of a long expansion only the end can be asked for. Cutting the start off
 * from time to time bounds the memory and changes nothing: what is left is
 * longer than a name and the label that the cut goes through.
 */
#define TAIL_KEEP 1024
#define TAIL_MAX  (2 * TAIL_KEEP + 3 * SPF_VALUE_MAX)

struct item {
	struct str literal; /* when letter is 0 */
	char letter;        /* lower case */
	bool is_expand;     /* not a literal run */
	bool is_escaped;    /* was upper case */
	bool is_reversed;
	size_t parts;          /* to keep at the right; 0: all of them */
	struct str delimiters; /* empty: a dot */
};

static bool
has_char(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Behind "%{" letter, up to and with "}". */
static bool
take_transformers(struct str *s, struct item *it)
{
	size_t at = 0, digits = 0;

	for (; at < s->n && ascii_is_digit(s->p[at]); at++, digits++)
		it->parts = MIN(it->parts * 10 + (size_t)(s->p[at] - '0'),
		    (size_t)SPF_VALUE_MAX);
	if (digits > 0 && it->parts == 0)
		return false;
	if (at < s->n && ascii_lower(s->p[at]) == 'r') {
		it->is_reversed = true;
		at++;
	}
	*s = str_from(*s, at);
	for (at = 0; at < s->n && has_char(".-+,/_=", s->p[at]); at++)
		;
	it->delimiters = str_first(*s, at);
	*s = str_from(*s, at);
	if (!str_starts(*s, STR("}")))
		return false;
	*s = str_from(*s, 1);
	return true;
}

/* At "%". */
static bool
take_expand(struct str *s, const char *letters, struct item *it)
{
	char c = s->n > 1 ? s->p[1] : '\0';

	it->is_expand = true;
	*s = str_from(*s, 2);
	switch (c) {
	case '%':
		it->literal = STR("%");
		return true;
	case '_':
		it->literal = STR(" ");
		return true;
	case '-':
		it->literal = STR("%20");
		return true;
	case '{':
		break;
	default:
		return false;
	}
	if (s->n == 0)
		return false;
	it->letter = ascii_lower(s->p[0]);
	it->is_escaped = it->letter != s->p[0];
	*s = str_from(*s, 1);
	return has_char(letters, it->letter) && take_transformers(s, it);
}

/* The next item of s, which is not empty. False when s is wrong there. */
static bool
take_item(struct str *s, bool is_text, struct item *ret)
{
	char lowest = is_text ? ' ' : '!';
	size_t n = 0;

	*ret = (struct item){ 0 };
	if (s->p[0] == '%')
		return take_expand(
		    s, is_text ? "slodipvhcrt" : "slodipvh", ret);
	while (
	    n < s->n && s->p[n] != '%' && s->p[n] >= lowest && s->p[n] <= '~')
		n++;
	ret->literal = str_first(*s, n);
	*s = str_from(*s, n);
	return n > 0;
}

static bool
is_right(struct str s, bool is_text, struct item *ret_last)
{
	while (s.n > 0)
		if (!take_item(&s, is_text, ret_last))
			return false;
	return true;
}

bool
spf_macro_is_string(struct str s)
{
	struct item last;

	return is_right(s, false, &last);
}

bool
spf_macro_is_explanation(struct str s)
{
	struct item last;

	return is_right(s, true, &last);
}

/* Letters, digits and hyphens, these not at an end; not digits only. */
static bool
is_top_label(struct str s)
{
	bool is_number = true;

	if (s.n == 0 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (ascii_is_digit(s.p[i]))
			continue;
		if (!ascii_is_alpha(s.p[i]) && s.p[i] != '-')
			return false;
		is_number = false;
	}
	return !is_number;
}

bool
spf_macro_is_domain(struct str s)
{
	struct item last;
	ptrdiff_t dot;

	if (s.n == 0 || !is_right(s, false, &last))
		return false;
	if (last.is_expand)
		return true;
	if (str_ends(last.literal, STR(".")))
		last.literal.n--;
	dot = str_rfind(last.literal, '.');
	return dot >= 0 &&
	       is_top_label(str_from(last.literal, (size_t)dot + 1));
}

bool
spf_macro_has(struct str s, char letter)
{
	struct item it;

	while (s.n > 0 && take_item(&s, true, &it))
		if (it.letter == letter)
			return true;
	return false;
}

/* The letter's value; scratch holds those that are made here. */
static struct str
value_of(const struct spf_macro_env *env, char letter, struct buf *scratch)
{
	switch (letter) {
	case 's':
		return env->sender;
	case 'l':
		return env->local;
	case 'o':
		return env->sender_domain;
	case 'd':
		return env->domain;
	case 'h':
		return env->helo;
	case 'r':
		return env->receiver;
	case 'p':
		return env->validated;
	case 'v':
		return env->client.is_v6 ? STR("ip6") : STR("in-addr");
	case 'i':
		spf_address_put_dotted(&env->client, scratch);
		break;
	case 'c':
		spf_address_put(&env->client, scratch);
		break;
	default:
		ASSERT(letter == 't');
		buf_put_u64(scratch, env->now);
	}
	return buf_str(scratch);
}

static bool
is_unreserved(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || has_char("-._~", c);
}

static void
put_value(const struct item *it, struct str value, struct buf *out)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (!it->is_escaped || is_unreserved(value.p[i]))
			buf_put_char(out, value.p[i]);
		else
			buf_printf(out, "%%%02X", (unsigned)c);
	}
}

/* No special treatment of delimiters side by side: parts can be empty. */
static size_t
split(struct str value, struct str delimiters, struct str *parts)
{
	size_t n = 0, from = 0;

	for (size_t i = 0; i < value.n; i++) {
		if (str_find(delimiters, value.p[i]) < 0)
			continue;
		parts[n++] = str_sub(value, from, i - from);
		from = i + 1;
	}
	parts[n++] = str_from(value, from);
	return n;
}

static void
put_parts(const struct item *it, struct str value, struct buf *out)
{
	struct str parts[SPF_VALUE_MAX + 1];
	size_t n, keep;

	ASSERT(value.n <= SPF_VALUE_MAX);
	n = split(value, it->delimiters.n ? it->delimiters : STR("."), parts);
	keep = it->parts ? MIN(it->parts, n) : n;
	for (size_t i = 0; i < keep; i++) {
		if (i > 0)
			buf_put_char(out, '.');
		put_value(it,
		    parts[it->is_reversed ? keep - 1 - i : n - keep + i], out);
	}
}

static void
put_item(
    const struct spf_macro_env *env, const struct item *it, struct buf *out)
{
	struct buf scratch = BUF_INIT(SPF_VALUE_MAX);
	struct str value;

	if (!it->letter) {
		buf_put_str(out, it->literal);
		return;
	}
	value = value_of(env, it->letter, &scratch);
	if (it->parts || it->is_reversed || it->delimiters.n)
		put_parts(it, value, out);
	else
		put_value(it, value, out);
	buf_done(&scratch);
}

bool
spf_macro_is_international(const struct spf_macro_env *env, struct str spec)
{
	return !str_is_ascii(env->local) &&
	       (spf_macro_has(spec, 's') || spf_macro_has(spec, 'l'));
}

/* Drop labels at the left until the name fits; STR_NONE when none does. */
static struct str
fit(struct str name)
{
	if (str_ends(name, STR(".")))
		name.n--;
	while (name.n > SPF_NAME_MAX) {
		struct str label;

		name = str_split(name, '.', &label);
	}
	return name;
}

bool
spf_macro_name(
    const struct spf_macro_env *env, struct str spec, struct spf_name *ret)
{
	struct buf out = BUF_INIT(TAIL_MAX);
	struct item it;
	bool ok;

	if (spf_macro_is_international(env, spec))
		return false;
	while (spec.n > 0) {
		ASSERT(take_item(&spec, false, &it));
		if (!it.letter && it.literal.n > TAIL_KEEP)
			it.literal =
			    str_from(it.literal, it.literal.n - TAIL_KEEP);
		put_item(env, &it, &out);
		if (out.n > 2 * TAIL_KEEP)
			buf_drop(&out, out.n - TAIL_KEEP);
	}
	ASSERT(!out.failed);
	ok = spf_name_set(fit(buf_str(&out)), ret);
	buf_done(&out);
	return ok;
}

void
spf_macro_text(
    const struct spf_macro_env *env, struct str text, struct buf *out)
{
	size_t from = out->n;
	struct item it;

	while (text.n > 0 && !out->failed) {
		ASSERT(take_item(&text, true, &it));
		put_item(env, &it, out);
	}
	for (size_t i = from; i < out->n; i++)
		if ((unsigned char)out->p[i] < ' ' || out->p[i] == '\x7F')
			out->p[i] = '?';
}
